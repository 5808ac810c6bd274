// The rows of the settings table and what they are bound to. Their dialog is settings_dialog.cpp.
#include "viz/frame/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/trace/error.h"
#include "viz/frame/command_builder.h"
#include "viz/widgets/color_vision.h"
#include "viz/widgets/colormaps.h"

namespace sparsescope::frame {
namespace {

using viz::Setting;

std::string on_off(bool on) { return on ? "on" : "off"; }
std::string number(double value) { return fmt::format("{:.10g}", value); }
double value_of(const std::string& text) { return viz::number_from_text(text).value_or(0); }

constexpr const char* kAxes[] = {"step", "tokens", "wall time", "relative step"};

// --- settings that all views share: each view that has one carries the same key ---

nlohmann::json shared_setting(const State& state, const char* key) {
  for (const State::Slot& slot : state.slots) {
    const nlohmann::json settings = slot.view->settings();
    if (settings.contains(key)) return settings[key];
  }
  return {};
}

void set_shared(State& state, const char* key, const nlohmann::json& value) {
  for (const State::Slot& slot : state.slots) {
    nlohmann::json settings = slot.view->settings();
    if (!settings.contains(key)) continue;
    settings[key] = value;
    slot.view->set_settings(settings);
  }
}

void add_appearance(State& state) {
  Appearance& look = state.appearance;
  const auto changed = [&state] { state.appearance_changed = true; };
  state.settings.add({"appearance.theme", "Appearance", "Theme",
                      "Colours, line widths and text of the window.", Setting::Kind::Choice,
                      theme_name(Theme::Dark), [&look] { return theme_name(look.theme); },
                      [&look, changed](const std::string& name) {
                        look.theme = *theme_from_name(name);
                        changed();
                      },
                      theme_names()});
  state.settings.add({"appearance.scale",
                      "Appearance",
                      "Interface scale",
                      "Size of everything, on top of the monitor's own.",
                      Setting::Kind::Number,
                      "100",
                      [&look] { return number(std::round(look.scale * 100)); },
                      [&look, changed](const std::string& percent) {
                        look.scale = static_cast<float>(value_of(percent) / 100);
                        changed();
                      },
                      {},
                      {kSmallestScale * 100, kLargestScale * 100},
                      "%"});
  state.settings.add({"appearance.reduce_motion", "Appearance", "Reduce motion",
                      "Nothing moves but what was asked to.", Setting::Kind::Switch, "off",
                      [&look] { return on_off(look.reduce_motion); },
                      [&look](const std::string& on) { look.reduce_motion = on == "on"; }});
  std::vector<std::string> visions;
  for (int i = 0; i < kColorVisions; ++i)
    visions.emplace_back(color_vision_name(static_cast<ColorVision>(i)));
  state.settings.add({"appearance.color_vision", "Appearance", "Simulate colour vision",
                      "Shows the whole window as people with other colour vision see it.",
                      Setting::Kind::Choice, color_vision_name(ColorVision::Normal),
                      [] { return color_vision_name(color_vision()); },
                      [](const std::string& name) {
                        ColorVision vision = ColorVision::Normal;
                        if (color_vision_from_name(name, vision)) set_color_vision(vision);
                      },
                      visions});
}

void add_color_map(State& state) {
  std::vector<std::string> maps;
  for (int i = 0; i < kColorMaps; ++i) {
    if (const auto map = static_cast<ColorMap>(i); !is_diverging(map) && map != ColorMap::Twilight)
      maps.emplace_back(color_map_name(map));
  }
  state.settings.add({"appearance.color_map", "Appearance", "Default colour map",
                      "Of heatmaps whose values have no middle.", Setting::Kind::Choice,
                      color_map_name(ColorMap::Cividis), [] { return color_map_name(default_color_map()); },
                      [](const std::string& name) {
                        ColorMap map = ColorMap::Cividis;
                        if (color_map_from_name(name, map)) set_default_color_map(map);
                      },
                      maps});
}

void add_time(State& state) {
  viz::TimeWindow& window = state.timeline.window();
  state.settings.add({"time.axis",
                      "Time",
                      "Time axis",
                      "What all plots stand over.",
                      Setting::Kind::Choice,
                      kAxes[0],
                      [&window] { return kAxes[static_cast<int>(window.axis())]; },
                      [&window](const std::string& name) {
                        const auto at =
                            std::find(std::begin(kAxes), std::end(kAxes), name) - std::begin(kAxes);
                        window.set_axis(static_cast<viz::TimeAxis>(at));
                      },
                      {std::begin(kAxes), std::end(kAxes)}});
  state.settings.add({"time.smoothing", "Time", "Smooth lines",
                      "A debiased moving average over the faint raw line, in all charts.",
                      Setting::Kind::Switch, "on",
                      [&state] { return on_off(shared_setting(state, "smoothing") != false); },
                      [&state](const std::string& on) { set_shared(state, "smoothing", on == "on"); }});
  state.settings.add(
      {"time.smoothing_window",
       "Time",
       "Smoothing window",
       "Average age of what a smoothed line remembers.",
       Setting::Kind::Number,
       "5",
       [&state] {
         const nlohmann::json window_now = shared_setting(state, "smoothing_window");
         return window_now.is_number() ? number(window_now.get<double>()) : std::string("5");
       },
       [&state](const std::string& samples) { set_shared(state, "smoothing_window", value_of(samples)); },
       {},
       {2, 500},
       "samples"});
}

void add_recording(State& state) {
  state.settings.add({"recording.folder",
                      "Recording",
                      "Folder",
                      "Where new recordings are written; empty: the standard folder.",
                      Setting::Kind::Text,
                      "",
                      [&state] { return state.recording_folder; },
                      [&state](const std::string& folder) { state.recording_folder = folder; },
                      {},
                      {},
                      "",
                      [](const std::string& folder) -> std::string {
                        std::error_code failure;
                        if (folder.empty() || std::filesystem::is_directory(folder, failure)) return "";
                        return "there is no folder " + folder + "; make it first, or leave this empty";
                      }});
  state.settings.add({"recording.free_space",
                      "Recording",
                      "Free space needed to start",
                      "A recording is refused when the disk has less.",
                      Setting::Kind::Number,
                      "1024",
                      [&state] { return number(state.free_mib); },
                      [&state](const std::string& mib) { state.free_mib = value_of(mib); },
                      {},
                      {16, 1048576},
                      "MiB"});
}

void add_budget(State& state) {
  state.settings.add({"budget.probes",
                      "Budget",
                      "Budget of watching",
                      "Share of training time that probes may cost; beyond it they come less often.",
                      Setting::Kind::Number,
                      "2",
                      [&state] { return number(state.probe_budget_percent); },
                      [&state](const std::string& percent) {
                        state.probe_budget_percent = value_of(percent);
                        state.budget_is_due = true;
                      },
                      {},
                      {0.5, 10},
                      "%"});
}

void add_setting_commands(State& state) {
  CommandBuilder table(state);
  table.in("Settings").add("window.settings", "Settings…", {"Ctrl+,"}, [&state] {
    const bool opens = !state.settings_dialog.is_open;
    state.settings_dialog = {};
    state.settings_dialog.is_open = state.settings_dialog.wants_focus = opens;
  });
  for (const Setting& setting : state.settings.all()) {
    const std::string id = setting.id;
    table.ask("setting." + id, setting.section + ": " + setting.words, {}, viz::argument_of(setting),
              [&state, id](const std::string& value) { state.settings.set(id, value); });
    table.add(
        "setting.reset." + id, "Reset " + setting.section + ": " + setting.words, {},
        [&state, id] { state.settings.reset(id); },
        [&state, id]() -> std::string {
          return state.settings.find(id)->is_standard() ? "it has its standard value" : "";
        });
  }
}

}  // namespace

void add_settings(State& state) {
  add_appearance(state);
  add_color_map(state);
  add_time(state);
  add_recording(state);
  add_budget(state);
  add_setting_commands(state);
  if (const std::string text = state.host.settings_text(); !text.empty()) {
    for (std::string& problem : state.settings.read(text)) state.notes.push_back(std::move(problem));
  }
  state.kept_settings = state.settings.file_text();
}

void keep_settings(State& state) {
  if (ImGui::IsAnyMouseDown()) return;  // a slider still moves
  std::string text = state.settings.file_text();
  if (text == state.kept_settings) return;
  if (const std::string failure = state.host.keep_settings(text); !failure.empty())
    state.notify(failure, ui::Tone::Warn);
  state.kept_settings = std::move(text);
}

void apply_budget(State& state) {
  const trace::Control* budget = control(state, "probe_budget");
  if (!state.budget_is_due || budget == nullptr) return;  // a run that prepares has no controls yet
  state.budget_is_due = false;
  const double wanted = std::clamp(state.probe_budget_percent, budget->minimum, budget->maximum);
  if (!state.trainer->is_over() && budget->value != wanted)
    post(state, trace::SetControl{"probe_budget", wanted});
}

}  // namespace sparsescope::frame
