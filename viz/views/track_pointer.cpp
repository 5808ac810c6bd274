// What the pointer does over a track: the readout at its place, locks, pins and brushes.
#include <algorithm>
#include <cmath>

#include "viz/model/format.h"
#include "viz/views/inks.h"
#include "viz/views/track_parts.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/plot.h"

namespace sparsescope::viz {
namespace {

constexpr float kPickPixels = 8;  // how near a click must be to a line; at scale 1

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
    if (!line.layer) continue;
    const double value = value_at(line, plot::mouse_x());
    if (std::isnan(value)) continue;
    const float distance = std::abs(plot::pixels(plot::mouse_x(), value).y - mouse.y);
    if (distance < nearest) {
      nearest = distance;
      found = line.layer;
    }
  }
  return found;
}

}  // namespace

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

}  // namespace sparsescope::viz
