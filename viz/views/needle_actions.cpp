// What can be asked of a trainer about needles, as a row of buttons that wraps.
#include <fmt/format.h>

#include <algorithm>

#include "viz/model/format.h"
#include "viz/views/needle_panes.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/gui_context.h"
#include "viz/widgets/icons.h"

namespace sparsescope::viz {
namespace {

// The next item on the same row when it fits, else on a new one.
void flow(float wanted, float right) {
  ImGui::SameLine(0, px(8));
  if (ImGui::GetCursorScreenPos().x + wanted > right) ImGui::NewLine();
}

float width_of(const std::string& label, bool has_icon) {
  return ImGui::CalcTextSize(label.c_str()).x + 2 * ImGui::GetStyle().FramePadding.x +
         (has_icon ? px(22) : 0);
}

void draw_progress(const AttachedTrainer& trainer, ViewContext& context) {
  const std::string words = trainer.progress_text.empty() ? "Evaluating" : trainer.progress_text;
  if (ui::progress("evaluation", trainer.progress, words)) context.run_command("train.cancel_evaluation");
}

std::string seconds_in_words(double seconds) { return "about " + format_duration(std::max(1.0, seconds)); }

}  // namespace

std::string evaluate_words(const NeedlePicture& picture, const AttachedTrainer* trainer) {
  double seconds = trainer != nullptr ? trainer->held_out_seconds : 0;
  bool is_known = false;
  for (int multiple : picture.scheduled) {
    if (trainer == nullptr) break;
    const auto found =
        std::ranges::find(trainer->evaluations, multiple, &AttachedTrainer::Evaluation::context_multiple);
    if (found == trainer->evaluations.end()) continue;
    seconds += found->seconds;
    is_known = true;
  }
  return is_known ? fmt::format("Evaluate now ({})", seconds_in_words(seconds)) : "Evaluate now";
}

void draw_needle_actions(const NeedlePicture& picture, ViewContext& context) {
  if (context.trainer == nullptr || !context.run_command || current_purpose() != Purpose::Screen) return;
  const AttachedTrainer& trainer = *context.trainer;
  if (trainer.is_evaluating) return draw_progress(trainer, context);
  const float right = ImGui::GetCursorScreenPos().x + ImGui::GetContentRegionAvail().x;
  bool is_first = trainer.evaluations.empty();
  if (!is_first) {
    ImGui::AlignTextToFramePadding();
    ui::muted("Evaluate");
  }
  for (const AttachedTrainer::Evaluation& evaluation : trainer.evaluations) {
    const double seconds = std::max(1.0, evaluation.seconds + trainer.held_out_seconds);
    const std::string label = fmt::format("{}x, {}", evaluation.context_multiple, format_duration(seconds));
    if (!is_first) flow(width_of(label, false), right);
    is_first = false;
    if (ui::button(label.c_str()))
      context.run_command_with("needle.evaluate", fmt::format("{}x", evaluation.context_multiple));
    ui::tooltip(fmt::format("Held-out loss and needles at {} times the training context, now",
                            evaluation.context_multiple),
                evaluation.is_measured ? "About as long as the last one"
                                       : "The time is estimated from the time of a step");
  }
  const auto add = [&](const std::string& label, const char* icon, const char* command, const char* help) {
    if (!is_first) flow(width_of(label, true), right);
    is_first = false;
    const bool is_possible = !context.why_disabled || context.why_disabled(command).empty();
    ImGui::BeginDisabled(!is_possible);
    if (ui::button(label.c_str(), icon)) context.run_command(command);
    ImGui::EndDisabled();
    ui::tooltip(is_possible ? help : context.why_disabled(command));
  };
  add("Needle…", icon::kNeedle, "needle.inject",
      "Hides a needle in the probe text, so that graph, map and inspector show who reads it");
  if (picture.injected)
    add(fmt::format("Depth {}", format_number(picture.injected->depth, 2)), icon::kClose, "needle.remove",
        "Takes the needle out of the probe text again");
  ImGui::Dummy({0, px(2)});
}

}  // namespace sparsescope::viz
