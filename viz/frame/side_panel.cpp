// The left panel: runs, the channels of the run at this step with their shapes, and what happened.
#include <fmt/format.h>

#include <algorithm>

#include "viz/frame/runs.h"
#include "viz/frame/time_bar.h"
#include "viz/model/format.h"

namespace sparsescope::frame {
namespace {

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
                          hovered ? color(Token::Hover) : color(Token::Raised), px(2));
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

// How many are open, and how many of them are not listed.
void runs_heading(State& state) {
  ui::heading("Runs");
  const std::size_t hidden = state.run_list.settings.hidden.size();
  if (hidden == 0) return;
  ImGui::SameLine();
  ui::muted(viz::format_count(static_cast<std::int64_t>(hidden)) + " hidden");
  ImGui::SameLine();
  const bool shows = state.run_list.settings.shows_hidden;
  if (ImGui::SmallButton(shows ? "List fewer" : "List all")) state.commands.run("run.show_hidden");
}

// An element of a channel as the timeline names it.
viz::ChartChoice chart_of(const trace::Channel& channel, std::size_t element) {
  viz::ChartChoice choice;
  choice.channel = channel.name;
  auto rest = static_cast<std::int64_t>(element);
  for (std::size_t i = channel.axes.size(); i-- > 0;) {
    const trace::Axis& axis = channel.axes[i];
    const auto index = static_cast<std::size_t>(rest % axis.size);
    rest /= axis.size;
    choice.labels.insert(choice.labels.begin(),
                         index < axis.labels.size() ? axis.labels[index] : std::to_string(index));
  }
  return choice;
}

bool is_track(State& state, const viz::Run& run, const viz::ChartChoice& choice) {
  const std::vector<viz::ChartChoice> shown = charts_shown(state, run);
  return std::ranges::find(shown, choice) != shown.end();
}

// Lengths of the three lists in what is left: runs first, then channels, and events get what remains.
struct Shares {
  float runs = 0, channels = 0, events = 0;
};
Shares share_height(State& state, const viz::ViewContext& context, float room) {
  Shares shares;
  const float smallest = px(96);
  shares.runs = std::min(state.run_list.runs_height(context), std::max(smallest, room * 0.34f));
  shares.events = std::max(smallest, room * 0.24f);
  shares.channels = std::max(smallest, room - shares.runs - shares.events);
  return shares;
}

}  // namespace

void draw_side_panel(State& state, const Area& area) {
  if (begin_region("side", area, Token::Panel, {12, 12}, Scroll::Vertical)) {
    viz::ViewContext context{state.timeline, state.selection};
    const auto run_with = [&state](std::string_view id, const std::string& value) {
      if (const std::string reason = state.commands.run(id, value); !reason.empty())
        state.notify(reason, ui::Tone::Neutral);
    };
    context.run_command = [&state](std::string_view id) { run_command(state, std::string(id)); };
    context.run_command_with = run_with;
    state.run_list.title_of = [&state](const viz::Run& one) { return run_title(state, one); };
    context.why_disabled = [&state](std::string_view id) { return state.commands.why_disabled(id); };
    state.run_list.draw_filter();
    ImGui::Dummy({0, px(4)});
    const float headings = 3 * (ImGui::GetTextLineHeightWithSpacing() + px(12));
    const Shares shares = share_height(state, context, ImGui::GetContentRegionAvail().y - headings);
    runs_heading(state);
    state.run_list.draw_runs(context, trained_run(state), shares.runs);
    if (viz::Run* run = state.run()) {
      ImGui::Dummy({0, px(4)});
      ui::heading("Channels at this step");
      state.run_list.draw_channels(
          context, *run, shares.channels,
          [&](std::uint32_t channel, std::size_t element) {
            run_with("timeline.chart", viz::words_of(chart_of(run->schema()->channels[channel], element)));
          },
          [&](std::uint32_t channel, std::size_t element) {
            return is_track(state, *run, chart_of(run->schema()->channels[channel], element));
          });
      ImGui::Dummy({0, px(4)});
      ui::heading("Events");
      // The list scrolls by itself, so that runs and channels stay where they are.
      if (ImGui::BeginChild("events", {0, std::max(shares.events, ImGui::GetContentRegionAvail().y)}))
        event_rows(state, *run);
      ImGui::EndChild();
    }
  }
  end_region();
}

}  // namespace sparsescope::frame
