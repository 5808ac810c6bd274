// What an empty window shows: presets to train, recordings to open, the demo. Nothing here knows how they are
// made.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "viz/frame/state.h"
#include "viz/model/format.h"
#include "viz/widgets/icons.h"

namespace sparsescope::frame {
namespace {

// A card that is one large button: icon, title, wrapped text, a muted last line. Returns true when pressed.
bool card(const char* id, const char* glyph, const std::string& title, const std::string& text,
          const std::string& last, float width, bool is_enabled) {
  ImGui::PushID(id);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float pad = px(14), inner = width - 2 * pad - px(34);
  ImFont* font = handle(Font::Regular);
  const float size = ImGui::GetFontSize() * (kSmallText + 0.5f) / kBodyText;
  const float text_height =
      text.empty() ? 0 : font->CalcTextSizeA(size, FLT_MAX, inner, text.c_str()).y + px(4);
  const float height = 2 * pad + px(20) + text_height + (last.empty() ? 0 : px(18));
  ImGui::BeginDisabled(!is_enabled);
  ImGui::SetNextItemAllowOverlap();
  const bool pressed = ImGui::InvisibleButton("card", {width, height}, ImGuiButtonFlags_EnableNav);
  ImGui::EndDisabled();
  const bool hovered = is_enabled && ImGui::IsItemHovered();
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(at, {at.x + width, at.y + height}, color(Token::Raised), px(6));
  list->AddRect(at, {at.x + width, at.y + height}, color(hovered ? Token::Accent : Token::Line), px(6));
  if (icons_available())
    draw_text(list, Font::Regular, kTitleText, {at.x + pad, at.y + pad - px(2)},
              color(is_enabled ? Token::Accent : Token::Faint), glyph);
  const float x = at.x + pad + px(34);
  float y = at.y + pad;
  draw_text(list, Font::SemiBold, kBodyText, {x, y}, color(is_enabled ? Token::Text : Token::Muted),
            title.c_str());
  y += px(24);
  if (!text.empty()) {
    list->AddText(font, size, {x, y}, color(Token::Muted), text.c_str(), nullptr, inner);
    y += text_height;
  }
  if (!last.empty()) draw_text(list, Font::Mono, kSmallText - 1, {x, y}, color(Token::Muted), last.c_str());
  ImGui::Dummy({0, px(4)});
  ImGui::PopID();
  return pressed && is_enabled;
}

void column_heading(const char* text) {
  FontScope font(Font::SemiBold, kBodyText);
  ImGui::TextColored(color4(Token::Text), "%s", text);
  ImGui::Dummy({0, px(2)});
}

// Over the corner of a preset's card: its values before it starts.
void adjust_button(State& state, const std::string& preset, ImVec2 card, float width) {
  const ImVec2 after = ImGui::GetCursorScreenPos();
  const ImVec2 size{px(84), px(26)};
  ImGui::SetCursorScreenPos({card.x + width - size.x - px(8), card.y + px(8)});
  ImGui::PushID(preset.c_str());
  if (ui::button("Adjust…###adjust", "", ui::Tone::Neutral, size)) open_new_run(state, preset);
  ui::tooltip("Choose every value before it starts");
  ImGui::PopID();
  ImGui::SetCursorScreenPos(after);
  ImGui::Dummy({0, 0});
}

void no_training_line(const std::string& reason, float width) {
  ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + width);
  ui::wrapped("Training is not possible here: " + reason + ".", Token::Warn);
  ImGui::PopTextWrapPos();
  ImGui::Dummy({0, px(4)});
}

// "3 recordings, at step 1,200, and the one that was being made"
std::string session_in_words(const Session& session) {
  std::vector<std::string> files = session.files;
  if (!session.recording.empty() && std::ranges::find(files, session.recording) == files.end())
    files.push_back(session.recording);
  const std::string step = viz::format_count(static_cast<std::int64_t>(session.step));
  const std::string what = files.size() == 1
                               ? std::filesystem::path(files.front()).filename().string()
                               : viz::format_count(static_cast<std::int64_t>(files.size())) + " recordings";
  return fmt::format(
      "{} at step {}, as the views stood{}", what, step,
      session.recording.empty() ? "" : "; the run that was trained ends where it was last kept");
}

// After a window that did not end as it should.
void lost_session_card(State& state, float width) {
  const std::optional<Session> lost = state.host.lost_session();
  if (!lost) return;
  column_heading("The last window ended unexpectedly");
  if (card("lost", icon::kRecent, "Reopen what was open", session_in_words(*lost), "", width, true))
    state.commands.run("file.reopen_session");
  const auto press = [&](const char* words, const char* id) {
    if (ui::button(words)) state.commands.run(id);
  };
  if (state.commands.why_disabled("file.recover_session").empty()) {
    press("Recover its recording", "file.recover_session");
    ImGui::SameLine();
  }
  press("Dismiss", "file.forget_session");
  ImGui::Dummy({0, px(10)});
}

void preset_column(State& state, float width) {
  column_heading("Train a preset");
  const std::string reason = state.host.why_no_training();
  if (!reason.empty()) no_training_line(reason, width);
  if (reason.empty() && !state.presets.empty())
    ui::muted("A click starts it; Adjust, or Ctrl+N, chooses every value first");
  for (const PresetCard& preset : state.presets) {
    const std::string text = preset.title.empty() ? preset.text : preset.title + ". " + preset.text;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    if (card(preset.name.c_str(), icon::kFlask, preset.name, text, preset.size, width, reason.empty()))
      start_preset(state, preset.name);
    adjust_button(state, preset.name, at, width);
  }
  if (state.presets.empty() && reason.empty()) ui::muted("No preset is installed beside the program");
}

void file_column(State& state, float width) {
  lost_session_card(state, width);
  column_heading("Replay a recording");
  if (card("open", icon::kFile, "Open…", "Or drop a .h5 file anywhere on this window", "Ctrl+O", width, true))
    state.commands.run("file.open");
  const std::string no_demo = state.commands.why_disabled("file.demo");
  if (card("demo", icon::kDemo, "Demo recording",
           no_demo.empty()
               ? "A SPaRK run of twelve epochs on French prose that collapses toward dense attention"
               : no_demo,
           "Ctrl+Shift+O", width, no_demo.empty())) {
    state.commands.run("file.demo");
  }
  if (state.commands.why_disabled("file.demo_pair").empty() &&
      card("demo pair", icon::kChain, "Demo beside dense attention",
           "The same run and the dense model it is measured against: losses and needles compared", "", width,
           true)) {
    state.commands.run("file.demo_pair");
  }
  ImGui::Dummy({0, px(10)});
  column_heading("Recent");
  if (state.recent.empty()) ui::muted("Recordings you make or open appear here");
  std::string chosen;  // opened after the list is drawn: opening makes a new list
  for (const RecentFile& file : state.recent) {
    ImGui::PushID(file.path.c_str());
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float height = px(40);
    if (ImGui::InvisibleButton("recent", {width, height}, ImGuiButtonFlags_EnableNav)) chosen = file.path;
    const bool hovered = ImGui::IsItemHovered();
    ImDrawList* list = ImGui::GetWindowDrawList();
    if (hovered) list->AddRectFilled(at, {at.x + width, at.y + height}, color(Token::Raised), px(4));
    draw_text_within(list, Font::Regular, kBodyText - 1, {at.x + px(10), at.y + px(3)}, width - px(20),
                     color(Token::Text), file.name);
    draw_text_within(list, Font::Regular, kSmallText - 1, {at.x + px(10), at.y + px(21)}, width - px(20),
                     color(Token::Muted), file.detail);
    ui::tooltip(file.path);
    ImGui::PopID();
  }
  if (!chosen.empty()) open_file(state, chosen);
}

// The keyboard begins here, not in the bar that was drawn last. A window can be given it from the frame after
// its first.
void take_keyboard_at_first() {
  ImGuiStorage* storage = ImGui::GetStateStorage();
  const ImGuiID id = ImGui::GetID("takes keyboard");
  if (storage->GetBool(id)) ImGui::SetNextWindowFocus();
  storage->SetBool(id, ImGui::IsWindowAppearing());
}

}  // namespace

void draw_start_page(State& state, const Area& area) {
  if (begin_region("start", area, Token::Panel, {0, 0})) {
    const float content = std::min(area.width() - px(48), px(1080));
    const float left = area.min.x + (area.width() - content) / 2;
    const float gap = px(40), first = std::floor((content - gap) * 0.56f), second = content - gap - first;
    ImGui::SetCursorScreenPos({left, area.min.y + std::max(px(28), std::min(px(88), area.height() * 0.1f))});
    ImGui::BeginGroup();
    {
      FontScope font(Font::SemiBold, kDisplayText);
      ImGui::TextUnformatted("Sparsescope");
    }
    {
      FontScope font(Font::Regular, kBodyText);
      ImGui::TextColored(color4(Token::Muted),
                         "Watch sparse attention while it trains. Record it, scrub it, replay it.");
    }
    if (!state.start_problem.empty()) {
      ImGui::Dummy({0, px(4)});
      ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + content);
      ui::wrapped(state.start_problem, Token::Error);
      ImGui::PopTextWrapPos();
    }
    if (!state.timeline.runs().empty()) {
      ImGui::Dummy({0, px(4)});
      if (ui::button("Back to the runs (Esc)")) state.show_start_page = false;
    }
    // Without presets a whole column for why they are missing would be too much.
    const bool has_presets = !state.presets.empty() || state.host.why_no_training().empty();
    if (!has_presets) no_training_line(state.host.why_no_training(), content);
    ImGui::EndGroup();
    ImGui::Dummy({0, px(18)});
    const float top = ImGui::GetCursorScreenPos().y;
    ImGui::SetCursorScreenPos({left, top});
    take_keyboard_at_first();
    if (!has_presets) {
      if (ImGui::BeginChild("files", {content, area.max.y - top - px(16)}))
        file_column(state, ImGui::GetContentRegionAvail().x - px(6));
      ImGui::EndChild();
      return end_region();
    }
    if (ImGui::BeginChild("presets", {first, area.max.y - top - px(16)}))
      preset_column(state, ImGui::GetContentRegionAvail().x - px(6));
    ImGui::EndChild();
    ImGui::SetCursorScreenPos({left + first + gap, top});
    if (ImGui::BeginChild("files", {second, area.max.y - top - px(16)}))
      file_column(state, ImGui::GetContentRegionAvail().x - px(6));
    ImGui::EndChild();
  }
  end_region();
}

}  // namespace sparsescope::frame
