// Commands of files and of the window itself: pages, panels, overlays, theme, size, the end.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "engine/trace/error.h"
#include "viz/frame/command_builder.h"
#include "viz/model/comparison.h"
#include "viz/widgets/color_vision.h"

namespace sparsescope::frame {
namespace {

void set_scale(State& state, float scale) {
  state.appearance.scale = std::clamp(scale, kSmallestScale, kLargestScale);
  state.appearance_changed = true;
}

void add_themes(State& state, CommandBuilder& table) {
  const auto choose = [&state](Theme theme) {
    state.appearance.theme = theme;
    state.appearance_changed = true;
  };
  table.add("window.theme", "Next theme", {"Ctrl+Shift+L"}, [&state, choose] {
    const auto all = themes();
    const auto here = std::find(all.begin(), all.end(), state.appearance.theme);
    choose(here + 1 == all.end() ? all.front() : *(here + 1));
  });
  for (const Theme theme : themes()) {
    table.add(
        fmt::format("window.theme.{}", theme_name(theme)), fmt::format("Theme: {}", theme_words(theme)), {},
        [choose, theme] { choose(theme); }, {}, [&state, theme] { return state.appearance.theme == theme; });
  }
}

// The whole window through other eyes: does what is shown depend on colour alone?
void add_color_vision(CommandBuilder& table) {
  table.add("window.color_vision", "Simulate the next colour vision", {}, [] {
    set_color_vision(static_cast<ColorVision>((static_cast<int>(color_vision()) + 1) % kColorVisions));
  });
  for (int i = 0; i < kColorVisions; ++i) {
    const auto vision = static_cast<ColorVision>(i);
    table.add(
        fmt::format("window.color_vision.{}", color_vision_name(vision)),
        fmt::format("Colour vision: {}", color_vision_name(vision)), {},
        [vision] { set_color_vision(vision); }, {}, [vision] { return color_vision() == vision; });
  }
}

void add_scale(State& state, CommandBuilder& table) {
  viz::CommandArgument percent{viz::CommandArgument::Kind::Number, "interface scale", "%"};
  percent.range = [] { return viz::Range{kSmallestScale * 100.0, kLargestScale * 100.0}; };
  percent.current = [&state] { return fmt::format("{:.0f}", state.appearance.scale * 100); };
  table
      .add("window.larger", "Larger interface", {"Ctrl+=", "Ctrl++"},
           [&state] { set_scale(state, state.appearance.scale + 0.1f); })
      .add("window.smaller", "Smaller interface", {"Ctrl+-"},
           [&state] { set_scale(state, state.appearance.scale - 0.1f); })
      .add("window.normal", "Interface at its normal size", {"Ctrl+0"}, [&state] { set_scale(state, 1); })
      .ask("window.scale", "Interface scale…", {}, std::move(percent), [&state](const std::string& text) {
        set_scale(state, static_cast<float>(*viz::number_from_text(text) / 100));
      });
}

void add_parts(State& state, CommandBuilder& table) {
  table.add("window.full_screen", "Full screen", {"F11"}, [&state] { state.host.toggle_full_screen(); })
      .add(
          "window.side_panels", "Show or hide the side panels", {"Ctrl+B"},
          [&state] { state.show_side_panels = !state.show_side_panels; }, {},
          [&state] { return state.show_side_panels; })
      .add(
          "window.hide_interface", "Hide all interface but the views", {"Tab"},
          [&state] { state.hide_interface = !state.hide_interface; },
          [&state]() -> std::string {
            return state.run() != nullptr ? "" : "there is no view to leave alone yet";
          },
          [&state] { return state.hide_interface; })
      .add("window.walk", "Walk through the widgets with Tab; Esc ends it", {"F6", "Shift+Tab"},
           [] { ImGui::GetIO().ConfigFlags |= ImGuiConfigFlags_NavEnableKeyboard; })
      .add("window.palette", "Search everything", {"Ctrl+K", "Ctrl+P", "Ctrl+Shift+P"},
           [&state] { state.palette.is_open ? (void)(state.palette = {}) : open_palette(state, ""); })
      .add(
          "window.keys", "Keys", {"F1", "?"}, [&state] { state.show_cheat_sheet = !state.show_cheat_sheet; },
          {}, [&state] { return state.show_cheat_sheet; })
      .add(
          "window.jobs", "Jobs: what runs in the background, and what ran", {"Ctrl+J"},
          [&state] { state.show_jobs = !state.show_jobs; }, {}, [&state] { return state.show_jobs; })
      .add("window.copy_keys", "Copy the list of keys as text", {},
           [&state] { ImGui::SetClipboardText(keys_as_text(state).c_str()); });
}

}  // namespace

// Recordings lie together: where the one that is shown lies, else where they are made.
std::string folder_to_open(State& state) {
  const viz::Run* run = state.run();
  const viz::Feed* feed = run != nullptr ? state.timeline.feed(run->id()) : nullptr;
  return feed != nullptr && !feed->path.empty() ? std::filesystem::path(feed->path).parent_path().string()
                                                : state.host.recordings_folder();
}

void add_file_commands(State& state) {
  CommandBuilder table(state);
  const Reason needs_lost_session = [&state]() -> std::string {
    return state.host.lost_session() ? "" : "the last window ended as it should";
  };
  const Reason needs_demo = [&state]() -> std::string {
    return state.host.demo_recordings().empty() ? "no demo recording is installed beside the program" : "";
  };
  table.in("File")
      .add("file.open", "Open a recording…", {"Ctrl+O"},
           [&state] { state.open_dialog(Dialog::Open, folder_to_open(state) + "/"); })
      .add(
          "file.demo", "Open the demo recording", {"Ctrl+Shift+O"},
          [&state] { open_file(state, state.host.demo_recordings().front()); }, needs_demo)
      .add(
          "file.demo_pair", "Open the demo recording beside dense attention", {},
          [&state] {
            for (const std::string& path : state.host.demo_recordings()) open_file(state, path);
            if (state.timeline.runs().size() < 2) return;
            state.selection.comparison = viz::all_beside(state.timeline);
            state.selection.run = state.timeline.runs()[state.timeline.runs().size() - 2]->id();
          },
          [&state, needs_demo]() -> std::string {
            if (const std::string reason = needs_demo(); !reason.empty()) return reason;
            return state.host.demo_recordings().size() > 1 ? "" : "only one demo recording is installed";
          })
      .add(
          "file.start_page", "Start page: train a preset, open a recording", {"Ctrl+H"},
          [&state] {
            state.start_problem.clear();
            state.recent = state.host.recent_files();
            state.show_start_page = !state.show_start_page;
          },
          [&state]() -> std::string {
            return state.timeline.runs().empty() ? "the start page is what is shown" : "";
          },
          [&state] { return state.show_start_page; })
      .add(
          "file.reopen_session", "Reopen what was open when the last window ended unexpectedly", {},
          [&state] {
            const Session lost = *state.host.lost_session();
            state.host.forget_lost_session();
            reopen(state, lost);
          },
          needs_lost_session)
      .add(
          "file.recover_session", "Recover the recording that the last window was making", {},
          [&state] {
            const std::string path = state.host.lost_session()->recording;
            try {
              state.host.begin_recovery(path);
            } catch (const Error& error) {
              state.notify(error.what(), ui::Tone::Error);
            }
          },
          [&state, needs_lost_session]() -> std::string {
            if (const std::string reason = needs_lost_session(); !reason.empty()) return reason;
            return state.host.lost_session()->recording.empty() ? "it was making no recording" : "";
          })
      .add(
          "file.forget_session", "Forget what was open when the last window ended unexpectedly", {},
          [&state] { state.host.forget_lost_session(); }, needs_lost_session)
      .add("app.quit", "Quit", {"Ctrl+Q"}, [&state] {
        if (state.trainer && !state.trainer->is_over()) return state.open_dialog(Dialog::Quit);
        state.host.quit(Leave::StopAndSave);
      });
}

void add_window_commands(State& state) {
  CommandBuilder table(state);
  table.in("Window");
  add_themes(state, table);
  add_color_vision(table);
  add_scale(state, table);
  add_parts(state, table);
}

}  // namespace sparsescope::frame
