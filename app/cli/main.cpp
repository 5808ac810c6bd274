// sparsescope-cli: train and look into recordings without a window. It never asks; it refuses with one
// sentence.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>

#include "app/cli/cli.h"
#include "app/cpu_manners.h"
#include "engine/trace/error.h"

namespace {

// CLI11 would only say that a command is missing.
void refuse_unknown_command(CLI::App& parser, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const CLI::App* command : parser.get_subcommands({})) {
    if (command->get_name() == argv[1]) return;
    names.push_back(command->get_name());
  }
  throw sparsescope::Error(
      fmt::format("there is no command '{}'; the commands are {}", argv[1], fmt::join(names, ", ")),
      sparsescope::ExitCode::Usage);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace sparsescope;
#ifdef SPARSESCOPE_WITH_TRAINING
  app::mind_cpu_manners(argv);
#endif
  CLI::App parser{"Trains small sparse-attention models and looks into their recordings.", "sparsescope-cli"};
  parser.require_subcommand(1);
  parser.footer(
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 input refused, 4 recording of a newer version, "
      "5 damaged tail, 6 damaged middle.");
  app::CommandAction chosen;
#ifdef SPARSESCOPE_WITH_TRAINING
  app::add_presets_command(parser, chosen);
  app::add_corpus_command(parser, chosen);
  app::add_train_command(parser, chosen);
#endif
  app::add_info_command(parser, chosen);
  app::add_table_command(parser, chosen);
  app::add_describe_command(parser, chosen);
  app::add_recover_command(parser, chosen);
  try {
    refuse_unknown_command(parser, argc, argv);
    parser.parse(argc, argv);
    return chosen();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return parser.exit(error);
    fmt::print(stderr, "sparsescope-cli: {}; see sparsescope-cli --help\n", error.what());
    return static_cast<int>(ExitCode::Usage);
  } catch (const Error& error) {
    fmt::print(stderr, "sparsescope-cli: {}\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    fmt::print(stderr, "sparsescope-cli: this should not have happened: {}\n", error.what());
    return static_cast<int>(ExitCode::Failed);
  }
}
