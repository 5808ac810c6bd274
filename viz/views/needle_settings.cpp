// What a person sets of the needle view: the popover, the menu of comparisons, and the same as JSON.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "viz/model/format.h"
#include "viz/views/comparison_row.h"
#include "viz/views/needle_view.h"
#include "viz/views/settings.h"
#include "viz/widgets/controls.h"

namespace sparsescope::viz {

bool NeedleView::draw_settings(ViewContext& context) {
  bool changed = choose_time_axis(context);
  constexpr std::array<const char*, 2> kUnits = {"nats", "share of the ceiling"};
  ui::muted("Signal");
  int unit = settings_.as_share ? 1 : 0;
  if (ui::segmented("unit", kUnits, unit)) {
    settings_.as_share = unit == 1;
    changed = true;
  }
  constexpr std::array<const char*, 2> kCounts = {"whole answers", "answer tokens"};
  ui::muted("Count as found");
  int count = static_cast<int>(settings_.accuracy);
  if (ui::segmented("count", kCounts, count)) {
    settings_.accuracy = static_cast<NeedleAccuracy>(count);
    changed = true;
  }
  changed |= ui::toggle("Difference in signal instead of answers found", settings_.show_difference);
  if (settings_.show_difference && settings_.against_step >= 0) {
    ui::muted("Against step " + format_count(settings_.against_step));
    if (ImGui::SmallButton("Against the pinned baseline")) {
      settings_.against_step = -1;
      changed = true;
    }
  }
  return choose_limit() || changed;
}

bool NeedleView::choose_limit() {
  const std::optional<double> of_data = data_limit();
  if (!of_data) return false;
  bool is_chosen = settings_.limit > 0;
  ui::muted("Colours end");
  bool changed = ui::toggle("at a value of my choice", is_chosen);
  if (changed) settings_.limit = is_chosen ? picture().difference.limits.maximum : 0;
  if (settings_.limit > 0)
    changed |= ui::slider("limit", settings_.limit, *of_data / 10, *of_data * 10, ui::Steps::Logarithmic, 160,
                          format_number(settings_.limit, 3));
  return changed;
}

std::optional<double> NeedleView::data_limit() const {
  if (!has_picture() || !picture().difference.is_shown() || picture().difference.data_limit <= 0)
    return std::nullopt;
  return picture().difference.data_limit;
}

void NeedleView::set_common_limit(double limit) {
  if (limit == settings_.common_limit) return;
  settings_.common_limit = limit;
  forget();
}

void NeedleView::draw_menu(ViewContext& context) {
  const bool has_step = menu_ && menu_->run < picture().runs.size() &&
                        menu_->context < picture().runs[menu_->run].contexts.size() &&
                        picture().runs[menu_->run].contexts[menu_->context].step;
  if (ImGui::MenuItem("Go to this evaluation", nullptr, false, has_step))
    jump(context, *picture().runs[menu_->run].contexts[menu_->context].step);
  choose_against(context);
  const auto command = [&](const char* words, const char* keys, const char* id) {
    const bool possible = context.run_command && context.why_disabled && context.why_disabled(id).empty();
    if (ImGui::MenuItem(words, keys, false, possible)) context.run_command(id);
  };
  command("Evaluate at a context…", "Alt+E", "needle.evaluate");
  command("Hide a needle…", "Alt+N", "needle.inject");
}

// What the grid's difference is taken against.
void NeedleView::choose_against(const ViewContext& context) {
  const auto against = [&](std::int64_t step) {
    settings_.show_difference = true;
    settings_.against_step = step;
    forget();
  };
  const auto step_words = [](std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); };
  const std::string here = "Compare later evaluations with step " + step_words(picture().cursor_step);
  if (ImGui::MenuItem(here.c_str())) against(static_cast<std::int64_t>(picture().cursor_step));
  if (const auto& pinned = context.selection.locked.step) {
    const std::string words = "Difference to the pinned step " + step_words(*pinned);
    if (ImGui::MenuItem(words.c_str())) against(static_cast<std::int64_t>(*pinned));
  }
  offer_second_run_in_menu(context);
  if (ImGui::MenuItem("Difference to the pinned baseline", nullptr, false, picture().baseline.has_value()))
    against(-1);
  if (ImGui::MenuItem("Stop comparing", nullptr, false, settings_.show_difference)) {
    settings_.show_difference = false;
    forget();
  }
}

nlohmann::json NeedleView::settings() const {
  return {{"as_share", settings_.as_share},
          {"answer_tokens", settings_.accuracy == NeedleAccuracy::AnswerTokens},
          {"difference", settings_.show_difference},
          {"against_step", settings_.against_step},
          {"limit", settings_.limit}};
}

void NeedleView::set_settings(const nlohmann::json& settings) {
  bool tokens = settings_.accuracy == NeedleAccuracy::AnswerTokens;
  take_switches(settings, {{"as_share", &settings_.as_share},
                           {"answer_tokens", &tokens},
                           {"difference", &settings_.show_difference}});
  if (settings.is_object()) {
    if (const auto it = settings.find("against_step"); it != settings.end() && it->is_number_integer())
      settings_.against_step = std::max<std::int64_t>(-1, it->get<std::int64_t>());
    if (const auto it = settings.find("limit"); it != settings.end() && it->is_number())
      settings_.limit = std::max(0.0, it->get<double>());
  }
  settings_.accuracy = tokens ? NeedleAccuracy::AnswerTokens : NeedleAccuracy::WholeAnswers;
  forget();
}

}  // namespace sparsescope::viz
