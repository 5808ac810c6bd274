#include "viz/views/picture_view.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "viz/model/format.h"
#include "viz/views/comparison_row.h"
#include "viz/views/inks.h"
#include "viz/views/track_plot.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/gui_context.h"
#include "viz/widgets/icons.h"
#include "viz/widgets/plot.h"

namespace sparsescope::viz {
namespace {

constexpr float kTrackTitle = 20;                                 // lengths at scale 1
constexpr float kTrackGap = 8;                                    // above a title
constexpr float kSmallestTrack = 52, kSmallestFirst = 88;         // where all tracks are to fit
constexpr float kComfortableTrack = 84, kComfortableFirst = 130;  // where they scroll anyway
constexpr float kSmallestMultiple = 66;
constexpr float kAxisLabels = 24;
constexpr float kFooter = 20;
constexpr float kGridColumn = 400;

// Legend of areas and of lines that have no label at their end, on one row from the cursor on. What does not
// fit into `width` is named by a tooltip on an ellipsis.
void draw_legend(const TrackPicture& track, std::uint32_t run, float width) {
  if (track.areas.empty()) return;
  std::vector<std::pair<const char*, plot::Stroke>> entries;
  for (auto area = track.areas.rbegin(); area != track.areas.rend(); ++area)
    entries.push_back(
        {area->label.c_str(), {ink_color(area->ink, area->place, run), 2, plot_dash(area->dash)}});
  for (const LinePicture& line : track.lines) {
    if (line.ink == Ink::Run) continue;  // named at its end
    entries.push_back(
        {line.label.c_str(), {ink_color(line.ink, line.place, run), 1.5f, plot_dash(line.dash)}});
  }
  const float right = ImGui::GetCursorScreenPos().x + width;
  std::string hidden;
  for (const auto& [label, stroke] : entries) {
    const float end =
        ImGui::GetCursorScreenPos().x + px(24) + text_size(Font::Regular, kSmallText - 1, label).x;
    const float kept_free = label == entries.back().first ? 0 : px(24);
    if (hidden.empty() && end + kept_free <= right) {
      plot::legend_entry(label, stroke);
    } else {
      hidden += (hidden.empty() ? "" : ", ") + std::string(label);
    }
  }
  if (hidden.empty()) return;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  draw_text(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1, at, color(Token::Muted), "…");
  ImGui::Dummy(text_size(Font::Regular, kSmallText - 1, "…"));
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("also drawn: %s", hidden.c_str());
  ImGui::SameLine(0, px(16));
}

float legend_width(const TrackPicture& track) {
  float width = 0;
  const auto entry = [&](const std::string& label) {
    width += px(40) + text_size(Font::Regular, kSmallText - 1, label.c_str()).x;
  };
  for (const AreaPicture& area : track.areas) entry(area.label);
  for (const LinePicture& line : track.lines) {
    if (!track.areas.empty() && line.ink != Ink::Run) entry(line.label);
  }
  return width;
}

// Title, quantity and legend of a track that is not the first; returns the height it took: the legend has a
// row of its own where it does not fit beside the title.
float draw_track_title(const TrackPicture& track, std::uint32_t run, ImVec2 at, float width) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  draw_text_within(list, Font::SemiBold, kSmallText, at, width, color(Token::Text), track.title);
  const float behind = at.x + text_size(Font::SemiBold, kSmallText, track.title.c_str()).x + px(6);
  std::string detail = track.detail;
  if (detail.empty() && !track.unit.empty()) detail = "in " + track.unit;
  draw_text_within(list, Font::Regular, kSmallText, {behind, at.y}, at.x + width - behind,
                   color(Token::Muted), detail);
  const float legend = legend_width(track);
  if (legend == 0) return px(kTrackTitle);
  const bool is_beside =
      behind - at.x + text_size(Font::Regular, kSmallText, detail.c_str()).x + px(16) + legend < width;
  ImGui::SetCursorScreenPos(is_beside ? ImVec2{at.x + width - legend, at.y + px(1)}
                                      : ImVec2{at.x, at.y + px(kTrackTitle - 2)});
  draw_legend(track, run, is_beside ? legend : width);
  return px(is_beside ? kTrackTitle : 2 * kTrackTitle - 2);
}

// Legend of grey lines, then what is said of the first track; the others' words on the pointer.
void draw_spreads(const Picture& picture) {
  std::string first, all;
  for (const TrackPicture& track : picture.tracks) {
    for (const SpreadNote& note : track.spreads) {
      if (first.empty()) first = note.words;
      all += (all.empty() ? "" : "\n") + track.title + ": " + note.words;
    }
  }
  if (first.empty()) return;
  plot::legend_entry("inside the seed spread", {color(Token::Muted), 2});
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float room = ImGui::GetContentRegionAvail().x;
  const Drawn drawn = draw_text_within(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1, at, room,
                                       color(Token::Muted), first);
  ImGui::Dummy({drawn.width, text_size(Font::Regular, kSmallText - 1, "0").y});
  if (current_purpose() == Purpose::Screen) ui::tooltip(all);
}

std::string values_at(const Picture& picture, double x) {
  std::string text = format_x(x, picture.axis);
  for (const TrackPicture& track : picture.tracks) {
    for (const LinePicture& line : track.lines) {
      if (!line.label.empty())
        text += "\n" + track.title + ", " + line.label + "\t" + format_unit(value_at(line, x), track.unit);
    }
    for (const AreaPicture& area : track.areas)
      text += "\n" + track.title + ", " + area.label + "\t" + format_unit(thickness_at(area, x), track.unit);
  }
  return text;
}

}  // namespace

int PictureView::columns(const ViewContext& context) const {
  return context.size.x > 0 ? std::max(1, static_cast<int>(context.size.x - px(64))) : kMostColumns;
}

const PictureHead& PictureView::refresh(ViewContext& context, Run& run) {
  if (!(smoothing() == drawn_with_)) forget();
  drawn_with_ = smoothing();
  return QueriedView::refresh(context, run);
}

std::string PictureView::values_text(ViewContext& context) const {
  Run* run = context.timeline.current(context.selection.run);
  if (run == nullptr) return "";
  const Selection& selection = context.selection;
  const Picture picture = query(query_frame(context, *run, kMostColumns));
  const double at_cursor = run->x_of_step(context.timeline.cursor().step(), picture.axis);
  return values_at(picture, selection.hover_before.x.value_or(selection.locked.x.value_or(at_cursor)));
}

void PictureView::draw_marks(ViewContext& context) {
  const Picture& shown = picture();
  draw_comparison(shown.banner, shown.axis);
  draw_spreads(shown);
  draw_controls(context);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const ImVec2 size{room.x, std::max(px(kSmallestTrack), room.y - px(kFooter))};
  if (arrangement() == Arrangement::Grid && shown.tracks.size() > 1) {
    draw_grid(shown, context, at, size);
  } else {
    draw_stack(shown, context, 0, at, size);
  }
  ImGui::SetCursorScreenPos({at.x, at.y + size.y});
  draw_footer(shown);
}

// Tracks from `first` on, one below the other over one time axis. When they do not fit they scroll, and as
// many as do fit fill the room, so that none is cut.
void PictureView::draw_stack(const Picture& picture, ViewContext& context, std::size_t first, ImVec2 at,
                             ImVec2 size) {
  const std::size_t count = picture.tracks.size();
  const auto with_title = [&](std::size_t i, float track) {
    return px(track) + (i > 0 ? px(kTrackTitle + kTrackGap) : 0) + (i + 1 == count ? px(kAxisLabels) : 0);
  };
  float gutter = 0, least = 0;
  for (std::size_t i = first; i < count; ++i) {
    gutter = std::max(gutter, end_label_gutter(picture, picture.tracks[i]));
    least += with_title(i, i == 0 ? kSmallestFirst : kSmallestTrack);
  }
  const bool scrolls = least > size.y;
  // In what is very low, one fills the room.
  const float room = size.y / current_scale();
  const float first_track = scrolls ? std::clamp(room, kSmallestTrack, kComfortableFirst) : kSmallestFirst;
  const float other_track =
      scrolls ? std::clamp(room - kTrackTitle - kTrackGap, kSmallestTrack, kComfortableTrack)
              : kSmallestTrack;
  float taken = 0, share_sum = 0;  // by those that are seen at once
  for (std::size_t i = first; i < count; ++i) {
    const float own = with_title(i, i == 0 ? first_track : other_track);
    if (i > first && taken + own > size.y) break;
    taken += own;
    share_sum += static_cast<float>(picture.tracks[i].share);
  }
  const float spare = std::max(0.f, size.y - taken);
  ImGui::SetCursorScreenPos(at);
  const bool open = ImGui::BeginChild("tracks", size, ImGuiChildFlags_None,
                                      scrolls ? ImGuiWindowFlags_None : ImGuiWindowFlags_NoScrollbar);
  for (std::size_t i = first; open && i < count; ++i) {
    const TrackPicture& track = picture.tracks[i];
    const bool is_last = i + 1 == count;
    ImVec2 place = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x;
    float own = px(i == 0 ? first_track : other_track) + spare * static_cast<float>(track.share) / share_sum +
                (is_last ? px(kAxisLabels) : 0);
    if (i > 0) {
      place.y += px(kTrackGap);
      const float title_height = draw_track_title(track, picture.run, place, width);
      place.y += title_height;
      own -= title_height - px(kTrackTitle);
    }
    ImGui::SetCursorScreenPos(place);
    draw_track({picture, track, {width, own}, is_last, i == first, gutter}, context);
    ImGui::SetCursorScreenPos({place.x, place.y + own});
  }
  ImGui::Dummy({1, 0});
  ImGui::EndChild();
}

// The first track over the whole width, the others as small multiples; in a low window beside it instead.
void PictureView::draw_grid(const Picture& picture, ViewContext& context, ImVec2 at, ImVec2 size) {
  const std::size_t small = picture.tracks.size() - 1;
  const float gap = px(16);
  const bool is_low = size.y < px(420) && size.x > px(560);
  // The first leaves the others at least one row.
  const float least = px(kTrackTitle + kSmallestMultiple + kAxisLabels);
  const float first_height = std::clamp(size.y - least - gap / 2, px(kSmallestFirst),
                                        std::max(px(kComfortableFirst), size.y * 0.42f));
  const ImVec2 first_size =
      is_low ? ImVec2{std::floor(size.x * 0.56f), size.y} : ImVec2{size.x, std::floor(first_height)};
  const ImVec2 rest_at =
      is_low ? ImVec2{at.x + first_size.x + gap, at.y} : ImVec2{at.x, at.y + first_size.y + gap / 2};
  const ImVec2 rest =
      is_low ? ImVec2{size.x - first_size.x - gap, size.y} : ImVec2{size.x, size.y - first_size.y - gap / 2};
  const auto fitting =
      static_cast<std::size_t>(std::max(1.f, std::floor((rest.x + gap) / (px(kGridColumn) + gap))));
  const std::size_t columns = std::clamp<std::size_t>(fitting, 1, std::min<std::size_t>(3, small));
  const std::size_t rows = (small + columns - 1) / columns;
  // Those that scroll are not cut at the edge.
  const float rows_shown = std::clamp(std::floor(rest.y / least), 1.f, static_cast<float>(rows));
  const float row_height = std::max(std::floor(rest.y / rows_shown), least);
  float gutter = 0;
  for (std::size_t i = 1; i < picture.tracks.size(); ++i)
    gutter = std::max(gutter, end_label_gutter(picture, picture.tracks[i]));
  const bool scrolls = row_height * static_cast<float>(rows) > rest.y + 1;
  // One column under the first: their time axes end at one place.
  float first_gutter = end_label_gutter(picture, picture.tracks[0]);
  if (!is_low && columns == 1) first_gutter = gutter = std::max(first_gutter, gutter);
  const float bar = scrolls && !is_low ? ImGui::GetStyle().ScrollbarSize : 0;
  ImGui::SetCursorScreenPos(at);
  draw_track({picture, picture.tracks[0], {first_size.x - bar, first_size.y}, true, true, first_gutter},
             context);
  ImGui::SetCursorScreenPos(rest_at);
  if (ImGui::BeginChild("multiples", rest, ImGuiChildFlags_None,
                        scrolls ? ImGuiWindowFlags_None : ImGuiWindowFlags_NoScrollbar)) {
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float column_width =
        std::floor((ImGui::GetContentRegionAvail().x - gap * static_cast<float>(columns - 1)) /
                   static_cast<float>(columns));
    for (std::size_t i = 0; i < small; ++i) {
      const TrackPicture& track = picture.tracks[i + 1];
      const ImVec2 place{origin.x + static_cast<float>(i % columns) * (column_width + gap),
                         origin.y + static_cast<float>(i / columns) * row_height};
      const float title_height = draw_track_title(track, picture.run, place, column_width);
      ImGui::SetCursorScreenPos({place.x, place.y + title_height});
      draw_track({picture, track, {column_width, row_height - title_height - px(4)}, true, false, gutter},
                 context);
    }
    ImGui::SetCursorScreenPos({origin.x, origin.y + static_cast<float>(rows) * row_height - 1});
    ImGui::Dummy({1, 0});
  }
  ImGui::EndChild();
}

// Legend of the first track, then what is shown of what.
void PictureView::draw_footer(const Picture& picture) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  ImGui::SetCursorScreenPos({at.x, at.y + px(3)});
  if (!picture.tracks.empty()) draw_legend(picture.tracks[0], picture.run, width);
  const float used = ImGui::GetCursorScreenPos().x - at.x;
  const std::string words = picture.limits + (picture.hidden.empty() ? "" : "; " + picture.hidden);
  const ImVec2 limits = text_size(Font::Regular, kSmallText - 1, words.c_str());
  if (used + limits.x < width) {
    draw_text(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1,
              {at.x + width - limits.x, at.y + px(3)}, color(Token::Muted), words.c_str());
  }
  ImGui::SetCursorScreenPos(at);
  ImGui::Dummy({width, px(kFooter)});
}

std::string PictureView::menu_value(ViewContext&) const {
  return menu_x_ ? values_at(picture(), *menu_x_) : std::string();
}

void PictureView::draw_menu(ViewContext& context) {
  if (ImGui::MenuItem("Go to this step", nullptr, false, menu_x_.has_value())) {
    const Run* run = context.timeline.find(picture().run);
    if (run != nullptr) context.timeline.cursor().seek(run->step_at(*menu_x_, picture().axis));
  }
}

}  // namespace sparsescope::viz
