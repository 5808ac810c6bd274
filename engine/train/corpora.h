// Corpora for a program that lists and packs them, and compares the text of its runs. No torch; how they are
// made lives in engine/data.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/experiments/experiment.h"

namespace sparsescope::train {

struct CorpusPackage {
  std::string name, version;
};

struct CorpusChoice {
  std::string name, title, text, licence, source;
  std::int64_t approximate_bytes = 0;  // of its text
  std::int64_t download_bytes = 0;     // about; 0: nothing is fetched
  enum class State { Installed, Built, NotBuilt };
  State state = State::NotBuilt;
  std::vector<CorpusPackage> packages;  // with the versions that were built, or that the file was written for
  std::int64_t bytes = 0;               // of the text; Built only
  std::string text_sha256;              // Built only
  std::string warning;                  // one sentence: built from something else than expected; or empty
};

// All that ship with the program, by name. Throws Error for a corpus file that cannot be read.
std::vector<CorpusChoice> corpora();

// What a packed corpus holds.
struct PackedSummary {
  std::string text;  // the corpus in one line: size, packages, hash
  std::int64_t bytes = 0, text_bytes = 0;
  std::string text_sha256,
      corpus_sha256;  // of the whole text; of sample, borders and split, as runs record it
  struct Tokens {
    std::int64_t asked = 0, vocabulary = 0;  // ids
    std::int64_t train = 0, validation = 0;  // tokens
  };
  std::vector<Tokens> tokens;
  std::vector<std::string> warnings;
};

// Called while it works, often without a new text (""); `fraction` is 0..1, negative when unknown. Answers
// whether to go on.
using CorpusProgress = std::function<bool(const std::string& text, double fraction)>;

// Builds the corpus `name` if it is not built and writes it as one file with a tokenizer for each of
// `vocabularies` (257 to 65536 ids). Throws Error with one sentence, also when `progress` answered no.
PackedSummary pack_corpus(const std::string& name, const std::vector<std::int64_t>& vocabularies,
                          const std::string& path, const CorpusProgress& progress);

// Reads and tokenizes what a run of `experiment` trains on (`corpus` as in RunRequest) and says it as
// recordings do: one JSON object of corpus, hashes, licence, tokenizer and tokens. `recorded_json`, when not
// empty, is such an answer of an earlier time: Throws Error (Refused) with words when text or tokenizer are
// not the same now, and as pack_corpus does.
std::string run_text(const experiments::Experiment& experiment, const std::vector<std::string>& corpus,
                     const std::string& recorded_json, const CorpusProgress& progress);

}  // namespace sparsescope::train
