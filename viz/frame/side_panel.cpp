// The left panel: runs, the channels of the run at this step with their shapes, and what happened.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "imgui.h"
#include "misc/cpp/imgui_stdlib.h"
#include "viz/frame/state.h"
#include "viz/model/format.h"
#include "viz/widgets/icons.h"

namespace sparsescope::frame {
namespace {

bool matches(const std::string& text, const std::string& filter) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), filter.begin(), filter.end(), same) != text.end();
}

std::string run_words(State& state, viz::Run& run) {
  if (state.trains(run)) {
    std::string words = trainer_words(*state.trainer).words;
    std::transform(words.begin(), words.end(), words.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return words;
  }
  if (run.end() == nullptr) return "loading";
  switch (run.end()->status) {
    case trace::RunStatus::Finished:
      return viz::format_count(static_cast<std::int64_t>(run.newest_step())) + " steps";
    case trace::RunStatus::Stopped:
      return "stopped";
    case trace::RunStatus::Failed:
      return "failed";
    case trace::RunStatus::Unclosed:
      return "not closed";
  }
  return "";
}

void run_rows(State& state) {
  viz::Run* current = state.run();
  std::uint32_t removed = UINT32_MAX;
  for (const std::unique_ptr<viz::Run>& run : state.timeline.runs()) {
    std::string title = run->title();
    if (title.empty()) {
      const viz::Feed* feed = state.timeline.feed(run->id());
      title = feed != nullptr ? feed->name : "run";
    }
    if (!matches(title, state.filter)) continue;
    ImGui::PushID(static_cast<int>(run->id()));
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x, height = px(26), bleed = px(12);
    ImGui::SetCursorScreenPos({at.x - bleed, at.y});
    const bool chosen =
        ImGui::InvisibleButton("run", {width + 2 * bleed, height}, ImGuiButtonFlags_EnableNav);
    const bool hovered = ImGui::IsItemHovered();
    if (ImGui::BeginPopupContextItem("menu")) {
      const bool is_trained = state.trains(*run);
      if (ImGui::MenuItem("Close this run", nullptr, false, !is_trained)) removed = run->id();
      if (is_trained) ui::muted("It is being trained: stop training first");
      ImGui::EndPopup();
    }
    if (chosen) state.selection.run = run->id();
    ImDrawList* list = ImGui::GetWindowDrawList();
    const bool is_current = run.get() == current;
    if (is_current || hovered) {
      list->AddRectFilled({at.x - bleed, at.y}, {at.x + width + bleed, at.y + height},
                          is_current ? color(Token::AccentSurface) : color(Token::Line, 0.4f));
    }
    list->AddCircleFilled({at.x + px(5), at.y + height / 2}, px(4.5f),
                          color(run_token(static_cast<int>(run->id()))), 16);
    const std::string words = run_words(state, *run);
    const ImVec2 size = text_size(Font::Mono, kSmallText - 1, words.c_str());
    const ImVec2 name = text_size(Font::Regular, kSmallText + 0.5f, title.c_str());
    draw_text_within(list, Font::Regular, kSmallText + 0.5f, {at.x + px(18), at.y + (height - name.y) / 2},
                     width - size.x - px(26), color(Token::Text), title);
    draw_text(list, Font::Mono, kSmallText - 1, {at.x + width - size.x, at.y + (height - size.y) / 2},
              color(Token::Muted), words.c_str());
    ui::tooltip(title, run->uuid());
    ImGui::SetCursorScreenPos({at.x, at.y + height});
    ImGui::PopID();
  }
  if (removed != UINT32_MAX) state.timeline.remove_run(removed);
  ImGui::Dummy({0, 0});
}

std::string shape_of(const trace::Channel& channel, const viz::Run& run) {
  if (channel.kind == trace::ChannelKind::Ragged) {
    const viz::Track* track = run.track(channel.id);
    const std::size_t samples = track != nullptr ? track->size() : 0;
    return samples > 0
               ? viz::format_count(static_cast<std::int64_t>(samples)) + (samples == 1 ? " row" : " rows")
               : viz::kAbsent;
  }
  std::string shape;
  for (const trace::Axis& axis : channel.axes)
    shape += (shape.empty() ? "" : " × ") + viz::format_count(axis.size);
  return shape.empty() ? "1" : shape;
}

void channel_rows(State& state, viz::Run& run) {
  const trace::Schema* schema = run.schema();
  if (schema == nullptr) return ui::muted("The schema has not come yet");
  const std::uint64_t step = state.timeline.cursor().step();
  for (const trace::Channel& channel : schema->channels) {
    if (!matches(channel.name, state.filter)) continue;
    const viz::Track* track = run.track(channel.id);
    const bool is_here = track != nullptr && run.sample_at_or_before(*track, step).has_value();
    ui::row(channel.name, shape_of(channel, run), is_here ? Token::Muted : Token::Faint);
    std::string detail = fmt::format("{}{}, ", trace::dtype_name(channel.dtype),
                                     channel.unit != "1" ? ", " + channel.unit : "");
    detail += channel.cadence > 0
                  ? fmt::format("every {} step{}", channel.cadence, channel.cadence == 1 ? "" : "s")
                  : "when it happens";
    if (!is_here) detail += "; nothing recorded up to this step";
    ui::tooltip(channel.text, detail);
  }
}

Token event_token(const viz::Event& event) {
  if (event.kind == "command" || event.kind == "note") return Token::Accent;
  if (event.kind == "alert" || event.kind == "unreadable") return Token::Warn;
  return Token::Faint;
}

// Newest first, as cards with a coloured edge; a click goes there.
void event_rows(State& state, viz::Run& run) {
  const std::vector<viz::Event>& events = run.events();
  if (events.empty()) return ui::muted("Nothing yet");
  ImDrawList* list = ImGui::GetWindowDrawList();
  ImGuiListClipper clipper;
  const float height = px(44);
  clipper.Begin(static_cast<int>(events.size()), height);
  while (clipper.Step()) {
    for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
      const viz::Event& event = events[events.size() - 1 - static_cast<std::size_t>(i)];
      ImGui::PushID(i);
      const ImVec2 at = ImGui::GetCursorScreenPos();
      const float width = ImGui::GetContentRegionAvail().x;
      ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2{0, 0});
      if (ImGui::InvisibleButton("event", {width, height}, ImGuiButtonFlags_EnableNav))
        state.timeline.cursor().seek(event.step);
      ImGui::PopStyleVar();
      const bool hovered = ImGui::IsItemHovered();
      list->AddRectFilled(at, {at.x + width, at.y + height - px(4)},
                          hovered ? color(Token::Line, 0.6f) : color(Token::Raised), px(2));
      list->AddRectFilled(at, {at.x + px(2), at.y + height - px(4)}, color(event_token(event)));
      const std::string kind =
          fmt::format("{} · step {}", event.kind, viz::format_count(static_cast<std::int64_t>(event.step)));
      draw_text_within(list, Font::Regular, kSmallText - 1, {at.x + px(10), at.y + px(3)}, width - px(16),
                       color(Token::Muted), kind);
      draw_text_within(list, Font::Regular, kSmallText - 0.5f, {at.x + px(10), at.y + px(19)}, width - px(16),
                       color(Token::Text), event.words);
      ui::tooltip(event.words, kind);
      ImGui::PopID();
    }
  }
}

void search_field(State& state) {
  ImGui::SetNextItemWidth(-FLT_MIN);
  FontScope font(Font::Regular, kSmallText + 0.5f);
  ImGui::InputTextWithHint("##filter", "Filter runs and channels", &state.filter);
}

}  // namespace

void draw_side_panel(State& state, const Area& area) {
  if (begin_region("side", area, Token::Panel, {12, 12}, Scroll::Vertical)) {
    search_field(state);
    ImGui::Dummy({0, px(4)});
    ui::heading("Runs");
    run_rows(state);
    if (viz::Run* run = state.run()) {
      ImGui::Dummy({0, px(6)});
      ui::heading("Channels at this step");
      channel_rows(state, *run);
      ImGui::Dummy({0, px(10)});
      ui::heading("Events");
      // The list scrolls by itself, so that runs and channels stay where they are.
      if (ImGui::BeginChild("events", {0, std::max(px(96), ImGui::GetContentRegionAvail().y)}))
        event_rows(state, *run);
      ImGui::EndChild();
    }
  }
  end_region();
}

}  // namespace sparsescope::frame
