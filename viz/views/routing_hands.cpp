// What a person does to the routing graph with pointer, keys and context menu, and what can be copied of it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "viz/model/annotations.h"
#include "viz/model/format.h"
#include "viz/model/routing_words.h"
#include "viz/model/token_lock.h"
#include "viz/views/comparison_row.h"
#include "viz/views/routing_view.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::viz {
namespace {

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
