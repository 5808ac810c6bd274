#include "viz/model/cursor.h"

#include <algorithm>
#include <cmath>

#include "viz/model/run.h"

namespace sparsescope::viz {
namespace {

constexpr double kLongestWaitSeconds = 1;  // between two rows, when replaying

}  // namespace

void Cursor::seek(std::uint64_t step) {
  step_ = step;
  carried_seconds_ = 0;
  rewind_ = false;
  if (mode_ == Mode::Follow) mode_ = Mode::Hold;
}

void Cursor::play() {
  mode_ = Mode::Play;
  carried_seconds_ = 0;
  rewind_ = true;
}

void Cursor::hold() { mode_ = Mode::Hold; }

void Cursor::set_speed(double speed) {
  const double power = std::round(std::log2(std::clamp(speed, kSlowestSpeed, kFastestSpeed)));
  speed_ = std::exp2(power);
}

void Cursor::set_loop(std::optional<Loop> loop) {
  if (loop && loop->first > loop->last) std::swap(loop->first, loop->last);
  loop_ = loop;
}

void Cursor::move(const Run& run, std::int64_t rows) {
  if (run.rows() == 0) return;
  std::size_t position = run.row_at_or_before(step_).value_or(0);
  const std::int64_t direction = rows < 0 ? -1 : 1;
  for (std::int64_t left = std::abs(rows); left > 0; --left) {
    // Frames that carry one step count as one.
    const std::uint64_t here = run.row(position).step;
    while (run.row(position).step == here) {
      if (direction < 0 ? position == 0 : position + 1 == run.rows()) break;
      position = direction < 0 ? position - 1 : position + 1;
    }
  }
  seek(run.row(position).step);
}

bool Cursor::advance(const Run& run, double seconds) {
  const std::uint64_t before = step_;
  if (run.rows() == 0) return false;
  if (mode_ == Mode::Follow) {
    step_ = run.newest_step();
    return step_ != before;
  }
  if (mode_ == Mode::Hold) return false;

  const std::uint64_t last = loop_ ? std::min(loop_->last, run.newest_step()) : run.newest_step();
  const std::uint64_t first = loop_ ? loop_->first : run.first_step();
  if (step_ >= last && (rewind_ || loop_)) {
    step_ = first;
    carried_seconds_ = 0;
  }
  rewind_ = false;
  std::size_t position = run.row_at_or_before(step_).value_or(0);
  carried_seconds_ += seconds * speed_;
  while (position + 1 < run.rows() && run.row(position + 1).step <= last) {
    const double wait =
        static_cast<double>(run.row(position + 1).mono_nanos - run.row(position).mono_nanos) * 1e-9;
    const double shown = std::clamp(wait, 0.0, kLongestWaitSeconds);
    if (carried_seconds_ < shown) break;
    carried_seconds_ -= shown;
    step_ = std::max(step_, run.row(++position).step);
  }
  if (step_ >= last) {
    carried_seconds_ = 0;
    if (!loop_ && run.end() != nullptr) mode_ = Mode::Hold;
  }
  return step_ != before;
}

}  // namespace sparsescope::viz
