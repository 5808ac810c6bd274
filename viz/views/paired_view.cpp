#include "viz/views/paired_view.h"

#include <algorithm>

#include "viz/views/comparison_row.h"
#include "viz/views/staged_view.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/gui_context.h"
#include "viz/widgets/icons.h"

namespace sparsescope::viz {
namespace {

using nlohmann::json;

constexpr float kGap = 12, kPaneTitle = 20;  // lengths at scale 1
constexpr const char* kOwnKeys[] = {"side_by_side", "link_cameras", "beside_step",
                                    "other_run",    "panes",        "beside_camera"};

bool is_camera(const std::string& key) { return key.starts_with("camera"); }

// What both panes have in common: everything, or everything but the camera.
json common_of(json settings, bool links_cameras) {
  if (links_cameras) return settings;
  for (auto it = settings.begin(); it != settings.end();)
    it = is_camera(it.key()) ? settings.erase(it) : std::next(it);
  return settings;
}

json camera_of(const json& settings) {
  json camera = json::object();
  for (const auto& [key, value] : settings.items()) {
    if (is_camera(key)) camera[key] = value;
  }
  return camera;
}

}  // namespace

Pairing PairedView::pairing_of(const ViewContext& context) const {
  Run* run = context.timeline.current(context.selection.run);
  if (run == nullptr || run->schema() == nullptr) return {};
  std::optional<std::uint64_t> step;
  if (beside_step_ >= 0) step = static_cast<std::uint64_t>(beside_step_);
  return pairing(query_frame(context, *run, 1), step);
}

template <typename Act>
auto PairedView::in_pane(ViewContext& context, const Pane& pane, std::size_t place, Act act) const {
  Selection selection = context.selection;
  selection.run = pane.run->id();
  selection.comparison = {};
  const Selection before = selection;
  struct Back {
    Selection& to;
    const Selection &from, &before;
    // What was not touched may meanwhile have been changed by a command.
    ~Back() {
      if (!(from.hover == before.hover)) to.hover = from.hover;
      if (!(from.locked == before.locked)) to.locked = from.locked;
      if (from.brush != before.brush) to.brush = from.brush;
    }
  } back{context.selection, selection, before};
  ViewContext own{context.timeline, selection};
  own.size = context.size;
  own.motion = context.motion;
  own.step = pane.step;
  own.run_command = context.run_command;
  own.run_command_with = context.run_command_with;
  own.why_disabled = context.why_disabled;
  const bool is_selected = place == kOwn;
  if (is_selected) {
    own.post = context.post;
    own.trainer = context.trainer;
    own.annotations = context.annotations;
  }
  return act(*views_[place], own);
}

bool PairedView::shows(const Pairing& panes, std::size_t place) const {
  if (!is_paired_) return (place == kBeside) == panes.beside.has_value();
  const int number = (place == kOwn) == panes.is_own_first ? 1 : 2;
  return panes_ == 0 || panes_ == number;
}

void PairedView::draw(ViewContext& context) {
  const Pairing panes = has_panes() ? pairing_of(context) : Pairing{};
  if (!is_paired_ || !panes.own || !panes.beside) front_ = panes.beside && !is_paired_ ? kBeside : kOwn;
  if (!panes.own || (!is_paired_ && !panes.beside)) {
    share_colors(panes);
    return views_[kOwn]->draw(context);
  }
  ImGui::PushID(id().data(), id().data() + id().size());
  const bool shows_own = shows(panes, kOwn), shows_beside = shows(panes, kBeside);
  if (is_paired_) draw_top(context, panes);
  const ImVec2 at = ImGui::GetCursorScreenPos(), room = ImGui::GetContentRegionAvail();
  const bool shows_both = shows_own && shows_beside;
  const ImVec2 size{shows_both ? std::floor((room.x - px(kGap)) / 2) : room.x, room.y};
  const ImVec2 right{at.x + size.x + px(kGap), at.y};
  if (shows_own) draw_pane(context, *panes.own, kOwn, !shows_both || panes.is_own_first ? at : right, size);
  if (shows_beside) {
    const ImVec2 place = shows_both && panes.is_own_first ? right : at;
    panes.beside ? draw_pane(context, *panes.beside, kBeside, place, size)
                 : draw_missing_pane(context, place, size);
  }
  if (shows_both) {
    const float middle = right.x - px(kGap) / 2;
    ImGui::GetWindowDrawList()->AddLine({middle, at.y}, {middle, at.y + size.y}, color(Token::Line),
                                        line_px(1));
  }
  ImGui::SetCursorScreenPos({at.x, at.y + size.y});
  ImGui::Dummy({0, 0});
  follow_each_other();
  share_colors(panes);
  ImGui::PopID();
}

std::optional<double> PairedView::data_limit() const {
  std::optional<double> largest = views_[kOwn]->data_limit();
  if (!has_panes()) return largest;
  if (const std::optional<double> beside = views_[kBeside]->data_limit(); beside && beside > largest)
    largest = beside;
  return largest;
}

void PairedView::set_common_limit(double limit) {
  common_limit_ = limit;
  for (const std::unique_ptr<View>& view : views_) view->set_common_limit(limit);
}

void PairedView::share_colors(const Pairing& panes) {
  const bool are_together = is_paired_ && panes.beside && shows(panes, kOwn) && shows(panes, kBeside);
  const double limit = common_limit_ > 0 ? common_limit_ : are_together ? data_limit().value_or(0) : 0;
  for (const std::unique_ptr<View>& view : views_) view->set_common_limit(limit);
}

// What differs between the runs, and the switches.
void PairedView::draw_top(ViewContext& context, const Pairing& panes) {
  draw_comparison(panes.banner, context.timeline.window().axis());
  if (current_purpose() != Purpose::Screen) return;
  if (has_camera()) {
    bool links = links_cameras_;
    if (ui::toggle("Link cameras", links)) change(context, "link_cameras", links);
    ui::tooltip("Zoom and pan of one side are those of the other");
    ImGui::SameLine(0, px(18));
  }
  bool is_paired = true;
  if (ui::toggle("Side by side", is_paired)) change(context, "side_by_side", false);
  if (!context.run_command) return;
  ImGui::SameLine(0, px(18));
  if (ImGui::SmallButton("Another run…")) context.run_command("compare.pick");
}

// By the command of the setting where there is a window, as the palette would.
void PairedView::change(ViewContext& context, const char* setting, bool value) {
  if (context.run_command) return context.run_command("view." + std::string(id()) + "." + setting);
  set_settings({{setting, value}});
}

void PairedView::draw_pane(ViewContext& context, const Pane& pane, std::size_t place, ImVec2 at,
                           ImVec2 size) {
  ImGui::SetCursorScreenPos(at);
  ImGui::PushID(static_cast<int>(place));
  if (ImGui::BeginChild("pane", size, ImGuiChildFlags_None,
                        ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse)) {
    const ImVec2 title = ImGui::GetCursorScreenPos();
    ImDrawList* list = ImGui::GetWindowDrawList();
    const float letter = text_size(Font::SemiBold, kSmallText, pane.letter.c_str()).x + px(8);
    draw_text(list, Font::SemiBold, kSmallText, title, color(run_token(static_cast<int>(pane.run->id()))),
              pane.letter.c_str());
    draw_text_within(list, Font::Regular, kSmallText, {title.x + letter, title.y}, size.x - letter,
                     color(Token::Muted), pane.words);
    ImGui::Dummy({size.x, px(kPaneTitle)});
    if (ImGui::IsWindowHovered(ImGuiHoveredFlags_ChildWindows) &&
        (pointer_moved() || ImGui::IsAnyMouseDown()))
      front_ = place;
    const ImVec2 whole = context.size;
    context.size = ImGui::GetContentRegionAvail();
    in_pane(context, pane, place, [](View& view, ViewContext& own) { view.draw(own); });
    context.size = whole;
  }
  ImGui::EndChild();
  ImGui::PopID();
}

void PairedView::draw_missing_pane(ViewContext& context, ImVec2 at, ImVec2 size) {
  constexpr const char* kPick = "compare.pick";
  const bool can_ask = context.run_command && context.why_disabled;
  const std::string reason = can_ask ? context.why_disabled(kPick) : std::string();
  ImGui::SetCursorScreenPos(at);
  if (ImGui::BeginChild("missing", size)) {
    const std::string words = kPickSecondRun + std::string(reason.empty() ? "" : ": " + reason);
    if (ui::empty_state(icon::kChart, words, can_ask && reason.empty() ? "Pick a second run…" : nullptr))
      context.run_command(kPick);
  }
  ImGui::EndChild();
}

// What was changed in one pane since the last frame is the other's, too.
void PairedView::follow_each_other() {
  const json own = views_[kOwn]->settings(), beside = views_[kBeside]->settings();
  const json own_common = common_of(own, links_cameras_), beside_common = common_of(beside, links_cameras_);
  if (own_common == beside_common) {
    agreed_ = own_common;
    return;
  }
  const std::size_t leads = own_common == agreed_ ? kBeside : kOwn, follows = 1 - leads;
  json given = leads == kOwn ? own_common : beside_common;
  if (!links_cameras_) given.update(camera_of(follows == kOwn ? own : beside));
  views_[follows]->set_settings(given);
  agreed_ = common_of(std::move(given), links_cameras_);
}

Twin PairedView::twin(ViewContext& context) const {
  const Pairing panes = has_panes() ? pairing_of(context) : Pairing{};
  if (!panes.own) return views_[kOwn]->twin(context);
  const auto twin_in = [&](const Pane& pane, std::size_t place) {
    return in_pane(context, pane, place, [](View& view, ViewContext& own) { return view.twin(own); });
  };
  std::optional<Twin> own, beside;
  if (shows(panes, kOwn)) own = twin_in(*panes.own, kOwn);
  if (panes.beside && shows(panes, kBeside)) beside = twin_in(*panes.beside, kBeside);
  return paired_twin(panes, own, beside);
}

std::string PairedView::values_text(ViewContext& context) const {
  const Pairing panes = has_panes() ? pairing_of(context) : Pairing{};
  if (!panes.own) return views_[kOwn]->values_text(context);
  std::string text;
  const auto add = [&](const Pane& pane, std::size_t place) {
    if (!shows(panes, place)) return;
    text += (text.empty() ? "" : "\n\n") + pane.letter + ": " + pane.words + "\n";
    text += in_pane(context, pane, place, [](View& view, ViewContext& own) { return view.values_text(own); });
  };
  if (panes.beside && !panes.is_own_first) add(*panes.beside, kBeside);
  add(*panes.own, kOwn);
  if (panes.beside && panes.is_own_first) add(*panes.beside, kBeside);
  return text;
}

bool PairedView::walk(ViewContext& context, Walk key) {
  const Pairing panes = has_panes() ? pairing_of(context) : Pairing{};
  if (!panes.own) return views_[kOwn]->walk(context, key);
  const std::size_t place = !panes.beside ? kOwn : is_paired_ ? front_ : kBeside;
  return in_pane(context, place == kOwn ? *panes.own : *panes.beside, place,
                 [key](View& view, ViewContext& own) { return view.walk(own, key); });
}

json PairedView::settings() const {
  json all = views_[kOwn]->settings();
  all["side_by_side"] = is_paired_;
  all["link_cameras"] = links_cameras_;
  all["other_run"] = shows_other_;
  all["beside_step"] = beside_step_;
  if (panes_ != 0) all["panes"] = panes_;
  if (!links_cameras_) all["beside_camera"] = camera_of(views_[kBeside]->settings());
  return all;
}

void PairedView::set_settings(const json& settings) {
  if (!settings.is_object()) return;
  const auto whole = [&](const char* key, std::int64_t least, std::int64_t most, std::int64_t otherwise) {
    const auto found = settings.find(key);
    if (found == settings.end() || !found->is_number_integer()) return otherwise;
    const auto value = found->get<std::int64_t>();
    return value >= least && value <= most ? value : otherwise;
  };
  const auto take = [&](const char* key, bool& value) {
    if (const auto found = settings.find(key); found != settings.end() && found->is_boolean())
      value = found->get<bool>();
  };
  take("side_by_side", is_paired_);
  take("link_cameras", links_cameras_);
  take("other_run", shows_other_);
  beside_step_ = whole("beside_step", -1, std::int64_t{1} << 53, beside_step_);
  panes_ = static_cast<int>(whole("panes", 0, 2, 0));
  json own = settings;
  for (const char* key : kOwnKeys) own.erase(key);
  views_[kOwn]->set_settings(own);
  json beside = common_of(own, links_cameras_);
  if (const auto camera = settings.find("beside_camera");
      !links_cameras_ && camera != settings.end() && camera->is_object())
    beside.update(*camera);
  views_[kBeside]->set_settings(beside);
  agreed_ = common_of(views_[kOwn]->settings(), links_cameras_);
}

}  // namespace sparsescope::viz
