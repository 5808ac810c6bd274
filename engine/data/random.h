// Random numbers that are the same on every machine, and the named streams a run derives from its one seed.
// Generator: xoshiro256** seeded through SplitMix64 (Blackman and Vigna, 2018). No std distribution is used:
// the standard leaves their output open. Sampling of tensors does not live here.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sparsescope::data {

class Random {
 public:
  explicit Random(std::uint64_t seed);

  // 64 uniform bits.
  std::uint64_t next();
  // Uniform in [0, bound), without bias; bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1), a multiple of 2^-53.
  double uniform();

  // The state as text, for checkpoints: "xoshiro256**:" and 64 hexadecimal digits.
  std::string state() const;
  // Continues exactly after the draw that preceded state(). Throws Error when `text` is no such state.
  void restore(std::string_view text);

 private:
  std::array<std::uint64_t, 4> words_;
};

// The streams of a run; a draw from one never moves another.
inline constexpr std::string_view kInitStream = "init";                   // parameters
inline constexpr std::string_view kDataStream = "data";                   // offsets of training windows
inline constexpr std::string_view kNeedleStream = "needle";               // needle trials
inline constexpr std::string_view kProbeStream = "probe";                 // probe batch
inline constexpr std::string_view kTextStream = "text";                   // sampled text, with the step
inline constexpr std::string_view kInjectionStream = "needle injection";  // with its number

// The seed of a named stream: SplitMix64 of the run's seed and FNV-1a of the name. Log it with the run.
std::uint64_t stream_seed(std::uint64_t run_seed, std::string_view name);

}  // namespace sparsescope::data
