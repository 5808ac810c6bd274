// Cuts windows out of token streams.
#include "engine/data/batches.h"

#include <algorithm>
#include <cstddef>

#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

std::int64_t tokens_in(std::span<const std::int32_t> stream) {
  return static_cast<std::int64_t>(stream.size());
}

void check_fits(std::span<const std::int32_t> stream, std::int64_t length) {
  if (length >= 1 && length <= tokens_in(stream)) return;
  throw refused("the text has " + std::to_string(stream.size()) + " tokens and one window needs " +
                std::to_string(length) + "; give more text or a shorter model.context");
}

}  // namespace

std::vector<std::int32_t> copy_windows(std::span<const std::int32_t> stream,
                                       std::span<const std::int64_t> starts, std::int64_t length) {
  check_fits(stream, length);
  std::vector<std::int32_t> windows;  // [starts, length]
  windows.reserve(starts.size() * static_cast<std::size_t>(length));
  for (std::int64_t start : starts) {
    check(start >= 0 && start + length <= tokens_in(stream), "a window lies outside its stream");
    const auto begin = stream.begin() + static_cast<std::ptrdiff_t>(start);
    windows.insert(windows.end(), begin, begin + static_cast<std::ptrdiff_t>(length));
  }
  return windows;
}

std::vector<std::int64_t> random_starts(std::span<const std::int32_t> stream, std::int64_t count,
                                        std::int64_t length, Random& random) {
  check_fits(stream, length);
  std::vector<std::int64_t> starts(static_cast<std::size_t>(count));
  const auto places = static_cast<std::uint64_t>(tokens_in(stream) - length + 1);
  for (std::int64_t& start : starts) start = static_cast<std::int64_t>(random.below(places));
  return starts;
}

std::vector<std::int32_t> validation_windows(std::span<const std::int32_t> stream, std::int64_t count,
                                             std::int64_t context) {
  check_fits(stream, context + 1);
  const std::int64_t available = (tokens_in(stream) - 1) / context;
  const std::int64_t taken = std::min(count, available);
  std::vector<std::int64_t> starts;
  for (std::int64_t i = 0; i < taken; ++i) starts.push_back(i * available / taken * context);
  return copy_windows(stream, starts, context + 1);
}

BatchSampler::BatchSampler(std::span<const std::int32_t> stream, std::int64_t batch, std::int64_t context,
                           std::uint64_t seed)
    : stream_(stream), batch_(batch), context_(context), random_(seed) {
  check(batch > 0 && context > 0, "a batch needs windows and tokens");
  check_fits(stream, context + 1);
}

std::vector<std::int32_t> BatchSampler::next() {
  return copy_windows(stream_, random_starts(stream_, batch_, context_ + 1, random_), context_ + 1);
}

}  // namespace sparsescope::data
