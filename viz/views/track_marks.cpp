// Lines, bands and areas of a track as they are drawn, and their values at a place.
#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/views/inks.h"
#include "viz/views/track_parts.h"
#include "viz/widgets/plot.h"

namespace sparsescope::viz {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr float kOthers = 0.3f;  // layers that are not the chosen one

// What lies after the cursor.
float future_alpha() { return metrics(current_theme()).future; }

// Whether a wide gap lies between two neighbouring marks: what is not known is not drawn as a straight line.
bool breaks_between(const Picture& picture, double left, double right) {
  return std::any_of(picture.gaps.begin(), picture.gaps.end(),
                     [&](const GapMark& gap) { return gap.is_wide && gap.from >= left && gap.to <= right; });
}

struct Points {
  std::vector<double> x, low, high, last;
  std::vector<bool> is_within;
  void add(const Column& column, const Picture& picture) {
    if (!picture.gaps.empty() && !x.empty() && breaks_between(picture, x.back(), column.x))
      add(x.back(), {}, false);
    add(column.x, column.bucket, column.is_within_spread);
  }
  // The values within a spread, or the others and those that join them.
  std::vector<double> part(bool within) const {
    std::vector<double> values(last.size(), kUnknown);
    for (std::size_t i = 0; i < last.size(); ++i) {
      const bool joins = (i > 0 && !is_within[i - 1]) || (i + 1 < last.size() && !is_within[i + 1]);
      if (within ? is_within[i] : !is_within[i] || joins) values[i] = last[i];
    }
    return values;
  }

 private:
  void add(double at, const Bucket& bucket, bool within) {
    x.push_back(at);
    is_within.push_back(within);
    low.push_back(bucket.has_value() ? bucket.minimum : kUnknown);
    high.push_back(bucket.has_value() ? bucket.maximum : kUnknown);
    last.push_back(bucket.has_value() ? bucket.last : kUnknown);
  }
};

float line_width(Weight weight) {
  return weight == Weight::Strong ? 2.f : weight == Weight::Faint ? 1.f : 1.6f;
}

// One standard error up and down from every sample.
void draw_errors(const LinePicture& line, std::span<const Column> columns, ImU32 ink) {
  for (const Column& column : columns) {
    const double bar[2] = {column.bucket.minimum, column.bucket.maximum}, at[2] = {column.x, column.x};
    if (column.bucket.has_value() && bar[1] > bar[0]) plot::line(at, bar, {ink, line_width(line.weight)});
  }
}

void draw_part(const LinePicture& line, std::span<const Column> columns, const Picture& picture,
               float alpha) {
  if (columns.empty()) return;
  Points points;
  bool has_band = false;
  for (const Column& column : columns) {
    points.add(column, picture);
    has_band |= column.bucket.count > 1 && column.bucket.maximum > column.bucket.minimum;
  }
  const std::uint32_t run = line.run.value_or(picture.run);
  const float faint = line.weight == Weight::Faint ? 0.42f : 1.f;
  if (line.has_errors) draw_errors(line, columns, ink_color(line.ink, line.place, run, alpha));
  if (has_band && !line.has_errors && line.weight != Weight::Strong)
    plot::band(points.x, points.low, points.high, ink_color(line.ink, line.place, run, 0.22f * alpha));
  if (line.is_spread) return;
  const plot::Stroke stroke{ink_color(line.ink, line.place, run, alpha * faint), line_width(line.weight),
                            plot_dash(line.dash)};
  const bool has_within = std::ranges::find(points.is_within, true) != points.is_within.end();
  plot::line(points.x, has_within ? points.part(false) : points.last, stroke);
  const ImU32 grey = color(Token::Muted, alpha * faint);
  if (has_within) plot::line(points.x, points.part(true), {grey, stroke.width, stroke.dash});
  if (!line.has_dots) return;
  for (std::size_t i = 0; i < points.x.size(); ++i) {
    if (!std::isfinite(points.last[i])) continue;
    const bool is_hollow =
        line.has_errors && std::abs(points.last[i]) < 2 * (points.high[i] - points.last[i]);
    draw_dot(points.x[i], points.last[i], is_hollow ? Filling::Hollow : Filling::Full,
             points.is_within[i] ? grey : ink_color(line.ink, line.place, run, alpha));
  }
}

void draw_area_part(const AreaPicture& area, std::span<const AreaPicture::Slice> slices,
                    const Picture& picture, float alpha) {
  if (slices.size() < 2) return;
  std::vector<double> x, lower, upper, edge;
  const auto add = [&](double at, double from, double to) {
    x.push_back(at);
    lower.push_back(from);
    upper.push_back(to);
    edge.push_back(to > from ? to : kUnknown);  // nothing there: no edge either
  };
  for (const AreaPicture::Slice& slice : slices) {
    if (!picture.gaps.empty() && !x.empty() && breaks_between(picture, x.back(), slice.x))
      add(x.back(), kUnknown, kUnknown);
    add(slice.x, slice.lower, slice.upper);
  }
  const std::uint32_t run = picture.run;
  plot::band(x, lower, upper,
             ink_color(area.ink, area.place, run, (area.ink == Ink::Part ? 0.45f : 0.72f) * alpha));
  plot::line(x, edge, {ink_color(area.ink, area.place, run, alpha), 1.5f, plot_dash(area.dash)});
}

}  // namespace

float brightness(const LinePicture& line, const Selection& selection) {
  const auto& chosen = selection.hover_before.layer ? selection.hover_before.layer : selection.locked.layer;
  return !chosen || !line.layer || *chosen == *line.layer ? 1 : kOthers;
}

// The column at the border belongs to both so that the line does not break.
void draw_line(const LinePicture& line, const Picture& picture, float alpha) {
  const std::span<const Column> all(line.columns);
  if (picture.is_following) return draw_part(line, all, picture, alpha);
  const auto after = std::upper_bound(all.begin(), all.end(), picture.cursor_x,
                                      [](double x, const Column& column) { return x < column.x; });
  const auto past = static_cast<std::size_t>(after - all.begin());
  draw_part(line, all.subspan(past > 0 ? past - 1 : 0), picture, alpha * future_alpha());
  draw_part(line, all.first(past), picture, alpha);
}

void draw_area(const AreaPicture& area, const Picture& picture) {
  const std::span<const AreaPicture::Slice> all(area.slices);
  if (picture.is_following) return draw_area_part(area, all, picture, 1);
  const auto after = std::upper_bound(all.begin(), all.end(), picture.cursor_x,
                                      [](double x, const AreaPicture::Slice& slice) { return x < slice.x; });
  const auto past = static_cast<std::size_t>(after - all.begin());
  draw_area_part(area, all.subspan(past > 0 ? past - 1 : 0), picture, future_alpha());
  draw_area_part(area, all.first(past), picture, 1);
}

void draw_dot(double x, double y, Filling filling, ImU32 ink) {
  plot::dot(x, y, filling == Filling::Hollow ? 3.6f : 3.f, ink);
  if (filling == Filling::Hollow) plot::dot(x, y, 2.2f, color(Token::Panel));
}

double value_at(const LinePicture& line, double x) {
  const auto after = std::upper_bound(line.columns.begin(), line.columns.end(), x,
                                      [](double at, const Column& column) { return at < column.x; });
  if (after == line.columns.begin()) return kUnknown;
  const Bucket& bucket = std::prev(after)->bucket;
  return bucket.has_value() ? bucket.last : kUnknown;
}

double error_at(const LinePicture& line, double x) {
  if (!line.has_errors) return kUnknown;
  const auto after = std::upper_bound(line.columns.begin(), line.columns.end(), x,
                                      [](double at, const Column& column) { return at < column.x; });
  if (after == line.columns.begin() || !std::prev(after)->bucket.has_value()) return kUnknown;
  return std::prev(after)->bucket.maximum - std::prev(after)->bucket.last;
}

double thickness_at(const AreaPicture& area, double x) {
  const auto after =
      std::upper_bound(area.slices.begin(), area.slices.end(), x,
                       [](double at, const AreaPicture::Slice& slice) { return at < slice.x; });
  return after == area.slices.begin() ? kUnknown : std::prev(after)->upper - std::prev(after)->lower;
}

}  // namespace sparsescope::viz
