#include "viz/model/timeline.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "engine/trace/error.h"

namespace sparsescope::viz {
namespace {

std::int64_t now_nanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

constexpr std::size_t kMessagesPerLook = 64;  // between two looks at the clock

}  // namespace

void TimeWindow::set_axis(TimeAxis axis) {
  if (axis == axis_) return;
  axis_ = axis;
  chosen_.reset();
}

void TimeWindow::choose(Range range) {
  if (range.maximum > range.minimum) chosen_ = range;
}

Run& Timeline::add_run(Feed feed) {
  check(feed.mailbox != nullptr, "a run comes from a mailbox");
  runs_.push_back(std::make_unique<Run>(next_id_++, feed.rows, budget_.heavy_bytes));
  if (bell_) feed.mailbox->set_bell(bell_);
  sources_.push_back({std::move(feed), {}});
  ++version_;
  return *runs_.back();
}

Timeline::Memory Timeline::memory() const {
  Memory sum;
  for (const std::unique_ptr<Run>& run : runs_) {
    sum.history_bytes += run->history_bytes();
    sum.heavy_bytes += run->cache().bytes();
  }
  return sum;
}

void Timeline::remove_run(std::uint32_t id) {
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (runs_[i]->id() != id) continue;
    sources_[i].feed.mailbox->close();
    runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(i));
    sources_.erase(sources_.begin() + static_cast<std::ptrdiff_t>(i));
    ++version_;
    return;
  }
}

void Timeline::close_run(std::uint32_t id) {
  const auto it = std::find_if(runs_.begin(), runs_.end(), [&](const auto& run) { return run->id() == id; });
  if (it == runs_.end()) return;
  const auto at = it - runs_.begin();
  closed_.push_back(
      {std::move(*it), std::move(sources_[static_cast<std::size_t>(at)]), static_cast<std::size_t>(at)});
  runs_.erase(it);
  sources_.erase(sources_.begin() + at);
  ++version_;
  if (closed_.size() <= kMostClosedRuns) return;
  closed_.front().source.feed.mailbox->close();
  closed_.pop_front();
}

bool Timeline::reopen_run(std::uint32_t id) {
  const auto it =
      std::find_if(closed_.begin(), closed_.end(), [&](const Closed& one) { return one.run->id() == id; });
  if (it == closed_.end()) return false;
  const auto at = static_cast<std::ptrdiff_t>(std::min(it->place, runs_.size()));
  runs_.insert(runs_.begin() + at, std::move(it->run));
  sources_.insert(sources_.begin() + at, std::move(it->source));
  closed_.erase(it);
  ++version_;
  return true;
}

std::vector<std::uint32_t> Timeline::closed_runs() const {
  std::vector<std::uint32_t> ids;
  for (const Closed& one : closed_) ids.push_back(one.run->id());
  return ids;
}

Run* Timeline::find(std::uint32_t id) const {
  const auto it = std::find_if(runs_.begin(), runs_.end(), [&](const auto& run) { return run->id() == id; });
  return it == runs_.end() ? nullptr : it->get();
}

Run* Timeline::find(std::string_view uuid) const {
  if (uuid.empty()) return nullptr;
  const auto it =
      std::find_if(runs_.begin(), runs_.end(), [&](const auto& run) { return run->uuid() == uuid; });
  return it == runs_.end() ? nullptr : it->get();
}

Run* Timeline::current(std::optional<std::uint32_t> id) const {
  if (Run* run = id ? find(*id) : nullptr) return run;
  return runs_.empty() ? nullptr : runs_.front().get();
}

const Feed* Timeline::feed(std::uint32_t id) const {
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (runs_[i]->id() == id) return &sources_[i].feed;
  }
  return nullptr;
}

bool Timeline::drain(Run& run, Source& source, std::int64_t deadline_nanos) const {
  bool came = false;
  // What was taken out is looked at before more is taken out, so that waiting frames stay where drops are
  // counted.
  if (source.pending.empty()) {
    for (trace::Message& message : source.feed.mailbox->drain()) source.pending.push_back(std::move(message));
  }
  for (std::size_t seen = 0; !source.pending.empty(); ++seen) {
    if (seen % kMessagesPerLook == 0 && now_nanos() >= deadline_nanos) break;
    std::visit([&](auto& message) { run.take(std::move(message)); }, source.pending.front());
    source.pending.pop_front();
    came = true;
  }
  run.set_dropped(source.feed.mailbox->counts().dropped);
  if (came && run.history_bytes() > budget_.history_bytes) run.thin_history(budget_.history_bytes);
  return came;
}

bool Timeline::update(double seconds, std::optional<std::uint32_t> id) {
  const std::int64_t start = now_nanos();
  bool changed = false;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    // Each run gets its share of the budget, so that none waits for another.
    const auto share =
        static_cast<std::int64_t>(i + 1) * budget_.drain_nanos / static_cast<std::int64_t>(runs_.size());
    const std::uint64_t before = runs_[i]->version();
    drain(*runs_[i], sources_[i], start + share);
    runs_[i]->poll();
    changed |= runs_[i]->version() != before;
  }
  for (Closed& one : closed_) drain(*one.run, one.source, start + budget_.drain_nanos);
  if (const Run* run = current(id)) changed |= cursor_.advance(*run, seconds);
  if (changed) ++version_;
  return changed;
}

void Timeline::drain_all() {
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    while (drain(*runs_[i], sources_[i], std::numeric_limits<std::int64_t>::max())) {
    }
    runs_[i]->poll();
  }
  if (const Run* run = current({})) cursor_.advance(*run, 0);
  ++version_;
}

std::size_t Timeline::pending() const {
  std::size_t sum = 0;
  for (const Source& source : sources_) sum += source.pending.size();
  return sum;
}

bool Timeline::is_busy() const { return cursor_.is_playing() || is_reading(); }

bool Timeline::is_reading() const {
  return pending() > 0 ||
         std::any_of(runs_.begin(), runs_.end(), [](const auto& run) { return run->is_busy(); });
}

Range Timeline::visible() const { return window_.chosen() ? *window_.chosen() : whole(); }

Range Timeline::whole() const {
  const TimeAxis axis = window_.axis();
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const auto& run : runs_) {
    if (run->rows() == 0) continue;
    range.minimum = std::min(range.minimum, run->x(0, axis));
    range.maximum = std::max(range.maximum, run->x(run->rows() - 1, axis));
    // A run that has not ended shows the room it still has.
    if (run->end() != nullptr || run->planned_steps() == 0) continue;
    const auto planned = static_cast<double>(run->planned_steps());
    if (axis == TimeAxis::Step) range.maximum = std::max(range.maximum, planned);
    if (axis == TimeAxis::RelativeStep)
      range.maximum = std::max(range.maximum, planned - static_cast<double>(run->first_step()));
    if (axis == TimeAxis::Tokens) range.maximum = std::max(range.maximum, planned * run->tokens_per_step());
  }
  if (!(range.maximum > range.minimum)) {
    const double start = range.minimum <= range.maximum ? range.minimum : 0;
    return {start, start + 1};
  }
  return range;
}

}  // namespace sparsescope::viz
