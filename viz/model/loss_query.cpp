// Loss and throughput: training loss raw and smoothed, held-out loss, perplexity, gradient norm, learning
// rate, throughput and where the time of a step goes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/model/comparison_lines.h"
#include "viz/model/format.h"
#include "viz/model/query.h"

namespace sparsescope::viz {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Element of `scalars` by name, or nothing.
std::optional<std::size_t> scalar(const Run& run, const char* name) {
  const trace::Channel* channel = run.schema() != nullptr ? run.schema()->find("scalars") : nullptr;
  const std::int64_t index = channel != nullptr ? channel->label_index("name", name) : -1;
  return index < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(index));
}

// The loss that is a mean over tokens; the weighted sum where a run has no cross-entropy term.
std::optional<std::size_t> loss_element(const Run& run) {
  const std::optional<std::size_t> cross_entropy = scalar(run, "cross_entropy");
  return cross_entropy ? cross_entropy : scalar(run, "total_loss");
}

std::string smoothing_words(const Smoothing& smoothing) {
  return smoothing.is_on ? "Bold: moving average over about " + format_number(smoothing.window, 3) +
                               " samples (exponential, without the pull of its start). Faint: every sample; "
                               "the band spans minimum to maximum of a pixel column."
                         : "Line: last sample of a pixel column; the band spans its minimum to maximum.";
}

// A value of `scalars`, faint when a smoothed one lies over it.
void add_scalar(const QueryFrame& frame, const Smoothing& smoothing, const char* name, const char* label,
                TrackPicture& picture) {
  const std::optional<std::size_t> element = scalar(frame.run, name);
  if (!element) return;
  const Track& track = *frame.run.track("scalars");
  const auto boundaries = column_boundaries(frame, track, smoothing.is_on ? 2 : 1);
  const Series& raw = *frame.run.series(track, *element);
  LinePicture line = line_of(frame, track, raw, boundaries);
  line.label = smoothing.is_on ? "" : label;
  line.weight = smoothing.is_on ? Weight::Faint : Weight::Normal;
  picture.lines.push_back(std::move(line));
  mark_invalid(frame.run, track, raw, boundaries, frame.timeline.window().axis(), picture);
  if (!smoothing.is_on) return;
  LinePicture smooth =
      line_of(frame, track, frame.run.smoothed(track, *element, smoothing.window), boundaries);
  smooth.label = label;
  smooth.weight = Weight::Strong;
  picture.lines.push_back(std::move(smooth));
}

// A value of `evaluation`; few samples, so each gets a dot.
void add_evaluation(const QueryFrame& frame, const char* name, const char* label, TrackPicture& picture) {
  const Track* track = frame.run.track("evaluation");
  const Series* values = track != nullptr ? frame.run.series("evaluation", {name}) : nullptr;
  if (values == nullptr) return;
  const auto boundaries = column_boundaries(frame, *track, 1);
  LinePicture line = line_of(frame, *track, *values, boundaries);
  if (line.columns.empty()) return;
  line.label = label;
  line.ink = Ink::Text;
  line.dash = Dash::Dashed;
  line.has_dots = line.columns.size() <= 120;
  picture.lines.push_back(std::move(line));
  mark_invalid(frame.run, *track, *values, boundaries, frame.timeline.window().axis(), picture);
}

void finish(const Run& run, const char* channel, TrackPicture& picture) {
  const bool has_columns = std::any_of(picture.lines.begin(), picture.lines.end(),
                                       [](const LinePicture& line) { return !line.columns.empty(); }) ||
                           std::any_of(picture.areas.begin(), picture.areas.end(),
                                       [](const AreaPicture& area) { return !area.slices.empty(); });
  if (!has_columns) {
    const Track* track = run.track(channel);
    picture.missing = track != nullptr && track->size() > 0 ? "No sample in this part of the time axis"
                                                            : why_missing(run, channel);
  }
  fit_y(picture);
}

TrackPicture scalar_track(const QueryFrame& frame, const Smoothing& smoothing, const char* name,
                          const char* label, const char* title, const char* unit, const char* help) {
  TrackPicture picture;
  picture.id = name;
  picture.title = title;
  picture.unit = unit;
  picture.help = help;
  add_scalar(frame, smoothing, name, label, picture);
  finish(frame.run, "scalars", picture);
  return picture;
}

TrackPicture perplexity_track(const QueryFrame& frame) {
  TrackPicture picture;
  picture.id = "perplexity";
  picture.is_logarithmic = true;
  picture.title = "Held-out perplexity";
  picture.help =
      "Perplexity = exp(mean −ln p(next token)) over held-out windows: the number of equally likely tokens "
      "the model hesitates between.";
  add_evaluation(frame, "perplexity", "held-out", picture);
  finish(frame.run, "evaluation", picture);
  return picture;
}

struct Part {
  const char* scalar;
  const char* label;
  Dash dash;
};
constexpr Part kParts[] = {{"forward_ms", "forward", Dash::Solid},
                           {"backward_ms", "backward", Dash::Dashed},
                           {"optimizer_ms", "optimizer", Dash::Dotted},
                           {"data_ms", "data", Dash::Solid},
                           {"probe_ms", "probes", Dash::Dashed}};

// Where the milliseconds of a step go, stacked; smoothed like the loss.
TrackPicture time_track(const QueryFrame& frame, const Smoothing& smoothing) {
  TrackPicture picture;
  picture.id = "step_ms";
  picture.title = "Step time";
  picture.unit = "ms";
  picture.help =
      "Milliseconds of one optimizer step, stacked by part: forward, backward, optimizer, data, probes "
      "(since the step before).\n" +
      smoothing_words(smoothing);
  const Track* track = frame.run.track("scalars");
  if (track == nullptr) return picture;
  const auto boundaries = column_boundaries(frame, *track, std::size(kParts));
  std::vector<double> base(boundaries.size(), 0.0);
  double place = 0;
  for (const Part& part : kParts) {
    const std::optional<std::size_t> element = scalar(frame.run, part.scalar);
    if (!element) continue;
    const Series& raw = *frame.run.series(*track, *element);
    const Series& values = smoothing.is_on ? frame.run.smoothed(*track, *element, smoothing.window) : raw;
    AreaPicture area;
    area.label = part.label;
    area.ink = Ink::Part;
    area.place = place++;
    area.dash = part.dash;
    area.at_cursor = value_at_cursor(frame, *track, values);
    for (std::size_t i = 0; i + 1 < boundaries.size() && boundaries[i + 1] <= values.size(); ++i) {
      const std::size_t sample = boundaries[i + 1] - 1;
      const Bucket bucket = values.fold(sample, sample + 1);
      const double lower = base[i], upper = lower + (bucket.has_value() ? bucket.last : kUnknown);
      base[i] = std::isfinite(upper) ? upper : lower;
      area.slices.push_back({frame.run.x_of_sample(*track, sample, frame.timeline.window().axis()),
                             frame.run.step_of_sample(*track, sample), lower, upper});
    }
    if (!area.slices.empty()) picture.areas.push_back(std::move(area));
  }
  finish(frame.run, "scalars", picture);
  return picture;
}

LossFacts loss_facts(const QueryFrame& frame, const TrackPicture& loss, const Smoothing& smoothing) {
  LossFacts facts;
  facts.is_smoothed = smoothing.is_on;
  facts.now = facts.per_thousand = facts.held_out = kUnknown;
  facts.invalid_samples = loss.invalid_samples;
  facts.first_invalid_step = loss.first_invalid_step;
  StepSpan span = statistics_span(frame);
  facts.step = frame.cursor_step();
  facts.slope_span = span_in_words(frame);
  // The recent quarter, unless a person brushed a span: the first steps of a run would drown the rest.
  if (!frame.brush) span.first = span.last - (span.last - span.first) / 4;
  for (const LinePicture& line : loss.lines) {
    if (line.ink == Ink::Text) facts.held_out = line.at_cursor;
    if (line.ink != Ink::Run || line.label.empty()) continue;
    facts.now = line.at_cursor;
    facts.per_thousand = slope_per_thousand(line.columns, span.first, span.last);
  }
  return facts;
}

}  // namespace

TrackPicture loss_track(const QueryFrame& frame, const Smoothing& smoothing, bool is_logarithmic) {
  TrackPicture picture;
  picture.id = "loss";
  picture.title = "Loss";
  picture.unit = "nats";
  picture.is_logarithmic = is_logarithmic;
  picture.share = 2;
  picture.help =
      "Cross-entropy = mean −ln p(next token) in nats per token; one bit is 0.693 nats. Training: the batch "
      "of that step, before its update. "
      "Held-out (dashed, dots): windows of text that is never trained on.\n" +
      smoothing_words(smoothing);
  const std::optional<std::size_t> element = loss_element(frame.run);
  if (element) {
    const std::string name = frame.run.schema()->find("scalars")->axis("name")->labels[*element];
    add_scalar(frame, smoothing, name.c_str(), "train", picture);
  }
  add_evaluation(frame, "val_nll", "held-out", picture);
  finish(frame.run, "scalars", picture);
  return picture;
}

namespace {

// "; −0.120 against A": the training and held-out loss minus the baseline's at the same place of the time
// axis.
std::string against_baseline(const QueryFrame& frame, const LossFacts& own, const LossSettings& settings) {
  Run* baseline = baseline_run(frame);
  if (baseline == nullptr || baseline->rows() == 0 || !std::isfinite(own.now)) return {};
  if (!comparable(*baseline, frame.run, frame.cursor_step()).allows_losses()) return {};
  const TimeAxis axis = frame.timeline.window().axis();
  const double here = frame.run.x_of_step(frame.cursor_step(), axis);
  if (here > baseline->x(baseline->rows() - 1, axis)) return "; A has not come this far";
  QueryFrame other = frame_of(frame, *baseline);
  other.step = locked_step(frame, *baseline);
  const LossFacts a = loss_facts(other, loss_track(other, settings.smoothing, settings.is_loss_logarithmic),
                                 settings.smoothing);
  if (!std::isfinite(a.now)) return {};
  std::string words = "; " + format_signed(own.now - a.now, 3) + " against A";
  if (std::isfinite(own.held_out) && std::isfinite(a.held_out))
    words += ", held-out " + format_signed(own.held_out - a.held_out, 3);
  return words;
}

// Of the training loss's difference to A: whether seeds alone would do it.
std::string spread_words(const QueryFrame& frame, const TrackPicture& track) {
  for (const SpreadNote& note : track.spreads) {
    if (std::ranges::find(note.runs, frame.run.id()) != note.runs.end())
      return note.is_inside ? ", inside the seed spread" : ", outside the seed spread";
  }
  return {};
}

// All tracks of one frame, in their order.
struct LossTrack {
  std::string total;  // name of the line over its areas
  SameTrack make;
};

std::vector<LossTrack> loss_tracks(const Run& run, const LossSettings& settings) {
  const Smoothing smoothing = settings.smoothing;
  std::vector<LossTrack> tracks;
  tracks.push_back({"", [=](const QueryFrame& frame) {
                      return loss_track(frame, smoothing, settings.is_loss_logarithmic);
                    }});
  if (settings.show_perplexity && run.track("evaluation") != nullptr)
    tracks.push_back({"", perplexity_track});
  const auto add = [&](bool is_wanted, const char* name, const char* label, const char* title,
                       const char* unit, Smoothing own, const char* help) {
    if (!is_wanted || !scalar(run, name)) return;
    tracks.push_back({"", [=](const QueryFrame& frame) {
                        return scalar_track(frame, own, name, label, title, unit, help);
                      }});
  };
  add(settings.show_gradient, "gradient_norm", "norm", "Gradient norm", "", smoothing,
      "Euclidean length of the gradient over all parameters, before clipping.");
  add(settings.show_learning_rate, "learning_rate", "rate", "Learning rate", "", {false, 1},
      "Learning rate of the optimizer at this step, after schedule and live scale.");
  add(settings.show_throughput, "tokens_per_second", "tok/s", "Throughput", "tok/s", smoothing,
      "Training tokens per second of wall time.");
  if (settings.show_time_split && scalar(run, "forward_ms"))
    tracks.push_back({"all parts", [=](const QueryFrame& frame) { return time_track(frame, smoothing); }});
  add(settings.show_memory, "memory_bytes", "memory", "Memory", "bytes", {false, 1},
      "Memory of the training device in use.");
  return tracks;
}

}  // namespace

Picture loss_query(const QueryFrame& frame, const LossSettings& settings) {
  Picture picture = begin_picture(frame, "loss", "scalars");
  picture.title = "Loss";
  picture.detail = "in nats per token";
  if (picture.state == PictureState::NotApplicable) {
    picture.words = "This run records no scalars; every training preset does";
    return picture;
  }
  if (frame.run.schema() == nullptr) return picture;
  picture.banner = comparison_banner(frame);
  const SeedGroups seeds = settings.groups_seeds ? SeedGroups::Together : SeedGroups::Apart;
  if (settings.groups_seeds && !picture.banner.is_empty() &&
      seed_groups(picture.banner.runs).size() == picture.banner.runs.size())
    picture.hidden = "no two of these runs differ only in their seed, so none are grouped";
  for (const LossTrack& one : loss_tracks(frame.run, settings)) {
    TrackPicture track = one.make(frame);
    std::string words, against;
    if (picture.tracks.empty()) {
      const LossFacts facts = loss_facts(frame, track, settings.smoothing);
      words = loss_in_words(facts);
      against = against_baseline(frame, facts, settings);
    }
    overlay(frame, picture.banner.runs, seeds, one.total, one.make, track);
    if (picture.tracks.empty())
      picture.takeaway = words + against + (against.empty() ? "" : spread_words(frame, track));
    picture.help += (picture.help.empty() ? "" : "\n\n") + track.title + ". " + track.help;
    picture.tracks.push_back(std::move(track));
  }
  if (picture.state == PictureState::Ready)
    picture.detail += ", step " + format_count(static_cast<std::int64_t>(picture.cursor_step));
  return picture;
}

}  // namespace sparsescope::viz
