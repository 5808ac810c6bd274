// Threshold drift: is the mechanism buying density? θ per layer over density, empty rows and loss, on one
// time axis.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "viz/model/comparison_lines.h"
#include "viz/model/format.h"
#include "viz/model/query.h"

namespace sparsescope::viz {
namespace {

constexpr double kNoClamp = 1000;  // a clamp this far out is not in force
constexpr double kHoldSigmas =
    0.02;  // θ that moves by less altogether holds: below the noise of the scores' deviation

}  // namespace

TrackPicture layer_lines(const QueryFrame& frame, const char* channel, const char* stat) {
  const Run& run = frame.run;
  TrackPicture picture;
  picture.id = stat;
  const Track* track = run.track(channel);
  if (track == nullptr) {
    picture.missing = why_missing(run, channel);
    return picture;
  }
  const std::int64_t layers = layers_of(run, *track);
  const auto boundaries = column_boundaries(frame, *track, static_cast<std::size_t>(layers));
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const Series* series = run.series(channel, {std::to_string(layer), stat});
    if (series == nullptr) continue;
    LinePicture line = line_of(frame, *track, *series, boundaries);
    line.label = "layer " + std::to_string(layer);
    line.ink = Ink::Ramp;
    line.place = layers > 1 ? static_cast<double>(layer) / static_cast<double>(layers - 1) : 0.5;
    line.layer = layer;
    mark_invalid(run, *track, *series, boundaries, frame.timeline.window().axis(), picture);
    picture.lines.push_back(std::move(line));
  }
  if (boundaries.empty() || picture.lines.empty()) {
    picture.missing = track->size() > 0 && !picture.lines.empty() ? "No sample in this part of the time axis"
                                                                  : why_missing(run, channel);
  }
  fit_y(picture);
  return picture;
}

namespace {

TrackPicture theta_sigmas_track(const QueryFrame& frame) {
  TrackPicture picture = layer_lines(frame, "threshold", "theta_sigmas");
  picture.title = "θ by layer";
  picture.detail = "in standard deviations of the scores";
  picture.unit = "σ";
  picture.share = 2;
  picture.help =
      "θ is the declaration threshold: token p declares the id v when their score S exceeds θ. Shown as (θ − "
      "mean S) / std S over the past pairs of the step's "
      "batch, so that it can be compared across layers, widths and runs.\nThe slope is the least-squares "
      "line through the latest half of what is visible up to the "
      "cursor, or through the brushed span.";
  return picture;
}

TrackPicture theta_track(const QueryFrame& frame) {
  TrackPicture picture = layer_lines(frame, "threshold", "theta");
  picture.title = "θ itself";
  picture.detail = "in the unit of the scores";
  picture.help =
      "The learned threshold as the optimizer sees it. It does not transfer across widths: compare θ in "
      "standard deviations.";
  return picture;
}

TrackPicture empty_rows_track(const QueryFrame& frame) {
  TrackPicture picture = layer_lines(frame, "density", "empty_rows");
  picture.title = "Empty rows";
  picture.detail = "share of queries that nothing was declared for";
  picture.y_fixed = Range{0, 1};
  picture.help =
      "Share of queries without a direct declaration: they read the fallback window, or only themselves.";
  fit_y(picture);
  return picture;
}

std::string drift_words(const QueryFrame& frame, const TrackPicture& theta, const DensitySettings& density) {
  StepSpan span = statistics_span(frame);
  // The latest half, unless a person brushed a span: what θ does now, not how it began.
  if (!frame.brush) span.first = span.last - (span.last - span.first) / 2;
  std::vector<LayerSlope> slopes;
  bool any = false;
  for (const LinePicture& line : theta.lines) {
    slopes.push_back({line.layer.value_or(0), slope_per_thousand(line.columns, span.first, span.last)});
    any |= std::isfinite(slopes.back().per_thousand);
  }
  std::string words =
      any ? slopes_in_words(slopes, static_cast<double>(span.last - span.first), kHoldSigmas) +
                span_in_words(frame)
          : "Too few steps for a slope";
  if (theta.invalid_samples > 0) {
    words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
    words = "θ is not a number in " + format_count(static_cast<std::int64_t>(theta.invalid_samples)) +
            " samples since step " + format_count(static_cast<std::int64_t>(theta.first_invalid_step)) +
            "; " + words;
  }
  if (!any) return words;
  const DensityFacts facts = density_facts(frame, density.layers);
  if (std::isfinite(facts.now) && std::isfinite(facts.start)) {
    const double points = 100 * (facts.now - facts.start);
    const auto whole = static_cast<std::int64_t>(std::llround(std::abs(points)));
    words += whole == 0 ? "; density as at the start"
                        : "; density " + std::string(points < 0 ? "−" : "+") + format_count(whole) +
                              (whole == 1 ? " point" : " points") + " since the start";
  }
  return words;
}

// One line a run where several runs are shown: their layers would not be told apart.
TrackPicture compared(const QueryFrame& frame, const std::vector<ComparedRun>& runs, const char* channel,
                      const char* stat, LayerSpan layers, TrackPicture track) {
  if (runs.empty()) return track;
  const SameTrack same = [=](const QueryFrame& other) {
    TrackPicture made;
    made.lines.push_back(mean_over_layers(other, channel, stat, layers));
    return made;
  };
  track.lines = same(frame).lines;
  track.detail += track.lines.front().label == "mean" ? "; mean and band over layers" : "";
  overlay(frame, runs, SeedGroups::Apart, "", same, track);
  return track;
}

// The value of a live control at the cursor, as recorded: at the start, then as commands and schedules set
// it.
std::optional<double> control_at(const QueryFrame& frame, const std::string& name) {
  std::optional<double> value;
  for (const Event& event : frame.run.events()) {
    if (event.step > frame.cursor_step()) break;
    if (event.json.find(name) == std::string::npos) continue;
    const auto json = nlohmann::json::parse(event.json, nullptr, false);
    if (!json.is_object()) continue;
    const nlohmann::json::json_pointer at_start("/controls/" + name);
    if (json.contains(at_start) && json.at(at_start).is_number()) value = json.at(at_start).get<double>();
    if (json.value("name", "") == name && json.contains("new") && json["new"].is_number())
      value = json["new"].get<double>();
  }
  return value;
}

// The clamps of θ, drawn where they are in force; draggable while the run is being trained.
void add_clamps(const QueryFrame& frame, TrackPicture& track) {
  const auto add = [&](const char* control, const char* words, double none) {
    const std::optional<double> value = control_at(frame, control);
    if (!value) return;
    const bool is_off = std::abs(*value) >= std::abs(none);
    track.levels.push_back({is_off ? std::numeric_limits<double>::quiet_NaN() : *value, words, Ink::Accent,
                            Weight::Normal, control, none});
    if (is_off) return;
    track.y.minimum = std::min(track.y.minimum, *value);
    track.y.maximum = std::max(track.y.maximum, *value);
  };
  add("threshold_min", "θ at least", -kNoClamp);
  add("threshold_max", "θ at most", kNoClamp);
}

// The level that a person looks for, and where each layer first passes it. `lines` are layers.
std::string add_crossings(const QueryFrame& frame, const DriftSettings& settings, TrackPicture& track) {
  const ThetaCrossings found = theta_crossings(frame.run, settings);
  LevelMark level{settings.level_sigmas, "level", Ink::Accent, Weight::Normal, "", 0};
  level.command = "view.drift.level_sigmas";
  level.unit = " σ";
  track.levels.push_back(std::move(level));
  track.y.minimum = std::min(track.y.minimum, settings.level_sigmas);
  track.y.maximum = std::max(track.y.maximum, settings.level_sigmas);
  mark_crossings(frame.run, frame.timeline.window().axis(), found.words, settings.level_sigmas, found.layers,
                 track);
  return crossings_in_words(found.words, found.layers);
}

}  // namespace

ThetaCrossings theta_crossings(const Run& run, const DriftSettings& settings) {
  ThetaCrossings found;
  found.words = {"θ", format_number(settings.level_sigmas, 4) + " σ", Side::Above};
  found.layers = layer_crossings(run, "threshold", "theta_sigmas", settings.level_sigmas, Side::Above);
  const auto above =
      std::ranges::count(found.layers, LayerCrossing::Kind::FromTheStart, &LayerCrossing::kind);
  if (2 * above <= std::ssize(found.layers)) return found;
  found.words.side = Side::Below;
  found.layers = layer_crossings(run, "threshold", "theta_sigmas", settings.level_sigmas, Side::Below);
  return found;
}

Picture drift_query(const QueryFrame& frame, const DriftSettings& settings) {
  Picture picture = begin_picture(frame, "drift", "threshold");
  picture.title = "θ by layer";
  picture.detail = "in standard deviations of the scores";
  if (picture.state == PictureState::NotApplicable) {
    picture.words = "No threshold in this model. The spark presets record the channel 'threshold'";
    return picture;
  }
  if (frame.run.schema() == nullptr) return picture;
  picture.banner = comparison_banner(frame);
  const std::vector<ComparedRun>& runs = picture.banner.runs;
  const LayerSpan layers = settings.density.layers;
  TrackPicture theta = theta_sigmas_track(frame);
  std::string words = drift_words(frame, theta, settings.density);
  if (settings.show_crossing) {
    const std::string crossings = add_crossings(frame, settings, theta);
    if (!crossings.empty()) words += "; " + crossings;
  }
  picture.tracks.push_back(compared(frame, runs, "threshold", "theta_sigmas", layers, std::move(theta)));
  if (settings.show_theta) {
    TrackPicture track = compared(frame, runs, "threshold", "theta", layers, theta_track(frame));
    add_clamps(frame, track);
    picture.tracks.push_back(std::move(track));
  }
  if (settings.show_density) {
    TrackPicture track = density_track(frame, settings.density);
    const auto same = [&](const QueryFrame& other) { return density_track(other, settings.density); };
    overlay(frame, runs, SeedGroups::Apart, "scope", same, track);
    picture.tracks.push_back(std::move(track));
  }
  if (settings.show_empty_rows)
    picture.tracks.push_back(compared(frame, runs, "density", "empty_rows", layers, empty_rows_track(frame)));
  if (settings.show_loss) {
    const auto same = [&](const QueryFrame& other) { return loss_track(other, settings.smoothing, false); };
    TrackPicture track = same(frame);
    track.share = 1;
    overlay(frame, runs, SeedGroups::Apart, "", same, track);
    picture.tracks.push_back(std::move(track));
  }
  for (const TrackPicture& track : picture.tracks)
    picture.help += (picture.help.empty() ? "" : "\n\n") + track.title + ". " + track.help;
  if (picture.state != PictureState::Ready) return picture;
  picture.takeaway = words;
  picture.detail = picture.tracks.front().detail + ", step " +
                   format_count(static_cast<std::int64_t>(picture.cursor_step));
  return picture;
}

}  // namespace sparsescope::viz
