#include "engine/train/corpora.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/data/corpus_build.h"
#include "engine/data/corpus_file.h"
#include "engine/data/prepare.h"
#include "engine/trace/error.h"

namespace sparsescope::train {
namespace {

CorpusChoice choice_of(const data::CorpusFile& file) {
  CorpusChoice choice;
  choice.name = file.name, choice.title = file.title, choice.text = file.text;
  choice.licence = file.licence, choice.source = file.source;
  choice.approximate_bytes = file.approximate_bytes, choice.download_bytes = file.download_bytes;
  for (const data::PackageText& package : file.packages)
    choice.packages.push_back({package.package, package.version});
  if (file.is_installed()) {
    choice.state = CorpusChoice::State::Installed;
  } else if (const std::optional<data::PackedCorpus> built = data::find_built(file)) {
    choice.state = CorpusChoice::State::Built;
    choice.packages.clear();
    for (const data::PackageVersion& package : built->packages)
      choice.packages.push_back({package.name, package.version});
    choice.bytes = static_cast<std::int64_t>(built->text.size());
    choice.text_sha256 = built->text_sha256();
    choice.warning = data::unexpected_text(file, *built);
  }
  return choice;
}

// `progress` as a task of engine/data: its answer is remembered. It outlives the task.
data::Task task_of(const CorpusProgress& progress) {
  const auto is_wanted = std::make_shared<bool>(true);
  const auto ask = [is_wanted, &progress](const std::string& text, double fraction) {
    *is_wanted = progress(text, fraction) && *is_wanted;
    return *is_wanted;
  };
  return {.progress = [ask](const std::string& text, double fraction) { ask(text, fraction); },
          .cancelled = [ask] { return !ask("", -1); }};
}

}  // namespace

std::vector<CorpusChoice> corpora() {
  std::vector<CorpusChoice> choices;
  for (const std::string& name : data::corpus_names()) {
    if (const std::optional<data::CorpusFile> file = data::find_corpus_file(name))
      choices.push_back(choice_of(*file));
  }
  return choices;
}

PackedSummary pack_corpus(const std::string& name, const std::vector<std::int64_t>& vocabularies,
                          const std::string& path, const CorpusProgress& progress) {
  try {
    const data::PackedFile packed = data::write_packed_corpus(name, vocabularies, path, task_of(progress));
    PackedSummary summary{.text = data::describe(packed.facts),
                          .bytes = packed.bytes,
                          .text_bytes = packed.text_bytes,
                          .text_sha256 = packed.text_sha256,
                          .corpus_sha256 = packed.facts.sha256,
                          .warnings = packed.warnings};
    for (const data::PackedFile::Tokens& tokens : packed.tokens)
      summary.tokens.push_back({tokens.asked, tokens.vocabulary, tokens.train, tokens.validation});
    return summary;
  } catch (const data::Cancelled&) {
    throw Error("stopped; nothing was written");
  }
}

std::string run_text(const experiments::Experiment& experiment, const std::vector<std::string>& corpus,
                     const std::string& recorded_json, const CorpusProgress& progress) {
  try {
    const data::PreparedData data =
        data::prepare(experiment.data, corpus, experiment.model.context, task_of(progress));
    const std::string json = data::to_json(data);
    if (recorded_json.empty()) return json;
    if (const std::string words = data::text_differences(recorded_json, data); !words.empty())
      throw refused(words);
    const auto tokenizer = [](const std::string& text) {
      return nlohmann::json::parse(text, nullptr, false).value("/tokenizer"_json_pointer, nlohmann::json());
    };
    if (tokenizer(recorded_json) != tokenizer(json))
      throw refused("the text is the same, but its tokenizer differs: " + tokenizer(recorded_json).dump() +
                    " there, " + tokenizer(json).dump() + " here");
    return json;
  } catch (const data::Cancelled&) {
    throw Error("stopped before training began");
  }
}

}  // namespace sparsescope::train
