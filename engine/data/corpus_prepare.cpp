// Packs a named corpus for another machine: its text and tokenizers that were trained on it.
#include <fmt/format.h>

#include <filesystem>

#include "engine/data/corpus_build.h"
#include "engine/data/prepare.h"
#include "engine/trace/error.h"
#include "engine/trace/write_file.h"

namespace sparsescope::data {
namespace {

struct Loaded {
  Corpus corpus;
  PackedCorpus pack;  // the whole text
};

Loaded load(const CorpusFile& file, const Task& task) {
  Loaded loaded;
  CorpusRequest request{.sources = {file.name}};
  if (file.is_installed()) {
    request.max_bytes = file.max_bytes;
    loaded.corpus = load_named_corpus(file.installed, request, task);
    loaded.pack = pack_from_corpus(loaded.corpus);
    loaded.pack.title = file.title, loaded.pack.licence = file.licence, loaded.pack.source = file.source;
    return loaded;
  }
  BuiltCorpus built = build_corpus(file, task);
  loaded.corpus = corpus_from_pack(built.pack, request);
  if (std::string words = unexpected_text(file, built.pack); !words.empty())
    loaded.corpus.warnings.push_back(std::move(words));
  loaded.pack = std::move(built.pack);
  return loaded;
}

}  // namespace

PackedFile write_packed_corpus(const std::string& name, const std::vector<std::int64_t>& vocabularies,
                               const std::string& path, const Task& task) {
  if (std::filesystem::exists(path))
    throw refused(fmt::format("'{}' exists already; choose another name, or move it away", path));
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  if (!std::filesystem::is_directory(folder))
    throw refused(
        fmt::format("there is no folder {} to write '{}' into; make it first", folder.native(), path));
  const std::optional<CorpusFile> file = find_corpus_file(name);
  if (!file) {
    std::string names;
    for (const std::string& known : corpus_names()) names += (names.empty() ? "" : ", ") + known;
    throw refused(fmt::format("there is no corpus '{}': the named corpora are: {}", name, names));
  }
  Loaded loaded = load(*file, task);
  PackedFile packed;
  for (const std::int64_t vocabulary : vocabularies) {
    const experiments::DataConfig config{.corpus = name, .vocabulary = vocabulary};
    const PreparedData data = prepare_corpus(config, loaded.corpus, 1, task);
    loaded.pack.tokenizers.push_back({vocabulary, loaded.corpus.facts.sha256, data.tokenizer->serialized()});
    packed.tokens.push_back({vocabulary, data.tokenizer->vocabulary(),
                             static_cast<std::int64_t>(data.train.ids.size()),
                             static_cast<std::int64_t>(data.validation.ids.size())});
  }
  packed.facts = loaded.corpus.facts;
  packed.warnings = loaded.corpus.warnings;
  packed.text_bytes = static_cast<std::int64_t>(loaded.pack.text.size());
  packed.text_sha256 = loaded.pack.text_sha256();
  const std::string bytes = bytes_from_pack(loaded.pack);
  task.report("writing the packed corpus", 1);
  trace::write_file(path, bytes);
  packed.bytes = static_cast<std::int64_t>(bytes.size());
  return packed;
}

}  // namespace sparsescope::data
