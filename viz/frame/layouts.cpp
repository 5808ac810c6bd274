// Between ImGui's docking and the JSON of layouts.
#include "viz/frame/layouts.h"

#include <algorithm>
#include <cmath>

#include "imgui_internal.h"
#include "viz/frame/state.h"
#include "viz/frame/time_choices.h"

namespace sparsescope::frame {
namespace {

using nlohmann::json;

constexpr int kFramesToSettle = 4;                      // docking follows within these
constexpr float kLeastWidth = 340, kLeastHeight = 220;  // of a stock view that is any use, at scale 1

// Shares are kept so that a window of any size gets its pixels back.
double rounded(double share) { return std::round(share * 1e5) / 1e5; }

const State::Slot* slot_called(const State& state, const json& id) {
  for (const State::Slot& slot : state.slots) {
    if (id.is_string() && slot.view->id() == id.get_ref<const std::string&>()) return &slot;
  }
  return nullptr;
}

ImGuiID window_id(const State::Slot& slot) { return ImHashStr(window_name(slot).c_str()); }
ImGuiID tab_id(const State::Slot& slot) { return ImHashStr("#TAB", 0, window_id(slot)); }

// --- reading the screen ---

const State::Slot* slot_of(const State& state, const ImGuiWindow* window) {
  for (const State::Slot& slot : state.slots) {
    if (window != nullptr && slot.is_open && window_id(slot) == window->ID) return &slot;
  }
  return nullptr;
}

json leaf_now(const State& state, const ImGuiDockNode& node) {
  json views = json::array(), front;
  const auto take = [&](const ImGuiWindow* window) {
    const State::Slot* slot = slot_of(state, window);
    if (slot == nullptr) return;
    views.push_back(std::string(slot->view->id()));
    if (tab_id(*slot) == node.SelectedTabId) front = views.back();
  };
  if (node.TabBar != nullptr) {
    for (const ImGuiTabItem& tab : node.TabBar->Tabs) take(tab.Window);
  } else {
    for (const ImGuiWindow* window : node.Windows) take(window);
  }
  if (views.empty()) return nullptr;
  return {{"views", views}, {"front", front.is_null() ? views.front() : front}};
}

json node_now(const State& state, const ImGuiDockNode* node) {
  if (node == nullptr) return nullptr;
  if (!node->IsSplitNode()) return leaf_now(state, *node);
  json first = node_now(state, node->ChildNodes[0]), second = node_now(state, node->ChildNodes[1]);
  if (first.is_null()) return second;
  if (second.is_null()) return first;
  const int axis = node->SplitAxis;
  const float a = node->ChildNodes[0]->Size[axis], b = node->ChildNodes[1]->Size[axis];
  return {{"split", axis == ImGuiAxis_X ? "right" : "below"},
          {"share", rounded(a / std::max(1.f, a + b))},
          {"first", std::move(first)},
          {"second", std::move(second)}};
}

json floating_now(const State& state) {
  json floating = json::array();
  const ImVec2 whole = ImGui::GetIO().DisplaySize;
  for (const State::Slot& slot : state.slots) {
    const ImGuiWindow* window = ImGui::FindWindowByID(window_id(slot));
    if (!slot.is_open || window == nullptr || window->DockNode != nullptr || window->DockId != 0) continue;
    floating.push_back(
        {{"view", std::string(slot.view->id())},
         {"at", {rounded(window->Pos.x / whole.x), rounded(window->Pos.y / whole.y)}},
         {"size", {rounded(window->SizeFull.x / whole.x), rounded(window->SizeFull.y / whole.y)}}});
  }
  return floating;
}

// --- building ---

// The tree without views that do not exist and without nodes that hold none; null: nothing is left.
json known_part(const State& state, const json& node) {
  if (!node.is_object()) return nullptr;
  if (node.contains("views")) {
    json views = json::array();
    for (const json& id : node["views"]) {
      if (slot_called(state, id) != nullptr) views.push_back(id);
    }
    if (views.empty()) return nullptr;
    const json front = node.value("front", json());
    const bool has_front = std::find(views.begin(), views.end(), front) != views.end();
    return {{"views", views}, {"front", has_front ? front : views.front()}};
  }
  json first = known_part(state, node.value("first", json())),
       second = known_part(state, node.value("second", json()));
  if (first.is_null()) return second;
  if (second.is_null()) return first;
  const json share = node.value("share", json(0.5));
  return {{"split", node.value("split", json("right")) == "below" ? "below" : "right"},
          {"share", share.is_number() ? std::clamp(share.get<double>(), 0.05, 0.95) : 0.5},
          {"first", std::move(first)},
          {"second", std::move(second)}};
}

std::vector<std::string> views_of(const json& node) {
  std::vector<std::string> ids;
  if (!node.is_object()) return ids;
  if (node.contains("views")) return node["views"].get<std::vector<std::string>>();
  for (const char* part : {"first", "second"}) {
    for (std::string& id : views_of(node[part])) ids.push_back(std::move(id));
  }
  return ids;
}

// Views that were closed get their tabs a frame after the others, and take the front by appearing: puts tabs
// in their order and the right one in front.
void settle(const State& state, ImGuiDockNode* node, const json& wanted) {
  if (node == nullptr || !wanted.is_object()) return;
  if (node->IsSplitNode()) {
    if (!wanted.contains("split")) return;
    settle(state, node->ChildNodes[0], wanted["first"]);
    return settle(state, node->ChildNodes[1], wanted["second"]);
  }
  if (node->TabBar == nullptr || !wanted.contains("views")) return;
  const json& views = wanted["views"];
  const auto place = [&](const ImGuiWindow* window) {
    const State::Slot* slot = slot_of(state, window);
    return slot == nullptr ? views.end()
                           : std::find(views.begin(), views.end(), json(std::string(slot->view->id())));
  };
  // Tabs stand in one order and are drawn in the other.
  std::stable_sort(
      node->TabBar->Tabs.begin(), node->TabBar->Tabs.end(),
      [&](const ImGuiTabItem& a, const ImGuiTabItem& b) { return place(a.Window) < place(b.Window); });
  std::stable_sort(node->Windows.begin(), node->Windows.end(),
                   [&](const ImGuiWindow* a, const ImGuiWindow* b) { return place(a) < place(b); });
  const State::Slot* front = slot_called(state, wanted["front"]);
  if (front == nullptr || !front->is_open) return;
  node->TabBar->NextSelectedTabId = tab_id(*front);
  // A window with the keyboard is always in front.
  const ImGuiWindow* keyboard = ImGui::GetCurrentContext()->NavWindow;
  if (keyboard != nullptr && keyboard->RootWindow->DockNode == node &&
      keyboard->RootWindow->ID != window_id(*front))
    ImGui::FocusWindow(ImGui::FindWindowByID(window_id(*front)));
}

// The tree with views in front that have something to show of `run`, wherever one of a node has.
json fitted(const State& state, json node, const viz::Run& run) {
  if (!node.is_object()) return node;
  if (!node.contains("views")) {
    for (const char* part : {"first", "second"}) node[part] = fitted(state, node[part], run);
    return node;
  }
  const auto applies = [&](const json& id) {
    const State::Slot* slot = slot_called(state, id);
    return slot != nullptr && slot->view->applies(run).does;
  };
  if (applies(node.value("front", json()))) return node;
  const auto better = std::find_if(node["views"].begin(), node["views"].end(), applies);
  if (better != node["views"].end()) node["front"] = json(*better);
  return node;
}

std::string first_front(const json& node) {
  if (!node.is_object()) return "";
  return node.contains("views") ? node["front"].get<std::string>() : first_front(node["first"]);
}

// In a low or narrow window halves that would be no use to anybody stand behind one another as tabs. `room`
// in pixels of scale 1.
json folded(json node, ImVec2 room) {
  if (!node.is_object() || node.contains("views")) return node;
  const int axis = node.value("split", json("right")) == "below" ? ImGuiAxis_Y : ImGuiAxis_X;
  const json given = node.value("share", json(0.5));
  const float share = given.is_number() ? given.get<float>() : 0.5f;
  ImVec2 first = room, second = room;
  first[axis] *= share;
  second[axis] *= 1 - share;
  node["first"] = folded(node["first"], first);
  node["second"] = folded(node["second"], second);
  if (std::min(first[axis], second[axis]) >= (axis == ImGuiAxis_Y ? kLeastHeight : kLeastWidth)) return node;
  const auto leaf = [](json part) {
    json all = json::array();
    for (std::string& id : views_of(part)) all.push_back(std::move(id));
    return all;
  };
  json views = leaf(node["first"]);
  for (json& id : leaf(node["second"])) views.push_back(std::move(id));
  return {{"views", views}, {"front", first_front(node)}};
}

bool is_front(const json& node, const std::string& view) {
  if (!node.is_object()) return false;
  if (node.contains("views")) return node["front"] == view;
  return is_front(node.at("first"), view) || is_front(node.at("second"), view);
}

void build(const State& state, ImGuiID id, const json& node, ImVec2 size) {
  ImGui::DockBuilderSetNodeSize(id, size);
  if (node.contains("views")) {
    for (const json& view : node["views"])
      ImGui::DockBuilderDockWindow(window_name(*slot_called(state, view)).c_str(), id);
    ImGuiDockNode* leaf = ImGui::DockBuilderGetNode(id);
    leaf->SelectedTabId = tab_id(*slot_called(state, node["front"]));
    // No node is the middle that stays when it is empty: the others take its room.
    leaf->SetLocalFlags(leaf->LocalFlags & ~ImGuiDockNodeFlags_CentralNode);
    return;
  }
  const bool is_right = node["split"] == "right";
  const int axis = is_right ? ImGuiAxis_X : ImGuiAxis_Y;
  ImGuiID first = 0, second = 0;
  ImGui::DockBuilderSplitNode(id, is_right ? ImGuiDir_Left : ImGuiDir_Up, 0.5f, &first, &second);
  const float room = size[axis] - ImGui::GetStyle().DockingSeparatorSize;
  ImVec2 first_size = size, second_size = size;
  first_size[axis] = std::round(room * node["share"].get<float>());
  second_size[axis] = room - first_size[axis];
  build(state, first, node["first"], first_size);
  build(state, second, node["second"], second_size);
  ImGui::DockBuilderGetNode(first)->SizeRef = first_size;
  ImGui::DockBuilderGetNode(second)->SizeRef = second_size;
}

void place_floating(const State& state, const json& floating) {
  const ImVec2 whole = ImGui::GetIO().DisplaySize;
  for (const json& entry : floating) {
    const State::Slot* slot = entry.is_object() ? slot_called(state, entry.value("view", json())) : nullptr;
    if (slot == nullptr || !entry.contains("at") || !entry.contains("size")) continue;
    const auto pair = [&](const char* key) {
      const auto numbers = entry[key].get<std::vector<float>>();
      return numbers.size() == 2 ? ImVec2{numbers[0] * whole.x, numbers[1] * whole.y}
                                 : ImVec2{whole.x * 0.4f, whole.y * 0.4f};
    };
    const std::string name = window_name(*slot);
    ImGui::DockBuilderDockWindow(name.c_str(), 0);
    ImGui::SetWindowPos(name.c_str(), pair("at"));
    ImGui::SetWindowSize(name.c_str(), pair("size"));
  }
}

// Views that the layout does not name stand alone.
void take_pairs(State& state, const json& pairs) {
  for (const State::Slot& slot : state.slots) {
    if (!slot.view->can_pair()) continue;
    json settings = slot.view->settings();
    settings["side_by_side"] = false;
    const json pair = pairs.value(std::string(slot.view->id()), json());
    if (pair.is_object()) settings.update(pair);
    slot.view->set_settings(settings);
  }
}

// Without a stock layout: the views in turn on two halves.
json first_layout(const State& state) {
  if (const Layout* overview = stock_layout(state, "overview")) return overview->json;
  json left = json::array(), right = json::array();
  for (std::size_t i = 0; i < state.slots.size(); ++i)
    (i % 2 == 0 ? left : right).push_back(std::string(state.slots[i].view->id()));
  return {
      {"tree",
       {{"split", "right"}, {"share", 0.5}, {"first", {{"views", left}}}, {"second", {{"views", right}}}}}};
}

}  // namespace

std::string window_name(const State::Slot& slot) {
  return std::string(slot.view->title()) + "###view " + std::string(slot.view->id());
}

bool is_in_front(const json& layout, const std::string& view) {
  return layout.is_object() && is_front(layout.at("tree"), view);
}

json layout_now(const State& state) {
  if (!state.layouts.is_drawn) return nullptr;
  const ImGuiDockNode* root = ImGui::DockBuilderGetNode(state.layouts.dock);
  return {{"tree", node_now(state, root)}, {"floating", floating_now(state)}};
}

void apply_layout(State& state, const json& layout) {
  json known = {{"tree", known_part(state, layout.value("tree", json()))},
                {"floating", layout.value("floating", json::array())}};
  std::vector<std::string> open = views_of(known["tree"]);
  for (const json& entry : known["floating"]) {
    if (entry.is_object() && entry.contains("view") && entry["view"].is_string())
      open.push_back(entry["view"]);
  }
  for (State::Slot& slot : state.slots)
    slot.is_open = std::find(open.begin(), open.end(), slot.view->id()) != open.end();
  // A stock layout gives way to a low window; what a person arranged stays.
  known["folds"] = layout.contains("channels");
  state.layouts.wanted = std::move(known);
}

json pairs_now(const State& state) {
  json pairs = json::object();
  for (const State::Slot& slot : state.slots) {
    const json settings = slot.view->settings();
    if (!settings.value("side_by_side", false)) continue;
    json& pair = pairs[std::string(slot.view->id())];
    for (const char* key : {"side_by_side", "link_cameras", "beside_step"}) pair[key] = settings[key];
  }
  return pairs;
}

void show_layout(State& state, const json& layout) {
  json shown = layout;
  const viz::Run* run = state.run();
  if (run != nullptr && run->schema() != nullptr)
    shown["tree"] = fitted(state, shown.value("tree", json()), *run);
  if (const json panels = shown.value("side_panels", json()); panels.is_boolean())
    state.show_side_panels = panels.get<bool>();
  take_time_choices(state, shown.value("time", json()));
  if (const json pairs = shown.value("side_by_side", json()); pairs.is_object()) take_pairs(state, pairs);
  apply_layout(state, shown);
}

void follow_run(State& state, const viz::Run& run) {
  Layouts& layouts = state.layouts;
  if (run.schema() == nullptr || layouts.run == run.id()) return;
  const bool is_first = layouts.kind.empty();
  layouts.run = run.id();
  state.undo.rebase();
  const std::string kind = kind_of(state, run);
  if (kind == layouts.kind) {
    layouts.settling = fitted(state, node_now(state, ImGui::DockBuilderGetNode(layouts.dock)), run);
    layouts.frames_to_settle = kFramesToSettle;
    return;
  }
  if (!is_first) {
    json left = layout_now(state);
    if (left.is_object()) left["time"] = time_choices_now(state);
    layouts.by_kind[layouts.kind] = std::move(left);
  }
  layouts.kind = kind;
  if (layouts.reopened) return apply_layout(state, *std::exchange(layouts.reopened, std::nullopt));
  const auto left = layouts.by_kind.find(kind);
  if (left != layouts.by_kind.end() && left->second.is_object()) return show_layout(state, left->second);
  if (const Layout* layout = default_layout(state, kind)) show_layout(state, layout->json);
}

void arrange(State& state, const Area& area) {
  Layouts& layouts = state.layouts;
  const ImGuiID dock = layouts.dock = ImGui::GetID("dock");
  layouts.is_drawn = true;
  if (!layouts.wanted && ImGui::DockBuilderGetNode(dock) == nullptr) apply_layout(state, first_layout(state));
  if (layouts.frames_to_settle > 0) {
    --layouts.frames_to_settle;
    settle(state, ImGui::DockBuilderGetNode(dock), layouts.settling);
  }
  if (!layouts.wanted) return;
  json wanted = *std::exchange(layouts.wanted, std::nullopt);
  if (wanted["folds"])
    wanted["tree"] =
        folded(wanted["tree"], {area.width() / current_scale(), area.height() / current_scale()});
  ImGui::DockBuilderRemoveNode(dock);
  ImGui::DockBuilderAddNode(dock, static_cast<ImGuiDockNodeFlags>(ImGuiDockNodeFlags_DockSpace));
  ImGui::DockBuilderSetNodePos(dock, area.min);
  ImGui::DockBuilderSetNodeSize(dock, {area.width(), area.height()});
  if (!wanted["tree"].is_null()) build(state, dock, wanted["tree"], {area.width(), area.height()});
  place_floating(state, wanted["floating"]);
  ImGui::DockBuilderFinish(dock);
  layouts.settling = wanted["tree"];
  layouts.frames_to_settle = kFramesToSettle;
  // The keyboard stays where it was when that view is in front of its place, else goes to the first.
  if (state.view_to_show.empty()) {
    const bool stays = is_front(wanted["tree"], state.focused_view);
    state.view_to_show = stays ? state.focused_view : first_front(wanted["tree"]);
  }
  ImGui::SetWindowFocus(nullptr);
}

unsigned place_for(const State& state, const State::Slot& slot) {
  if (const ImGuiWindow* window = ImGui::FindWindowByID(window_id(slot))) {
    if (window->DockId == 0 || ImGui::DockBuilderGetNode(window->DockId) != nullptr) return 0;
  } else if (const ImGuiWindowSettings* first_time = ImGui::FindWindowSettingsByID(window_id(slot))) {
    if (ImGui::DockBuilderGetNode(first_time->DockId) != nullptr) return 0;
  }
  const ImGuiDockNode* node = ImGui::DockBuilderGetNode(state.layouts.dock);
  while (node != nullptr && node->IsSplitNode()) {
    node = node->ChildNodes[node->ChildNodes[0]->IsVisible ? 0 : 1];
  }
  return node != nullptr ? node->ID : 0;
}

}  // namespace sparsescope::frame
