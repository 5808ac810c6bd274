// The tokens of needle trials (mechanisms.md 6.1): a base text, a needle of independent tokens, where it is
// hidden. No model: running the trials is needle.h.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace sparsescope::evaluate {

inline constexpr std::array kNeedleDepths = {0.1, 0.3, 0.5, 0.7, 0.9};

struct NeedleSettings {
  std::int64_t length = 8;  // n, tokens of the needle
  std::int64_t cue = 4;     // c, tokens of the needle that the query repeats; the other n - c are the answer
  std::vector<double> depths = std::vector<double>(kNeedleDepths.begin(), kNeedleDepths.end());
  std::int64_t trials = 64;  // N, per depth
  std::uint64_t trial_seed =
      0;  // the same for every model, step and mechanism, so that differences are paired
  enum class Rejection {
    Off,
    On
  } rejection = Rejection::On;  // redraw a needle whose cue already occurs in the base
};

// One trial at context C: both texts have C tokens and end with the query, cue then answer.
struct NeedleTrial {
  std::vector<std::int32_t> base;    // [C]  without the needle
  std::vector<std::int32_t> with;    // [C]  the needle also at [position, position + n)
  std::vector<std::int32_t> needle;  // [n]
  std::int64_t position = 0;         // p = floor(depth (C - 3n))
  std::int64_t redraws = 0;          // needles rejected before this one
};

// Whether trials of context C can be drawn from a stream: C >= 4n and C <= the stream's length.
bool needle_fits(std::int64_t context, std::int64_t stream_tokens, const NeedleSettings& settings);

// Trial `k` at depth index `d`: drawn from a stream of its own, keyed by (trial seed, context, d, k), so that
// any trial can be made alone and in any order. `stream` holds validation tokens. Throws Error when no
// needle's cue is new to the base after 1000 draws. Precondition: needle_fits.
NeedleTrial make_needle_trial(std::span<const std::int32_t> stream, std::int64_t context,
                              std::int64_t depth_index, std::int64_t trial, const NeedleSettings& settings);

// The same on a given text, which is its own stream: ids that do not occur in it do not come into it.
// `with` is the text that asks for its needle at the end. Throws Error as above. Precondition: needle_fits
// for the text's length, 0 <= depth <= 1.
NeedleTrial inject_needle(const std::vector<std::int32_t>& text, double depth, const NeedleSettings& settings,
                          std::uint64_t seed);

}  // namespace sparsescope::evaluate
