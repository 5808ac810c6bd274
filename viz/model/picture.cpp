// Words and tables of a picture. How pictures are made is in the queries.
#include "viz/model/picture.h"

#include <cmath>

#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

std::string step_text(std::uint64_t step) { return std::to_string(step); }

// Enough digits that a person can copy the value, none that a float never had.
std::string value_text(double value) { return std::isfinite(value) ? format_number(value, 9) : kAbsent; }

std::string without_commas(std::string text) {
  std::erase(text, ',');
  return text;
}

}  // namespace

Table table(const Picture& picture) {
  Table result;
  result.header = {
      "track",  "unit",    "mark",    "step", std::string("x (") + axis_title(picture.axis) + ")",
      "first",  "minimum", "maximum", "last", "samples",
      "invalid"};
  for (const TrackPicture& track : picture.tracks) {
    const char* unit = track.unit.empty() ? "1" : track.unit.c_str();
    for (const AreaPicture& area : track.areas) {
      for (const AreaPicture::Slice& slice : area.slices) {
        const std::string value = without_commas(value_text(slice.upper - slice.lower));
        result.rows.push_back({track.id, unit, area.label, step_text(slice.step),
                               without_commas(format_number(slice.x, 9)), value, value, value, value, "1",
                               std::isfinite(slice.upper) ? "0" : "1"});
      }
    }
    for (const LinePicture& line : track.lines) {
      for (const Column& column : line.columns) {
        const Bucket& bucket = column.bucket;
        const auto number = [&](double value) {
          return bucket.has_value() ? without_commas(value_text(value)) : std::string(kAbsent);
        };
        result.rows.push_back({track.id, unit, line.label, step_text(column.step),
                               without_commas(format_number(column.x, 9)), number(bucket.first),
                               number(bucket.minimum), number(bucket.maximum), number(bucket.last),
                               std::to_string(bucket.count), std::to_string(bucket.invalid)});
      }
    }
    for (const CrossingMark& mark : track.crossings) {
      if (!mark.is_found) continue;
      const std::string value = without_commas(value_text(mark.y));
      result.rows.push_back({track.id, unit, "first passed by layer " + std::to_string(mark.layer),
                             step_text(mark.step), without_commas(format_number(mark.x, 9)), value, value,
                             value, value, "1", "0"});
    }
  }
  return result;
}

Twin twin_of(const Picture& picture) {
  Twin twin = twin_of(static_cast<const PictureHead&>(picture));
  for (std::string& line : lines_of(picture.banner)) twin.lines.push_back(std::move(line));
  for (const TrackPicture& track : picture.tracks) {
    if (!track.missing.empty()) twin.lines.push_back(track.title + ": " + track.missing);
    for (const CrossingMark& mark : track.crossings) twin.lines.push_back(mark.words);
    for (const SpreadNote& note : track.spreads) twin.lines.push_back(track.title + ": " + note.words);
  }
  for (const FlagMark& flag : picture.flags)
    twin.lines.push_back("step " + format_count(static_cast<std::int64_t>(flag.step)) + ": " + flag.words);
  for (const GapMark& gap : picture.gaps)
    twin.lines.push_back(format_x(gap.from, picture.axis) + " to " + format_x(gap.to, picture.axis) + ": " +
                         gap.words);
  twin.table = table(picture);
  return twin;
}

const char* axis_title(TimeAxis axis) {
  switch (axis) {
    case TimeAxis::Step:
      return "step";
    case TimeAxis::Tokens:
      return "tokens";
    case TimeAxis::WallTime:
      return "seconds";
    case TimeAxis::RelativeStep:
      return "relative step";
  }
  return "step";
}

std::string format_x(double x, TimeAxis axis) {
  switch (axis) {
    case TimeAxis::Tokens:
      return format_quantity(x) + " tokens";
    case TimeAxis::WallTime:
      return format_duration(x);
    default:
      return "step " + format_count(std::llround(x));
  }
}

std::vector<Tick> axis_ticks(Range range, TimeAxis axis, int wanted) {
  if (axis == TimeAxis::WallTime) return duration_ticks(range.minimum, range.maximum, wanted);
  std::vector<Tick> ticks = nice_ticks(range.minimum, range.maximum, wanted);
  if (axis == TimeAxis::Tokens) {
    for (Tick& tick : ticks) tick.label = tick.value == 0 ? "0" : format_quantity(tick.value);
  }
  return ticks;
}

}  // namespace sparsescope::viz
