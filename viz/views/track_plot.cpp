#include "viz/views/track_plot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/model/format.h"
#include "viz/views/inks.h"
#include "viz/views/track_levels.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/plot.h"

namespace sparsescope::viz {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr float kOthers = 0.3f;   // layers that are not the chosen one
constexpr float kPickPixels = 8;  // how near a click must be to a line; at scale 1

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

// How bright a line is: hovered beats locked beats normal, in brightness only.
float brightness(const LinePicture& line, const Selection& selection) {
  const auto& chosen = selection.hover_before.layer ? selection.hover_before.layer : selection.locked.layer;
  return !chosen || !line.layer || *chosen == *line.layer ? 1 : kOthers;
}

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

// Up to the cursor bright, after it dim; the column at the border belongs to both so that the line does not
// break.
void draw_line(const LinePicture& line, const Picture& picture, float alpha) {
  const std::span<const Column> all(line.columns);
  if (picture.is_following) return draw_part(line, all, picture, alpha);
  const auto after = std::upper_bound(all.begin(), all.end(), picture.cursor_x,
                                      [](double x, const Column& column) { return x < column.x; });
  const auto past = static_cast<std::size_t>(after - all.begin());
  draw_part(line, all.subspan(past > 0 ? past - 1 : 0), picture, alpha * future_alpha());
  draw_part(line, all.first(past), picture, alpha);
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

void draw_area(const AreaPicture& area, const Picture& picture) {
  const std::span<const AreaPicture::Slice> all(area.slices);
  if (picture.is_following) return draw_area_part(area, all, picture, 1);
  const auto after = std::upper_bound(all.begin(), all.end(), picture.cursor_x,
                                      [](double x, const AreaPicture::Slice& slice) { return x < slice.x; });
  const auto past = static_cast<std::size_t>(after - all.begin());
  draw_area_part(area, all.subspan(past > 0 ? past - 1 : 0), picture, future_alpha());
  draw_area_part(area, all.first(past), picture, 1);
}

void draw_spans(const Picture& picture, const ViewContext& context, const TrackPicture& track) {
  for (const GapMark& gap : picture.gaps) plot::hatch(gap.from, gap.to, color(Token::Faint, 0.5f));
  if (context.selection.brush)
    plot::span(context.selection.brush->minimum, context.selection.brush->maximum,
               color(Token::Accent, 0.12f));
  for (const InvalidMark& mark : track.invalid) plot::tick(mark.x, color(Token::Error));
}

void draw_flags(const TrackPlot& request) {
  float free_from = -1e9f;
  for (const FlagMark& flag : request.picture.flags) {
    const Token ink = flag.is_warning ? Token::Warn : Token::Muted;
    plot::vertical(flag.x, {color(ink, 0.8f), 1, plot::Dash::Dashed});
    if (!request.show_flag_words) continue;
    // A label that would run into the one before it waits for the pointer.
    const float at = plot::pixels(flag.x, 0).x;
    const std::string words = flag.words + ", " + format_count(static_cast<std::int64_t>(flag.step));
    if (at < free_from) continue;
    plot::flag_label(flag.x, words, color(ink));
    free_from = at + text_size(Font::Regular, kSmallText - 1, words.c_str()).x + px(14);
  }
}

// What stands at a line's end: its name; its newest value too where lines are few; the value alone where it
// is the only one.
std::string end_label(const Picture& picture, const TrackPicture& track, const LinePicture& line) {
  // Over areas only the lines of compared runs are named at their end; the legend names the others.
  if (line.label.empty() || line.is_spread || line.columns.empty() ||
      (!track.areas.empty() && line.ink != Ink::Run))
    return {};
  const auto named = std::count_if(track.lines.begin(), track.lines.end(), [](const LinePicture& other) {
    return !other.label.empty() && !other.is_spread;
  });
  if (named > 3 || !picture.is_following || !std::isfinite(line.at_cursor)) return line.label;
  const std::string value = track.unit == "bytes"   ? format_bytes(line.at_cursor)
                            : track.unit == "tok/s" ? format_quantity(line.at_cursor)
                                                    : format_number(line.at_cursor, line.has_errors ? 2 : 4);
  return named == 1 ? value : line.label + " " + value;
}

void draw_end_labels(const TrackPlot& request, const Selection& selection) {
  for (const LinePicture& line : request.track.lines) {
    const std::string words = end_label(request.picture, request.track, line);
    if (words.empty()) continue;
    const auto last = std::find_if(line.columns.rbegin(), line.columns.rend(),
                                   [](const Column& column) { return column.bucket.has_value(); });
    if (last == line.columns.rend()) continue;
    const float bright = brightness(line, selection);
    plot::end_label(last->x, last->bucket.last, words,
                    last->is_within_spread
                        ? color(Token::Muted, bright)
                        : ink_color(line.ink, line.place, line.run.value_or(request.picture.run), bright));
  }
}

std::string value_words(double value, const std::string& unit) { return format_unit(value, unit); }

void tooltip_row(ImU32 ink, const std::string& label, const std::string& value) {
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  ImGui::PushStyleColor(ImGuiCol_Text, ink);
  ImGui::TextUnformatted(label.c_str());
  ImGui::PopStyleColor();
  ImGui::TableNextColumn();
  FontScope mono(Font::Mono, kSmallText);
  ImGui::TextUnformatted(value.c_str());
}

// What the quantity is, then every value at that place.
void draw_readout(const TrackPlot& request, double x) {
  const TrackPicture& track = request.track;
  const std::uint32_t run = request.picture.run;
  ui::muted(track.title + (track.unit.empty() ? "" : " in " + track.unit) + ", " +
            format_x(x, request.picture.axis));
  if (!ImGui::BeginTable("values", 2, ImGuiTableFlags_SizingFixedFit)) return;
  for (const LinePicture& line : track.lines) {
    const double value = value_at(line, x);
    if (std::isnan(value)) continue;
    const std::string label = line.label.empty() ? "sample" : line.label;
    std::string words = value_words(value, track.unit);
    if (const double error = error_at(line, x); std::isfinite(error))
      words += " ± " + format_number(error, 2);
    tooltip_row(ink_color(line.ink, line.place, line.run.value_or(run)), label, words);
  }
  for (auto area = track.areas.rbegin(); area != track.areas.rend(); ++area) {
    tooltip_row(ink_color(area->ink, area->place, run), area->label,
                value_words(thickness_at(*area, x), track.unit));
  }
  ImGui::EndTable();
  for (const GapMark& gap : request.picture.gaps) {
    if (x >= gap.from && x <= gap.to) ui::muted(gap.words);
  }
  const double near = 4 * request.picture.x.width() / std::max(1.f, plot::columns());
  for (const FlagMark& flag : request.picture.flags) {
    if (std::abs(flag.x - x) < near)
      ui::muted(flag.words + ", step " + format_count(static_cast<std::int64_t>(flag.step)));
  }
  for (const CrossingMark& mark : track.crossings) {
    if (mark.is_found && std::abs(mark.x - x) < near) ui::muted(mark.words);
  }
  for (const InvalidMark& mark : track.invalid) {
    if (std::abs(mark.x - x) < near)
      ui::muted(format_count(static_cast<std::int64_t>(mark.samples)) + " not a number from step " +
                format_count(static_cast<std::int64_t>(mark.step)));
  }
}

// The layer of the line nearest to the pointer, when it is near enough to be meant.
std::optional<std::int64_t> layer_under_pointer(const TrackPicture& track) {
  const ImVec2 mouse = ImGui::GetMousePos();
  std::optional<std::int64_t> found;
  float nearest = px(kPickPixels);
  for (const LinePicture& line : track.lines) {
    const double value = line.layer ? value_at(line, plot::mouse_x()) : kUnknown;
    if (std::isnan(value)) continue;
    const float distance = std::abs(plot::pixels(plot::mouse_x(), value).y - mouse.y);
    if (distance < nearest) {
      nearest = distance;
      found = line.layer;
    }
  }
  return found;
}

// Hover shows, click locks, Ctrl-drag brushes. The click that picks no line pins the place.
void handle_pointer(const TrackPlot& request, ViewContext& context) {
  if (!plot::hovered()) return;
  Selection& selection = context.selection;
  const double x = plot::mouse_x();
  const Run* run = context.timeline.find(request.picture.run);
  const std::uint64_t step = run != nullptr ? run->step_at(x, request.picture.axis) : 0;
  selection.hover.x = x;
  selection.hover.step = step;
  selection.hover.layer = layer_under_pointer(request.track);

  const ImGuiIO& io = ImGui::GetIO();
  if (io.KeyCtrl && ImGui::IsMouseDragging(ImGuiMouseButton_Left)) {
    const float began = io.MouseClickedPos[ImGuiMouseButton_Left].x, now = io.MousePos.x;
    const double scale = request.picture.x.width() / std::max(1.f, plot::columns());
    const double from = x + (began - now) * scale;
    selection.brush = Range{std::min(from, x), std::max(from, x)};
  } else if (plot::clicked() && (io.KeyCtrl || io.MouseClickedLastCount[ImGuiMouseButton_Left] > 1)) {
    selection.brush
        .reset();  // a double click, which also fits the axis, lets go of what its first click pinned
    selection.locked.x.reset();
    selection.locked.step.reset();
  } else if (plot::clicked() && selection.hover.layer) {
    selection.locked.layer =
        selection.locked.layer == selection.hover.layer ? std::nullopt : selection.hover.layer;
  } else if (plot::clicked()) {
    selection.locked.x = x;
    selection.locked.step = step;
  }
  if (!ImGui::BeginTooltip()) return;
  {
    FontScope font(Font::Regular, kSmallText);
    draw_readout(request, x);
  }
  ImGui::EndTooltip();
}

// Words on a surface of their own, legible over whatever lies below.
void draw_chip(ImVec2 at, ImVec2 extent, const std::string& words, Token ink) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(at, {at.x + extent.x + px(8), at.y + extent.y + px(4)}, color(Token::Raised), px(4));
  draw_text(list, Font::Regular, kSmallText - 1, {at.x + px(4), at.y + px(2)}, color(ink), words.c_str());
}

// The linked pointer of the frame before, and the pinned place with its values.
void draw_places(const TrackPlot& request, const Selection& selection) {
  const Picture& picture = request.picture;
  if (!picture.is_following && picture.x.contains(picture.cursor_x))
    plot::vertical(picture.cursor_x, {color(Token::Text), 1.5f, plot::Dash::Solid});
  const auto mark = [&](double x, ImU32 ink) {
    plot::vertical(x, {ink, 1, plot::Dash::Solid});
    for (const LinePicture& line : request.track.lines) {
      const double value = value_at(line, x);
      if (std::isfinite(value) && !line.label.empty() && !line.is_spread)
        plot::dot(x, value, 3, ink_color(line.ink, line.place, line.run.value_or(picture.run)));
    }
  };
  if (selection.hover_before.x) mark(*selection.hover_before.x, color(Token::Muted, 0.6f));
  if (!selection.locked.x) return;
  mark(*selection.locked.x, color(Token::Accent, 0.9f));
  std::string words;
  for (const LinePicture& line : request.track.lines) {
    const double value = value_at(line, *selection.locked.x);
    if (line.label.empty() || line.is_spread || std::isnan(value)) continue;
    words += (words.empty() ? "" : "  ") + line.label + " " + format_number(value);
  }
  for (const AreaPicture& area : request.track.areas)
    words += (words.empty() ? "" : "  ") + area.label + " " +
             format_number(thickness_at(area, *selection.locked.x), 3);
  if (request.show_flag_words) words = format_x(*selection.locked.x, picture.axis) + "  " + words;
  // At the bottom, where no flag has its words.
  const Range y = plot::shown_y();
  const ImVec2 foot = plot::pixels(*selection.locked.x, y.minimum);
  const ImVec2 extent = text_size(Font::Regular, kSmallText - 1, words.c_str());
  const float room = plot::pixels(plot::shown_x().maximum, y.minimum).x - foot.x;
  draw_chip({room > extent.x + px(14) ? foot.x + px(4) : foot.x - px(4) - extent.x - px(8),
             foot.y - extent.y - px(6)},
            extent, words, Token::Accent);
}

void draw_missing(const TrackPlot& request, ImVec2 frame_min, const ViewContext& context) {
  const std::string& words = request.track.missing;
  if (words.empty()) return;
  const ImVec2 size = text_size(Font::Regular, kSmallText - 1, words.c_str());
  draw_chip({frame_min.x + (request.size.x - size.x) / 2 - px(4),
             frame_min.y + (request.size.y - size.y) / 2 - px(2)},
            size, words, Token::Muted);
  if (request.picture.state != PictureState::Waiting || context.motion == Motion::Reduced) return;
  const auto pulse = static_cast<float>(0.5 + 0.5 * std::sin(3 * ImGui::GetTime()));
  ImGui::GetWindowDrawList()->AddRectFilled({frame_min.x + px(52), frame_min.y + px(8)},
                                            {frame_min.x + px(55), frame_min.y + request.size.y - px(24)},
                                            color(Token::Accent, 0.15f + 0.3f * pulse));
}

plot::Options options_of(const TrackPlot& request) {
  const TrackPicture& track = request.track;
  plot::Options options;
  options.id = track.id.c_str();
  options.size = request.size;
  options.x.fit = request.picture.whole_x;
  options.x.show_labels = request.show_x_labels;
  const TimeAxis axis = request.picture.axis;
  if (axis == TimeAxis::Tokens)
    options.x.label = [](double x) { return x == 0 ? std::string("0") : format_quantity(x); };
  if (axis == TimeAxis::WallTime) options.x.label = [](double x) { return format_duration(x); };
  options.y.fit = track.y;
  options.y.scale = track.is_logarithmic ? plot::Scale::Log : plot::Scale::Linear;
  options.y.is_locked = true;  // y fits what is visible; zooming is about time
  if (track.unit == "σ") options.y.unit = "σ";
  if (track.unit == "bytes") options.y.label = [](double y) { return format_bytes(y); };
  if (track.unit == "tok/s") options.y.label = [](double y) { return format_quantity(y); };
  if (track.y.maximum > 0 && track.y.maximum < 0.01 && !track.is_logarithmic)
    options.y.label = [](double y) { return format_number(y, 2); };
  options.right_gutter = request.right_gutter;
  return options;
}

}  // namespace

void draw_dot(double x, double y, Filling filling, ImU32 ink) {
  plot::dot(x, y, filling == Filling::Hollow ? 3.6f : 3.f, ink);
  if (filling == Filling::Hollow) plot::dot(x, y, 2.2f, color(Token::Panel));
}

float end_label_gutter(const Picture& picture, const TrackPicture& track) {
  float widest = 0;
  for (const LinePicture& line : track.lines) {
    const std::string words = end_label(picture, track, line);
    if (!words.empty())
      widest =
          std::max(widest, text_size(Font::Regular, kSmallText - 1, words.c_str()).x / current_scale() + 14);
  }
  // In steps, so that a digit more does not move the plot.
  return std::max(12.f, 8 * std::ceil(widest / 8));
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

void draw_track(const TrackPlot& request, ViewContext& context) {
  const Picture& picture = request.picture;
  TimeWindow& window = context.timeline.window();
  const bool was_chosen = window.chosen().has_value();
  plot::AxisRange x{picture.x, !was_chosen}, y{request.track.y, true};
  const ImVec2 frame_min = ImGui::GetCursorScreenPos();
  if (!plot::begin(options_of(request), x, y)) return;
  for (const AreaPicture& area : request.track.areas) draw_area(area, picture);
  draw_spans(picture, context, request.track);
  draw_flags(request);
  draw_levels(request, context, LevelLayer::UnderLines);
  for (const LinePicture& line : request.track.lines)
    draw_line(line, picture, brightness(line, context.selection));
  draw_levels(request, context, LevelLayer::OverLines);
  draw_crossings(request, context.selection);
  draw_places(request, context.selection);
  draw_end_labels(request, context.selection);
  handle_pointer(request, context);
  plot::end();
  draw_missing(request, frame_min, context);
  if (!x.follows && x.shown != picture.x) window.choose(x.shown);
  if (x.follows && was_chosen) window.fit();
}

}  // namespace sparsescope::viz
