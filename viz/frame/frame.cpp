// Lays the regions out and draws them in order; keeps nothing but the state they share.
#include "viz/frame/frame.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "engine/trace/error.h"
#include "viz/frame/bookmarks.h"
#include "viz/frame/memory.h"
#include "viz/frame/time_bar.h"

namespace sparsescope::frame {
namespace {

// Lengths at scale 1. Below these widths a side panel would leave the views too little.
constexpr float kGap = 4, kTopBar = 56, kStatusBar = 30, kLeftPanel = 266, kInspector = 306;
constexpr float kNeedsForLeft = 970, kNeedsForInspector = 1360;

struct Regions {
  Area top, left, center, inspector, time, status;
  bool has_left = false, has_inspector = false;
};

Regions lay_out(const ImVec2& size, bool show_side_panels, bool has_runs, float time_height) {
  const float gap = px(kGap), width = size.x, logical = width / current_scale();
  Regions out;
  out.top = {{gap, gap}, {width - gap, gap + px(kTopBar)}};
  out.status = {{0, size.y - px(kStatusBar)}, {width, size.y}};
  const float below_top = out.top.max.y + gap;
  if (!has_runs) {
    out.center = {{gap, below_top}, {width - gap, out.status.min.y - gap}};
    return out;
  }
  out.time = {{gap, out.status.min.y - time_height}, {width - gap, out.status.min.y}};
  // Where a theme enlarges everything, the room that is left goes to the views first.
  const float text = metrics(current_theme()).text;
  out.has_left = show_side_panels && logical >= kNeedsForLeft * text;
  out.has_inspector = show_side_panels && logical >= kNeedsForInspector * text;
  const float bottom = out.time.min.y - gap;
  float left = gap, right = width - gap;
  if (out.has_left) {
    out.left = {{left, below_top}, {left + px(kLeftPanel), bottom}};
    left = out.left.max.x + gap;
  }
  if (out.has_inspector) {
    out.inspector = {{right - px(kInspector), below_top}, {right, bottom}};
    right = out.inspector.min.x - gap;
  }
  out.center = {{left, below_top}, {right, bottom}};
  return out;
}

bool is_recovering(const State& state) {
  const std::optional<Recovery> last = state.host.recovery();
  return last && last->number != state.last_recovery;
}

// What stands over everything else; toasts stay above `toasts_above`.
void draw_overlays(State& state, const Area& toasts_above) {
  draw_dialogs(state);
  draw_settings(state);
  draw_jobs(state);
  draw_palette(state);
  draw_cheat_sheet(state);
  draw_toasts(state, toasts_above);
}

}  // namespace

Frame::Frame(Host& host, viz::Timeline& timeline, Appearance appearance, std::vector<std::string> notes)
    : state_(std::make_unique<State>(host, timeline)) {
  State& state = *state_;
  state.appearance = appearance;
  state.appearance_changed = true;
  state.notes = std::move(notes);
  for (std::unique_ptr<viz::View>& view : viz::make_views()) state.slots.push_back({std::move(view)});
  state.presets = host.presets();
  state.recent = host.recent_files();
  add_commands(state);
  add_undo_commands(state);
  load_layouts(state);
  add_layout_commands(state);
  add_settings(state);
  recall(state);
}

void Frame::prepare() {
  State& state = *state_;
  make_wanted_figure(state);
  if (state.layouts_changed) add_layout_commands(state);
  state.layouts_changed = false;
  keep_settings(state);
  keep_memory(state);
  if (!state.appearance_changed) return;
  apply_theme(state.appearance.theme, state.appearance.scale * state.appearance.monitor_scale);
  state.appearance_changed = false;
}

void Frame::remember_window_size(std::array<int, 2> size) {
  state_->own_size = size;
  keep_memory(*state_);
}

void Frame::set_monitor_scale(float scale) {
  if (scale == state_->appearance.monitor_scale) return;
  state_->appearance.monitor_scale = scale;
  state_->appearance_changed = true;
  state_->undo.rebase();
}

void Frame::begin(double seconds) {
  State& state = *state_;
  state.seconds = seconds;
  if (seconds > 0) state.frame_rate += (1 / seconds - state.frame_rate) * 0.1;
  TrainerLink* trainer = state.host.trainer();
  state.trainer.reset();
  state.recorder = {};
  if (trainer != nullptr) {
    state.trainer = trainer->status();
    state.recorder = trainer->recorder();
    // A run that starts is the one that is shown.
    if (state.trainer_run != trainer->run_id()) {
      state.selection.run = state.trainer_run = trainer->run_id();
      // An experiment says its own budget, unless the settings say another.
      state.budget_is_due = !state.settings.find("budget.probes")->is_standard();
    }
  }
  refresh_commands(state);
  apply_budget(state);
  for (auto& [name, wish] : state.wanted) wish.seconds_left -= seconds;
  std::erase_if(state.wanted, [&](const auto& entry) {
    const State::Wish& wish = entry.second;
    const trace::Control* now = control(state, entry.first);
    return now == nullptr || state.trainer->is_over() || wish.seconds_left <= 0 ||
           std::abs(now->value - wish.value) <= 1e-6 * std::abs(wish.value);
  });
  if (state.recorder.failure != state.last_recorder_failure) {
    state.last_recorder_failure = state.recorder.failure;
    if (!state.recorder.failure.empty()) state.notify(state.recorder.failure, ui::Tone::Error);
  }
  state.timeline.update(seconds, state.selection.run);
  keep_annotations(state);
  keep_time_window(state);
  follow_recovery(state);
  state.jobs.update(state);
  state.selection.begin_frame();
  for (Toast& toast : state.toasts) toast.seconds_left -= seconds;
  std::erase_if(state.toasts, [](const Toast& toast) { return toast.seconds_left <= 0; });
}

void Frame::draw(double seconds) {
  begin(seconds);
  State& state = *state_;
  handle_keys(state);
  const ImVec2 size = ImGui::GetIO().DisplaySize;
  if (size.x != state.window_size.x || size.y != state.window_size.y) state.undo.rebase();
  state.window_size = size;
  state.layouts.is_drawn = false;
  ImGui::GetBackgroundDrawList()->AddRectFilled({0, 0}, size, color(Token::Bg));
  const bool has_runs = !state.timeline.runs().empty() && !state.show_start_page;
  if (state.hide_interface && has_runs) {
    const Area whole{{0, 0}, size};
    draw_views(state, whole);
    draw_overlays(state, {{0, size.y}, size});
    return state.undo.update(state);
  }
  const Regions layout = lay_out(size, state.show_side_panels, has_runs, time_bar_height(state, size));
  draw_top_bar(state, layout.top);
  if (has_runs) {
    if (layout.has_left) draw_side_panel(state, layout.left);
    draw_views(state, layout.center);
    if (layout.has_inspector) draw_inspector(state, layout.inspector);
    draw_time_bar(state, layout.time);
  } else {
    draw_start_page(state, layout.center);
  }
  draw_status_bar(state, layout.status);
  draw_overlays(state, has_runs ? layout.time : layout.status);
  state.undo.update(state);
}

void Frame::draw_view(std::string_view id, double seconds) {
  State& state = *state_;
  const auto slot = std::find_if(state.slots.begin(), state.slots.end(),
                                 [&](const State::Slot& s) { return s.view->id() == id; });
  if (slot == state.slots.end()) {
    throw Error(fmt::format("there is no view '{}'; there are: {}", id, fmt::join(view_ids(), ", ")),
                ExitCode::Usage);
  }
  begin(seconds);
  const ImVec2 size = ImGui::GetIO().DisplaySize;
  ImGui::GetBackgroundDrawList()->AddRectFilled({0, 0}, size, color(Token::Panel));
  if (begin_region("picture", {{0, 0}, size}, Token::Panel, {20, 18})) {
    viz::ViewContext context{state.timeline, state.selection};
    context.size = ImGui::GetContentRegionAvail();
    context.motion = viz::Motion::Reduced;
    slot->view->draw(context);
  }
  end_region();
}

void Frame::spent(double wall, double busy) {
  state_->view_cost.add(wall, busy);
  keep_session(*state_, wall);
}

bool Frame::is_busy() const {
  const State& state = *state_;
  return state.timeline.is_busy() || state.timeline.cursor().is_playing() || !state.toasts.empty() ||
         state.appearance_changed || state.wanted_figure.has_value() || state.layouts.is_settling() ||
         is_recovering(state);
}

bool Frame::is_training() const { return state_->trainer && !state_->trainer->is_over(); }

std::vector<std::string> Frame::view_ids() const {
  std::vector<std::string> ids;
  for (const State::Slot& slot : state_->slots) ids.emplace_back(slot.view->id());
  return ids;
}

Frame::ColorLimits Frame::data_limits() const {
  ColorLimits limits;
  for (const State::Slot& slot : state_->slots) {
    if (const std::optional<double> limit = slot.view->data_limit())
      limits[std::string(slot.view->id())] = *limit;
  }
  return limits;
}

void Frame::set_common_limits(const ColorLimits& limits) {
  for (const State::Slot& slot : state_->slots) {
    if (const auto named = limits.find(std::string(slot.view->id())); named != limits.end())
      slot.view->set_common_limit(named->second);
  }
}

std::vector<std::string> Frame::view_titles() const {
  std::vector<std::string> titles;
  for (const State::Slot& slot : state_->slots) titles.emplace_back(slot.view->title());
  return titles;
}

void Frame::open(const std::string& path) {
  const std::size_t said = state_->toasts.size();
  open_file(*state_, path);
  // A file dropped behind a dialog or on the start page gets its words too.
  if (!state_->start_problem.empty() && state_->toasts.size() == said)
    notify(state_->start_problem, ui::Tone::Error);
}

void Frame::open_all(const std::vector<std::string>& paths) {
  for (std::size_t i = 0; i < std::min(paths.size(), kMostAtOnce); ++i) open(paths[i]);
  if (paths.size() > kMostAtOnce) notify(left_closed_in_words(paths.size(), "files"), ui::Tone::Neutral);
}

void Frame::ask_to_quit() { state_->commands.run("app.quit"); }

bool begin_region(const char* name, const Area& area, Token surface, ImVec2 padding, Scroll scroll) {
  ImGui::SetNextWindowPos(area.min);
  ImGui::SetNextWindowSize({area.width(), area.height()});
  ImGui::PushStyleColor(ImGuiCol_WindowBg, color4(surface));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{px(padding.x), px(padding.y)});
  const bool open = ImGui::Begin(
      name, nullptr,
      ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoResize | ImGuiWindowFlags_NoMove |
          ImGuiWindowFlags_NoCollapse | ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoDocking |
          ImGuiWindowFlags_NoBringToFrontOnFocus |
          (scroll == Scroll::No ? ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse : 0));
  ImGui::PopStyleVar();
  ImGui::PopStyleColor();
  return open;
}

void end_region() { ImGui::End(); }

}  // namespace sparsescope::frame
