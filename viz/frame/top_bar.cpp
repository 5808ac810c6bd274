// The first line: which experiment, the train button with the state in words, the numbers, and the controls
// of a live run.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/frame/control_values.h"
#include "viz/frame/overhead_meter.h"
#include "viz/frame/state.h"
#include "viz/model/format.h"
#include "viz/widgets/icons.h"

namespace sparsescope::frame {
namespace {

constexpr float kBlock = 124;  // width of a labelled slider, at scale 1

void set_control(State& state, const trace::Control& control, double value) {
  state.commands.run("control." + control.name + ".set", fmt::format("{:.17g}", value));
}

// A label over a slider, its value in words beside the label; sets as it moves.
void labelled_slider(State& state, const trace::Control& control, const char* label, float width) {
  ImGui::PushID(control.name.c_str());
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const double current = control_value(state, control);
  const std::string words = control_words(control, current);
  const ImVec2 size = text_size(Font::Mono, kSmallText - 0.5f, words.c_str());
  draw_text(list, Font::Regular, kSmallText - 1, {at.x, at.y + px(1)}, color(Token::Muted), label);
  draw_text(list, Font::Mono, kSmallText - 0.5f, {at.x + px(width) - size.x, at.y}, color(Token::Text),
            words.c_str());
  ImGui::SetCursorScreenPos({at.x, at.y + px(16)});
  const ui::Steps steps = control.is_logarithmic ? ui::Steps::Logarithmic : ui::Steps::Linear;
  // No limit is the fastest pace, so it stands at the right end.
  const bool is_pace = control.name == "pace";
  double value = is_pace && current <= 0 ? control.maximum : current;
  if (ui::slider("slider", value, control.minimum, control.maximum, steps, width, "")) {
    if (is_pace) value = value >= control.maximum * 0.99 ? 0 : std::max(value, 0.1);
    if (value != current) set_control(state, control, value);
  }
  ui::tooltip(control.text, fmt::format("{} to {}", viz::format_number(control.minimum, 4),
                                        viz::format_number(control.maximum, 4)));
  ImGui::PopID();
}

// A typed number; at the end of its range a control of this kind does nothing, and says so.
void labelled_field(State& state, const trace::Control& control, const char* label, float width) {
  ImGui::PushID(control.name.c_str());
  double value = control_value(state, control);
  const bool is_off = is_none(control, value);
  ui::muted(std::string(label) + (is_off ? ", none" : ""));
  ImGui::SetNextItemWidth(px(width - 80));
  if (ImGui::InputDouble("##value", &value, 0.1, 0, is_off ? "" : "%.4g",
                         ImGuiInputTextFlags_EnterReturnsTrue))
    set_control(state, control, std::clamp(value, control.minimum, control.maximum));
  ui::tooltip(control.text);
  ImGui::SameLine();
  ImGui::BeginDisabled(is_off);
  if (ImGui::Button("None", {px(66), 0})) state.commands.run("control." + control.name + ".none");
  ImGui::EndDisabled();
  ImGui::PopID();
}

void train_button(State& state) {
  using S = TrainerStatus::State;
  std::string words = "Train", glyph = icon::kPlay;
  ui::Tone tone = ui::Tone::Accent;
  std::string why_not = state.commands.why_disabled("train.toggle");
  if (state.trainer && !state.trainer->is_over()) {
    switch (state.trainer->state) {
      case S::Preparing:
        words = "Preparing", glyph = icon::kWaiting;
        break;
      case S::Training:
        words = "Training", glyph = icon::kPause;
        break;
      case S::Evaluating:
        words = "Evaluating", glyph = icon::kPause;
        break;
      case S::Paused:
        words = "Paused", glyph = icon::kPlay, tone = ui::Tone::Warn;
        break;
      default:
        break;
    }
  } else if (!why_not.empty()) {
    words = "Replay", glyph = icon::kDemo, tone = ui::Tone::Neutral;
  }
  FontScope font(Font::Medium, kBodyText);
  const bool is_disabled = !why_not.empty();
  if (ui::button((words + "###train").c_str(), glyph.c_str(), tone, {px(124), px(36)}) && !is_disabled)
    state.commands.run("train.toggle");
  if (is_disabled) {
    ui::tooltip(why_not);
  } else {
    const bool starts = !state.trainer || state.trainer->is_over();
    ui::tooltip(
        starts ? "Train the preset " + preset_to_start(state) : state.commands.find("train.toggle")->words,
        "T");
  }
}

// A button of a command, dimmed with its reason while it may not run.
void command_button(State& state, const char* id, const char* icon, ui::Tone tone = ui::Tone::Neutral) {
  const viz::UiCommand* command = state.commands.find(id);
  const std::string reason = state.commands.why_disabled(id);
  ImGui::BeginDisabled(!reason.empty());
  if (ui::icon_button(id, icon, command->words.c_str(), tone)) state.commands.run(id);
  ImGui::EndDisabled();
  if (!reason.empty() && ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled))
    ImGui::SetTooltip("%s", reason.c_str());
}

void advanced_popup(State& state) {
  ImGui::SetNextWindowSizeConstraints({px(320), 0}, {px(360), px(700)});
  if (!ImGui::BeginPopup("advanced")) return;
  ui::heading("Live controls");
  ui::muted("Applied between steps, recorded as events");
  ImGui::Spacing();
  for (const trace::Control& control : state.trainer->controls) {
    const std::string label = control_title(control);
    if (control.is_switch) {
      bool on = control_value(state, control) != 0;
      ImGui::PushID(control.name.c_str());
      if (ui::toggle(label.c_str(), on)) state.commands.run("control." + control.name + ".toggle");
      ui::tooltip(control.text);
      ImGui::PopID();
    } else if (is_typed(control)) {
      labelled_field(state, control, label.c_str(), 300);
    } else {
      labelled_slider(state, control, label.c_str(), 300);
    }
  }
  ImGui::Spacing();
  ImGui::Separator();
  ImGui::Spacing();
  for (const char* id :
       {"train.pause_at", "train.evaluate", "train.evaluate_long", "train.checkpoint", "train.stop"}) {
    const viz::UiCommand* command = state.commands.find(id);
    const std::string reason = state.commands.why_disabled(id);
    if (ImGui::MenuItem(command->words.c_str(), nullptr, false, reason.empty())) state.commands.run(id);
  }
  ImGui::EndPopup();
}

void search_box(State& state, const Area& area, float width) {
  const ImVec2 at{area.max.x - px(12) - width, area.min.y + (area.height() - px(32)) / 2};
  ImGui::SetCursorScreenPos(at);
  if (ImGui::InvisibleButton("search", {width, px(32)}, ImGuiButtonFlags_EnableNav))
    state.commands.run("window.palette");
  const bool hovered = ImGui::IsItemHovered();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 corner{at.x + width, at.y + px(32)};
  list->AddRectFilled(at, corner, color(Token::Raised), px(4));
  list->AddRect(at, corner, color(hovered ? Token::Faint : Token::Line), px(4));
  const std::string keys = "Ctrl+K";
  const ImVec2 size = text_size(Font::Mono, kSmallText - 1, keys.c_str());
  float key_left = at.x + (width - size.x) / 2;  // alone in the middle, or at the end
  for (const char* words : {"Search commands", "Search"}) {
    const ImVec2 extent = text_size(Font::Regular, kSmallText, words);
    if (width <= extent.x + size.x + px(28)) continue;
    draw_text(list, Font::Regular, kSmallText, {at.x + px(12), at.y + (px(32) - extent.y) / 2},
              color(Token::Muted), words);
    key_left = corner.x - px(10) - size.x;
    break;
  }
  draw_text(list, Font::Mono, kSmallText - 1, {key_left, at.y + (px(32) - size.y) / 2}, color(Token::Muted),
            keys.c_str());
}

std::string fraction_words(std::uint64_t planned) {
  return planned > 0 ? fmt::format("/ {}", viz::format_count(static_cast<std::int64_t>(planned))) : "";
}

// Step and rates of the trainer while it is followed, else what stands under the cursor of the selected run.
void numbers(State& state, float& x, float y, float limit, bool has_room) {
  struct Number {
    std::string value, behind;
    const char* label;
    const char* widest;
  };
  std::vector<Number> shown;
  viz::Run* run = state.run();
  if (state.shows_trainer()) {
    const TrainerStatus& t = *state.trainer;
    shown.push_back({viz::format_count(static_cast<std::int64_t>(t.step)), fraction_words(t.planned_steps),
                     "step", "0,000"});
    if (t.step > 0) {
      shown.push_back({viz::format_fixed(t.loss_nats, 3), "", "loss, nats", "00.000"});
      shown.push_back({viz::format_quantity(t.tokens_per_second), "", "tokens/s", "000.0 k"});
      if (!t.is_over() && t.seconds_left > 0 && has_room)
        shown.push_back({viz::format_duration(t.seconds_left), "", "left", "00 min 00 s"});
    }
  } else if (run != nullptr && run->rows() > 0) {
    shown.push_back({viz::format_count(static_cast<std::int64_t>(state.timeline.cursor().step())),
                     fraction_words(run->newest_step()), "step", "0,000"});
    const viz::Track* scalars = run->track("scalars");
    if (scalars != nullptr && scalars->size() > 0) {
      const std::size_t sample =
          run->sample_at_or_before(*scalars, state.timeline.cursor().step()).value_or(0);
      if (const viz::Series* loss = run->series("scalars", {"cross_entropy"})) {
        shown.push_back({viz::format_fixed(loss->at(sample), 3), "", "loss, nats", "00.000"});
      }
      if (const viz::Series* rate = run->series("scalars", {"tokens_per_second"})) {
        shown.push_back({viz::format_quantity(rate->at(sample)), "", "tokens/s", "000.0 k"});
      }
    }
  }
  for (const Number& number : shown) {
    const float width = std::max(
        {text_size(Font::MonoMedium, 16, number.value.c_str()).x +
             (number.behind.empty() ? 0 : px(6) + text_size(Font::Mono, 12, number.behind.c_str()).x),
         text_size(Font::Regular, 12, number.label).x, text_size(Font::MonoMedium, 16, number.widest).x});
    if (x + width > limit) return;
    ImGui::SetCursorScreenPos({x, y});
    ui::stat(number.value, number.behind, number.label, number.widest);
    x += width + px(20);
  }
}

std::string crumb(State& state) {
  viz::Run* run = state.run();
  if (run == nullptr) return "";
  return run_title(state, *run);  // the person's name for it, else its own
}

}  // namespace

void draw_top_bar(State& state, const Area& area) {
  if (begin_region("top", area, Token::Panel, {12, 8})) {
    ImDrawList* list = ImGui::GetWindowDrawList();
    const float middle = (area.min.y + area.max.y) / 2;
    const float logical = area.width() / current_scale();
    float x = area.min.x + px(14);
    const ImVec2 brand = text_size(Font::SemiBold, kBodyText, "Sparsescope");
    if (logical > 760 || state.run() == nullptr) {
      draw_text(list, Font::SemiBold, kBodyText, {x, middle - brand.y / 2}, color(Token::Text),
                "Sparsescope");
      x += brand.x + px(18);
    }
    if (const std::string where = crumb(state);
        !where.empty() && (logical > 1700 || (logical > 1000 && !state.trainer))) {
      const ImVec2 size = text_size(Font::Regular, kBodyText - 0.5f, where.c_str());
      x += draw_text_within(list, Font::Regular, kBodyText - 0.5f, {x, middle - size.y / 2}, px(260),
                            color(Token::Muted), where)
               .width +
           px(18);
    }
    const float search = px(logical > 1750 || (logical > 1200 && !state.trainer) ? 230 : 84);
    const float limit = area.max.x - px(24) - search - px(34);
    if (state.run() != nullptr || state.trainer) {
      ImGui::SetCursorScreenPos({x, middle - px(18)});
      train_button(state);
      x += px(124) + px(8);
      if (state.trainer && !state.trainer->is_over()) {
        ImGui::SetCursorScreenPos({x, middle - px(13)});
        command_button(state, "train.step", icon::kStepForward);
        ImGui::SameLine(0, px(2));
        command_button(state, "train.evaluate", icon::kTarget);
        ImGui::SameLine(0, px(2));
        command_button(state, "train.checkpoint", icon::kSave);
        ImGui::SameLine(0, px(2));
        command_button(state, "train.stop", icon::kStop);
        x += px(4 * 28);
      }
      x += px(14);
      numbers(state, x, area.min.y + px(9), limit, logical > 1750 || !state.trainer);
      if (x + overhead_meter_width() < limit) {
        draw_overhead_meter(state, {x, area.min.y + px(9)});
        x += overhead_meter_width() + px(16);
      }
      if (state.trainer && !state.trainer->is_over()) {
        const struct {
          const char* name;
          const char* label;
        } basic[] = {{"pace", "Pace"},
                     {"sparsity_weight", "Sparsity weight"},
                     {"learning_rate_scale", "Learning rate"}};
        for (const auto& entry : basic) {
          const trace::Control* found = control(state, entry.name);
          if (found == nullptr || x + px(kBlock) > limit - px(34)) continue;
          ImGui::SetCursorScreenPos({x, area.min.y + px(9)});
          labelled_slider(state, *found, entry.label, kBlock);
          x += px(kBlock) + px(18);
        }
        if (!state.trainer->controls.empty()) {
          ImGui::SetCursorScreenPos({x, middle - px(13)});
          if (ui::icon_button("advanced button", icon::kTune, "Advanced: every live control",
                              ui::Tone::Neutral))
            ImGui::OpenPopup("advanced");
          advanced_popup(state);
        }
      }
    }
    ImGui::SetCursorScreenPos({area.max.x - px(20) - search - px(28), middle - px(13)});
    if (ui::icon_button("theme button", current_theme() == Theme::Dark ? icon::kDay : icon::kNight,
                        "Next theme: dark, light, projector, high contrast"))
      state.commands.run("window.theme");
    search_box(state, area, search);
  }
  end_region();
}

}  // namespace sparsescope::frame
