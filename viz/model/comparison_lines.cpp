#include "viz/model/comparison_lines.h"

#include <fmt/format.h>

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

// What a run has in the track.
struct RunLines {
  ComparedRun run;
  std::vector<LinePicture> lines;
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

// The same line of the runs of one arm.
std::vector<ToldLine> lines_of_arm(const std::vector<ComparedRun>& arm, const std::vector<RunLines>& all) {
  std::vector<ToldLine> told;
  for (const ComparedRun& run : arm) {
    const auto own = std::ranges::find_if(all, [&](const RunLines& one) { return one.run.run == run.run; });
    for (const LinePicture& line : own->lines) {
      auto same = std::ranges::find(told, line.label, &ToldLine::name);
      if (same == told.end()) same = told.insert(told.end(), {line.label, {}, {}});
      same->runs.push_back(run);
      same->lines.push_back(line);
    }
  }
  return told;
}

// Of the finite values at the cursor; minimum above maximum: there is none.
Range range_at_cursor(const ToldLine& told) {
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const LinePicture& line : told.lines) {
    if (!std::isfinite(line.at_cursor)) continue;
    range.minimum = std::min(range.minimum, line.at_cursor);
    range.maximum = std::max(range.maximum, line.at_cursor);
  }
  return range;
}

// Two arms of one line, at least one of them of several seeds.
struct Arms {
  const ToldLine &first, &other;
  const ToldLine& spread() const { return first.runs.size() > 1 ? first : other; }
  const ToldLine& beside() const { return first.runs.size() > 1 ? other : first; }
};

SpreadNote note_of(const Arms& arms, const std::string& unit) {
  const Range spread = range_at_cursor(arms.spread()), beside = range_at_cursor(arms.beside());
  SpreadNote note;
  for (const ComparedRun& run : arms.other.runs) note.runs.push_back(run.run->id());
  if (spread.minimum > spread.maximum || beside.minimum > beside.maximum) return note;
  const double off = std::max(beside.minimum - spread.maximum, spread.minimum - beside.maximum);
  note.is_inside = off <= 0;
  note.words = fmt::format("{}{} {} the seed spread of {}, {} to {}", letters_of(arms.beside().runs),
                           arms.other.name.empty() ? "" : " " + arms.other.name,
                           note.is_inside ? "lies inside" : "lies " + format_unit(off, unit) + " outside",
                           letters_of(arms.spread().runs), format_number(spread.minimum),
                           format_unit(spread.maximum, unit));
  return note;
}

// Marks the columns of `line`, which is of `arms.other`, where the two arms overlap.
void mark_within(const Arms& arms, LinePicture& line) {
  const LinePicture first = median_line(arms.first), other = median_line(arms.other);
  for (Column& column : line.columns) {
    const Column *a = column_at(first, column.x), *b = column_at(other, column.x);
    column.is_within_spread = a != nullptr && b != nullptr && a->bucket.minimum <= b->bucket.maximum &&
                              b->bucket.minimum <= a->bucket.maximum;
  }
}

LinePicture spread_line(const ToldLine& told, const QueryFrame& frame) {
  LinePicture line = finished_line(told, frame);
  line.label = letters_of(told.runs) + (told.name.empty() ? "" : " " + told.name) + ", spread of " +
               std::to_string(told.runs.size()) + " seeds";
  line.is_spread = true;
  line.has_dots = false;
  return line;
}

void add_invalid(const TrackPicture& other, TrackPicture& track) {
  track.invalid.insert(track.invalid.end(), other.invalid.begin(), other.invalid.end());
  std::ranges::stable_sort(track.invalid, {}, &InvalidMark::x);
}

// What is probed and recorded changes nothing about the training.
bool is_watching(const std::string& key) {
  return key.starts_with("probe.") || key.starts_with("recording.");
}

bool differ_only_in_seed(const Run& a, const Run& b) {
  if (a.schema() == nullptr || b.schema() == nullptr || a.schema()->seed == b.schema()->seed) return false;
  const auto changes = config_changes(a.schema()->experiment_json, b.schema()->experiment_json);
  return std::ranges::all_of(changes, [](const ConfigChange& change) {
    return change.key == "train.seed" || is_watching(change.key);
  });
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
  std::vector<RunLines> all;
  for (const ComparedRun& run : runs) {
    TrackPicture other;
    if (!run.is_selected) {
      other = same_track(frame_of(frame, *run.run));
      add_invalid(other, track);
    }
    all.push_back({run, told_lines(run.is_selected ? track : other, total)});
  }
  std::vector<LinePicture> told, bands;
  bool has_groups = false;
  std::vector<ToldLine> first;
  for (const std::vector<ComparedRun>& arm : seed_groups(runs)) {
    const std::vector<ToldLine> lines = lines_of_arm(arm, all);
    if (first.empty()) first = lines;
    const bool is_one = seeds == SeedGroups::Together;
    has_groups |= is_one && arm.size() > 1;
    for (const ToldLine& line : lines) {
      std::vector<LinePicture> made;
      if (is_one) made.push_back(finished_line(line, frame));
      for (std::size_t i = 0; !is_one && i < line.runs.size(); ++i)
        made.push_back(finished_line({line.name, {line.runs[i]}, {line.lines[i]}}, frame));
      if (!is_one && line.runs.size() > 1) bands.push_back(spread_line(line, frame));
      const auto against = std::ranges::find(first, line.name, &ToldLine::name);
      const bool is_other = against != first.end() && against->runs.front().run != line.runs.front().run;
      if (is_other && against->runs.size() + line.runs.size() > 2) {
        const Arms arms{*against, line};
        for (LinePicture& one : made) mark_within(arms, one);
        if (SpreadNote note = note_of(arms, track.unit); !note.words.empty())
          track.spreads.push_back(std::move(note));
      }
      told.insert(told.end(), std::make_move_iterator(made.begin()), std::make_move_iterator(made.end()));
    }
  }
  if (seeds == SeedGroups::Apart)
    std::ranges::stable_sort(told, {}, [](const LinePicture& line) { return line.label.substr(0, 1); });
  // The faint raw samples stay under the picture's own line, unless it is one of a group.
  std::erase_if(track.lines, [&](const LinePicture& line) {
    return track.areas.empty() && (has_groups || !line.label.empty());
  });
  // Parts without a meaning of their own would wear the colours of other runs.
  if (std::ranges::any_of(track.areas, [](const AreaPicture& area) { return area.ink == Ink::Part; }))
    track.areas.clear();
  track.lines.insert(track.lines.end(), std::make_move_iterator(bands.begin()),
                     std::make_move_iterator(bands.end()));
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
