#include "viz/model/comparison_lines.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace sparsescope::viz {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// The upper edge of stacked areas.
LinePicture total_line(const TrackPicture& track, const std::string& label) {
  LinePicture line;
  line.label = label;
  line.at_cursor = 0;
  for (const AreaPicture& area : track.areas)
    line.at_cursor += std::isfinite(area.at_cursor) ? area.at_cursor : 0;
  for (const AreaPicture::Slice& slice : track.areas.back().slices) {
    Column column{slice.x, slice.step, {}};
    column.bucket.add(slice.upper);
    line.columns.push_back(column);
  }
  return line;
}

// The lines by which a run is told: those with a name, or the total of its areas.
std::vector<LinePicture> told_lines(const TrackPicture& track, const std::string& total) {
  std::vector<LinePicture> lines;
  if (!track.areas.empty()) return {total_line(track, total)};
  for (const LinePicture& line : track.lines) {
    if (!line.label.empty()) lines.push_back(line);
  }
  return lines;
}

// One run's line, or the runs that became one line.
struct ToldLine {
  std::string name;  // "train"
  std::vector<ComparedRun> runs;
  std::vector<LinePicture> lines;  // one a run
};

// The column at `x` or the last before it; nothing left of the first and right of the last.
const Column* column_at(const LinePicture& line, double x) {
  const auto after = std::upper_bound(line.columns.begin(), line.columns.end(), x,
                                      [](double at, const Column& column) { return at < column.x; });
  if (after == line.columns.begin()) return nullptr;
  if (after == line.columns.end() && std::prev(after)->x < x) return nullptr;
  return &*std::prev(after);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// At the places of the first run's columns.
LinePicture median_line(const ToldLine& told) {
  LinePicture line = told.lines.front();
  line.weight = Weight::Normal;  // its band shows the spread
  line.columns.clear();
  std::vector<double> now;
  for (const LinePicture& one : told.lines) {
    if (std::isfinite(one.at_cursor)) now.push_back(one.at_cursor);
  }
  line.at_cursor = now.empty() ? kUnknown : median(now);
  for (const Column& place : told.lines.front().columns) {
    std::vector<double> values;
    for (const LinePicture& one : told.lines) {
      const Column* column = column_at(one, place.x);
      if (column != nullptr && column->bucket.has_value()) values.push_back(column->bucket.last);
    }
    if (values.empty()) continue;
    const auto [least, most] = std::ranges::minmax(values);
    const double middle = median(values);
    line.columns.push_back({place.x, place.step, {least, most, middle, middle, values.size(), 0}});
  }
  return line;
}

std::string letters_of(const std::vector<ComparedRun>& runs) {
  std::string letters;
  for (const ComparedRun& run : runs) letters += (letters.empty() ? "" : "+") + run.letter;
  return letters;
}

LinePicture finished_line(const ToldLine& told, const QueryFrame& frame) {
  const bool is_group = told.runs.size() > 1;
  LinePicture line = is_group ? median_line(told) : told.lines.front();
  line.label = letters_of(told.runs) + (told.name.empty() ? "" : " " + told.name) +
               (is_group ? ", median of " + std::to_string(told.runs.size()) + " seeds" : "");
  line.ink = Ink::Run;
  if (told.runs.front().run != &frame.run) line.run = told.runs.front().run->id();
  return line;
}

void add_invalid(const TrackPicture& other, TrackPicture& track) {
  track.invalid.insert(track.invalid.end(), other.invalid.begin(), other.invalid.end());
  std::ranges::stable_sort(track.invalid, {}, &InvalidMark::x);
}

bool differ_only_in_seed(const Run& a, const Run& b) {
  if (a.schema() == nullptr || b.schema() == nullptr || a.schema()->seed == b.schema()->seed) return false;
  const auto changes = config_changes(a.schema()->experiment_json, b.schema()->experiment_json);
  return std::ranges::all_of(changes, [](const ConfigChange& change) { return change.key == "train.seed"; });
}

}  // namespace

std::vector<std::vector<ComparedRun>> seed_groups(const std::vector<ComparedRun>& runs) {
  std::vector<std::vector<ComparedRun>> groups;
  for (const ComparedRun& run : runs) {
    const auto group = std::ranges::find_if(groups, [&](const std::vector<ComparedRun>& one) {
      return differ_only_in_seed(*one.front().run, *run.run);
    });
    if (group != groups.end()) {
      group->push_back(run);
    } else {
      groups.push_back({run});
    }
  }
  return groups;
}

void overlay(const QueryFrame& frame, const std::vector<ComparedRun>& runs, SeedGroups seeds,
             const std::string& total, const SameTrack& same_track, TrackPicture& track) {
  if (runs.empty()) return;
  std::vector<std::vector<ComparedRun>> groups;
  if (seeds == SeedGroups::Together) {
    groups = seed_groups(runs);
  } else {
    for (const ComparedRun& run : runs) groups.push_back({run});
  }
  std::vector<LinePicture> told;
  bool has_groups = false;
  for (const std::vector<ComparedRun>& group : groups) {
    std::vector<ToldLine> lines;
    for (const ComparedRun& run : group) {
      TrackPicture other;
      if (!run.is_selected) {
        other = same_track(frame_of(frame, *run.run));
        add_invalid(other, track);
      }
      for (LinePicture& line : told_lines(run.is_selected ? track : other, total)) {
        auto same = std::ranges::find(lines, line.label, &ToldLine::name);
        if (same == lines.end()) same = lines.insert(lines.end(), {line.label, {}, {}});
        same->runs.push_back(run);
        same->lines.push_back(std::move(line));
      }
    }
    for (const ToldLine& line : lines) told.push_back(finished_line(line, frame));
    has_groups |= group.size() > 1;
  }
  // The faint raw samples stay under the picture's own line, unless it is one of a group.
  std::erase_if(track.lines, [&](const LinePicture& line) {
    return track.areas.empty() && (has_groups || !line.label.empty());
  });
  // Parts without a meaning of their own would wear the colours of other runs.
  if (std::ranges::any_of(track.areas, [](const AreaPicture& area) { return area.ink == Ink::Part; }))
    track.areas.clear();
  track.lines.insert(track.lines.end(), std::make_move_iterator(told.begin()),
                     std::make_move_iterator(told.end()));
  const bool has_columns =
      std::ranges::any_of(track.lines, [](const auto& line) { return !line.columns.empty(); });
  if (has_columns) track.missing.clear();
  fit_y(track);
}

LinePicture mean_over_layers(const QueryFrame& frame, const char* channel, const char* label,
                             LayerSpan layers) {
  const Run& run = frame.run;
  LinePicture line;
  line.at_cursor = kUnknown;
  const Track* track = run.track(channel);
  if (track == nullptr || !track->is_light) return line;
  LayerSpan span = cut_span(layers, layers_of(run, *track));
  line.label = "mean";
  if (frame.locked.layer && *frame.locked.layer < layers_of(run, *track)) {
    span = {*frame.locked.layer, *frame.locked.layer};
    line.label = "layer " + std::to_string(span.first);
  }
  std::vector<const Series*> all;
  for (std::int64_t layer = span.first; layer <= span.last; ++layer) {
    if (const Series* series = run.series(channel, {std::to_string(layer), label})) all.push_back(series);
  }
  const std::vector<std::size_t> boundaries = column_boundaries(frame, *track, 1);
  for (std::size_t i = 0; i + 1 < boundaries.size() && !all.empty(); ++i) {
    Bucket sum;
    double last = 0;
    std::size_t known = 0;
    for (const Series* series : all) {
      const Bucket bucket = series->fold(boundaries[i], boundaries[i + 1]);
      sum.add(bucket);
      if (!bucket.has_value()) continue;
      last += bucket.last;
      ++known;
    }
    if (known == 0) continue;
    sum.first = sum.last = last / static_cast<double>(known);
    const std::size_t sample = boundaries[i + 1] - 1;
    line.columns.push_back({run.x_of_sample(*track, sample, frame.timeline.window().axis()),
                            run.step_of_sample(*track, sample), sum});
  }
  double now = 0;
  for (const Series* series : all) now += value_at_cursor(frame, *track, *series);
  if (!all.empty()) line.at_cursor = now / static_cast<double>(all.size());
  return line;
}

}  // namespace sparsescope::viz
