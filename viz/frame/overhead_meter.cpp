#include "viz/frame/overhead_meter.h"

#include <fmt/format.h>

#include <algorithm>

#include "imgui_internal.h"
#include "viz/frame/control_values.h"
#include "viz/model/format.h"
#include "viz/model/watching.h"
#include "viz/widgets/icons.h"

namespace sparsescope::frame {
namespace {

constexpr const char* kLabel = "cost of watching";
constexpr double kLeastBudget = 0.5, kMostBudget = 10;  // percent, of the slider

viz::WatchingFacts facts_of(State& state) {
  const viz::Run* run = state.run();
  if (run == nullptr) return {};
  const viz::Cursor& cursor = state.timeline.cursor();
  return viz::watching_facts(*run, cursor.is_following() ? run->newest_step() : cursor.step());
}

Token ink_of(const viz::WatchingFacts& facts) {
  switch (facts.state) {
    case viz::WatchingState::NotRecorded:
    case viz::WatchingState::Measuring:
      return Token::Muted;
    case viz::WatchingState::Paused:
      return Token::Warn;
    case viz::WatchingState::Estimated:
    case viz::WatchingState::Measured:
      return facts.is_over_budget() ? Token::Warn : Token::Text;
  }
  return Token::Text;
}

std::string budget_words(const viz::WatchingFacts& facts) {
  if (!facts.budget) return "no budget is recorded";
  return *facts.budget > 0 ? "budget " + viz::format_number(*facts.budget, 3) + " %" : "no budget";
}

std::string headline(const viz::WatchingFacts& facts) {
  switch (facts.state) {
    case viz::WatchingState::NotRecorded:
      return "This run does not record what watching costs, or has not yet";
    case viz::WatchingState::Paused:
      return "Nothing is watched: no probe is taken and no text is written";
    case viz::WatchingState::Measuring:
      return "Measuring: the first windows with and without probes are not through yet";
    case viz::WatchingState::Estimated:
      return "Estimated from the time probes take; measured by windows without them every few minutes";
    case viz::WatchingState::Measured:
      return "Probes as measured, by steps with them against as many without, and the time of text samples";
  }
  return {};
}

// A bar from nothing to twice the budget, with the budget as a tick.
void draw_bar(const viz::WatchingFacts& facts) {
  if (!facts.cost() || !facts.budget || *facts.budget <= 0) return;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, height = px(6);
  const double whole = std::max(2 * *facts.budget, *facts.cost());
  const auto x = [&](double percent) {
    return at.x + width * static_cast<float>(std::clamp(percent / whole, 0.0, 1.0));
  };
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(at, {at.x + width, at.y + height}, color(Token::Line), height / 2);
  list->AddRectFilled(at, {x(*facts.cost()), at.y + height},
                      color(facts.is_over_budget() ? Token::Warn : Token::Accent), height / 2);
  list->AddLine({x(*facts.budget), at.y - px(3)}, {x(*facts.budget), at.y + height + px(3)},
                color(Token::Text), px(2));
  ImGui::Dummy({width, height + px(4)});
}

void draw_controls(State& state) {
  const viz::Run* run = state.run();
  if (run == nullptr || !state.trains(*run)) {
    ui::wrapped("Budget and pausing belong to a run that is trained in this window", Token::Muted);
    return;
  }
  if (const trace::Control* budget = control(state, "probe_budget")) {
    double value = control_value(state, *budget);
    ui::muted("Budget");
    if (ui::slider("budget", value, kLeastBudget, kMostBudget, ui::Steps::Logarithmic, 210,
                   value > 0 ? viz::format_number(value, 2) + " %" : "none"))
      state.commands.run("control.probe_budget.set", fmt::format("{:.3g}", value));
    ui::tooltip(budget->text);
  }
  if (const trace::Control* watching = control(state, "watching")) {
    bool is_paused = control_value(state, *watching) == 0;
    if (ui::toggle("Pause all watching", is_paused)) state.commands.run("control.watching.toggle");
    ui::tooltip(watching->text);
  }
}

void draw_popover(State& state, const viz::WatchingFacts& facts) {
  ImGui::SetNextWindowSizeConstraints({px(340), 0}, {px(380), px(700)});
  if (!ImGui::BeginPopup("watching")) return;
  {
    FontScope font(Font::SemiBold, kBodyText);
    ImGui::Text("Cost of watching: %s", viz::watching_value(facts).c_str());
  }
  ui::muted("percent of training time; " + budget_words(facts));
  ImGui::Dummy({0, px(2)});
  draw_bar(facts);
  ui::wrapped(headline(facts), Token::Muted);
  if (facts.state != viz::WatchingState::NotRecorded) {
    if (facts.is_over_budget()) ui::wrapped("Over budget: " + viz::watching_measures(facts), Token::Warn);
    ImGui::Separator();
    for (const viz::WatchingRow& row : viz::watching_rows(facts, state.view_cost.processor_share())) {
      ui::row(row.label, row.value, Token::Text);
      ui::tooltip(row.detail);
    }
    const viz::Run* run = state.run();
    if (run != nullptr && facts.step != state.timeline.cursor().step())
      ui::muted("from step " + viz::format_count(static_cast<std::int64_t>(facts.step)));
  }
  ImGui::Separator();
  draw_controls(state);
  ImGui::Separator();
  if (ui::button("Copy as a table", icon::kCopy))
    ImGui::SetClipboardText(
        viz::text_of(viz::watching_twin(facts, state.view_cost.processor_share())).c_str());
  ImGui::EndPopup();
}

// How sure a measurement is, behind it.
std::string spread_words(const viz::WatchingFacts& facts) {
  if (facts.state != viz::WatchingState::Measured || !facts.measured_spread) return {};
  return "± " + viz::format_fixed(*facts.measured_spread, 2);
}

}  // namespace

float overhead_meter_width() {
  return std::max(text_size(Font::MonoMedium, 16, "00.0 %").x + px(6) +
                      text_size(Font::Mono, kSmallText - 1, "± 00.00").x,
                  text_size(Font::Regular, kSmallText - 1, kLabel).x) +
         px(10);
}

void draw_overhead_meter(State& state, ImVec2 at) {
  const viz::WatchingFacts facts = facts_of(state);
  const std::string value = viz::watching_value(facts);
  const float width = overhead_meter_width(), height = px(38);
  ImGui::PushID("overhead");
  ImGui::SetCursorScreenPos({at.x - px(5), at.y - px(3)});
  if (ImGui::InvisibleButton("meter", {width, height}, ImGuiButtonFlags_EnableNav) || state.shows_overhead)
    ImGui::OpenPopup("watching");
  state.shows_overhead = false;
  const bool is_hovered = ImGui::IsItemHovered();
  const ImVec2 low = ImGui::GetItemRectMin(), high = ImGui::GetItemRectMax();
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (is_hovered) list->AddRectFilled(low, high, color(Token::Hover), px(4));
  ImGui::RenderNavCursor({low, high}, ImGui::GetItemID());
  ui::tooltip(headline(facts),
              budget_words(facts) + (facts.is_over_budget() ? "; " + viz::watching_measures(facts) : ""));
  draw_text(list, Font::MonoMedium, 16, at, color(ink_of(facts)), value.c_str());
  const std::string spread = spread_words(facts);
  const ImVec2 number = text_size(Font::MonoMedium, 16, value.c_str());
  const ImVec2 behind = text_size(Font::Mono, kSmallText - 1, spread.c_str());
  draw_text(list, Font::Mono, kSmallText - 1,
            {at.x + number.x + px(6), at.y + number.y - behind.y - px(1.5f)}, color(Token::Muted),
            spread.c_str());
  draw_text(list, Font::Regular, kSmallText - 1, {at.x, at.y + px(20)}, color(Token::Muted), kLabel);
  ImGui::SetNextWindowPos({low.x, high.y + px(6)}, ImGuiCond_Appearing);
  draw_popover(state, facts);
  ImGui::PopID();
}

}  // namespace sparsescope::frame
