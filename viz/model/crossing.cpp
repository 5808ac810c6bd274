#include "viz/model/crossing.h"

#include <fmt/format.h>

#include <algorithm>

#include "viz/model/format.h"
#include "viz/model/takeaway.h"

namespace sparsescope::viz {
namespace {

constexpr std::size_t kMostNamed = 4;  // layers of a clause that are told one by one

std::string step_words(std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); }

const char* side_words(Side side) { return side == Side::Above ? "above" : "below"; }

bool is_beyond(const Bucket& bucket, double level, Side side) {
  return bucket.has_value() && (side == Side::Above ? bucket.maximum > level : bucket.minimum < level);
}

// The level as the series would hold it: a density recorded as 0.2 in single precision is not above 20 %.
double recorded(const Series& series, double level) {
  return series.precision() == Series::Precision::Single ? static_cast<double>(static_cast<float>(level))
                                                         : level;
}

// "step 30", or the span of a summary: "a step from 30 to 45".
std::string when(const LayerCrossing& crossing) {
  return crossing.last_step > crossing.step
             ? fmt::format("a step from {} to {}", step_words(crossing.step), step_words(crossing.last_step))
             : "step " + step_words(crossing.step);
}

std::string layers_of_kind(std::span<const LayerCrossing> crossings, LayerCrossing::Kind kind) {
  std::vector<std::int64_t> layers;
  for (const LayerCrossing& crossing : crossings) {
    if (crossing.kind == kind) layers.push_back(crossing.layer);
  }
  return layers.empty() ? std::string()
                        : layers_in_words(layers, static_cast<std::int64_t>(crossings.size()));
}

LayerCrossing crossing_of(const Run& run, const Track& track, const Series& series, double level, Side side) {
  LayerCrossing crossing;
  const Bucket all = series.fold(0, series.size());
  if (!all.has_value()) return crossing;
  const std::optional<Passed> passed = first_beyond(series, level, side);
  if (!passed) {
    crossing.kind = LayerCrossing::Kind::Never;
    return crossing;
  }
  Bucket begin;
  begin.add(all.first);
  const bool is_first = is_beyond(begin, recorded(series, level), side);
  crossing.kind = is_first ? LayerCrossing::Kind::FromTheStart : LayerCrossing::Kind::Crossed;
  crossing.step = run.step_of_sample(track, passed->first);
  crossing.last_step = run.step_of_sample(track, passed->last - 1);
  return crossing;
}

}  // namespace

std::optional<Passed> first_beyond(const Series& series, double level, Side side) {
  level = recorded(series, level);
  std::size_t first = 0, last = series.size();
  if (!is_beyond(series.fold(first, last), level, side)) return std::nullopt;
  // Halve: the first half that holds a sample beyond the level holds the first one. Among samples that were
  // thinned away the halves are whole summaries.
  while (last - first > 1) {
    std::size_t middle = first + (last - first) / 2;
    if (middle < series.exact_from()) {
      middle = std::max(middle - middle % Series::kFanOut, first + Series::kFanOut);
      if (middle >= last) break;
    }
    if (is_beyond(series.fold(first, middle), level, side)) {
      last = middle;
    } else {
      first = middle;
    }
  }
  return Passed{first, last};
}

std::vector<LayerCrossing> layer_crossings(const Run& run, const std::string& channel,
                                           const std::string& label, double level, Side side) {
  std::vector<LayerCrossing> crossings;
  const Track* track = run.track(channel);
  if (track == nullptr) return crossings;
  const trace::Axis* axis = run.schema()->channels[track->channel].axis("layer");
  for (std::int64_t layer = 0; axis != nullptr && layer < axis->size; ++layer) {
    const Series* series = run.series(channel, {std::to_string(layer), label});
    if (series == nullptr) continue;
    crossings.push_back(crossing_of(run, *track, *series, level, side));
    crossings.back().layer = layer;
  }
  return crossings;
}

std::string crossing_in_words(const CrossingWords& words, const LayerCrossing& crossing) {
  const std::string beyond = fmt::format("{} {}", side_words(words.side), words.level);
  switch (crossing.kind) {
    case LayerCrossing::Kind::Crossed:
      return fmt::format("{} first {} in layer {} at {}", words.what, beyond, crossing.layer, when(crossing));
    case LayerCrossing::Kind::FromTheStart:
      return fmt::format("{} {} in layer {} from the first sample, {}", words.what, beyond, crossing.layer,
                         when(crossing));
    case LayerCrossing::Kind::Never:
      return fmt::format("{} never {} in layer {}", words.what, beyond, crossing.layer);
    case LayerCrossing::Kind::NotRecorded:
      return fmt::format("no sample of {} in layer {}", words.what, crossing.layer);
  }
  return {};
}

std::string crossings_in_words(const CrossingWords& words, std::span<const LayerCrossing> crossings) {
  if (crossings.empty()) return {};
  if (crossings.size() == 1) return crossing_in_words(words, crossings.front());
  using Kind = LayerCrossing::Kind;
  const std::string beyond = fmt::format("{} {}", side_words(words.side), words.level);
  std::vector<LayerCrossing> crossed;
  for (const LayerCrossing& crossing : crossings) {
    if (crossing.kind == Kind::Crossed) crossed.push_back(crossing);
  }
  std::ranges::stable_sort(crossed, {}, &LayerCrossing::step);
  std::vector<std::string> clauses;
  if (const std::string layers = layers_of_kind(crossings, Kind::FromTheStart); !layers.empty())
    clauses.push_back(fmt::format("{} {} from the first sample in {}", words.what, beyond, layers));
  if (!crossed.empty()) {
    const bool leads = clauses.empty();
    std::string clause = fmt::format("{}first {} in layer {} at {}", leads ? words.what + " " : "", beyond,
                                     crossed.front().layer, when(crossed.front()));
    const std::size_t named = std::min(crossed.size(), kMostNamed);
    for (std::size_t i = 1; i < named; ++i) {
      clause += fmt::format("{}layer {} at {}", i + 1 == crossed.size() ? " and " : ", ", crossed[i].layer,
                            when(crossed[i]));
    }
    if (crossed.size() > named)
      clause += fmt::format(" and in {} more layers by {}", crossed.size() - named, when(crossed.back()));
    clauses.push_back(std::move(clause));
  }
  if (const std::string layers = layers_of_kind(crossings, Kind::Never); !layers.empty())
    clauses.push_back(clauses.empty() ? fmt::format("{} never {} in {}", words.what, beyond, layers)
                                      : "never in " + layers);
  if (const std::string layers = layers_of_kind(crossings, Kind::NotRecorded); !layers.empty())
    clauses.push_back(fmt::format("no sample{} in {}", clauses.empty() ? " of " + words.what : "", layers));
  std::string sentence;
  for (const std::string& clause : clauses) sentence += (sentence.empty() ? "" : "; ") + clause;
  return sentence;
}

const LayerCrossing* next_crossing(std::span<const LayerCrossing> crossings, std::uint64_t step,
                                   std::optional<std::int64_t> layer) {
  const LayerCrossing *next = nullptr, *first = nullptr;
  for (const LayerCrossing& crossing : crossings) {
    if (!crossing.is_found() || (layer && crossing.layer != *layer)) continue;
    if (first == nullptr || crossing.step < first->step) first = &crossing;
    if (crossing.step > step && (next == nullptr || crossing.step < next->step)) next = &crossing;
  }
  return next != nullptr ? next : first;
}

void mark_crossings(const Run& run, TimeAxis axis, const CrossingWords& words, double level,
                    std::span<const LayerCrossing> crossings, TrackPicture& track) {
  for (const LayerCrossing& crossing : crossings) {
    CrossingMark mark;
    mark.layer = crossing.layer;
    mark.words = crossing_in_words(words, crossing);
    if (crossing.is_found()) {
      mark.is_found = true;
      mark.is_from_the_start = crossing.kind == LayerCrossing::Kind::FromTheStart;
      mark.step = crossing.step;
      mark.x = run.x_of_step(crossing.step, axis);
      mark.y = level;
    }
    track.crossings.push_back(std::move(mark));
  }
}

}  // namespace sparsescope::viz
