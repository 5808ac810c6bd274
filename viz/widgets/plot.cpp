// Plots over ImPlot: it keeps limits, pan and zoom; grid, labels, lines and hatching are drawn here.
#include "viz/widgets/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "implot.h"
#include "viz/widgets/wheel.h"

namespace sparsescope::plot {
namespace {

struct EndLabel {
  float x, y;
  std::string text;
  ImU32 ink;
};

// The plot between begin() and end(); plots do not nest.
struct Current {
  Options options;
  ImVec2 frame_min, frame_max;  // of the whole widget
  ImVec2 area_min, area_max;    // of the plotting area
  Range x, y;
  Range drawn_x, drawn_y;  // limits handed to ImPlot, to see whether the person changed them
  AxisRange* axis_x = nullptr;
  AxisRange* axis_y = nullptr;
  bool hovered = false, clicked = false;
  ImVec2 mouse{};
  std::vector<EndLabel> labels;
};
Current current;

std::vector<ImVec2> scratch;
constexpr ImGuiMouseButton kUnusedButton = 4;
constexpr float kZoomRate = 0.1f;  // a notch of the wheel

bool differs(const Range& a, const Range& b) {
  const double tolerance = 1e-6 * std::max(std::abs(b.maximum - b.minimum), 1e-300);
  return std::abs(a.minimum - b.minimum) > tolerance || std::abs(a.maximum - b.maximum) > tolerance;
}

Range usable(Range range, Scale scale) {
  if (!std::isfinite(range.minimum) || !std::isfinite(range.maximum)) range = {0, 1};
  if (scale == Scale::Log) {
    range.maximum = std::max(range.maximum, 1e-12);
    range.minimum = std::clamp(range.minimum, range.maximum * 1e-12, range.maximum * 0.999);
  }
  if (range.maximum - range.minimum < 1e-12 * std::max(1.0, std::abs(range.maximum))) {
    const double pad = std::max(0.5, std::abs(range.maximum) * 0.05);
    range = {range.minimum - pad, range.maximum + pad};
  }
  return range;
}

ImDrawList* list() { return ImPlot::GetPlotDrawList(); }

float snap(float value) { return std::floor(value) + 0.5f; }

void draw_grid() {
  const Options& options = current.options;
  ImDrawList* out = ImGui::GetWindowDrawList();
  const ImU32 grid = color(Token::Line, metrics(current_theme()).grid);
  const ImU32 ink = color(Token::Muted);
  const float width = current.area_max.x - current.area_min.x,
              height = current.area_max.y - current.area_min.y;
  const float hair = std::max(1.f, std::floor(line_px(1)));

  // One line says no scale: finer until there are two.
  int rows = std::clamp(static_cast<int>(height / px(52)), 2, 6);
  std::vector<viz::Tick> y_ticks = ticks(current.y, rows, options.y.scale);
  while (y_ticks.size() < 2 && rows < 6) y_ticks = ticks(current.y, ++rows, options.y.scale);
  for (std::size_t i = 0; i < y_ticks.size(); ++i) {
    const float y = snap(ImPlot::PlotToPixels(0, y_ticks[i].value).y);
    if (y < current.area_min.y - 1 || y > current.area_max.y + 1) continue;
    out->AddLine({current.area_min.x, y}, {current.area_max.x, y}, grid, hair);
    if (!options.y.show_labels) continue;
    const std::string text =
        (options.y.label ? options.y.label(y_ticks[i].value) : y_ticks[i].label) + options.y.unit;
    const ImVec2 size = text_size(Font::Mono, kSmallText - 1, text.c_str());
    const float top = std::clamp(y - size.y / 2, current.frame_min.y - px(2), current.frame_max.y - size.y);
    draw_text(out, Font::Mono, kSmallText - 1, {current.area_min.x - px(8) - size.x, top}, ink, text.c_str());
  }

  if (options.x.show_labels) {
    const int columns = std::clamp(static_cast<int>(width / px(110)), 2, 9);
    float last_right = -1e9f;
    for (const viz::Tick& tick : ticks(current.x, columns, options.x.scale)) {
      const float x = ImPlot::PlotToPixels(tick.value, 0).x;
      if (x < current.area_min.x - 1 || x > current.area_max.x + 1) continue;
      const std::string text = options.x.label ? options.x.label(tick.value) : tick.label;
      const ImVec2 size = text_size(Font::Mono, kSmallText - 1, text.c_str());
      const float left = std::clamp(x - size.x / 2, current.frame_min.x, current.frame_max.x - size.x);
      if (left < last_right + px(6)) continue;
      draw_text(out, Font::Mono, kSmallText - 1, {left, current.area_max.y + px(5)}, ink, text.c_str());
      last_right = left + size.x;
    }
  }
}

// Draws what scratch holds, dashed along its length.
void stroke_path(const Stroke& stroke) {
  const int count = static_cast<int>(scratch.size());
  if (count == 1) {
    list()->AddCircleFilled(scratch[0], line_px(stroke.width), stroke.ink, 8);
    return;
  }
  if (count < 2) return;
  const float width = line_px(stroke.width);
  if (stroke.dash == Dash::Solid) {
    list()->AddPolyline(scratch.data(), count, stroke.ink, width);
    return;
  }
  const DashLengths lengths = dash_lengths(stroke.dash);
  const float on = line_px(lengths.on), off = line_px(lengths.off);
  std::vector<ImVec2> piece;
  bool is_on = true;
  float left = on;
  piece.push_back(scratch[0]);
  for (int i = 1; i < count; ++i) {
    ImVec2 from = scratch[i - 1];
    const ImVec2 to = scratch[i];
    float length = std::hypot(to.x - from.x, to.y - from.y);
    while (length > left) {
      const float share = left / length;
      from = {from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share};
      length -= left;
      if (is_on) {
        piece.push_back(from);
        list()->AddPolyline(piece.data(), static_cast<int>(piece.size()), stroke.ink, width);
        piece.clear();
      } else {
        piece.assign(1, from);
      }
      is_on = !is_on;
      left = is_on ? on : off;
    }
    left -= length;
    if (is_on) piece.push_back(to);
  }
  if (is_on && piece.size() > 1)
    list()->AddPolyline(piece.data(), static_cast<int>(piece.size()), stroke.ink, width);
}

// Places labels top to bottom so that none overlap; each is pushed down, then the column is pushed up into
// the frame.
void draw_end_labels() {
  std::vector<EndLabel>& labels = current.labels;
  if (labels.empty()) return;
  const float height = px(kSmallText) * 1.15f;
  const float highest = current.area_min.y - height / 2;
  const float lowest =
      std::min(current.area_max.y + height / 2, current.frame_max.y);  // below, it is clipped
  const int room = std::max(1, static_cast<int>((lowest - highest) / height));
  if (static_cast<int>(labels.size()) > room) {
    const std::size_t hidden = labels.size() - static_cast<std::size_t>(room) + 1;
    labels.resize(static_cast<std::size_t>(room) - 1);
    labels.push_back(
        {current.area_max.x, current.area_max.y, fmt::format("+{} more", hidden), color(Token::Muted)});
  }
  std::stable_sort(labels.begin(), labels.end(),
                   [](const EndLabel& a, const EndLabel& b) { return a.y < b.y; });
  std::vector<float> tops(labels.size());
  float next = highest;
  for (std::size_t i = 0; i < labels.size(); ++i)
    next = (tops[i] = std::max(labels[i].y - height / 2, next)) + height;
  float limit = lowest;
  for (std::size_t i = labels.size(); i-- > 0;) limit = (tops[i] = std::min(tops[i], limit - height));
  // One column for all, right of the line that reaches furthest: a label never lies on another line.
  float furthest = current.area_min.x;
  for (const EndLabel& label : labels) furthest = std::max(furthest, label.x);
  const float left = std::min(furthest, current.area_max.x) + px(8);
  ImDrawList* out = ImGui::GetWindowDrawList();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    draw_text(out, Font::Regular, kSmallText - 1, {left, tops[i] - px(1)}, labels[i].ink,
              labels[i].text.c_str());
  }
}

// Dragging pans, the wheel zooms, the middle button zooms to what it is dragged over; Ctrl and a drag are the
// view's. A double click means "follow again" here.
void set_up_input() {
  ImPlotInputMap& input = ImPlot::GetInputMap();
  input.Fit = kUnusedButton;
  input.Select = ImGuiMouseButton_Middle;
  input.ZoomRate = kZoomRate * ui::wheel_speed();
  input.OverrideMod = ImGui::IsMouseDown(ImGuiMouseButton_Left) ? ImGuiMod_Ctrl : ImGuiMod_None;
}

}  // namespace

DashLengths dash_lengths(Dash dash) {
  switch (dash) {
    case Dash::Dashed:
      return {6, 4};
    case Dash::Dotted:
      return {1.5f, 3.5f};
    case Dash::Solid:
      break;
  }
  return {};
}

std::vector<viz::Tick> ticks(Range range, int most, Scale scale) {
  if (scale == Scale::Linear) return viz::nice_ticks(range.minimum, range.maximum, most);
  std::vector<viz::Tick> found;
  const int first = static_cast<int>(std::ceil(std::log10(range.minimum) - 1e-9));
  const int last = static_cast<int>(std::floor(std::log10(range.maximum) + 1e-9));
  if (last - first < 1) return viz::nice_ticks(range.minimum, range.maximum, most);
  const int stride = std::max(1, (last - first + most) / most);
  for (int power = first; power <= last; power += stride) {
    const double value = std::pow(10.0, power);
    found.push_back({value, viz::format_number(value, 2)});
  }
  return found;
}

bool begin(const Options& options, AxisRange& x, AxisRange& y) {
  current = {};
  current.options = options;
  if (x.follows) x.shown = options.x.fit;
  if (y.follows) y.shown = options.y.fit;
  x.shown = usable(x.shown, options.x.scale);
  y.shown = usable(y.shown, options.y.scale);

  ImVec2 size = options.size;
  const ImVec2 available = ImGui::GetContentRegionAvail();
  if (size.x <= 0) size.x = available.x;
  if (size.y <= 0) size.y = available.y;
  const float left = options.y.show_labels ? px(options.left_gutter) : 0;
  const float bottom = options.x.show_labels ? px(options.bottom_gutter) : px(4);
  size = {std::max(size.x, left + px(options.right_gutter) + px(24)),
          std::max(size.y, bottom + px(options.top_gutter) + px(24))};
  current.frame_min = ImGui::GetCursorScreenPos();
  current.frame_max = {current.frame_min.x + size.x, current.frame_min.y + size.y};
  current.area_min = {std::round(current.frame_min.x + left),
                      std::round(current.frame_min.y + px(options.top_gutter))};
  current.area_max = {std::round(current.frame_max.x - px(options.right_gutter)),
                      std::round(current.frame_max.y - bottom)};

  ImGui::PushID(options.id);
  ImGui::SetCursorScreenPos(current.area_min);
  const ImVec2 area{current.area_max.x - current.area_min.x, current.area_max.y - current.area_min.y};
  set_up_input();
  if (!ImPlot::BeginPlot("##area", area,
                         (ImPlotFlags_CanvasOnly & ~ImPlotFlags_NoBoxSelect) | ImPlotFlags_NoFrame)) {
    ImGui::PopID();
    return false;
  }
  const ImPlotAxisFlags flags = ImPlotAxisFlags_NoDecorations | ImPlotAxisFlags_NoMenus |
                                ImPlotAxisFlags_NoSideSwitch | ImPlotAxisFlags_NoHighlight |
                                ImPlotAxisFlags_NoInitialFit;
  const auto lock = [](const Axis& axis) {
    return axis.is_locked ? ImPlotAxisFlags_Lock : ImPlotAxisFlags_None;
  };
  ImPlot::SetupAxes(
      nullptr, nullptr, flags | lock(options.x),
      flags | lock(options.y) | (options.y.runs_down ? ImPlotAxisFlags_Invert : ImPlotAxisFlags_None));
  ImPlot::SetupAxisLinks(ImAxis_X1, &x.shown.minimum, &x.shown.maximum);
  ImPlot::SetupAxisLinks(ImAxis_Y1, &y.shown.minimum, &y.shown.maximum);
  ImPlot::SetupAxisLimitsConstraints(ImAxis_X1, options.x.limits.minimum, options.x.limits.maximum);
  ImPlot::SetupAxisLimitsConstraints(ImAxis_Y1, options.y.limits.minimum, options.y.limits.maximum);
  if (options.x.scale == Scale::Log) ImPlot::SetupAxisScale(ImAxis_X1, ImPlotScale_Log10);
  if (options.y.scale == Scale::Log) ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
  current.drawn_x = x.shown;
  current.drawn_y = y.shown;
  current.axis_x = &x;
  current.axis_y = &y;
  ImPlot::SetupFinish();
  const ImPlotRect now = ImPlot::GetPlotLimits();
  current.x = {now.X.Min, now.X.Max};
  current.y = {now.Y.Min, now.Y.Max};
  current.hovered = ImPlot::IsPlotHovered();
  current.mouse = ImGui::GetMousePos();
  current.clicked = current.hovered && ImGui::IsMouseReleased(ImGuiMouseButton_Left) &&
                    ImGui::GetIO().MouseDragMaxDistanceSqr[ImGuiMouseButton_Left] < px(3) * px(3);
  draw_grid();
  ImPlot::PushPlotClipRect();
  return true;
}

void end() {
  ImPlot::PopPlotClipRect();
  const bool follow_again = current.hovered && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left);
  ImPlot::EndPlot();
  for (auto [axis, drawn] :
       {std::pair{current.axis_x, current.drawn_x}, std::pair{current.axis_y, current.drawn_y}}) {
    if (follow_again) {
      axis->follows = true;
    } else if (differs(axis->shown, drawn)) {
      axis->follows = false;
    }
  }
  draw_end_labels();
  ImGui::SetCursorScreenPos(current.frame_min);
  ImGui::Dummy({current.frame_max.x - current.frame_min.x, current.frame_max.y - current.frame_min.y});
  ImGui::PopID();
}

void line(std::span<const double> xs, std::span<const double> ys, const Stroke& stroke) {
  scratch.clear();
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (!std::isfinite(ys[i])) {
      stroke_path(stroke);
      scratch.clear();
      continue;
    }
    scratch.push_back(ImPlot::PlotToPixels(xs[i], ys[i]));
  }
  stroke_path(stroke);
}

void band(std::span<const double> xs, std::span<const double> low, std::span<const double> high, ImU32 ink) {
  ImDrawList* out = list();
  const ImVec2 white = ImGui::GetFontTexUvWhitePixel();
  for (std::size_t i = 1; i < xs.size(); ++i) {
    if (!std::isfinite(low[i]) || !std::isfinite(high[i]) || !std::isfinite(low[i - 1]) ||
        !std::isfinite(high[i - 1]))
      continue;
    const ImVec2 corners[4] = {ImPlot::PlotToPixels(xs[i - 1], high[i - 1]),
                               ImPlot::PlotToPixels(xs[i], high[i]), ImPlot::PlotToPixels(xs[i], low[i]),
                               ImPlot::PlotToPixels(xs[i - 1], low[i - 1])};
    out->PrimReserve(6, 4);
    out->PrimQuadUV(corners[0], corners[1], corners[2], corners[3], white, white, white, white, ink);
  }
}

void span(double x0, double x1, ImU32 ink) {
  const float left = ImPlot::PlotToPixels(x0, 0).x, right = ImPlot::PlotToPixels(x1, 0).x;
  list()->AddRectFilled({left, current.area_min.y}, {std::max(right, left + 1), current.area_max.y}, ink);
}

void hatch(double x0, double x1, ImU32 ink) {
  const float left = std::max(ImPlot::PlotToPixels(x0, 0).x, current.area_min.x);
  const float right = std::min(std::max(ImPlot::PlotToPixels(x1, 0).x, left + px(3)), current.area_max.x);
  if (right <= left) return;
  const float height = current.area_max.y - current.area_min.y, pitch = px(8);
  ImDrawList* out = list();
  out->PushClipRect({left, current.area_min.y}, {right, current.area_max.y}, true);
  for (float x = std::floor((left - height) / pitch) * pitch; x < right; x += pitch) {
    out->AddLine({x, current.area_max.y}, {x + height, current.area_min.y}, ink, std::max(1.f, line_px(1)));
  }
  out->PopClipRect();
}

void vertical(double x, const Stroke& stroke) {
  const float at = snap(ImPlot::PlotToPixels(x, 0).x);
  scratch = {{at, current.area_min.y}, {at, current.area_max.y}};
  stroke_path(stroke);
}

void horizontal(double y, const Stroke& stroke) {
  const float at = snap(ImPlot::PlotToPixels(0, y).y);
  scratch = {{current.area_min.x, at}, {current.area_max.x, at}};
  stroke_path(stroke);
}

Drag drag_horizontal(int id, double y) {
  // ImPlot moves the value while it is held; where it was let go stands in the frame after.
  const ImGuiID key = ImGui::GetID(id);
  ImGuiStorage* storage = ImGui::GetStateStorage();
  const bool was_held = storage->GetBool(key);
  Drag drag;
  drag.y = was_held ? static_cast<double>(storage->GetFloat(key + 1)) : y;
  ImPlot::DragLineY(id, &drag.y, {0, 0, 0, 0}, 1, ImPlotDragToolFlags_NoFit, nullptr, &drag.is_hovered,
                    &drag.is_held);
  drag.is_released = was_held && !drag.is_held;
  storage->SetBool(key, drag.is_held);
  if (drag.is_held) storage->SetFloat(key + 1, static_cast<float>(drag.y));
  return drag;
}

void dot(double x, double y, float radius, ImU32 ink) {
  const float reach = line_px(radius);
  // Whole at the edge of the plot.
  ImPlot::PopPlotClipRect();
  ImPlot::PushPlotClipRect(reach);
  list()->AddCircleFilled(ImPlot::PlotToPixels(x, y), reach, ink, 16);
  ImPlot::PopPlotClipRect();
  ImPlot::PushPlotClipRect();
}

void tick(double x, ImU32 ink) {
  const float at = snap(ImPlot::PlotToPixels(x, 0).x);
  list()->AddLine({at, current.area_max.y - px(8)}, {at, current.area_max.y}, ink, line_px(2));
}

void end_label(double x, double y, const std::string& text, ImU32 ink) {
  if (!std::isfinite(y)) return;
  const ImVec2 at = ImPlot::PlotToPixels(x, y);
  if (at.x < current.area_min.x) return;
  current.labels.push_back({at.x, std::clamp(at.y, current.area_min.y, current.area_max.y), text, ink});
}

void flag_label(double x, const std::string& text, ImU32 ink) {
  const float at = ImPlot::PlotToPixels(x, 0).x;
  const ImVec2 size = text_size(Font::Regular, kSmallText - 1, text.c_str());
  const bool fits_right = at + px(6) + size.x < current.area_max.x;
  draw_text(list(), Font::Regular, kSmallText - 1,
            {fits_right ? at + px(6) : at - px(6) - size.x, current.area_min.y}, ink, text.c_str());
}

bool hovered() { return current.hovered; }
double mouse_x() { return ImPlot::PixelsToPlot(current.mouse).x; }
double mouse_y() { return ImPlot::PixelsToPlot(current.mouse).y; }
bool clicked() { return current.clicked; }
Mapping mapping() {
  Mapping to;
  to.per_x = static_cast<double>(current.area_max.x - current.area_min.x) / current.x.width();
  to.origin_x = static_cast<double>(current.area_min.x) - to.per_x * current.x.minimum;
  const double height = static_cast<double>(current.area_max.y - current.area_min.y);
  const bool runs_down = current.options.y.runs_down;
  to.per_y = (runs_down ? height : -height) / current.y.width();
  to.origin_y =
      static_cast<double>(runs_down ? current.area_min.y : current.area_max.y) - to.per_y * current.y.minimum;
  return to;
}
ImVec2 pixels(double x, double y) { return ImPlot::PlotToPixels(x, y); }
float columns() { return current.area_max.x - current.area_min.x; }
Range shown_x() { return current.x; }
Range shown_y() { return current.y; }

void legend_entry(const char* label, const Stroke& stroke) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const ImVec2 size = text_size(Font::Regular, kSmallText - 1, label);
  const float y = snap(at.y + size.y / 2);
  ImDrawList* out = ImGui::GetWindowDrawList();
  const float from = at.x, to = at.x + px(18), width = line_px(std::max(stroke.width, 2.f));
  const float on = stroke.dash == Dash::Solid ? to - from : px(stroke.dash == Dash::Dashed ? 7.f : 2.f);
  const float off = stroke.dash == Dash::Solid ? 1 : px(stroke.dash == Dash::Dashed ? 4.f : 3.f);
  for (float x = from; x < to; x += on + off)
    out->AddLine({x, y}, {std::min(x + on, to), y}, stroke.ink, width);
  draw_text(out, Font::Regular, kSmallText - 1, {to + px(6), at.y}, color(Token::Muted), label);
  ImGui::Dummy({px(24) + size.x, size.y});
  ImGui::SameLine(0, px(16));
}

}  // namespace sparsescope::plot
