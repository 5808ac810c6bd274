// Binary searches over what is kept in order anyway: events by step, samples by pyramid.
#include "viz/model/time_tracks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sparsescope::viz {
namespace {

// The first item of [low, high) whose place is not below `x` (or, with `Past`, above it).
enum class Bound { NotBelow, Above };
std::size_t first_at(std::size_t low, std::size_t high, const std::function<double(std::size_t)>& x_of,
                     double x, Bound bound) {
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const double here = x_of(middle);
    if (bound == Bound::NotBelow ? here < x : here <= x) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::string spaced(std::string words) {
  for (char& c : words) {
    if (c == '_') c = ' ';
  }
  return words;
}

std::string step_words(std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); }

std::string label_of(const trace::Axis& axis, std::int64_t index) {
  return static_cast<std::size_t>(index) < axis.labels.size() ? axis.labels[static_cast<std::size_t>(index)]
                                                              : std::to_string(index);
}

// The series that a choice names: one, or one per index of the first axis.
std::vector<const Series*> series_of(const Run& run, const ChartChoice& choice) {
  if (!choice.is_mean) {
    const Series* one = run.series(choice.channel, choice.labels);
    return one != nullptr ? std::vector{one} : std::vector<const Series*>{};
  }
  const trace::Channel* channel = run.schema() != nullptr ? run.schema()->find(choice.channel) : nullptr;
  std::vector<const Series*> all;
  if (channel == nullptr || channel->axes.empty()) return all;
  for (std::int64_t i = 0; i < channel->axes[0].size; ++i) {
    std::vector<std::string> labels = {label_of(channel->axes[0], i)};
    labels.insert(labels.end(), choice.labels.begin(), choice.labels.end());
    const Series* one = run.series(choice.channel, labels);
    if (one == nullptr) return {};
    all.push_back(one);
  }
  return all;
}

double mean_at(const std::vector<const Series*>& all, std::size_t sample) {
  double sum = 0;
  std::size_t count = 0;
  for (const Series* series : all) {
    const double value = series->at(sample);
    if (!std::isfinite(value)) continue;
    sum += value;
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
}

// One point of a column; not-a-number where no sample of it is finite.
ChartPoint point_of(const std::vector<const Series*>& all, std::size_t begin, std::size_t end) {
  ChartPoint point;
  if (all.size() == 1) {
    const Bucket bucket = all[0]->fold(begin, end);
    if (!bucket.has_value()) point.value = std::numeric_limits<double>::quiet_NaN();
    if (bucket.has_value()) return {0, bucket.last, bucket.minimum, bucket.maximum};
  } else {
    // Thinned samples have only their summaries: the mean of what each remembers last.
    double sum = 0;
    std::size_t count = 0;
    for (const Series* series : all) {
      const Bucket bucket = series->fold(begin, end);
      if (!bucket.has_value()) continue;
      sum += bucket.last;
      ++count;
    }
    point.value = count > 0 ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
  }
  point.minimum = point.maximum = point.value;
  return point;
}

}  // namespace

std::vector<FoldedMark> fold_marks(std::size_t size, const std::function<double(std::size_t)>& x_of,
                                   const Range& shown, double fold) {
  std::vector<FoldedMark> marks;
  const std::size_t end = first_at(0, size, x_of, shown.maximum, Bound::Above);
  std::size_t i = first_at(0, end, x_of, shown.minimum, Bound::NotBelow);
  while (i < end) {
    const double x = x_of(i);
    const std::size_t next = fold > 0 ? first_at(i + 1, end, x_of, x + fold, Bound::NotBelow) : i + 1;
    marks.push_back({i, next, x, x_of(next - 1)});
    i = next;
  }
  return marks;
}

const char* lane_name(Lane lane) {
  switch (lane) {
    case Lane::Alerts:
      return "alerts";
    case Lane::Commands:
      return "commands";
    case Lane::Evaluations:
      return "evaluations";
    case Lane::Checkpoints:
      return "checkpoints";
    case Lane::Other:
      return "events";
  }
  return "events";
}

Lane lane_of(const Event& event) {
  if (event.kind == "alert" || event.kind == "warning" || event.kind == "unreadable") return Lane::Alerts;
  if (event.kind == "command") return Lane::Commands;
  if (event.kind == "evaluation") return Lane::Evaluations;
  if (event.kind == "checkpoint") return Lane::Checkpoints;
  return Lane::Other;
}

void EventLanes::update(const Run& run) {
  const std::vector<Event>& events = run.events();
  for (; seen_ < events.size(); ++seen_)
    lanes_[static_cast<std::size_t>(lane_of(events[seen_]))].push_back(static_cast<std::uint32_t>(seen_));
}

std::vector<FoldedMark> EventLanes::folded(const Run& run, Lane lane, TimeAxis axis, const Range& shown,
                                           double fold) const {
  const std::vector<std::uint32_t>& items = of(lane);
  return fold_marks(
      items.size(), [&](std::size_t i) { return run.x_of_step(run.events()[items[i]].step, axis); }, shown,
      fold);
}

std::vector<std::size_t> event_density(const Run& run, TimeAxis axis, const Range& range, std::size_t bins) {
  std::vector<std::size_t> counts(bins, 0);
  const std::vector<Event>& events = run.events();
  const auto x_of = [&](std::size_t i) { return run.x_of_step(events[i].step, axis); };
  std::size_t before = first_at(0, events.size(), x_of, range.minimum, Bound::NotBelow);
  for (std::size_t bin = 0; bin < bins && before < events.size(); ++bin) {
    const double end =
        range.minimum + range.width() * static_cast<double>(bin + 1) / static_cast<double>(bins);
    const std::size_t next =
        first_at(before, events.size(), x_of, end, bin + 1 == bins ? Bound::Above : Bound::NotBelow);
    counts[bin] = next - before;
    before = next;
  }
  return counts;
}

std::string words_of(const ChartChoice& choice) {
  std::string words = choice.channel == "scalars" ? "" : spaced(choice.channel);
  for (std::size_t i = 0; i < choice.labels.size(); ++i) {
    // A bare number says nothing without its axis, which is layers in what is recorded here.
    const std::string& label = choice.labels[i];
    const bool is_number = !label.empty() && std::all_of(label.begin(), label.end(), [](unsigned char c) {
      return c >= '0' && c <= '9';
    });
    words += (words.empty() ? "" : ", ") + (is_number ? "layer " + label : spaced(label));
  }
  return choice.is_mean ? words + ", mean over layers" : words;
}

std::vector<ChartChoice> chart_choices(const Run& run) {
  std::vector<ChartChoice> choices;
  if (run.schema() == nullptr) return choices;
  for (const trace::Channel& channel : run.schema()->channels) {
    const Track* track = run.track(channel.id);
    if (track == nullptr || !track->is_light || track->elements.empty()) continue;
    if (channel.axes.size() == 1) {
      for (std::int64_t i = 0; i < channel.axes[0].size; ++i)
        choices.push_back({channel.name, {label_of(channel.axes[0], i)}, false});
    } else if (channel.axes.size() == 2) {
      const trace::Axis &rows = channel.axes[0], &columns = channel.axes[1];
      for (std::int64_t c = 0; c < columns.size; ++c) {
        if (rows.name == "layer") choices.push_back({channel.name, {label_of(columns, c)}, true});
        for (std::int64_t r = 0; r < rows.size; ++r)
          choices.push_back({channel.name, {label_of(rows, r), label_of(columns, c)}, false});
      }
    }
  }
  return choices;
}

std::vector<ChartChoice> default_charts(const Run& run) {
  std::vector<ChartChoice> charts;
  const ChartChoice loss{"scalars", {"cross_entropy"}, false}, theta{"threshold", {"theta"}, true};
  if (run.series(loss.channel, loss.labels) != nullptr) charts.push_back(loss);
  if (!series_of(run, theta).empty()) charts.push_back(theta);
  return charts;
}

std::optional<double> value_at(const Run& run, const ChartChoice& choice, std::uint64_t step) {
  const std::vector<const Series*> all = series_of(run, choice);
  const Track* track = run.track(choice.channel);
  if (all.empty() || track == nullptr) return std::nullopt;
  const std::optional<std::size_t> sample = run.sample_at_or_before(*track, step);
  if (!sample) return std::nullopt;
  return all.size() == 1 ? all[0]->at(*sample) : mean_at(all, *sample);
}

Chart chart_of(const Run& run, const ChartChoice& choice, TimeAxis axis, const Range& shown,
               std::size_t columns, std::uint64_t step) {
  Chart chart;
  const std::vector<const Series*> all = series_of(run, choice);
  const Track* track = run.track(choice.channel);
  if (all.empty() || track == nullptr) return chart;
  chart.is_recorded = true;
  chart.unit = run.schema()->find(choice.channel)->unit;
  chart.present = value_at(run, choice, step);

  // One sample beyond either end, so that lines reach the borders.
  std::size_t first = run.first_sample_from(*track, shown.minimum, axis);
  std::size_t last = run.first_sample_from(*track, shown.maximum, axis);
  first -= first > 0 ? 1 : 0;
  last = std::min(last + 1, track->size());
  const std::size_t count = last - std::min(first, last), buckets = std::min(columns, count);
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (std::size_t i = 0; i < buckets; ++i) {
    const std::size_t begin = first + count * i / buckets, end = first + count * (i + 1) / buckets;
    ChartPoint point = point_of(all, begin, end);
    point.x = run.x_of_sample(*track, end - 1, axis);
    if (std::isfinite(point.value)) {
      low = std::min(low, point.minimum);
      high = std::max(high, point.maximum);
    }
    chart.points.push_back(point);
  }
  if (low <= high) chart.values = low < high ? Range{low, high} : Range{low - 0.5, high + 0.5};
  return chart;
}

std::vector<MissingSpan> missing_spans(const Run& run, TimeAxis axis) {
  std::vector<MissingSpan> spans;
  for (const Gap& gap : run.gaps()) {
    const std::string where =
        fmt::format("between step {} and {}", step_words(gap.first_step), step_words(gap.last_step));
    spans.push_back({MissingSpan::Kind::Skipped, run.x_of_step(gap.first_step, axis),
                     run.x_of_step(gap.last_step, axis),
                     gap.frames > 0 ? fmt::format("{} frame{} {} did not reach the screen",
                                                  format_count(static_cast<std::int64_t>(gap.frames)),
                                                  gap.frames == 1 ? "" : "s", where)
                                    : "Frames " + where + " were not recorded"});
  }
  const trace::RunEnd* end = run.end();
  const bool is_lost = end != nullptr &&
                       (end->status == trace::RunStatus::Unclosed || end->status == trace::RunStatus::Failed);
  if (!is_lost || run.rows() == 0) return spans;
  const double newest = run.x(run.rows() - 1, axis);
  double planned = newest;
  if (run.planned_steps() > run.newest_step()) {
    if (axis == TimeAxis::Step) planned = static_cast<double>(run.planned_steps());
    if (axis == TimeAxis::RelativeStep) planned = static_cast<double>(run.planned_steps() - run.first_step());
    if (axis == TimeAxis::Tokens) planned = static_cast<double>(run.planned_steps()) * run.tokens_per_step();
  }
  spans.push_back({MissingSpan::Kind::Damaged, newest, std::max(planned, newest), end->message});
  return spans;
}

std::vector<MissingSpan> fold_spans(std::vector<MissingSpan> spans, double fold) {
  std::vector<MissingSpan> folded;
  std::size_t others = 0;
  const auto count_others = [&] {
    if (others > 0) folded.back().words += fmt::format(", and {} more such places", others);
    others = 0;
  };
  for (MissingSpan& span : spans) {
    if (!folded.empty() && folded.back().kind == span.kind && span.first - folded.back().last < fold) {
      folded.back().last = std::max(folded.back().last, span.last);
      ++others;
      continue;
    }
    count_others();
    folded.push_back(std::move(span));
  }
  count_others();
  return folded;
}

}  // namespace sparsescope::viz
