#include "engine/evaluate/needle_trials.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/data/random.h"
#include "engine/trace/error.h"

namespace sparsescope::evaluate {
namespace {

constexpr std::int64_t kMaxRedraws = 1000;

// n tokens, each from an independent uniform position: the unigram law.
std::vector<std::int32_t> draw_needle(std::span<const std::int32_t> stream, std::int64_t length,
                                      data::Random& random) {
  std::vector<std::int32_t> needle(static_cast<std::size_t>(length));
  for (std::int32_t& token : needle) token = stream[random.below(stream.size())];
  return needle;
}

// Steps 2 to 4 of mechanisms.md 6.1 on `text`, the needle drawn from `stream`.
NeedleTrial hide_needle(std::vector<std::int32_t> text, std::span<const std::int32_t> stream, double depth,
                        const NeedleSettings& settings, data::Random& random) {
  const std::int64_t n = settings.length;
  const auto context = static_cast<std::int64_t>(text.size());
  NeedleTrial made;
  made.base = std::move(text);
  made.needle = draw_needle(stream, n, random);
  const auto body_end = made.base.end() - n;
  const auto cue_occurs = [&] {
    return std::search(made.base.begin(), body_end, made.needle.begin(),
                       made.needle.begin() + settings.cue) != body_end;
  };
  while (settings.rejection == NeedleSettings::Rejection::On && cue_occurs()) {
    if (++made.redraws > kMaxRedraws) {
      throw Error("no needle could be drawn whose first " + std::to_string(settings.cue) +
                  " tokens are new to the text; the validation text is too uniform, or lengthen "
                  "evaluation.needle_cue");
    }
    made.needle = draw_needle(stream, n, random);
  }

  std::copy(made.needle.begin(), made.needle.end(), body_end);
  // The small summand keeps 0.7 * 80 at 56 although 0.7 is a little less than seven tenths in binary.
  made.position = static_cast<std::int64_t>(std::floor(depth * static_cast<double>(context - 3 * n) + 1e-9));
  made.with = made.base;
  std::copy(made.needle.begin(), made.needle.end(), made.with.begin() + made.position);
  return made;
}

}  // namespace

bool needle_fits(std::int64_t context, std::int64_t stream_tokens, const NeedleSettings& settings) {
  return context >= 4 * settings.length && context <= stream_tokens;
}

NeedleTrial make_needle_trial(std::span<const std::int32_t> stream, std::int64_t context,
                              std::int64_t depth_index, std::int64_t trial, const NeedleSettings& settings) {
  const std::int64_t n = settings.length;
  check(needle_fits(context, static_cast<std::int64_t>(stream.size()), settings),
        "a needle trial needs a longer context");
  check(settings.cue >= 1 && settings.cue < n, "the cue is a proper part of the needle");
  const std::string key = "needle trial " + std::to_string(context) + " " + std::to_string(depth_index) +
                          " " + std::to_string(trial);
  data::Random random(data::stream_seed(settings.trial_seed, key));

  const std::uint64_t start = random.below(stream.size() - static_cast<std::size_t>(context) + 1);
  std::vector<std::int32_t> text(stream.begin() + static_cast<std::ptrdiff_t>(start),
                                 stream.begin() + static_cast<std::ptrdiff_t>(start) + context);
  return hide_needle(std::move(text), stream, settings.depths.at(static_cast<std::size_t>(depth_index)),
                     settings, random);
}

NeedleTrial inject_needle(const std::vector<std::int32_t>& text, double depth, const NeedleSettings& settings,
                          std::uint64_t seed) {
  const auto tokens = static_cast<std::int64_t>(text.size());
  check(needle_fits(tokens, tokens, settings), "a needle and its query fit the text");
  check(depth >= 0 && depth <= 1, "a depth is a share");
  data::Random random(seed);
  return hide_needle(text, text, depth, settings, random);
}

}  // namespace sparsescope::evaluate
