// xoshiro256**, SplitMix64 and FNV-1a, written out so that a seed means the same numbers everywhere.
#include "engine/data/random.h"

#include <bit>
#include <charconv>

#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

constexpr std::string_view kStatePrefix = "xoshiro256**:";

std::uint64_t split_mix(std::uint64_t& counter) {
  std::uint64_t z = counter += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (std::uint64_t& word : words_) word = split_mix(seed);
}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(words_[1] * 5, 7) * 9;
  const std::uint64_t shifted = words_[1] << 17;
  words_[2] ^= words_[0];
  words_[3] ^= words_[1];
  words_[1] ^= words_[2];
  words_[0] ^= words_[3];
  words_[2] ^= shifted;
  words_[3] = std::rotl(words_[3], 45);
  return result;
}

std::uint64_t Random::below(std::uint64_t bound) {
  check(bound > 0, "Random::below needs a positive bound");
  // Draws under 2^64 mod bound are thrown away: what is left holds every remainder equally often.
  const std::uint64_t rejected = (0 - bound) % bound;
  std::uint64_t draw = next();
  while (draw < rejected) draw = next();
  return draw % bound;
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

std::string Random::state() const {
  std::string text(kStatePrefix);
  for (std::uint64_t word : words_) {
    for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[word >> shift & 15];
  }
  return text;
}

void Random::restore(std::string_view text) {
  std::array<std::uint64_t, 4> words{};
  bool valid = text.starts_with(kStatePrefix) && text.size() == kStatePrefix.size() + 64;
  for (std::size_t i = 0; valid && i < words.size(); ++i) {
    const char* begin = text.data() + kStatePrefix.size() + 16 * i;
    const auto [end, status] = std::from_chars(begin, begin + 16, words[i], 16);
    valid = status == std::errc() && end == begin + 16;
  }
  // All zeros is the one state that the generator never leaves.
  if (!valid || (words[0] | words[1] | words[2] | words[3]) == 0) {
    throw Error("the saved state of a random stream is damaged ('" + std::string(text.substr(0, 40)) +
                "'); resume from another checkpoint");
  }
  words_ = words;
}

std::uint64_t stream_seed(std::uint64_t run_seed, std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::uint64_t counter = run_seed;
  counter = split_mix(counter) ^ hash;
  return split_mix(counter);
}

}  // namespace sparsescope::data
