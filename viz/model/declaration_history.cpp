#include "viz/model/declaration_history.h"

#include <algorithm>
#include <bit>

#include "engine/trace/error.h"

namespace sparsescope::viz {

void DeclarationHistory::advance(Run& run, std::int64_t layer) {
  const Track* track = run.track("declared");
  if (track == nullptr) return;
  if (run_ != run.id() || layer_ != layer) {
    const std::uint64_t version = version_ + 1;
    *this = {};
    version_ = version;
    run_ = run.id();
    layer_ = layer;
  }
  total_ = track->size();
  if (total_ == 0) return;
  first_step_ = run.step_of_sample(*track, 0);
  last_step_ = run.step_of_sample(*track, total_ - 1);
  const trace::Channel& channel = run.schema()->channels[track->channel];
  for (std::size_t bytes = 0; next_ < total_ && !is_cancelled_; ++next_) {
    if (bytes > kBytesPerCall) return run.keep_busy();
    const std::uint64_t row = run.row(track->samples[next_]).row;
    const RowCache::Answer answer = run.cache().get(row, track->channel);
    if (answer.state == RowCache::State::Loading) return;
    if (answer.state != RowCache::State::Ready) {
      ++missing_;
      message_ = answer.message;
      continue;
    }
    bytes += answer.data->bytes.size();
    try {
      take(DeclaredLayer(channel, answer.data, layer), run.step_of_sample(*track, next_));
      ++read_;
    } catch (const Error& error) {
      ++missing_;
      message_ = error.what();
    }
  }
}

void DeclarationHistory::take(const DeclaredLayer& layer, std::uint64_t step) {
  if (seen_.empty()) {
    rows_ = layer.rows();
    positions_ = layer.positions();
    first_.assign(static_cast<std::size_t>(rows_ * positions_), 0);
    seen_.assign(static_cast<std::size_t>(rows_ * ((positions_ + 7) / 8)), 0);
  }
  steps_.push_back(step);
  const auto index = static_cast<std::uint32_t>(steps_.size());
  bool is_new = false;
  for (std::int64_t row = 0; row < rows_; ++row) {
    const auto bits = layer.bits(row);
    std::uint8_t* seen = seen_.data() + static_cast<std::size_t>(row) * bits.size();
    for (std::size_t byte = 0; byte < bits.size(); ++byte) {
      unsigned fresh = bits[byte] & ~static_cast<unsigned>(seen[byte]);
      if (fresh == 0) continue;
      seen[byte] |= bits[byte];
      for (; fresh != 0; fresh &= fresh - 1) {
        const auto position = static_cast<std::int64_t>(byte) * 8 + std::countr_zero(fresh);
        if (position >= positions_) break;
        first_[static_cast<std::size_t>(row * positions_ + position)] = index;
        is_new = true;
      }
    }
  }
  version_ += is_new ? 1 : 0;
}

std::optional<std::uint64_t> DeclarationHistory::first(std::int64_t position, std::int64_t row) const {
  if (row < 0 || row >= rows_ || position < 0 || position >= positions_) return std::nullopt;
  const std::uint32_t index = first_[static_cast<std::size_t>(row * positions_ + position)];
  return index == 0 ? std::nullopt : std::optional(steps_[index - 1]);
}

std::optional<std::uint64_t> DeclarationHistory::first(std::int64_t row) const {
  std::optional<std::uint64_t> earliest;
  for (std::int64_t position = 0; row >= 0 && row < rows_ && position < positions_; ++position) {
    const std::optional<std::uint64_t> found = first(position, row);
    if (found && (!earliest || *found < *earliest)) earliest = found;
  }
  return earliest;
}

}  // namespace sparsescope::viz
