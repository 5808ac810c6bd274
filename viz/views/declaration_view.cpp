#include "viz/views/declaration_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "misc/cpp/imgui_stdlib.h"
#include "viz/model/annotations.h"
#include "viz/model/format.h"
#include "viz/views/comparison_row.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::viz {
namespace {

constexpr float kRoomForControls = 520, kRoomForRows = 720;    // widths at scale 1
constexpr float kLeastForControls = 284, kLeastForLine = 200;  // heights at scale 1

// A line each on the screen, where a tooltip tells the rest; on paper as many as it takes.
float footer_height(const DeclarationPicture& shown, float width) {
  FontScope font(Font::Regular, kSmallText);
  const float wrap = current_purpose() == Purpose::Paper ? width : -1;
  float height = 0;
  for (const std::string& words : {shown.coverage, shown.hidden})
    height += ImGui::CalcTextSize(words.c_str(), nullptr, false, wrap).y + ImGui::GetStyle().ItemSpacing.y;
  return height;
}

}  // namespace

Applies DeclarationView::applies(const Run& run) const {
  if (run.track("declared") != nullptr) return {};
  return {false, "This model makes no declarations. The spark presets do and record the channel 'declared'"};
}

DeclarationPicture DeclarationView::query(const QueryFrame& frame) const {
  return declaration_query(frame, settings_, memory_, visible());
}

CellBlock DeclarationView::visible() const {
  if (camera_.ids.follows && camera_.rows.follows) return {};
  const Range &ids = camera_.ids.shown, &rows = camera_.rows.shown;
  CellBlock block;
  block.row = static_cast<int>(std::max(0.0, rows.minimum));
  block.column = static_cast<int>(std::max(0.0, ids.minimum));
  block.rows = std::max(1, static_cast<int>(rows.maximum + 0.999) - block.row);
  block.columns = std::max(1, static_cast<int>(ids.maximum + 0.999) - block.column);
  return block;
}

const PictureHead& DeclarationView::refresh(ViewContext& context, Run& run) {
  const PictureHead& head = QueriedView::refresh(context, run);
  if (head.state != PictureState::Loading || picture().unread_rows == 0) return head;
  // A map that is being read for the first time shows its axes and hatched rows, never a blank.
  axes_ = head;
  axes_.state = PictureState::Waiting;
  return axes_;
}

void DeclarationView::draw_marks(ViewContext& context) {
  const bool is_screen = current_purpose() == Purpose::Screen;
  const ImVec2 room = ImGui::GetContentRegionAvail();
  if (is_screen && room.x >= px(kRoomForControls) && room.y >= px(kLeastForControls)) draw_controls(context);
  // On paper the line stands only when it says something.
  const bool is_silent = picture().found.empty() && picture().search_words.empty();
  if (room.y >= px(kLeastForLine) && (is_screen || !is_silent)) draw_line(context);
  const bool has_footer = ImGui::GetContentRegionAvail().y >= px(200);
  const ImVec2 left = ImGui::GetContentRegionAvail();
  const ImVec2 size{left.x, std::max(px(60), left.y - (has_footer ? footer_height(picture(), left.x) : 0))};
  walk_.keep_within(std::ssize(picture().rows), picture().cells ? std::ssize(picture().columns) : 0);
  place_ = draw_declaration_map(
      {picture(), memory_.history, declaration_scale(picture()), size, walk_.place()}, camera_, context);
  // A pointer that moves over the cells takes the held one along.
  if (walk_.is_walking() && place_.is_cell()) walk_.hold({*place_.row, *place_.column});
  if (has_footer) draw_footer();
}

// Where the pointer is, else the locked cell, else the first one shown.
CellWalk::Place DeclarationView::first_held(const Marks& locked) const {
  const DeclarationPicture& shown = picture();
  CellWalk::Place at{camera_.rows.follows ? 0 : static_cast<std::int64_t>(camera_.rows.shown.minimum),
                     camera_.ids.follows ? 0 : static_cast<std::int64_t>(camera_.ids.shown.minimum)};
  if (place_.is_cell()) return {*place_.row, *place_.column};
  if (const std::int64_t row = locked.token ? row_of_position(shown, *locked.token) : -1; row >= 0)
    at.row = row;
  if (const std::int64_t column = locked.vocabulary_id ? column_of_id(shown, *locked.vocabulary_id) : -1;
      column >= 0)
    at.column = column;
  return at;
}

bool DeclarationView::walk(ViewContext& context, Walk key) {
  if (!has_cells() || (!walk_.is_walking() && key != Walk::Enter)) return false;
  const DeclarationPicture& shown = picture();
  if (key == Walk::Leave) {
    walk_.leave();
    return true;
  }
  if (!walk_.is_walking()) {
    walk_.hold(first_held(context.selection.locked));
  } else if (key == Walk::Enter) {
    lock_declaration(shown, {walk_.place()->row, walk_.place()->column, 1}, LockClick::Plain,
                     context.selection.locked);
  }
  walk_.move(key, std::ssize(shown.rows), std::ssize(shown.columns));
  walk_.keep_within(std::ssize(shown.rows), std::ssize(shown.columns));
  // The camera goes along where the cell would leave it.
  const auto show = [](plot::AxisRange& axis, std::int64_t index) {
    const auto from = static_cast<double>(index), to = from + 1;
    if (axis.follows || (from >= axis.shown.minimum && to <= axis.shown.maximum)) return;
    const double move = from < axis.shown.minimum ? from - axis.shown.minimum : to - axis.shown.maximum;
    axis.shown = {axis.shown.minimum + move, axis.shown.maximum + move};
  };
  if (walk_.place()) {
    show(camera_.rows, walk_.place()->row);
    show(camera_.ids, walk_.place()->column);
  }
  return true;
}

void DeclarationView::draw_controls(ViewContext&) {
  bool changed = choose_value();
  if (ImGui::GetContentRegionAvail().x >= px(kRoomForRows)) {
    ImGui::SameLine(0, px(16));
    changed |= choose_rows();
  }
  ImGui::SameLine(0, px(16));
  ImGui::SetNextItemWidth(std::min(px(240), ImGui::GetContentRegionAvail().x));
  if (ImGui::InputTextWithHint("##search", "Who declares…", &settings_.search)) changed = true;
  if (changed) forget();
}

// One line, always there, so that a lock or a walk through the probes never moves the map.
void DeclarationView::draw_line(ViewContext& context) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  const float height = text_size(Font::Regular, kSmallText, "0").y + px(6);
  const float taken = current_purpose() == Purpose::Screen ? draw_history(at, width, height) : 0;
  const DeclarationPicture& shown = picture();
  std::string words = shown.search_words;
  Token ink = Token::Muted;
  if (!shown.found.empty()) {
    words = shown.found.front().sentence;
    ink = Token::Text;
  } else if (words.empty() && current_purpose() == Purpose::Screen) {
    words =
        "Click a cell to lock its token and its id everywhere, or walk there: Enter, arrows, Enter; type a "
        "token to "
        "see who declares it";
  }
  const float written = draw_text_within(ImGui::GetWindowDrawList(), Font::Regular, kSmallText,
                                         {at.x, at.y + px(2)}, width - taken - px(8), color(ink), words)
                            .width;
  if (current_purpose() == Purpose::Screen && !settings_.search.empty())
    draw_found({at.x + written + px(12), at.y}, at.x + width - taken, context);
  ImGui::SetCursorScreenPos(at);
  ImGui::Dummy({width, height});
}

// Other pieces that contain what was typed: a press looks for that one alone.
void DeclarationView::draw_found(ImVec2 at, float right, ViewContext& context) {
  const std::vector<DeclaredToken>& found = picture().found;
  FontScope font(Font::Regular, kSmallText);
  const auto place = [&](const std::string& words, float extent) {
    if (at.x + extent > right) return false;
    ImGui::SetCursorScreenPos(at);
    at.x += extent + px(6);
    return ImGui::SmallButton(words.c_str());
  };
  const auto extent_of = [](const std::string& words) {
    return ImGui::CalcTextSize(words.c_str()).x + 2 * ImGui::GetStyle().FramePadding.x;
  };
  if (!found.empty() && context.selection.locked.vocabulary_id != found.front().id &&
      place("Lock", extent_of("Lock")))
    context.selection.locked.vocabulary_id = found.front().id;
  for (std::size_t i = 1; i < found.size(); ++i) {
    if (!place(fmt::format("{}##{}", found[i].word, found[i].id), extent_of(found[i].word))) continue;
    settings_.search = fmt::format("#{}", found[i].id);
    forget();
  }
}

float DeclarationView::draw_history(ImVec2 at, float width, float height) {
  const HistoryProgress& history = picture().history;
  if (!history.is_wanted || (history.is_done() && history.missing == 0)) return 0;
  FontScope font(Font::Regular, kSmallText);
  std::string words =
      fmt::format("{} of {} probes read", format_count(static_cast<std::int64_t>(history.read)),
                  format_count(static_cast<std::int64_t>(history.total)));
  const char* deed = history.is_done() ? "Read again" : history.is_cancelled ? "Go on" : "Cancel";
  if (history.missing > 0) words += ": " + history.message;
  const float text = std::min(width / 2, ImGui::CalcTextSize(words.c_str()).x),
              button = ImGui::CalcTextSize(deed).x + 2 * ImGui::GetStyle().FramePadding.x;
  const float left = at.x + width - text - button - px(8);
  ImDrawList* list = ImGui::GetWindowDrawList();
  draw_text_within(list, Font::Regular, kSmallText, {left, at.y + px(2)}, text + px(1),
                   color(history.missing > 0 ? Token::Error : Token::Muted), words);
  const double share = static_cast<double>(history.read + history.missing) /
                       static_cast<double>(std::max<std::size_t>(1, history.total));
  const float y = at.y + height - px(2), whole = text + button + px(8);
  list->AddRectFilled({left, y}, {left + whole, y + px(2)}, color(Token::Line));
  list->AddRectFilled({left, y}, {left + whole * static_cast<float>(share), y + px(2)}, color(Token::Accent));
  ImGui::SetCursorScreenPos({left + text + px(8), at.y});
  if (ImGui::SmallButton(deed)) {
    if (history.is_done()) {
      memory_.history.restart();
    } else if (history.is_cancelled) {
      memory_.history.resume();
    } else {
      memory_.history.cancel();
    }
    forget();
  }
  return whole + px(8);
}

void DeclarationView::draw_footer() {
  const DeclarationPicture& shown = picture();
  FontScope font(Font::Regular, kSmallText);
  const float width = ImGui::GetContentRegionAvail().x;
  ImDrawList* list = ImGui::GetWindowDrawList();
  for (const std::string& words : {shown.coverage, shown.hidden}) {
    if (current_purpose() == Purpose::Paper) {
      ui::wrapped(words, Token::Muted);
      continue;
    }
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float height = text_size(Font::Regular, kSmallText, "0").y;
    const Drawn drawn =
        draw_text_within(list, Font::Regular, kSmallText, at, width, color(Token::Muted), words);
    ImGui::Dummy({width, height});
    if (drawn.fit == Fit::Shortened) ui::tooltip(words);
  }
}

void DeclarationView::draw_menu(ViewContext& context) {
  const auto compare = [&](std::uint64_t step, DeclarationChange change) {
    settings_.against = DeclarationAgainst::Step;
    settings_.against_step = step;
    settings_.change = change;
    forget();
  };
  const auto step_words = [](std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); };
  const bool can_compare = settings_.value != DeclarationValue::FirstStep;
  const std::string here = "Compare later steps with step " + step_words(picture().step);
  if (ImGui::MenuItem(here.c_str(), nullptr, false, can_compare))
    compare(picture().step, DeclarationChange::Difference);
  if (const auto& pinned = context.selection.locked.step) {
    const std::string words = "Difference to the pinned step " + step_words(*pinned),
                      only = "Only what changed since the pinned step " + step_words(*pinned);
    if (ImGui::MenuItem(words.c_str(), nullptr, false, can_compare))
      compare(*pinned, DeclarationChange::Difference);
    if (ImGui::MenuItem(only.c_str(), nullptr, false, can_compare))
      compare(*pinned, DeclarationChange::OnlyChanged);
  }
  const Bookmark* bookmark =
      context.annotations != nullptr ? context.annotations->previous(picture().cursor_step) : nullptr;
  if (bookmark != nullptr) {
    const std::string words = fmt::format("Only what changed since {}", words_of(*bookmark));
    if (ImGui::MenuItem(words.c_str(), nullptr, false, can_compare))
      compare(bookmark->step, DeclarationChange::OnlyChanged);
  }
  offer_second_run_in_menu(context);
  if (ImGui::MenuItem("Difference to the pinned baseline", nullptr, false, picture().no_baseline.empty())) {
    settings_.against = DeclarationAgainst::Baseline;
    settings_.change = DeclarationChange::Difference;
    forget();
  }
  if (ImGui::MenuItem("Stop comparing", nullptr, false, settings_.against != DeclarationAgainst::Nothing)) {
    settings_.against = DeclarationAgainst::Nothing;
    forget();
  }
  if (ImGui::MenuItem("Fit the map", nullptr, false, !camera_.ids.follows || !camera_.rows.follows))
    camera_ = {};
  ImGui::Separator();
}

std::string DeclarationView::menu_value(ViewContext& context) const {
  if (!has_picture() || !picture().cells || !menu_place_.is_cell()) return values_text(context);
  std::string text = cell_title(picture(), menu_place_.cell());
  for (const std::string& line : cell_lines(picture(), memory_.history, menu_place_.cell()))
    text += fmt::format("\n{}", line);
  return text;
}

std::string DeclarationView::menu_row(ViewContext&) const {
  return has_picture() && menu_place_.row ? row_text(picture(), *menu_place_.row) : std::string();
}

std::string DeclarationView::values_text(ViewContext& context) const {
  Run* run = context.timeline.current(context.selection.run);
  if (run == nullptr) return {};
  const DeclarationPicture shown = query(query_frame(context, *run, kMostColumns));
  std::string text = shown.title + ", " + shown.detail + "\n" + shown.limits;
  if (!shown.cells) return shown.title + "\n" + shown.words;
  const Marks &hover = context.selection.hover_before, &locked = context.selection.locked;
  const auto token = hover.token ? hover.token : locked.token;
  const auto id = hover.vocabulary_id ? hover.vocabulary_id : locked.vocabulary_id;
  DeclarationPlace place = place_;
  if (!place.row && token) place.row = row_of_position(shown, *token);
  if (!place.column && id) place.column = column_of_id(shown, *id);
  const bool has_row = place.row && *place.row >= 0 && *place.row < std::ssize(shown.rows),
             has_column = place.column && *place.column >= 0 && *place.column < std::ssize(shown.columns);
  if (has_row && has_column) {
    text += fmt::format("\n{}", cell_title(shown, place.cell()));
    for (const std::string& line : cell_lines(shown, memory_.history, place.cell()))
      text += fmt::format("\n{}", line);
  } else if (has_row) {
    text += fmt::format("\n{}", row_text(shown, *place.row));
  }
  for (const DeclaredToken& found : shown.found) text += fmt::format("\n{}", found.sentence);
  return fmt::format("{}\n{}\n{}", text, shown.takeaway, shown.coverage);
}

}  // namespace sparsescope::viz
