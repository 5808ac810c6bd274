// sparsescope-cli corpus: lists the named corpora and packs one for a machine without network.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/cli.h"
#include "app/run_arguments.h"
#include "app/stop_signals.h"
#include "engine/trace/error.h"
#include "engine/train/corpora.h"

namespace sparsescope::app {
namespace {

using train::CorpusChoice;

double megabytes(std::int64_t bytes) { return static_cast<double>(bytes) * 1e-6; }

std::string state_words(const CorpusChoice& corpus) {
  switch (corpus.state) {
    case CorpusChoice::State::Installed:
      return "read from this machine when a run starts";
    case CorpusChoice::State::Built:
      return fmt::format("built: {:.1f} MB, SHA-256 {}", megabytes(corpus.bytes), corpus.text_sha256);
    case CorpusChoice::State::NotBuilt:
      return fmt::format("not built; the first use fetches about {:.0f} MB",
                         megabytes(corpus.download_bytes));
  }
  return "";
}

const char* state_name(CorpusChoice::State state) {
  switch (state) {
    case CorpusChoice::State::Installed:
      return "installed";
    case CorpusChoice::State::Built:
      return "built";
    case CorpusChoice::State::NotBuilt:
      return "not built";
  }
  return "";
}

std::vector<std::string> package_words(const CorpusChoice& corpus) {
  std::vector<std::string> words;
  for (const train::CorpusPackage& package : corpus.packages)
    words.push_back(package.name + " " + package.version);
  return words;
}

void print_words(const CorpusChoice& corpus) {
  fmt::print("{}\n  {}, about {:.0f} MB of text\n  {}\n", corpus.name, corpus.title,
             megabytes(corpus.approximate_bytes), corpus.text);
  fmt::print("  licence   {}\n  source    {}\n", corpus.licence, corpus.source);
  if (!corpus.packages.empty()) fmt::print("  packages  {}\n", fmt::join(package_words(corpus), ", "));
  fmt::print("  state     {}\n", state_words(corpus));
  if (!corpus.warning.empty()) fmt::print("  warning   {}\n", corpus.warning);
}

nlohmann::ordered_json json_of(const CorpusChoice& corpus) {
  nlohmann::ordered_json json = {{"name", corpus.name},
                                 {"title", corpus.title},
                                 {"text", corpus.text},
                                 {"licence", corpus.licence},
                                 {"source", corpus.source},
                                 {"approximate_bytes", corpus.approximate_bytes},
                                 {"download_bytes", corpus.download_bytes},
                                 {"packages", nlohmann::ordered_json::array()},
                                 {"state", state_name(corpus.state)}};
  for (const train::CorpusPackage& package : corpus.packages)
    json["packages"].push_back({{"name", package.name}, {"version", package.version}});
  if (corpus.state == CorpusChoice::State::Built)
    json["bytes"] = corpus.bytes, json["text_sha256"] = corpus.text_sha256, json["warning"] = corpus.warning;
  return json;
}

int list_command(bool as_json) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const CorpusChoice& corpus : train::corpora()) {
    if (as_json) {
      json.push_back(json_of(corpus));
    } else {
      print_words(corpus);
    }
  }
  if (as_json) fmt::print("{}\n", json.dump(2));
  return 0;
}

// A line that is written over on a terminal, and one per new text elsewhere.
class ProgressLine {
 public:
  bool operator()(const std::string& text, double fraction) {
    if (stop_signal_seen()) return false;
    const int percent = fraction < 0 ? -1 : static_cast<int>(100 * fraction);
    if (text.empty() || (text == text_ && (percent == percent_ || !is_terminal_))) return true;
    text_ = text, percent_ = percent;
    const std::string share = percent < 0 ? "" : fmt::format(" {} %", percent);
    if (is_terminal_) {
      fmt::print(stderr, "\r\033[K{}{}", text, share);
    } else {
      fmt::print(stderr, "{}{}\n", text, share);
    }
    std::fflush(stderr);
    return true;
  }
  void end() const {
    if (is_terminal_ && !text_.empty()) fmt::print(stderr, "\r\033[K");
  }

 private:
  bool is_terminal_ = ::isatty(STDERR_FILENO) != 0;
  std::string text_;
  int percent_ = -1;
};

struct PrepareOptions {
  std::string name, out;
  std::vector<std::int64_t> vocabularies = {4096, 1024};
};

int prepare_command(const PrepareOptions& options) {
  catch_stop_signals();
  ProgressLine line;
  train::PackedSummary packed;
  try {
    packed = train::pack_corpus(options.name, options.vocabularies, options.out, std::ref(line));
  } catch (...) {
    line.end();
    throw;
  }
  line.end();
  fmt::print("{}\n", packed.text);
  for (const train::PackedSummary::Tokens& tokens : packed.tokens) {
    fmt::print("tokenizer of {} ids: {} training and {} validation tokens\n", tokens.vocabulary, tokens.train,
               tokens.validation);
  }
  fmt::print("corpus hash of runs {}\n", packed.corpus_sha256);
  for (const std::string& warning : packed.warnings) fmt::print(stderr, "warning: {}\n", warning);
  fmt::print("{}: {:.1f} MB; use it with --corpus {}\n", options.out, megabytes(packed.bytes), options.out);
  return 0;
}

}  // namespace

void add_corpus_command(CLI::App& parser, CommandAction& chosen) {
  CLI::App* command = parser.add_subcommand("corpus", "The named corpora: list them, pack one into a file");
  command->require_subcommand(1);
  auto as_json = std::make_shared<bool>(false);
  CLI::App* list =
      command->add_subcommand("list", "Say what each is, its size, licence and whether it is built");
  list->add_flag("--json", *as_json, "as JSON");
  list->callback([as_json, &chosen] { chosen = [as_json] { return list_command(*as_json); }; });

  auto options = std::make_shared<PrepareOptions>();
  CLI::App* prepare = command->add_subcommand(
      "prepare", "Pack a corpus and tokenizers trained on it into one file, for a machine without network");
  prepare->add_option("name", options->name, "one of sparsescope-cli corpus list")->required();
  prepare->add_option("-o,--out", options->out, "the new file")->required();
  prepare
      ->add_option("--vocabulary", options->vocabularies,
                   "token ids of a tokenizer; may be repeated; default: what the presets use")
      ->check(CLI::Range(257, 65536))
      ->allow_extra_args(false)
      ->capture_default_str();
  prepare->callback([options, &chosen] { chosen = [options] { return prepare_command(*options); }; });
}

}  // namespace sparsescope::app
