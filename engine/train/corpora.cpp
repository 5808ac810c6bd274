#include "engine/train/corpora.h"

#include <optional>

#include "engine/data/corpus_build.h"
#include "engine/data/corpus_file.h"
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
  bool is_wanted = true;
  const data::Task task = {
      .progress = [&](const std::string& text,
                      double fraction) { is_wanted = progress(text, fraction) && is_wanted; },
      .cancelled =
          [&] {
            is_wanted = progress("", -1) && is_wanted;
            return !is_wanted;
          }};
  try {
    const data::PackedFile packed = data::write_packed_corpus(name, vocabularies, path, task);
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

}  // namespace sparsescope::train
