// The commands of sparsescope-cli. Each adds itself to the parser and returns what to run when it was chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace sparsescope::app {

using CommandAction = std::function<int()>;  // returns an exit code; failures are thrown as Error

void add_info_command(CLI::App& parser, CommandAction& chosen);
void add_table_command(CLI::App& parser, CommandAction& chosen);
void add_describe_command(CLI::App& parser, CommandAction& chosen);
void add_recover_command(CLI::App& parser, CommandAction& chosen);
#ifdef SPARSESCOPE_WITH_TRAINING
void add_corpus_command(CLI::App& parser, CommandAction& chosen);
void add_presets_command(CLI::App& parser, CommandAction& chosen);
void add_train_command(CLI::App& parser, CommandAction& chosen);
#endif

}  // namespace sparsescope::app
