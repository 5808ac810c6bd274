// The rules of corpus.h as functions of sizes and bytes: blocks, sampling, held-out documents. No files.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/data/corpus.h"

namespace sparsescope::data {

inline constexpr std::size_t kFewestDocuments = 20;

// The blocks of `text`: runs of lines with something else than white space on each; no line end at the last
// line.
std::vector<std::string_view> blocks_of(std::string_view text);

// One document of a sample: its place in the list that was offered and how many of its bytes are used.
struct Taken {
  std::size_t index = 0;
  std::uint64_t bytes = 0;
};
// Documents of `sizes` bytes that fit into `max_bytes` together, spread evenly over the list (corpus.h says
// how).
std::vector<Taken> spread_sample(const std::vector<std::uint64_t>& sizes, std::uint64_t max_bytes);

// `text` without the first bytes of a UTF-8 character that was cut off at its end.
std::string_view without_cut_character(std::string_view text);

// Fills the split of every document, then the counts and the hash of `corpus`. Throws Error when nothing can
// be held out.
void hold_out(Corpus& corpus, double validation_fraction);

}  // namespace sparsescope::data
