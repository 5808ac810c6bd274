#include "viz/views/comparison_row.h"

#include <algorithm>
#include <cmath>

#include "viz/widgets/controls.h"
#include "viz/widgets/gui_context.h"
#include "viz/widgets/icons.h"

namespace sparsescope::viz {
namespace {

constexpr float kLine = 19;  // lengths at scale 1
constexpr float kLongestName = 420;

const char* lock_words(TimeAxis axis) {
  switch (axis) {
    case TimeAxis::Step:
      return "time locked by step";
    case TimeAxis::Tokens:
      return "time locked by tokens";
    case TimeAxis::WallTime:
      return "time locked by wall time";
    case TimeAxis::RelativeStep:
      return "time locked by relative step";
  }
  return "";
}

// The names of the runs; wraps where the row is full. Returns the height it took.
float draw_runs(const ComparisonBanner& banner, ImVec2 at, float width) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  float x = at.x, y = at.y;
  const auto make_room = [&](float wanted) {
    if (x > at.x && x + wanted > at.x + width) {
      x = at.x;
      y += px(kLine);
    }
  };
  for (const ComparedRun& run : banner.runs) {
    std::string name = run.name + (run.is_baseline ? ", baseline" : "");
    const float letter = text_size(Font::SemiBold, kSmallText, run.letter.c_str()).x + px(6);
    const float whole = px(14) + letter + text_size(Font::Regular, kSmallText, name.c_str()).x;
    const float wanted = std::min({whole, px(kLongestName), width});
    make_room(wanted);
    const ImU32 ink = color(run_token(static_cast<int>(run.run->id())));
    list->AddCircleFilled({x + px(5), y + px(8)}, px(4), ink, 16);
    draw_text(list, Font::SemiBold, kSmallText, {x + px(14), y}, ink, run.letter.c_str());
    draw_text_within(list, Font::Regular, kSmallText, {x + px(14) + letter, y}, wanted - px(14) - letter,
                     color(run.is_selected ? Token::Text : Token::Muted), name);
    x += wanted + px(18);
  }
  return y + px(kLine) - at.y;
}

float draw_sentence(const std::string& sentence, const char* icon, Token ink, ImVec2 at, float width) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float indent = icons_available() && *icon != '\0' ? px(18) : 0;
  if (indent > 0) draw_text(list, Font::Regular, kSmallText, at, color(ink), icon);
  draw_text_within(list, Font::Regular, kSmallText, {at.x + indent, at.y}, width - indent, color(ink),
                   sentence);
  return px(kLine);
}

}  // namespace

void draw_comparison(const ComparisonBanner& banner, TimeAxis axis) {
  if (banner.is_empty()) return;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  float height = draw_runs(banner, at, width);
  const auto add = [&](const std::string& sentence, const char* icon, Token ink) {
    if (!sentence.empty()) height += draw_sentence(sentence, icon, ink, {at.x, at.y + height}, width);
  };
  add(std::string(lock_words(axis)) + (banner.config.empty() ? "" : "    " + banner.config), icon::kChain,
      Token::Muted);
  for (const std::string& sentence : banner.sentences) add(sentence, icon::kAlert, Token::Warn);
  if (banner.is_reading) add("Reading what the runs have in common", icon::kWaiting, Token::Muted);
  ImGui::SetCursorScreenPos(at);
  ImGui::Dummy({width, height});
  std::string whole;
  for (const std::string& line : lines_of(banner)) whole += (whole.empty() ? "" : "\n") + line;
  std::string changes;
  for (const ConfigChange& change : banner.changes)
    changes += (changes.empty() ? "" : "\n") + change.key + "  " + change.from + " → " + change.to;
  if (current_purpose() == Purpose::Screen) ui::tooltip(whole, changes);
}

namespace {

constexpr const char* kPick = "compare.pick";
constexpr const char* kPickWords = "Pick a second run…";

bool can_pick(const ViewContext& context) {
  return !context.selection.comparison.baseline && context.run_command && context.why_disabled &&
         context.why_disabled(kPick).empty();
}

}  // namespace

bool pick_second_run(const ViewContext& context) {
  if (!can_pick(context)) return false;
  context.run_command(kPick);
  return true;
}

void offer_second_run(const ViewContext& context) {
  if (can_pick(context) && ImGui::SmallButton(kPickWords)) context.run_command(kPick);
}

void offer_second_run_in_menu(const ViewContext& context) {
  if (context.selection.comparison.baseline) return;
  if (ImGui::MenuItem(kPickWords, "Alt+A", false, can_pick(context))) context.run_command(kPick);
}

}  // namespace sparsescope::viz
