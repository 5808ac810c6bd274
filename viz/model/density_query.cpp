// Scope density by reason: which part of the past is read because it was declared, inherited, or for want of
// anything else.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "viz/model/comparison_lines.h"
#include "viz/model/format.h"
#include "viz/model/query.h"

namespace sparsescope::viz {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

struct Reason {
  const char* label;
  Ink ink;
  Dash dash;
};
// Bottom up as they are stacked: the fallback window is where a run starts.
constexpr std::array kReasons = {Reason{"fallback", Ink::Fallback, Dash::Dotted},
                                 Reason{"direct", Ink::Direct, Dash::Solid},
                                 Reason{"inherited", Ink::Inherited, Dash::Dashed}};

std::string span_words(LayerSpan span, std::int64_t layers) {
  std::vector<std::int64_t> all;
  for (std::int64_t layer = span.first; layer <= span.last; ++layer) all.push_back(layer);
  return layers_in_words(all, layers);
}

// One reason as the mean over layers. Layers have equally many pairs, so the plain mean is the share of all
// pairs.
class LayerMean {
 public:
  LayerMean(const Run& run, LayerSpan span, const char* reason) {
    for (std::int64_t layer = span.first; layer <= span.last; ++layer) {
      if (const Series* series = run.series("density", {std::to_string(layer), reason}))
        series_.push_back(series);
    }
  }
  bool is_recorded() const { return !series_.empty(); }
  const std::vector<const Series*>& series() const { return series_; }
  double at(std::size_t sample) const {
    double sum = 0;
    for (const Series* series : series_) {
      const Bucket bucket = sample >= series->exact_from()
                                ? series->fold(sample, sample + 1)
                                : series->fold(sample, std::min(sample + Series::kFanOut, series->size()));
      sum += bucket.has_value() && bucket.invalid == 0 ? bucket.last : kUnknown;
    }
    return series_.empty() ? kUnknown : sum / static_cast<double>(series_.size());
  }

 private:
  std::vector<const Series*> series_;
};

std::optional<std::size_t> cursor_sample(const QueryFrame& frame, const Track& track) {
  return frame.run.sample_at_or_before(track, frame.cursor_step());
}

constexpr const char* kLayersHelp =
    "One line a layer: the share of strict-past pairs that may be read for the reason chosen. A ring marks "
    "where "
    "a layer is first strictly above the level, in recorded samples only; a filled dot on the level where it "
    "is "
    "above from its first sample on. The level is dragged, typed in the settings, or set by its command.";

// A line each layer, the level, and where each first passes it.
TrackPicture layers_track(const QueryFrame& frame, const DensitySettings& settings,
                          const ComparisonBanner& banner) {
  const CrossingWords words = density_crossing_words(settings);
  TrackPicture track = layer_lines(frame, "density", label_of(settings.part));
  track.title = "By layer";
  track.id = "density_layers";
  track.help = kLayersHelp;
  track.y_fixed = Range{0, 1};
  track.share = 1.2;
  fit_y(track);
  const double level = settings.level_percent / 100;
  LevelMark mark{level, "level", Ink::Accent, Weight::Normal, "", 0};
  mark.command = "view.density.level_percent";
  mark.per_unit = 100;
  mark.unit = " %";
  track.levels.push_back(std::move(mark));
  const std::vector<LayerCrossing> crossings = density_crossings(frame.run, settings);
  track.detail = crossings_in_words(words, crossings) + (banner.is_empty() ? "" : "; of the selected run");
  mark_crossings(frame.run, frame.timeline.window().axis(), words, level, crossings, track);
  return track;
}

}  // namespace

const char* label_of(DensityPart part) {
  constexpr std::array kLabels = {"direct", "inherited", "fallback", "scope"};
  return kLabels[static_cast<std::size_t>(part)];
}

CrossingWords density_crossing_words(const DensitySettings& settings) {
  return {label_of(settings.part), format_number(settings.level_percent, 4) + " %", Side::Above};
}

std::vector<LayerCrossing> density_crossings(const Run& run, const DensitySettings& settings) {
  return layer_crossings(run, "density", label_of(settings.part), settings.level_percent / 100, Side::Above);
}

TrackPicture density_track(const QueryFrame& frame, const DensitySettings& settings) {
  const Run& run = frame.run;
  const TimeAxis axis = frame.timeline.window().axis();
  TrackPicture picture;
  picture.id = "density";
  picture.title = "Scope density";
  picture.y_fixed = Range{0, 1};
  picture.share = 1.6;
  picture.help =
      "Scope density = Σ_t #{p < t : p in scope(t)} / (T(T−1)/2): the share of strict-past pairs that may be "
      "read, self excluded, on the training batch; mean "
      "over the layers chosen.\nDirect: p declared the id of t. Inherited: p was declared by a token that t "
      "reads (not direct). Fallback: the recent window, "
      "because nothing was declared.\nExpected from counts (dotted line): Σ_v π_v d_v, the direct density if "
      "a "
      "query's id and a key's declaration knew nothing of one another; π_v is the share of id v in the text, "
      "d_v the share of tokens that declare v. Measured above it: declarations favour what comes.";
  const Track* track = run.track("density");
  if (track == nullptr) {
    picture.missing = why_missing(run, "density");
    return picture;
  }
  const std::int64_t layers = layers_of(run, *track);
  const LayerSpan span = cut_span(settings.layers, layers);
  picture.detail = span_words(span, layers) + ", share of strict-past pairs";

  const auto boundaries = column_boundaries(frame, *track, 4);
  const std::optional<std::size_t> now = cursor_sample(frame, *track);
  std::vector<double> base(boundaries.size(), 0.0);
  for (const Reason& reason : kReasons) {
    const LayerMean mean(run, span, reason.label);
    if (!mean.is_recorded()) continue;
    for (const Series* series : mean.series()) mark_invalid(run, *track, *series, boundaries, axis, picture);
    AreaPicture area;
    area.label = reason.label;
    area.ink = reason.ink;
    area.dash = reason.dash;
    area.at_cursor = now ? mean.at(*now) : kUnknown;
    for (std::size_t i = 0; i + 1 < boundaries.size(); ++i) {
      const std::size_t sample = boundaries[i + 1] - 1;
      const double lower = base[i], upper = lower + mean.at(sample);
      base[i] = upper;  // not a number stays so: a gap in one part is a gap in what stands on it
      area.slices.push_back(
          {run.x_of_sample(*track, sample, axis), run.step_of_sample(*track, sample), lower, upper});
    }
    picture.areas.push_back(std::move(area));
  }
  const LayerMean expected(run, span, "expected");
  if (settings.show_expected && expected.is_recorded()) {
    LinePicture line;
    line.label = "expected from counts";
    line.ink = Ink::Text;
    line.dash = Dash::Dotted;
    line.at_cursor = now ? expected.at(*now) : kUnknown;
    for (std::size_t i = 0; i + 1 < boundaries.size(); ++i) {
      const std::size_t sample = boundaries[i + 1] - 1;
      Column column{run.x_of_sample(*track, sample, axis), run.step_of_sample(*track, sample), {}};
      column.bucket.add(expected.at(sample));
      line.columns.push_back(column);
    }
    picture.lines.push_back(std::move(line));
  }
  if (boundaries.empty())
    picture.missing =
        track->size() > 0 ? "No sample in this part of the time axis" : why_missing(run, "density");
  fit_y(picture);
  return picture;
}

DensityFacts density_facts(const QueryFrame& frame, LayerSpan layers) {
  DensityFacts facts;
  facts.now = facts.start = kUnknown;
  const Track* track = frame.run.track("density");
  const std::optional<std::size_t> now = track != nullptr ? cursor_sample(frame, *track) : std::nullopt;
  if (!now) return facts;
  layers = cut_span(layers, layers_of(frame.run, *track));
  const LayerMean scope(frame.run, layers, "scope"), direct(frame.run, layers, "direct"),
      inherited(frame.run, layers, "inherited"), fallback(frame.run, layers, "fallback");
  const auto known = [](double value) { return std::isfinite(value) ? value : 0.0; };
  facts.now = scope.at(*now);
  facts.start = scope.at(0);
  facts.now_direct = known(direct.at(*now));
  facts.now_inherited = known(inherited.at(*now));
  facts.now_fallback = known(fallback.at(*now));
  facts.start_direct = known(direct.at(0));
  facts.start_inherited = known(inherited.at(0));
  facts.start_fallback = known(fallback.at(0));
  return facts;
}

Picture density_query(const QueryFrame& frame, const DensitySettings& settings) {
  Picture picture = begin_picture(frame, "density", "density");
  picture.title = "Scope density";
  if (picture.state == PictureState::NotApplicable) {
    picture.words =
        "This model reads all of the past: there is no density to show. The spark presets record the channel "
        "'density'";
    return picture;
  }
  if (frame.run.schema() == nullptr) return picture;
  picture.banner = comparison_banner(frame);
  picture.tracks.push_back(density_track(frame, settings));
  overlay(
      frame, picture.banner.runs, SeedGroups::Apart, "scope",
      [&](const QueryFrame& other) { return density_track(other, settings); }, picture.tracks.front());
  picture.detail = picture.tracks[0].detail;
  picture.help = picture.tracks[0].help;
  if (settings.show_layers) {
    picture.tracks.push_back(layers_track(frame, settings, picture.banner));
    picture.help += "\n\n" + picture.tracks.back().title + ". " + picture.tracks.back().help;
  }
  if (picture.state != PictureState::Ready) return picture;
  picture.takeaway = density_in_words(density_facts(frame, settings.layers));
  if (settings.show_layers) {
    const std::string crossings =
        crossings_in_words(density_crossing_words(settings), density_crossings(frame.run, settings));
    if (!crossings.empty()) picture.takeaway += (picture.takeaway.empty() ? "" : "; ") + crossings;
  }
  picture.detail += ", step " + format_count(static_cast<std::int64_t>(picture.cursor_step));
  return picture;
}

}  // namespace sparsescope::viz
