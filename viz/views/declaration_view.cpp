#include "viz/views/declaration_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "misc/cpp/imgui_stdlib.h"
#include "viz/model/annotations.h"
#include "viz/model/format.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::viz {
namespace {

constexpr float kRoomForControls = 520, kRoomForRows = 720;    // widths at scale 1
constexpr float kLeastForControls = 300, kLeastForLine = 200;  // heights at scale 1

constexpr const char* kValueNames[] = {"score − θ", "declarations", "hit rate", "first step"};
constexpr const char* kRowNames[] = {"by position", "by id"};

constexpr std::size_t kMostBookmarks = 8;  // offered to compare with

std::span<const Bookmark> bookmarks_of(const ViewContext& context) {
  return context.annotations != nullptr ? std::span<const Bookmark>(context.annotations->bookmarks())
                                        : std::span<const Bookmark>();
}

template <typename Choice>
bool choose(const char* id, std::span<const char* const> names, Choice& choice) {
  int index = static_cast<int>(choice);
  if (!ui::segmented(id, names, index)) return false;
  choice = static_cast<Choice>(index);
  return true;
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
  if (room.y >= px(kLeastForLine)) draw_line(context);
  const bool has_footer = ImGui::GetContentRegionAvail().y >= px(200);
  const float line = text_size(Font::Regular, kSmallText, "0").y + ImGui::GetStyle().ItemSpacing.y;
  const ImVec2 left = ImGui::GetContentRegionAvail();
  const ImVec2 size{left.x, std::max(px(60), left.y - (has_footer ? 2 * line : 0))};
  place_ = draw_declaration_map({picture(), memory_.history, declaration_scale(picture()), size}, camera_,
                                context);
  if (has_footer) draw_footer();
}

void DeclarationView::draw_controls(ViewContext&) {
  bool changed = choose("value", kValueNames, settings_.value);
  if (ImGui::GetContentRegionAvail().x >= px(kRoomForRows)) {
    ImGui::SameLine(0, px(16));
    changed |= choose("rows", kRowNames, settings_.rows);
  }
  ImGui::SameLine(0, px(16));
  ImGui::SetNextItemWidth(std::min(px(240), ImGui::GetContentRegionAvail().x));
  if (ImGui::InputTextWithHint("##search", "Who declares… (a token, or #17)", &settings_.search))
    changed = true;
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
    words = "Click a cell to lock its token and its id everywhere; type a token to see who declares it";
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
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float height = text_size(Font::Regular, kSmallText, "0").y;
    const Drawn drawn =
        draw_text_within(list, Font::Regular, kSmallText, at, width, color(Token::Muted), words);
    ImGui::Dummy({width, height});
    if (drawn.fit == Fit::Shortened) ui::tooltip(words);
  }
}

bool DeclarationView::draw_settings(ViewContext& context) {
  constexpr const char* kOrderNames[] = {"frequency", "first appearance", "declared most", "likeness"};
  constexpr const char* kIdNames[] = {"of the sequence", "and other best-scored"};
  constexpr const char* kWindowNames[] = {"8", "32", "128", "all that follow"};
  constexpr std::int64_t kWindows[] = {8, 32, 128, 0};
  ui::muted("Value");
  bool changed = choose("value", kValueNames, settings_.value);
  ui::muted("Rows: who declares");
  changed |= choose("rows", kRowNames, settings_.rows);
  ui::muted("Order of ids");
  changed |= choose("order", kOrderNames, settings_.order);
  if (settings_.value == DeclarationValue::Margin) {
    ui::muted("Columns: ids");
    changed |= choose("ids", kIdNames, settings_.ids);
  }
  ui::muted("Came true within N tokens");
  const auto* found = std::find(std::begin(kWindows), std::end(kWindows), settings_.window);
  int window = static_cast<int>(found - std::begin(kWindows));
  if (ui::segmented("window", kWindowNames, window)) {
    settings_.window = kWindows[window];
    changed = true;
  }
  if (!has_picture()) return changed;
  if (picture().layers > 1) {
    ui::muted(context.selection.locked.layer ? "Layer, locked: Esc releases it" : "Layer");
    double layer = static_cast<double>(picture().layer);
    if (ui::slider("layer", layer, 0, static_cast<double>(picture().layers - 1), ui::Steps::Linear, 160,
                   std::to_string(picture().layer))) {
      settings_.layer = static_cast<std::int64_t>(layer + 0.5);
      if (context.selection.locked.layer) context.selection.locked.layer = settings_.layer;
      changed = true;
    }
  }
  return draw_comparison_settings(context) || changed;
}

bool DeclarationView::draw_comparison_settings(const ViewContext& context) {
  constexpr const char* kAgainstNames[] = {"nothing", "a step", "pinned baseline"};
  constexpr const char* kChangeNames[] = {"difference", "only what changed"};
  const DeclarationPicture& shown = picture();
  ui::muted("Compare with");
  if (settings_.value == DeclarationValue::FirstStep) {
    ui::muted("the map of first steps covers all steps already");
    return false;
  }
  DeclarationAgainst against = settings_.against;
  bool changed = false;
  if (choose("against", kAgainstNames, against)) {
    const bool is_possible = against != DeclarationAgainst::Baseline || shown.no_baseline.empty();
    if (is_possible) {
      if (against == DeclarationAgainst::Step && settings_.against_step == 0)
        settings_.against_step = shown.step;
      settings_.against = against;
      changed = true;
    }
  }
  if (!shown.no_baseline.empty()) ui::muted(shown.no_baseline);
  if (settings_.against == DeclarationAgainst::Nothing) return changed;
  ui::muted("Show");
  changed |= choose("change", kChangeNames, settings_.change);
  if (settings_.against != DeclarationAgainst::Step) return changed;
  const auto last = static_cast<double>(std::max<std::uint64_t>(1, std::max(shown.newest_step, shown.step)));
  double step = static_cast<double>(settings_.against_step);
  if (ui::slider("against step", step, 0, last, ui::Steps::Linear, 160,
                 "step " + format_count(static_cast<std::int64_t>(settings_.against_step)))) {
    settings_.against_step = static_cast<std::uint64_t>(step + 0.5);
    changed = true;
  }
  if (ImGui::SmallButton("The step at the cursor")) {
    settings_.against_step = shown.cursor_step;
    changed = true;
  }
  std::size_t listed = 0;
  for (const Bookmark& bookmark : bookmarks_of(context)) {
    if (++listed > kMostBookmarks) break;
    ImGui::PushID(static_cast<int>(bookmark.id));
    if (ImGui::SmallButton(words_of(bookmark).c_str())) {
      settings_.against_step = bookmark.step;
      changed = true;
    }
    ImGui::PopID();
  }
  return changed;
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

nlohmann::json DeclarationView::settings() const {
  nlohmann::json json = {{"value", static_cast<int>(settings_.value)},
                         {"rows", static_cast<int>(settings_.rows)},
                         {"order", static_cast<int>(settings_.order)},
                         {"ids", static_cast<int>(settings_.ids)},
                         {"layer", settings_.layer},
                         {"window", settings_.window},
                         {"against", static_cast<int>(settings_.against)},
                         {"change", static_cast<int>(settings_.change)},
                         {"against_step", settings_.against_step},
                         {"search", settings_.search}};
  const auto range = [](const plot::AxisRange& axis) {
    return nlohmann::json{axis.shown.minimum, axis.shown.maximum};
  };
  if (!camera_.ids.follows) json["camera_ids"] = range(camera_.ids);
  if (!camera_.rows.follows) json["camera_rows"] = range(camera_.rows);
  return json;
}

void DeclarationView::set_settings(const nlohmann::json& json) {
  if (!json.is_object()) return;
  const auto number = [&](const char* name, std::int64_t least, std::int64_t most, std::int64_t otherwise) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_number_integer()) return otherwise;
    const auto value = found->get<std::int64_t>();
    return value >= least && value <= most ? value : otherwise;
  };
  const auto choice = [&](const char* name, int count, auto& value) {
    using Choice = std::remove_reference_t<decltype(value)>;
    value = static_cast<Choice>(number(name, 0, count - 1, static_cast<int>(value)));
  };
  choice("value", 4, settings_.value);
  choice("rows", 2, settings_.rows);
  choice("order", kDeclarationOrders, settings_.order);
  choice("ids", 2, settings_.ids);
  choice("against", 3, settings_.against);
  choice("change", 2, settings_.change);
  settings_.layer = number("layer", -1, 1 << 20, settings_.layer);
  settings_.window = number("window", 0, std::int64_t{1} << 40, settings_.window);
  settings_.against_step = static_cast<std::uint64_t>(
      number("against_step", 0, std::int64_t{1} << 53, static_cast<std::int64_t>(settings_.against_step)));
  if (const auto search = json.find("search"); search != json.end() && search->is_string())
    settings_.search = search->get<std::string>();
  const auto range = [&](const char* name, plot::AxisRange& axis) {
    const auto found = json.find(name);
    axis = {};
    if (found == json.end() || !found->is_array() || found->size() != 2 || !(*found)[0].is_number() ||
        !(*found)[1].is_number())
      return;
    const Range shown{(*found)[0].get<double>(), (*found)[1].get<double>()};
    if (shown.width() > 0) axis = {shown, false};
  };
  range("camera_ids", camera_.ids);
  range("camera_rows", camera_.rows);
  forget();
}

}  // namespace sparsescope::viz
