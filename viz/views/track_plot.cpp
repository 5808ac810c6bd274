#include "viz/views/track_plot.h"

#include <algorithm>
#include <cmath>

#include "viz/model/format.h"
#include "viz/views/inks.h"
#include "viz/views/track_levels.h"
#include "viz/views/track_parts.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/plot.h"

namespace sparsescope::viz {
namespace {

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
