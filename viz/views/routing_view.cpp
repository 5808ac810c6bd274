#include "viz/views/routing_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "viz/model/annotations.h"
#include "viz/model/format.h"
#include "viz/model/routing_words.h"
#include "viz/model/token_lock.h"
#include "viz/views/comparison_row.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::viz {
namespace {

constexpr float kRoomForControls = 560, kRoomForReadouts = 980;  // widths at scale 1
constexpr float kLeastForControls = 300, kLeastForFooter = 170;  // heights at scale 1

constexpr double kUnnoticedSeconds = 0.2;

constexpr const char* kLayoutNames[] = {"one layer", "all layers"};
constexpr const char* kShownNames[] = {"all", "direct", "inherited", "fallback", "self"};

template <typename Choice>
bool choose(const char* id, std::span<const char* const> names, Choice& choice) {
  int index = static_cast<int>(choice);
  if (!ui::segmented(id, names, index)) return false;
  choice = static_cast<Choice>(index);
  return true;
}

std::string step_text(std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); }

void tip(const std::string& title, const std::vector<std::string>& lines, const char* hint) {
  if (!ImGui::BeginTooltip()) return;
  {
    FontScope font(Font::Regular, kSmallText);
    ImGui::TextUnformatted(title.c_str());
    for (const std::string& line : lines) ui::muted(line);
    if (*hint != '\0') ui::muted(hint);
  }
  ImGui::EndTooltip();
}

}  // namespace

Applies RoutingView::applies(const Run& run) const {
  if (run.track("edges") != nullptr || run.track("declared") != nullptr) return {};
  return {
      false,
      "This model routes nothing by declaration. The spark presets do and record the channels 'edges' and "
      "'declared'"};
}

// Sums that take some frames leave the last graph as it is; only longer ones are named.
std::string RoutingView::words_behind(const RoutingPicture& fresh) const {
  return fresh.summing_seconds > 0 && fresh.summing_seconds < kUnnoticedSeconds ? std::string() : fresh.words;
}

const PictureHead& RoutingView::refresh(ViewContext& context, Run& run) {
  // The camera decides where blocks are split; the same split makes the same picture.
  const std::int64_t tokens = has_picture() ? picture().tokens : 0;
  const Range all{0, static_cast<double>(std::max<std::int64_t>(1, tokens))};
  const RoutingWindow window =
      scene_.width() > 0 && tokens > 0
          ? routing_window(tokens, camera_.follows ? all : camera_.shown, scene_.width())
          : RoutingWindow{};
  if (window != window_) {
    window_ = window;
    forget();
  }
  return QueriedView::refresh(context, run);
}

void RoutingView::draw_marks(ViewContext& context) {
  const RoutingPicture& shown = picture();
  const bool is_screen = current_purpose() == Purpose::Screen;
  draw_source(context);
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const bool has_controls = is_screen && room.x >= px(kRoomForControls) && room.y >= px(kLeastForControls);
  if (has_controls) draw_controls();
  const ImVec2 left = ImGui::GetContentRegionAvail();
  const bool has_footer = left.y >= px(kLeastForFooter),
             has_readouts = left.x >= px(kRoomForReadouts) && shown.content != nullptr;
  const float line = text_size(Font::Regular, kSmallText, "0").y + ImGui::GetStyle().ItemSpacing.y;
  const float height = std::max(px(60), left.y - (has_footer ? 2 * line : 0));
  const float beside = has_readouts ? px(kReadoutsWidth + 24) : 0;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  place_ = scene_.draw(shown, {left.x - beside, height}, camera_, context);
  point(context);
  if (has_readouts) {
    const ImVec2 after = ImGui::GetCursorScreenPos();
    ImGui::SetCursorScreenPos({at.x + left.x - px(kReadoutsWidth), at.y + px(12)});
    draw_routing_readouts(shown, {px(kReadoutsWidth), height - px(12)});
    ImGui::SetCursorScreenPos(after);
  }
  if (!shown.content || !has_footer) return;
  draw_legend();
  draw_footer();
}

// What is not as the title says: no weights, no single heads, a lock that is not here.
void RoutingView::draw_source(ViewContext& context) {
  const RoutingPicture& shown = picture();
  FontScope font(Font::Regular, kSmallText);
  std::string remarks;
  for (const std::string* words : {&shown.heads, &shown.lock_words, &shown.invalid, &shown.source}) {
    if (!words->empty()) remarks += (remarks.empty() ? "" : ". ") + *words;
  }
  if (remarks.empty()) return;
  ui::muted(remarks);
  if (current_purpose() != Purpose::Screen) return;
  // The difference that was asked for has no other side yet.
  if (settings_.against == RoutingAgainst::Baseline && !shown.no_baseline.empty()) offer_second_run(context);
  if (shown.source.empty()) return;
  if (shown.weights_at) {
    ImGui::SameLine(0, px(10));
    if (ImGui::SmallButton("Go there")) context.timeline.cursor().seek(*shown.weights_at);
  }
  constexpr const char* kRecord = "train.record_edges";
  if (!context.run_command || !context.why_disabled || !context.why_disabled(kRecord).empty()) return;
  ImGui::SameLine(0, px(6));
  if (ImGui::SmallButton("Record edges now")) context.run_command(kRecord);
}

void RoutingView::draw_controls() {
  bool changed = choose("layout", kLayoutNames, settings_.layout);
  ImGui::SameLine(0, px(14));
  if (ImGui::GetContentRegionAvail().x >= px(330)) {
    changed |= choose("shown", kShownNames, settings_.shown);
    ImGui::SameLine(0, px(14));
  }
  if (ImGui::GetContentRegionAvail().x >= px(300)) {
    changed |= draw_threshold(110);
  } else {
    ImGui::NewLine();
  }
  if (changed) forget();
}

// Beside the slider stand the share of mass that it hides and the edges that it drops.
bool RoutingView::draw_threshold(float width) {
  double value = settings_.threshold;
  const std::string words = value <= 0 ? std::string("all") : "≥ " + format_number(value, 2);
  // In line with the buttons beside it, which are higher.
  const float down = (ImGui::GetFrameHeight() - px(24)) / 2;
  ImGui::SetCursorPosY(ImGui::GetCursorPosY() + down);
  const bool changed =
      ui::slider("threshold", value, 0, kLargestThreshold, ui::Steps::Logarithmic, width, words);
  if (changed) settings_.threshold = value;
  const float middle = ImGui::GetItemRectMin().y + px(12);
  if (!has_picture() || picture().threshold_words.empty()) return changed;
  ImGui::SameLine(0, px(10));
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float room = ImGui::GetContentRegionAvail().x, height = text_size(Font::Regular, kSmallText, "0").y;
  const std::string& hidden = picture().threshold_words;
  const Drawn drawn = draw_text_within(ImGui::GetWindowDrawList(), Font::Regular, kSmallText,
                                       {at.x, middle - height / 2}, room, color(Token::Muted), hidden);
  ImGui::Dummy({drawn.width, px(24)});
  if (drawn.fit == Fit::Shortened) ui::tooltip(hidden);
  return changed;
}

// The dash says why; the colour too, unless a lock or a difference takes the colours.
void RoutingView::draw_legend() {
  const RoutingContent& content = *picture().content;
  const ImVec2 room = ImGui::GetContentRegionAvail();
  if (content.is_difference) {
    const bool is_arcs = picture().settings.layout == RoutingLayout::Arcs;
    plot::legend_entry(is_arcs ? "gained, above" : "gained, bent", {color(Token::Accent)});
    plot::legend_entry(is_arcs ? "lost, below" : "lost, straight", {color(Token::Warn)});
  } else if (content.has_lock) {
    plot::legend_entry("read by the locked token", {color(Token::Accent)});
    plot::legend_entry("reads the locked token", {color(Token::Warn)});
  }
  for (const RoutingReason reason :
       {RoutingReason::Direct, RoutingReason::Inherited, RoutingReason::Fallback}) {
    const ImU32 ink = content.is_difference ? color(Token::Muted) : color(routing_token(reason));
    plot::legend_entry(reason_name(reason), {ink, 1.5f, routing_dash(reason)});
  }
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float middle = at.y + text_size(Font::Regular, kSmallText - 1, "0").y / 2;
  ImGui::GetWindowDrawList()->AddCircleFilled({at.x + px(4), middle}, px(3.5f), color(Token::Self), 12);
  draw_text(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1, {at.x + px(13), at.y},
            color(Token::Muted), "self");
  ImGui::Dummy({px(13) + text_size(Font::Regular, kSmallText - 1, "self").x, 1});
  ImGui::SameLine(0, px(20));
  const std::string& words = picture().is_error() ? picture().sum_error : picture().proof;
  const float width = std::ceil(text_size(Font::Regular, kSmallText - 1, words.c_str()).x) + px(2),
              left = ImGui::GetContentRegionAvail().x;
  const float copy = picture().is_error() ? px(90) : 0;
  if (width + copy < left) {
    ImGui::SetCursorScreenPos({at.x + ImGui::GetCursorScreenPos().x - at.x + left - width - copy, at.y});
  } else if (room.x > 0) {
    ImGui::NewLine();
  }
  const ImVec2 from = ImGui::GetCursorScreenPos();
  draw_text_within(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1, from,
                   ImGui::GetContentRegionAvail().x - copy,
                   color(picture().is_error() ? Token::Error : Token::Ok), words);
  ImGui::Dummy({std::min(width, ImGui::GetContentRegionAvail().x - copy),
                text_size(Font::Regular, kSmallText - 1, "0").y});
  if (ImGui::IsItemHovered()) {
    std::string numbers;
    for (const std::string& text : sum_lines(content)) numbers += (numbers.empty() ? "" : "\n") + text;
    ui::tooltip("Sums of integers, at every zoom the same", numbers);
  }
  if (!picture().is_error()) return;
  ImGui::SameLine();
  if (ImGui::SmallButton("Copy details")) ImGui::SetClipboardText(text_of(twin_of(picture())).c_str());
}

void RoutingView::draw_footer() {
  const RoutingPicture& shown = picture();
  std::string words = shown.aggregation;
  if (!shown.hidden.empty()) words += ". " + shown.hidden;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  const Drawn drawn = draw_text_within(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1, at, width,
                                       color(Token::Muted), words);
  ImGui::Dummy({width, text_size(Font::Regular, kSmallText - 1, "0").y});
  if (drawn.fit == Fit::Shortened) ui::tooltip(words);
}

// Hover lights up everywhere, a click locks.
void RoutingView::point(ViewContext& context) {
  const RoutingPicture& shown = picture();
  scene_.hold(std::nullopt);
  if (!shown.content) return walk_.leave();
  walk_.keep_within(shown.layers, std::ssize(shown.content->nodes));
  const bool is_pointed = !walk_.is_walking() || (place_.node && pointer_moved());
  if (is_pointed) edge_rank_.reset();
  if (walk_.is_walking() && is_pointed) {
    walk_.hold({place_.layer.value_or(walk_.place()->row), static_cast<std::int64_t>(*place_.node)});
  } else if (walk_.is_walking() && edge_rank_) {
    const auto node = static_cast<std::size_t>(walk_.place()->column);
    const std::vector<std::size_t> edges = edges_of(node);
    if (edges.empty()) return edge_rank_.reset();
    edge_rank_ = std::min(*edge_rank_, edges.size() - 1);
    const RoutingMark& mark = shown.content->marks[edges[*edge_rank_]];
    place_ = {std::nullopt, edges[*edge_rank_], mark.layer};
    scene_.hold(place_.mark);
    const RoutingNode& end = shown.content->nodes[mark.query == node ? mark.key : mark.query];
    const ImVec2 foot = scene_.foot_of(static_cast<double>(end.first + end.end) / 2);
    ImGui::SetNextWindowPos({foot.x + px(10), foot.y + px(10)});
  } else if (walk_.is_walking()) {
    place_ = {static_cast<std::size_t>(walk_.place()->column), std::nullopt, walk_.place()->row};
    const RoutingNode& node = shown.content->nodes[*place_.node];
    context.selection.hover.token = node.first;
    const ImVec2 foot = scene_.foot_of(static_cast<double>(node.first + node.end) / 2);
    ImGui::SetNextWindowPos({foot.x + px(10), foot.y + px(10)});
  }
  if (place_.is_empty()) return;
  Marks& hover = context.selection.hover;
  const RoutingContent& content = *shown.content;
  hover.layer = place_.layer;
  if (place_.node) {
    const RoutingNode& node = content.nodes[*place_.node];
    if (node.end - node.first == 1) {
      hover.token = node.first;
      if (node.id >= 0) hover.vocabulary_id = node.id;
    }
    tip(node_title(shown, *place_.node), node_lines(shown, *place_.node),
        node.end - node.first > 1 ? "double-click splits it" : "");
  } else if (place_.mark) {
    tip(mark_title(shown, content.marks[*place_.mark]), mark_lines(shown, content.marks[*place_.mark]), "");
  }
  if (is_pointed) click(context);
}

std::vector<std::size_t> RoutingView::edges_of(std::size_t node) const {
  const std::vector<RoutingMark>& marks = picture().content->marks;
  std::vector<std::size_t> edges;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if ((marks[i].query == node) != (marks[i].key == node)) edges.push_back(i);
  }
  std::ranges::stable_sort(edges, std::greater{}, [&](std::size_t i) { return std::abs(marks[i].value); });
  return edges;
}

// Right and down to the next lighter edge, left and up back; Enter goes along it to its other end and locks
// that; Esc is back at the token.
bool RoutingView::walk_edges(ViewContext& context, Walk key) {
  const RoutingContent& content = *picture().content;
  const auto node = static_cast<std::size_t>(walk_.place()->column);
  const std::vector<std::size_t> edges = edges_of(node);
  if (edges.empty() || key == Walk::Leave) {
    edge_rank_.reset();
    return key == Walk::Leave;
  }
  const std::size_t last = edges.size() - 1, rank = std::min(*edge_rank_, last);
  constexpr auto kFar = static_cast<std::size_t>(CellWalk::kFar);
  switch (key) {
    case Walk::Right:
    case Walk::Down:
      edge_rank_ = std::min(rank + 1, last);
      break;
    case Walk::Left:
    case Walk::Up:
      edge_rank_ = rank - std::min<std::size_t>(rank, 1);
      break;
    case Walk::FarRight:
    case Walk::FarDown:
      edge_rank_ = std::min(rank + kFar, last);
      break;
    case Walk::FarLeft:
    case Walk::FarUp:
      edge_rank_ = rank - std::min(rank, kFar);
      break;
    case Walk::Enter: {
      const RoutingMark& mark = content.marks[edges[rank]];
      const std::size_t end = mark.query == node ? mark.key : mark.query;
      const RoutingNode& reached = content.nodes[end];
      edge_rank_.reset();
      walk_.hold({walk_.place()->row, static_cast<std::int64_t>(end)});
      if (reached.end - reached.first == 1)
        lock_token(context.selection.locked, reached.first, LockClick::Plain);
      break;
    }
    case Walk::Leave:
      break;
  }
  return true;
}

// Enter locks the token that keys hold, and its layer where bands of layers are shown; on the locked token it
// takes hold of its heaviest edge.
bool RoutingView::walk(ViewContext& context, Walk key) {
  if (!has_cells() || (!walk_.is_walking() && key != Walk::Enter)) return false;
  if (edge_rank_ && walk_edges(context, key)) return true;
  const RoutingContent& content = *picture().content;
  Marks& locked = context.selection.locked;
  if (key == Walk::Leave) {
    walk_.leave();
  } else if (!walk_.is_walking()) {
    const RoutingPlace at = place_or_lock(picture(), locked);
    walk_.hold({at.layer.value_or(locked.layer.value_or(picture().layers - 1)),
                static_cast<std::int64_t>(at.node.value_or(0))});
  } else if (key == Walk::Enter) {
    const RoutingNode& node = content.nodes[static_cast<std::size_t>(walk_.place()->column)];
    const auto held = static_cast<std::size_t>(walk_.place()->column);
    // On the locked token it goes on along its edges.
    if (locked.token && content.cut.node_of(*locked.token) == held && !edges_of(held).empty()) {
      edge_rank_ = 0;
      return true;
    }
    if (node.end - node.first == 1) lock_token(locked, node.first, LockClick::Plain);
    if (settings_.layout == RoutingLayout::Bands) locked.layer = walk_.place()->row;
  }
  walk_.move(key, picture().layers, std::ssize(content.nodes));
  return true;
}

void RoutingView::click(ViewContext& context) const {
  const ImGuiIO& io = ImGui::GetIO();
  const bool is_click = ImGui::IsMouseReleased(ImGuiMouseButton_Left) &&
                        io.MouseDragMaxDistanceSqr[ImGuiMouseButton_Left] < px(3) * px(3) &&
                        io.MouseClickedLastCount[ImGuiMouseButton_Left] < 2;
  if (!is_click) return;
  const RoutingContent& content = *picture().content;
  Marks& locked = context.selection.locked;
  if (place_.node && content.nodes[*place_.node].end - content.nodes[*place_.node].first == 1) {
    const RoutingNode& node = content.nodes[*place_.node];
    lock_token(locked, node.first, io.KeyShift ? LockClick::Shift : LockClick::Plain);
    if (node.id >= 0) locked.vocabulary_id = node.id;
  } else if (!place_.node && place_.layer && settings_.layout == RoutingLayout::Bands) {
    locked.layer = locked.layer == place_.layer ? std::nullopt : place_.layer;
  }
}

void RoutingView::draw_menu(ViewContext& context) {
  const auto compare = [&](std::uint64_t step) {
    settings_.against = RoutingAgainst::Step;
    settings_.against_step = step;
    forget();
  };
  const std::string here = "Compare later steps with step " + step_text(picture().step);
  if (ImGui::MenuItem(here.c_str())) compare(picture().step);
  if (const auto& pinned = context.selection.locked.step) {
    const std::string words = "Difference to the pinned step " + step_text(*pinned);
    if (ImGui::MenuItem(words.c_str())) compare(*pinned);
  }
  const Bookmark* bookmark =
      context.annotations != nullptr ? context.annotations->previous(picture().cursor_step) : nullptr;
  if (bookmark != nullptr) {
    const std::string words = fmt::format("Difference to {}", words_of(*bookmark));
    if (ImGui::MenuItem(words.c_str())) compare(bookmark->step);
  }
  offer_second_run_in_menu(context);
  if (ImGui::MenuItem("Difference to the pinned baseline", nullptr, false, picture().no_baseline.empty())) {
    settings_.against = RoutingAgainst::Baseline;
    forget();
  }
  if (ImGui::MenuItem("Stop comparing", nullptr, false, settings_.against != RoutingAgainst::Nothing)) {
    settings_.against = RoutingAgainst::Nothing;
    forget();
  }
  if (picture().content && menu_place_.mark && *menu_place_.mark < picture().content->marks.size()) {
    const RoutingReason reason = picture().content->marks[*menu_place_.mark].reason;
    const std::string words = fmt::format("Only {} edges", reason_name(reason));
    if (ImGui::MenuItem(words.c_str())) {
      settings_.shown = static_cast<RoutingShown>(static_cast<int>(reason) + 1);
      forget();
    }
  }
  if (ImGui::MenuItem("All reasons", nullptr, false, settings_.shown != RoutingShown::All)) {
    settings_.shown = RoutingShown::All;
    forget();
  }
  if (ImGui::MenuItem("Fit the sequence", nullptr, false, !camera_.follows)) camera_ = {};
  ImGui::Separator();
}

std::string RoutingView::place_text(const RoutingPicture& shown, const RoutingPlace& place) const {
  if (!shown.content) return {};
  std::string text;
  std::vector<std::string> lines;
  if (place.node && *place.node < shown.content->nodes.size()) {
    text = node_title(shown, *place.node);
    lines = node_lines(shown, *place.node);
  } else if (place.mark && *place.mark < shown.content->marks.size()) {
    text = mark_title(shown, shown.content->marks[*place.mark]);
    lines = mark_lines(shown, shown.content->marks[*place.mark]);
  }
  for (const std::string& line : lines) text += "\n" + line;
  return text;
}

RoutingPlace RoutingView::place_or_lock(const RoutingPicture& shown, const Marks& locked) const {
  if (place_.node || place_.mark || !shown.content) return place_;
  RoutingPlace place;
  if (locked.token && *locked.token >= 0 && *locked.token < shown.tokens)
    place.node = shown.content->cut.node_of(*locked.token);
  return place;
}

std::string RoutingView::menu_value(ViewContext& context) const {
  const std::string text = has_picture() ? place_text(picture(), menu_place_) : std::string();
  return text.empty() ? values_text(context) : text;
}

std::string RoutingView::menu_row(ViewContext&) const {
  if (!has_picture() || !picture().content || !menu_place_.mark) return {};
  if (*menu_place_.mark >= picture().content->marks.size()) return {};
  return mark_row(picture(), picture().content->marks[*menu_place_.mark]);
}

std::string RoutingView::values_text(ViewContext& context) const {
  Run* run = context.timeline.current(context.selection.run);
  if (run == nullptr) return {};
  const RoutingPicture shown = whole(context, *run);
  if (!shown.content) return shown.title + "\n" + shown.words;
  std::string text = shown.title + ", " + shown.detail + "\n" + shown.limits;
  const std::string place = place_text(shown, place_or_lock(shown, context.selection.locked));
  if (!place.empty()) return text + "\n" + place;
  for (const RoutingReadout& readout : shown.readouts) {
    text += fmt::format("\nlayer {}\tscope density {}\tmean scope {} tokens", readout.layer,
                        format_number(readout.density), format_number(readout.mean_scope, 3));
  }
  return text;
}

}  // namespace sparsescope::viz
