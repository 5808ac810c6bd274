// From an experiment's data section to token streams: reads the corpus, trains or finds the tokenizer,
// encodes. What has been made once is found again in the user's cache. No tensor.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/data/corpus.h"
#include "engine/data/task.h"
#include "engine/data/tokenizer.h"
#include "engine/experiments/experiment.h"

namespace sparsescope::data {

// Documents of one split in reading order with the end-of-document id between them.
struct TokenStream {
  std::vector<std::int32_t> ids;
  std::int64_t text_bytes = 0;  // bytes behind ids; text_bytes / ids.size() is bytes per token
  double unigram_nats = 0;      // entropy of the ids' own frequencies: what a model must beat
};

struct PreparedData {
  CorpusFacts corpus;
  TokenizerPtr tokenizer;
  TokenStream train, validation;
  std::vector<std::string>
      notes;  // one sentence each, for the person: sampled, smaller vocabulary, cache unusable
  std::vector<std::string> warnings;  // one sentence each: not the text that was expected
};

// Prepares `config` for windows of `context` tokens; `sources` (files, folders, globs, names) replaces
// config.corpus when not empty. Throws Error (see load_corpus; also when a split is shorter than one window)
// and Cancelled.
PreparedData prepare(const experiments::DataConfig& config, const std::vector<std::string>& sources,
                     std::int64_t context, const Task& task = {});

// The same for a corpus that was loaded already.
PreparedData prepare_corpus(const experiments::DataConfig& config, Corpus corpus, std::int64_t context,
                            const Task& task = {});

// How the text of an earlier run, as to_json() recorded it, differs from `data`, in words, or empty: packages
// with their versions, or hashes.
std::string text_differences(const std::string& recorded_json, const PreparedData& data);

// What a recording keeps: corpus facts, tokenizer kind and size, tokens, entropies; one JSON object.
std::string to_json(const PreparedData& data);

// Entropy in nats of the frequencies of `ids`.
double unigram_entropy_nats(std::span<const std::int32_t> ids, std::int64_t vocabulary);

}  // namespace sparsescope::data
