#include "viz/frame/time_choices.h"

#include <fmt/format.h>

#include <algorithm>

#include "viz/frame/state.h"
#include "viz/frame/time_bar.h"

namespace sparsescope::frame {
namespace {

using nlohmann::json;

constexpr const char* kSharedSettings[] = {"time.axis", "time.smoothing", "time.smoothing_window"};

json json_of(const viz::ChartChoice& choice) {
  return {{"channel", choice.channel}, {"labels", choice.labels}, {"mean", choice.is_mean}};
}

std::optional<viz::ChartChoice> chart_from(const json& from) {
  if (!from.is_object()) return std::nullopt;
  const json channel = from.value("channel", json()), labels = from.value("labels", json()),
             mean = from.value("mean", json(false));
  if (!channel.is_string() || !labels.is_array() || !mean.is_boolean()) return std::nullopt;
  viz::ChartChoice choice{channel.get<std::string>(), {}, mean.get<bool>()};
  for (const json& label : labels) {
    if (!label.is_string()) return std::nullopt;
    choice.labels.push_back(label.get<std::string>());
  }
  return choice;
}

std::vector<viz::ChartChoice> charts_from(const json& list) {
  std::vector<viz::ChartChoice> charts;
  for (const json& item : list) {
    const std::optional<viz::ChartChoice> chart = chart_from(item);
    if (chart && charts.size() < kMostCharts && std::ranges::find(charts, *chart) == charts.end())
      charts.push_back(*chart);
  }
  return charts;
}

}  // namespace

json time_bar_now(const State& state) {
  const TimeBar& bar = state.time_bar;
  json charts;
  if (bar.charts) {
    charts = json::array();
    for (const viz::ChartChoice& choice : *bar.charts) charts.push_back(json_of(choice));
  }
  json hidden = json::array();
  for (const viz::Lane lane : bar.hidden_lanes) hidden.push_back(viz::lane_name(lane));
  return {{"tracks", bar.tracks == TimeBar::Tracks::Shown},
          {"charts", std::move(charts)},
          {"hidden_lanes", std::move(hidden)}};
}

void take_time_bar(State& state, const json& choices) {
  if (!choices.is_object()) return;
  TimeBar& bar = state.time_bar;
  if (const json tracks = choices.value("tracks", json()); tracks.is_boolean())
    bar.tracks = tracks.get<bool>() ? TimeBar::Tracks::Shown : TimeBar::Tracks::Hidden;
  if (const auto charts = choices.find("charts"); charts != choices.end()) {
    if (charts->is_null()) bar.charts.reset();
    if (charts->is_array()) bar.charts = charts_from(*charts);
  }
  if (const json hidden = choices.value("hidden_lanes", json()); hidden.is_array()) {
    bar.hidden_lanes.clear();
    for (std::size_t i = 0; i < viz::kLanes; ++i) {
      const auto lane = static_cast<viz::Lane>(i);
      if (std::ranges::find(hidden, json(viz::lane_name(lane))) != hidden.end())
        bar.hidden_lanes.insert(lane);
    }
  }
}

json time_choices_now(const State& state) {
  json choices = time_bar_now(state);
  for (const char* id : kSharedSettings) choices[id] = state.settings.find(id)->get();
  return choices;
}

void take_time_choices(State& state, const json& choices) {
  take_time_bar(state, choices);
  if (!choices.is_object()) return;
  for (const char* id : kSharedSettings) {
    const json value = choices.value(id, json());
    // What will not do is left alone, as in any file that people may edit.
    if (value.is_string() && value.get<std::string>() != state.settings.find(id)->get())
      (void)state.settings.set(id, value.get<std::string>());
  }
}

std::string toggle_chart(State& state, const viz::Run& run, const viz::ChartChoice& choice) {
  std::vector<viz::ChartChoice> shown = charts_shown(state, run);
  if (std::erase(shown, choice) == 0) {
    if (shown.size() >= kMostCharts)
      return fmt::format("the timeline shows {} charts at most; take one off first", kMostCharts);
    shown.push_back(choice);
  }
  state.time_bar.charts = std::move(shown);
  return "";
}

}  // namespace sparsescope::frame
