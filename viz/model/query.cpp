// The pieces that all queries share: what surrounds a picture, and lines from tracks.
#include "viz/model/query.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kFoldPixels = 3;  // marks nearer than this become one

std::string count_of(std::uint64_t number, const char* one, const char* many) {
  return format_count(static_cast<std::int64_t>(number)) + " " + (number == 1 ? one : many);
}

std::vector<FlagMark> flags_of(const QueryFrame& frame, TimeAxis axis, Range x) {
  std::vector<FlagMark> flags;
  const double near = kFoldPixels * x.width() / std::max(1, frame.columns);
  std::size_t folded = 0;
  for (const Event& event : frame.run.events()) {
    const bool is_warning = event.kind == "warning" || event.kind == "alert";
    if (event.kind != "command" && !is_warning) continue;
    const double at = frame.run.x_of_step(event.step, axis);
    if (!x.contains(at)) continue;
    if (!flags.empty() && at - flags.back().x < near) {
      FlagMark& last = flags.back();
      ++folded;
      last.words = folded > 1                  ? count_of(folded + 1, "event", "events")
                   : last.words == event.words ? event.words + ", twice"
                                               : last.words + "; " + event.words;
      last.is_warning |= is_warning;
      continue;
    }
    folded = 0;
    flags.push_back({at, event.step, event.words, is_warning});
  }
  return flags;
}

std::string gap_words(std::uint64_t frames) {
  return frames == 0 ? std::string("not recorded")
                     : count_of(frames, "sample", "samples") + " dropped by budget";
}

std::vector<GapMark> gaps_of(const QueryFrame& frame, TimeAxis axis, Range x) {
  const Run& run = frame.run;
  const double near = kFoldPixels * x.width() / std::max(1, frame.columns);
  std::vector<GapMark> gaps;
  for (const Gap& gap : run.gaps()) {
    const double from = run.x(gap.after, axis), to = run.x(std::min(gap.after + 1, run.rows() - 1), axis);
    if (to < x.minimum || from > x.maximum) continue;
    const bool is_wide = to - from >= near;
    if (!gaps.empty() && !is_wide && !gaps.back().is_wide && from - gaps.back().to < near) {
      gaps.back().to = to;
      gaps.back().frames += gap.frames;
      gaps.back().words = gap_words(gaps.back().frames);
      continue;
    }
    gaps.push_back({from, to, gap.frames, gap_words(gap.frames), is_wide});
  }
  return gaps;
}

std::string limits_of(const QueryFrame& frame, const Picture& picture) {
  const Run& run = frame.run;
  std::string words = format_x(picture.x.minimum, picture.axis) + " to ";
  words += picture.axis == TimeAxis::Step || picture.axis == TimeAxis::RelativeStep
               ? format_count(std::llround(picture.x.maximum))
               : format_x(picture.x.maximum, picture.axis);
  words += ", " + count_of(run.rows(), "frame", "frames");
  std::uint64_t missing = 0;
  for (const Gap& gap : run.gaps()) missing += gap.frames;
  if (missing > 0) words += "; " + format_count(static_cast<std::int64_t>(missing)) + " missing";
  return words;
}

// First sample in [low, high] that does not lie before `edge`, looked for around `guess`: samples are nearly
// evenly spaced.
std::size_t first_from(const Run& run, const Track& track, TimeAxis axis, double edge, std::size_t low,
                       std::size_t high, std::size_t guess) {
  const auto is_before = [&](std::size_t i) { return run.x_of_sample(track, i, axis) < edge; };
  guess = std::clamp(guess, low, high);
  std::size_t stride = 2;
  if (guess < high && is_before(guess)) {
    low = guess + 1;
    for (; low + stride < high && is_before(low + stride); stride *= 2) low += stride;
    high = std::min(high, low + stride);
  } else {
    high = guess;
    for (; high > low + stride && !is_before(high - stride); stride *= 2) high -= stride;
    low = high > low + stride ? high - stride : low;
  }
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (is_before(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace

Picture begin_picture(const QueryFrame& frame, const std::string& view, const std::string& channel) {
  const Run& run = frame.run;
  Picture picture;
  picture.axis = frame.timeline.window().axis();
  picture.x = frame.timeline.visible();
  picture.whole_x = frame.timeline.whole();
  begin_head(frame, view, channel, picture);
  const Track* track = run.track(channel);
  if (picture.state != PictureState::Failed && track != nullptr && !track->is_light) {
    picture.state = PictureState::NotApplicable;
    picture.words = "The channel '" + channel + "' holds maps, not lines";
  }
  if (run.rows() == 0) return picture;
  picture.cursor_x = run.x_of_step(picture.cursor_step, picture.axis);
  picture.flags = flags_of(frame, picture.axis, picture.x);
  picture.gaps = gaps_of(frame, picture.axis, picture.x);
  picture.limits = limits_of(frame, picture);
  return picture;
}

std::vector<std::size_t> column_boundaries(const QueryFrame& frame, const Track& track, std::size_t lines) {
  const Run& run = frame.run;
  const TimeAxis axis = frame.timeline.window().axis();
  const Range x = frame.timeline.visible();
  const int share = kColumnsPerTrack / static_cast<int>(std::max<std::size_t>(1, lines));
  const int columns = std::clamp(std::min(frame.columns, kMostColumns), 1, std::max(1, share));

  std::size_t first = run.first_sample_from(track, x.minimum, axis);
  std::size_t last =
      run.first_sample_from(track, std::nextafter(x.maximum, std::numeric_limits<double>::infinity()), axis);
  if (first > 0) --first;
  if (last < track.size()) ++last;
  std::vector<std::size_t> boundaries;
  if (first >= last) return boundaries;
  if (last - first <= static_cast<std::size_t>(columns)) {
    for (std::size_t i = first; i <= last; ++i) boundaries.push_back(i);
    return boundaries;
  }
  // Borders are moved to those of summaries where that is less than an eighth of a pixel: folding then reads
  // few nodes.
  std::size_t grain = 1;
  while (grain * Series::kFanOut * 4 <= (last - first) / static_cast<std::size_t>(columns))
    grain *= Series::kFanOut;
  boundaries.push_back(first);
  for (int column = 1; column < columns; ++column) {
    const double edge = x.minimum + x.width() * column / columns;
    std::size_t low = first_from(
        run, track, axis, edge, boundaries.back(), last,
        first + (last - first) * static_cast<std::size_t>(column) / static_cast<std::size_t>(columns));
    low = (low + grain / 2) / grain * grain;
    if (low > boundaries.back() && low < last) boundaries.push_back(low);
  }
  boundaries.push_back(last);
  return boundaries;
}

LinePicture line_of(const QueryFrame& frame, const Track& track, const Series& values,
                    const std::vector<std::size_t>& boundaries) {
  const Run& run = frame.run;
  const TimeAxis axis = frame.timeline.window().axis();
  LinePicture line;
  for (std::size_t i = 0; i + 1 < boundaries.size() && boundaries[i] < values.size(); ++i) {
    const std::size_t end = std::min(boundaries[i + 1], values.size());
    const Bucket bucket = values.fold(boundaries[i], end);
    if (bucket.count + bucket.invalid == 0) continue;
    line.columns.push_back(
        {run.x_of_sample(track, end - 1, axis), run.step_of_sample(track, end - 1), bucket});
  }
  line.at_cursor = value_at_cursor(frame, track, values);
  return line;
}

void mark_invalid(const Run& run, const Track& track, const Series& values,
                  const std::vector<std::size_t>& boundaries, TimeAxis axis, TrackPicture& picture) {
  const std::uint64_t samples = values.fold(0, values.size()).invalid;
  if (samples == 0) return;
  const std::uint64_t first_step = run.step_of_sample(track, values.find_invalid(0, values.size()));
  if (picture.invalid_samples == 0 || first_step < picture.first_invalid_step)
    picture.first_invalid_step = first_step;
  picture.invalid_samples += samples;
  for (std::size_t i = 0; i + 1 < boundaries.size(); ++i) {
    const std::uint64_t here = values.fold(boundaries[i], boundaries[i + 1]).invalid;
    if (here == 0) continue;
    const std::size_t sample = values.find_invalid(boundaries[i], boundaries[i + 1]);
    const double x = run.x_of_sample(track, sample, axis);
    // Several lines of a track share a tick.
    const auto at = std::lower_bound(picture.invalid.begin(), picture.invalid.end(), x,
                                     [](const InvalidMark& mark, double value) { return mark.x < value; });
    if (at != picture.invalid.end() && at->x == x) {
      at->samples += here;
    } else {
      picture.invalid.insert(at, {x, run.step_of_sample(track, sample), here});
    }
  }
}

void fit_y(TrackPicture& picture) {
  if (picture.y_fixed) {
    picture.y = *picture.y_fixed;
    return;
  }
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  const auto include = [&](double value) {
    if (!std::isfinite(value) || (picture.is_logarithmic && value <= 0)) return;
    range.minimum = std::min(range.minimum, value);
    range.maximum = std::max(range.maximum, value);
  };
  for (const LinePicture& line : picture.lines) {
    for (const Column& column : line.columns) {
      include(column.bucket.minimum);
      include(column.bucket.maximum);
    }
  }
  for (const AreaPicture& area : picture.areas) {
    for (const AreaPicture::Slice& slice : area.slices) {
      include(slice.lower);
      include(slice.upper);
    }
  }
  if (picture.is_logarithmic && range.maximum >= range.minimum) {
    picture.y = {range.minimum / 1.1, range.maximum * 1.1};
  } else {
    picture.y = nice_range(range.minimum, range.maximum, 4);
  }
}

double value_at_cursor(const QueryFrame& frame, const Track& track, const Series& values) {
  const std::optional<std::size_t> sample = frame.run.sample_at_or_before(track, frame.cursor_step());
  if (!sample || values.size() == 0) return kUnknown;
  const std::size_t i = std::min(*sample, values.size() - 1);
  if (i >= values.exact_from()) return values.at(i);
  const Bucket summary = values.fold(i, std::min(i + Series::kFanOut, values.size()));
  return summary.has_value() ? summary.last : kUnknown;
}

StepSpan statistics_span(const QueryFrame& frame) {
  const TimeAxis axis = frame.timeline.window().axis();
  const Range x = frame.brush.value_or(frame.timeline.visible());
  const std::uint64_t newest = frame.cursor_step();
  const std::uint64_t first = frame.run.step_at(x.minimum, axis);
  return {first, std::max(first, std::min(frame.run.step_at(x.maximum, axis), newest))};
}

std::string span_in_words(const QueryFrame& frame) {
  if (!frame.brush) return {};
  const StepSpan span = statistics_span(frame);
  return " over steps " + format_count(static_cast<std::int64_t>(span.first)) + " to " +
         format_count(static_cast<std::int64_t>(span.last));
}

std::int64_t layers_of(const Run& run, const Track& track) {
  const trace::Axis* axis = run.schema()->channels[track.channel].axis("layer");
  return axis != nullptr ? axis->size : 0;
}

LayerSpan cut_span(LayerSpan span, std::int64_t layers) {
  if (span.last < 0 || span.last >= layers) span.last = layers - 1;
  span.first = std::clamp<std::int64_t>(span.first, 0, std::max<std::int64_t>(0, span.last));
  return span;
}

}  // namespace sparsescope::viz
