// The dock space: one window per open view, a stock arrangement, and the context each view gets.
#include <fmt/format.h>

#include "imgui_internal.h"
#include "viz/frame/attached_trainer.h"
#include "viz/frame/state.h"
#include "viz/widgets/icons.h"

namespace sparsescope::frame {
namespace {

void draw_all_closed(const Area& area) {
  ImGui::SetCursorScreenPos(area.min);
  ui::empty_state(icon::kChart,
                  "All views are closed. Ctrl+K and \"show\" brings them back, Alt+0 the stock layout.");
}

// A view that a command asked for; its window exists after it was drawn once.
void show_wanted(State& state) {
  if (state.view_to_show.empty()) return;
  for (const State::Slot& slot : state.slots) {
    if (slot.view->id() == state.view_to_show) ImGui::SetWindowFocus(window_name(slot).c_str());
  }
  state.view_to_show.clear();
}

// A run that ended before its first frame has no picture; its reason takes the place.
void draw_failed_start(State& state, const Area& area) {
  if (begin_region("failed", area, Token::Panel, {12, 12})) {
    const TrainerStatus& trainer = *state.trainer;
    const std::string details = fmt::format("{}\npreset\t{}\ndevice\t{}\nrecording\t{}", trainer.message,
                                            preset_to_start(state), trainer.device, state.recorder.path);
    const bool can_retry = state.commands.why_disabled("run.retry").empty();
    if (ui::error_state(trainer.message, details, can_retry)) run_command(state, "run.retry");
  }
  end_region();
}

}  // namespace

void draw_views(State& state, const Area& area) {
  viz::Run* run = state.run();
  if (run != nullptr && state.is_trainers(*run) && state.trainer->state == TrainerStatus::State::Failed &&
      run->schema() == nullptr) {
    return draw_failed_start(state, area);
  }
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 0.f);
  const bool open = begin_region("views", area, Token::Bg, {0, 0});
  ImGui::PopStyleVar();
  const ImGuiID dock = ImGui::GetID("dock");
  if (run != nullptr) follow_run(state, *run);
  if (open) {
    arrange(state, area);
    bool any_open = false;
    for (const State::Slot& slot : state.slots) any_open |= slot.is_open;
    if (!any_open) draw_all_closed(area);
  }
  ImGui::PushStyleColor(ImGuiCol_Border,
                        color4(Token::Bg));  // docking draws the gaps between nodes as borders
  ImGui::DockSpace(dock, {area.width(), area.height()}, ImGuiDockNodeFlags_NoWindowMenuButton);
  ImGui::PopStyleColor();
  end_region();

  viz::ViewContext context{state.timeline, state.selection};
  context.motion = state.appearance.reduce_motion ? viz::Motion::Reduced : viz::Motion::Normal;
  if (state.trainer && !state.trainer->is_over())
    context.post = [&state](const trace::Command& command) { post(state, command); };
  context.run_command = [&state](std::string_view id) { run_command(state, std::string(id)); };
  context.run_command_with = [&state](std::string_view id, const std::string& value) {
    if (const std::string reason = state.commands.run(id, value); !reason.empty())
      state.notify(reason, ui::Tone::Neutral);
  };
  context.why_disabled = [&state](std::string_view id) { return state.commands.why_disabled(id); };
  const std::optional<viz::AttachedTrainer> attached = attached_trainer(state);
  if (attached) context.trainer = &*attached;
  if (run != nullptr) {
    const auto book = state.book.by_run.find(run->uuid());
    if (book != state.book.by_run.end()) context.annotations = &book->second.annotations;
  }

  for (State::Slot& slot : state.slots) {
    if (!slot.is_open) {
      slot.was_visible = false;
      continue;
    }
    const bool applies = run == nullptr || run->schema() == nullptr || slot.view->applies(*run).does;
    // The tab takes its ink from the style in force at Begin: dimmed where the view has nothing to show.
    ImGui::PushStyleColor(ImGuiCol_Text, color4(slot.was_visible && applies ? Token::Text : Token::Muted));
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{px(14), px(10)});
    if (const ImGuiID place = place_for(state, slot)) ImGui::SetNextWindowDockID(place);
    ImGui::SetNextWindowSizeConstraints({px(260), px(180)}, {FLT_MAX, FLT_MAX});
    const bool visible = ImGui::Begin(window_name(slot).c_str(), &slot.is_open, ImGuiWindowFlags_NoCollapse);
    ImGui::PopStyleVar();
    ImGui::PopStyleColor();
    slot.was_visible = visible;
    if (visible) {
      if (ImGui::IsWindowFocused()) state.focused_view = slot.view->id();
      context.size = ImGui::GetContentRegionAvail();
      slot.view->draw(context);
    }
    ImGui::End();
  }
  show_wanted(state);
}

}  // namespace sparsescope::frame
