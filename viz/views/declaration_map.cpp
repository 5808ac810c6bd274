#include "viz/views/declaration_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/model/format.h"
#include "viz/model/token_lock.h"
#include "viz/views/declaration_layout.h"
#include "viz/widgets/controls.h"

namespace sparsescope::viz {
namespace {

constexpr float kLeastSide = 48;  // lengths at scale 1; a smaller room shows nothing of a map
constexpr float kLeastForStrips = 680, kLeastForWords = 420;  // widths at scale 1
constexpr float kBarGap = 14;

float strips_width() { return kDeclarationStrips * (kStripWidth + kStripGap); }

// How far an axis goes: over all there is, and a camera that was set over more than has been read keeps its
// range.
double reach_of(std::size_t places, const plot::AxisRange& camera) {
  const double all = std::max<double>(1, static_cast<double>(places));
  return camera.follows ? all : std::max(all, camera.shown.maximum);
}

plot::Options options_of(const DeclarationMap& map, const DeclarationCamera& camera, bool has_strips,
                         bool has_bars, float gutter) {
  const double rows = std::max<double>(1, static_cast<double>(map.picture.rows.size())),
               columns = std::max<double>(1, static_cast<double>(map.picture.columns.size()));
  plot::Options options;
  options.id = "map";
  options.size = map.size;
  options.x.fit = {0, columns};
  options.y.fit = {0, rows};
  options.x.limits = {0, reach_of(map.picture.columns.size(), camera.ids)};
  options.y.limits = {0, reach_of(map.picture.rows.size(), camera.rows)};
  options.y.runs_down = true;
  // Labels are words of rows and ids: drawn by draw_row_labels() and draw_column_labels().
  options.x.label = options.y.label = [](double) { return std::string(); };
  options.left_gutter = gutter;
  options.bottom_gutter = kIdGutter;
  options.top_gutter = has_bars ? kBarHeight + 10 : has_strips ? 18 : 6;
  options.right_gutter = (has_strips ? strips_width() : 0) + kBarGap +
                         ui::color_bar_thickness(ui::BarLayout::Vertical) / current_scale();
  return options;
}

DeclarationLayout layout_of(ImVec2 outer_min, ImVec2 size, const plot::Options& options) {
  DeclarationLayout layout;
  layout.ids = plot::shown_x();
  layout.rows = plot::shown_y();
  layout.min = plot::pixels(layout.ids.minimum, layout.rows.minimum);
  layout.max = plot::pixels(layout.ids.maximum, layout.rows.maximum);
  layout.outer_min = outer_min;
  layout.outer_max = {outer_min.x + size.x, outer_min.y + size.y};
  layout.gutter = px(options.left_gutter);
  return layout;
}

// A row or a column lit up: edges when it is wide enough, else a line through it.
void light_up(const DeclarationLayout& layout, bool is_row, std::int64_t index, ImU32 ink) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float from = is_row ? layout.y(static_cast<double>(index)) : layout.x(static_cast<double>(index)),
              to = is_row ? layout.y(static_cast<double>(index + 1))
                          : layout.x(static_cast<double>(index + 1));
  const auto line = [&](float at) {
    at = std::floor(at) + 0.5f;
    if (is_row) {
      list->AddLine({layout.min.x, at}, {layout.max.x, at}, ink, line_px(1));
    } else {
      list->AddLine({at, layout.min.y}, {at, layout.max.y}, ink, line_px(1));
    }
  };
  if (to - from < px(4)) return line((from + to) / 2);
  line(from);
  line(to);
}

void draw_marks(const DeclarationMap& map, const DeclarationLayout& layout, const Selection& selection,
                const DeclarationPlace& place) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->PushClipRect(layout.min, layout.max, true);
  const auto mark = [&](const std::optional<std::int64_t>& token, const std::optional<std::int64_t>& id,
                        ImU32 ink) {
    const std::int64_t row = token ? row_of_position(map.picture, *token) : -1,
                       column = id ? column_of_id(map.picture, *id) : -1;
    if (row >= 0) light_up(layout, true, row, ink);
    if (column >= 0) light_up(layout, false, column, ink);
  };
  for (const DeclaredToken& token : map.picture.found) {
    if (token.column >= 0) light_up(layout, false, token.column, color(Token::Warn, 0.8f));
  }
  const Marks& hover = selection.hover_before;
  if (!place.row && !place.column) mark(hover.token, hover.vocabulary_id, color(Token::Text, 0.6f));
  mark(selection.locked.token, selection.locked.vocabulary_id, color(Token::Accent));
  mark(selection.locked.second_token, {}, color(Token::Accent, 0.7f));
  if (place.row) light_up(layout, true, *place.row, color(Token::Text, 0.85f));
  if (place.column) light_up(layout, false, *place.column, color(Token::Text, 0.85f));
  list->PopClipRect();
}

// Rows that are still being read, and the words of a map without marks.
void draw_unread(const DeclarationMap& map, const DeclarationLayout& layout, const ViewContext& context) {
  const DeclarationPicture& picture = map.picture;
  if (picture.cells) return;
  if (picture.unread_rows > 0)
    plot::hatch(0, static_cast<double>(picture.columns.size()), color(Token::Line));
  if (picture.words.empty()) return;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const std::string words = picture.words + (picture.state == PictureState::Loading ? "…" : "");
  const ImVec2 extent = text_size(Font::Regular, kSmallText, words.c_str());
  const ImVec2 at{(layout.min.x + layout.max.x - extent.x) / 2, (layout.min.y + layout.max.y - extent.y) / 2};
  list->AddRectFilled({at.x - px(8), at.y - px(4)}, {at.x + extent.x + px(8), at.y + extent.y + px(4)},
                      color(Token::Raised), px(4));
  draw_text(list, Font::Regular, kSmallText, at, color(Token::Muted), words.c_str());
  if (picture.state != PictureState::Waiting || context.motion == Motion::Reduced) return;
  const auto pulse = static_cast<float>(0.5 + 0.5 * std::sin(3 * ImGui::GetTime()));
  list->AddRectFilled(layout.min, {layout.min.x + px(3), layout.max.y},
                      color(Token::Accent, 0.15f + 0.3f * pulse));
}

DeclarationPlace place_under_pointer(const DeclarationMap& map, const DeclarationLayout& layout) {
  DeclarationPlace place;
  if (!map.picture.cells) return place;
  if (const std::optional<plot::HoveredCell> hovered = plot::cell_under_pointer()) {
    // A pixel that stands for many cells speaks of the strongest of them.
    const CellIndex index = hovered->strongest.value_or(hovered->index);
    place.row = index.row;
    place.column = index.column;
    place.cells = std::int64_t{hovered->block.rows} * hovered->block.columns;
    return place;
  }
  if (plot::hovered() || !ImGui::IsWindowHovered()) return place;
  const ImVec2 mouse = ImGui::GetMousePos();
  const bool beside = mouse.y >= layout.min.y && mouse.y < layout.max.y,
             under = mouse.x >= layout.min.x && mouse.x < layout.max.x;
  const float right = layout.max.x + (layout.has_strips ? px(strips_width()) : 0);
  if (beside && mouse.x >= layout.outer_min.x && mouse.x < right && !under)
    place.row = layout.row_at(mouse.y, std::ssize(map.picture.rows));
  if (under && mouse.y >= layout.outer_min.y && mouse.y < layout.outer_max.y && !beside)
    place.column = layout.column_at(mouse.x, std::ssize(map.picture.columns));
  return place;
}

// `corner`: of a cell that keys hold; else the tooltip stands at the pointer.
void draw_tooltip(const DeclarationMap& map, const DeclarationPlace& place,
                  const std::optional<ImVec2>& corner) {
  if (corner) ImGui::SetNextWindowPos({corner->x + px(8), corner->y + px(8)});
  if (!ImGui::BeginTooltip()) return;
  {
    FontScope font(Font::Regular, kSmallText);
    const DeclarationPicture& picture = map.picture;
    if (place.is_cell()) {
      ImGui::TextUnformatted(cell_title(picture, place.cell()).c_str());
      for (const std::string& line : cell_lines(picture, map.history, place.cell())) ui::muted(line);
      if (place.cells > 1)
        ui::muted(fmt::format("the strongest of {} cells under this mark", format_count(place.cells)));
    } else if (place.row) {
      const DeclarationRow& row = picture.rows[static_cast<std::size_t>(*place.row)];
      ImGui::TextUnformatted(fmt::format("{}{} (id {})", row.word,
                                         row.position >= 0
                                             ? fmt::format(" at {}", row.position)
                                             : fmt::format(" at {} positions", format_count(row.occurrences)),
                                         row.id)
                                 .c_str());
      ui::muted(fmt::format("declares {} ids of the sequence", format_count(row.declared)));
      ui::muted(fmt::format("{} of these came true", format_percent(row.hit_rate())));
      ui::muted(row.covered == row.occurrences ? std::string("covered: a token before it declares it")
                : row.covered == 0
                    ? std::string("empty row: nothing before it declares it")
                    : fmt::format("covered at {} of {} positions", row.covered, row.occurrences));
    } else {
      const DeclarationColumn& column = picture.columns[static_cast<std::size_t>(*place.column)];
      ImGui::TextUnformatted(fmt::format("{} (id {})", column.word, column.id).c_str());
      if (column.is_of_sequence) {
        ui::muted(fmt::format("declared by {} positions", format_count(column.declared)));
        ui::muted(fmt::format("{} of these came true", format_percent(column.hit_rate())));
        ui::muted(fmt::format("stands in the sequence {} times", format_count(column.occurrences)));
      } else {
        ui::muted("stands outside the sequence: only best scores are recorded");
      }
    }
  }
  ImGui::EndTooltip();
}

void handle_pointer(const DeclarationMap& map, const DeclarationPlace& place,
                    const std::optional<ImVec2>& corner, ViewContext& context) {
  if (!place.row && !place.column) return;
  Marks& hover = context.selection.hover;
  if (place.row) {
    const DeclarationRow& row = map.picture.rows[static_cast<std::size_t>(*place.row)];
    if (row.position >= 0) hover.token = row.position;
    if (row.position < 0 && !place.column) hover.vocabulary_id = row.id;
  }
  if (place.column) hover.vocabulary_id = map.picture.columns[static_cast<std::size_t>(*place.column)].id;
  const bool is_click = ImGui::IsMouseReleased(ImGuiMouseButton_Left) &&
                        ImGui::GetIO().MouseDragMaxDistanceSqr[ImGuiMouseButton_Left] < px(3) * px(3) &&
                        ImGui::GetIO().MouseClickedLastCount[ImGuiMouseButton_Left] < 2;
  if (is_click && !corner)
    lock_declaration(map.picture, place, ImGui::GetIO().KeyShift ? LockClick::Shift : LockClick::Plain,
                     context.selection.locked);
  draw_tooltip(map, place, corner);
}

}  // namespace

void lock_declaration(const DeclarationPicture& picture, const DeclarationPlace& place, LockClick click,
                      Marks& locked) {
  const std::optional<std::int64_t> position =
      place.row && picture.rows[static_cast<std::size_t>(*place.row)].position >= 0
          ? std::optional(picture.rows[static_cast<std::size_t>(*place.row)].position)
          : std::nullopt;
  if (click == LockClick::Shift) {
    if (position) lock_token(locked, *position, LockClick::Shift);
    return;
  }
  const std::optional<std::int64_t> id =
      place.column ? std::optional(picture.columns[static_cast<std::size_t>(*place.column)].id)
      : position   ? std::nullopt
                   : std::optional(picture.rows[static_cast<std::size_t>(*place.row)].id);
  const bool is_locked = (!id || locked.vocabulary_id == id) && (!position || locked.token == position);
  if (id) locked.vocabulary_id = is_locked ? std::nullopt : id;
  if (is_locked && position) {
    locked.token.reset();
    locked.second_token.reset();
  } else if (position) {
    lock_token(locked, *position, LockClick::Plain);
  }
}

std::optional<std::int64_t> DeclarationLayout::row_at(float at, std::int64_t count) const {
  const double row = rows.minimum + static_cast<double>((at - min.y) / (max.y - min.y)) * rows.width();
  return row >= 0 && row < static_cast<double>(count) ? std::optional(static_cast<std::int64_t>(row))
                                                      : std::nullopt;
}

std::optional<std::int64_t> DeclarationLayout::column_at(float at, std::int64_t count) const {
  const double column = ids.minimum + static_cast<double>((at - min.x) / (max.x - min.x)) * ids.width();
  return column >= 0 && column < static_cast<double>(count) ? std::optional(static_cast<std::int64_t>(column))
                                                            : std::nullopt;
}

ColorScale declaration_scale(const DeclarationPicture& picture) {
  ColorScale scale;
  scale.map = default_color_map();
  scale.low = static_cast<float>(picture.scale.low);
  scale.high = static_cast<float>(picture.scale.high);
  if (picture.scale.is_difference) {
    scale.map = ColorMap::RdBu;
  } else if (picture.settings.value == DeclarationValue::Count && !picture.scale.is_logarithmic) {
    scale.map = ColorMap::Viridis;  // two values: its middle stands out on dark and light ground
  }
  if (picture.scale.is_logarithmic) scale.kind = ColorScaleKind::Log;
  return scale;
}

DeclarationPlace draw_declaration_map(const DeclarationMap& map, DeclarationCamera& camera,
                                      ViewContext& context) {
  const float width = map.size.x / current_scale(), height = map.size.y / current_scale();
  if (width < kLeastSide || height < kLeastSide) return {};
  const bool has_strips = width >= kLeastForStrips && height >= 120,
             has_bars = height >= 220 && width >= kLeastForWords;
  const plot::Options options =
      options_of(map, camera, has_strips, has_bars, width >= kLeastForWords ? kRowGutter : 40);
  const ImVec2 outer_min = ImGui::GetCursorScreenPos();
  DeclarationPlace place;
  if (!plot::begin(options, camera.ids, camera.rows)) return place;
  DeclarationLayout layout = layout_of(outer_min, map.size, options);
  layout.has_strips = has_strips;
  layout.has_bars = has_bars;
  const DeclarationPicture& picture = map.picture;
  ImGui::GetWindowDrawList()->AddRectFilled(layout.min, layout.max, color(Token::Bg));
  if (picture.settings.value == DeclarationValue::FirstStep && !picture.history.is_done())
    plot::hatch(0, static_cast<double>(picture.columns.size()), color(Token::Line));  // not known yet
  if (picture.cells) {
    plot::heatmap(picture.cells, {0, static_cast<double>(picture.columns.size())},
                  {0, static_cast<double>(picture.rows.size())}, map.scale);
  }
  place = place_under_pointer(map, layout);
  std::optional<ImVec2> corner;
  if (map.held && map.picture.cells && !(place.is_cell() && pointer_moved())) {
    place = {map.held->row, map.held->column, 1};
    corner = ImVec2{layout.x(static_cast<double>(map.held->column + 1)),
                    layout.y(static_cast<double>(map.held->row + 1))};
  }
  draw_unread(map, layout, context);
  draw_marks(map, layout, context.selection, place);
  plot::end();
  if (!picture.cells) return place;
  draw_row_labels(map, layout, context.selection);
  draw_column_labels(map, layout, context.selection);
  if (has_strips) draw_row_strips(map, layout);
  if (has_bars) draw_column_bars(map, layout);
  ImGui::SetCursorScreenPos({layout.max.x + px((has_strips ? strips_width() : 0) + kBarGap), layout.min.y});
  ui::color_bar("scale", map.scale, picture.scale.unit, ui::BarLayout::Vertical,
                std::min(320.f, (layout.max.y - layout.min.y) / current_scale()),
                picture.cells->invalid_count(), "none", picture.value_name);
  // What rows and columns are, in the corner that their labels leave free.
  const ImVec2 free{layout.outer_min.x, layout.max.y + px(4)};
  const bool by_id = picture.settings.rows == DeclarationRows::Ids;
  draw_text(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1, free, color(Token::Muted),
            by_id ? "declarer, id →" : "position, id →");
  ImGui::SetCursorScreenPos(outer_min);
  ImGui::Dummy(map.size);
  handle_pointer(map, place, corner, context);
  return place;
}

}  // namespace sparsescope::viz
