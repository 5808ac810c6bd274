// From a run and a cursor to a routing graph: which samples it needs, what state they are in, and the numbers
// beside it.
#include "viz/model/routing_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/trace/error.h"
#include "viz/model/comparison.h"
#include "viz/model/probe_text.h"
#include "viz/model/routing_content.h"
#include "viz/model/routing_reader.h"
#include "viz/model/routing_words.h"

namespace sparsescope::viz {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

std::string step_text(std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); }

std::int64_t axis_size(const Run& run, const char* channel, const char* name) {
  const trace::Channel* found = run.schema() != nullptr ? run.schema()->find(channel) : nullptr;
  const trace::Axis* axis = found != nullptr ? found->axis(name) : nullptr;
  return axis != nullptr ? axis->size : 0;
}

std::int64_t layers_of_run(const Run& run) {
  std::int64_t layers = 0;
  for (const char* channel : {"declared", "scope_pooled", "density", "threshold"})
    layers = std::max(layers, axis_size(run, channel, "layer"));
  return layers;
}

std::int64_t tokens_of_run(const Run& run) {
  return std::max(axis_size(run, "declared", "position"), axis_size(run, "probe_ids", "position"));
}

std::optional<std::uint64_t> nearest_step(const Run& run, const char* channel, std::uint64_t step) {
  const Track* track = run.track(channel);
  const auto sample = track != nullptr ? run.nearest_sample(*track, step) : std::nullopt;
  return sample ? std::optional(run.step_of_sample(*track, *sample)) : std::nullopt;
}

using Made = RoutingMemory::Made;

bool is_large(const EdgeRollupPtr& rollup) { return rollup && rollup->recorded().pairs > kLargeGraph; }

// The same but for the window.
bool is_of_the_same(const Made& made, const RoutingInput& input, bool has_vocabulary) {
  return made.rollup == input.rollup && made.other == input.other && made.settings == input.settings &&
         made.first_layer == input.first_layer && made.last_layer == input.last_layer &&
         made.token == input.token && made.second_token == input.second_token && made.ids == input.ids &&
         made.has_vocabulary == has_vocabulary;
}

class Query {
 public:
  Query(const QueryFrame& frame, const RoutingSettings& settings, const RoutingWindow& window,
        RoutingMemory& memory, RoutingWork work)
      : frame_(frame), run_(frame.run), window_(window), memory_(memory), work_(work) {
    picture_.settings = settings;
  }

  RoutingPicture make() {
    const bool has_declared = run_.track("declared") != nullptr, has_edges = run_.track("edges") != nullptr;
    const bool waits_for_edges = !has_declared && has_edges;
    begin_head(frame_, "routing", waits_for_edges ? "edges" : "declared", picture_);
    picture_.title = "Routing graph";
    picture_.help = routing_help(picture_);
    if (run_.schema() != nullptr && !has_declared && !has_edges) return not_routing();
    picture_.newest_step = run_.newest_step();
    picture_.layers = layers_of_run(run_);
    picture_.tokens = tokens_of_run(run_);
    choose_layers();
    set_no_baseline();
    if (picture_.state == PictureState::Ready) read();
    set_routing_title(picture_);
    return std::move(picture_);
  }

 private:
  RoutingPicture not_routing() {
    picture_.state = PictureState::NotApplicable;
    picture_.words =
        "This model routes nothing by declaration. The presets spark-collapse and spark-in-scope do; they "
        "record the channels 'edges' and 'declared'";
    return std::move(picture_);
  }

  void choose_layers() {
    const std::int64_t wanted = frame_.locked.layer.value_or(picture_.settings.layer);
    picture_.layer = wanted < 0 ? picture_.layers - 1 : std::min(wanted, picture_.layers - 1);
    const bool is_one = picture_.settings.layout == RoutingLayout::Arcs;
    picture_.first_layer = is_one ? picture_.layer : 0;
    picture_.last_layer = is_one ? picture_.layer : picture_.layers - 1;
  }

  void set_no_baseline() {
    const auto& pinned = frame_.comparison.baseline;
    Run* other = baseline_run(frame_);
    if (!pinned || frame_.timeline.find(*pinned) == nullptr) {
      picture_.no_baseline = "Pick a second run to see the difference to it";
    } else if (other == nullptr) {
      picture_.no_baseline = "This run is the pinned baseline itself";
    } else if (other->track("declared") == nullptr && other->track("edges") == nullptr) {
      picture_.no_baseline = "The pinned baseline routes nothing by declaration";
    } else if (layers_of_run(*other) != picture_.layers || tokens_of_run(*other) != picture_.tokens) {
      picture_.no_baseline = "The pinned baseline has another number of layers or tokens";
    } else if (picture_.settings.against == RoutingAgainst::Baseline) {
      const ComparisonCheck check = comparable(run_, *other, picture_.cursor_step);
      if (check.is_reading) {
        picture_.no_baseline = "Reading the vocabulary of the pinned baseline";
      } else if (!check.allows_maps()) {
        picture_.no_baseline = check.sentences.empty()
                                   ? "The pinned baseline was probed on another text, so its tokens differ"
                                   : check.sentences.front();
      }
    }
  }

  RoutingReader reader() {
    return {run_, memory_, work_, picture_.layers, picture_.tokens, frame_.locked.head};
  }

  void read() {
    try {
      const RoutingSide side = reader().latest(run_, picture_.cursor_step, picture_.settings.source);
      picture_.step = side.step;
      if (side.state == RowCache::State::Ready) return show(side);
      if (side.state == RowCache::State::Loading && !side.is_summing && show_scopes_first(side)) return;
      set_unread(side);
    } catch (const Error& error) {
      picture_.state = PictureState::Failed;
      picture_.words = error.what();
    }
  }

  // While weights are being read, the scopes of the same step stand in: they are small.
  bool show_scopes_first(const RoutingSide& weights) {
    if (routing_sample_step(run_, "declared", weights.step) != weights.step) return false;
    const RoutingSide side = reader().declared(run_, weights.step);
    if (side.state != RowCache::State::Ready) return false;
    show(side);
    picture_.source = "Scopes first; weights of step " + step_text(weights.step) + " are being read";
    return true;
  }

  void set_unread(const RoutingSide& side) {
    switch (side.state) {
      case RowCache::State::Loading:
        wait_for(side, "");
        break;
      case RowCache::State::Failed:
        picture_.state = PictureState::Failed;
        picture_.words = side.message;
        break;
      default: {
        picture_.state = PictureState::Empty;
        picture_.words = "No routing recorded at this step";
        auto nearest = nearest_step(run_, "declared", picture_.cursor_step);
        if (!nearest) nearest = nearest_step(run_, "edges", picture_.cursor_step);
        if (nearest) picture_.action = Action{"Go to the nearest sample", "", *nearest};
      }
    }
  }

  // `why`: " to compare with".
  void wait_for(const RoutingSide& side, const char* why) {
    picture_.state = PictureState::Loading;
    picture_.words = fmt::format("{} step {}{}", side.is_summing ? "Summing the edges of" : "Reading",
                                 step_text(side.step), why);
    if (side.is_summing)
      picture_.summing_seconds = std::max(memory_.rolling.seconds(), memory_.making.seconds());
  }

  void show(const RoutingSide& side) {
    RoutingInput input;
    input.rollup = side.rollup;
    if (!add_other(side, input)) return;
    const ProbeText text(run_, side.step);
    input.settings = picture_.settings;
    input.window = window_;
    input.first_layer = picture_.first_layer;
    input.last_layer = picture_.last_layer;
    input.token = frame_.locked.token;
    input.second_token = frame_.locked.second_token;
    input.ids = text.ids();
    picture_.content = content_of(std::move(input), text);
    if (picture_.content) return describe(side);
    wait_for({RowCache::State::Loading, {}, side.step, nullptr, {}, true}, "");
  }

  // What is subtracted; false when it is still being read.
  bool add_other(const RoutingSide& side, RoutingInput& input) {
    RoutingSettings& settings = picture_.settings;
    if (settings.against == RoutingAgainst::Baseline && !picture_.no_baseline.empty()) {
      settings.against = RoutingAgainst::Nothing;
      picture_.lock_words = "No difference shown: " + picture_.no_baseline;
    }
    if (settings.against == RoutingAgainst::Nothing) return true;
    const bool is_step = settings.against == RoutingAgainst::Step;
    Run& run = is_step ? run_ : *baseline_run(frame_);
    const std::uint64_t step = is_step ? settings.against_step : locked_step(frame_, run);
    const RoutingSource source = side.rollup->has_weights() ? RoutingSource::LatestWeights : settings.source;
    const RoutingSide other = reader().latest(run, step, source);
    if (other.state == RowCache::State::Loading) {
      wait_for(other, " to compare with");
      return false;
    }
    if (other.state != RowCache::State::Ready) {
      picture_.problem = "Nothing to compare with: " + other.message;
      settings.against = RoutingAgainst::Nothing;
      return true;
    }
    if (other.rollup->layers() != side.rollup->layers() || other.rollup->tokens() != side.rollup->tokens()) {
      picture_.problem = "Nothing to compare with: the other graph has another number of layers or tokens";
      settings.against = RoutingAgainst::Nothing;
      return true;
    }
    input.other = other.rollup;
    picture_.other_step = other.step;
    if (!is_step) picture_.other_name = run.name();
    return true;
  }

  // Null while it is made aside and the last one is of something else.
  std::shared_ptr<const RoutingContent> content_of(RoutingInput input, const ProbeText& text) {
    const auto has_same = [&] {
      return memory_.made && is_of_the_same(*memory_.made, input, text.has_vocabulary());
    };
    const auto has_all = [&] { return has_same() && memory_.made->window == input.window; };
    if (!has_all()) {
      if (auto made = finished(memory_.making, work_)) memory_.made = std::move(*made);
    }
    const auto last = has_same() ? memory_.made->content : nullptr;
    if (has_all()) return last;
    const bool goes_aside =
        work_ == RoutingWork::AsideWhenLarge && (is_large(input.rollup) || is_large(input.other));
    if (goes_aside) run_.keep_busy();
    if (goes_aside && memory_.making.is_busy()) return last;
    for (std::int32_t id : input.ids) input.words.push_back(text.word(id));
    auto make = [input = std::move(input), has_vocabulary = text.has_vocabulary()] {
      return Made{input.rollup,
                  input.other,
                  input.settings,
                  input.window,
                  input.first_layer,
                  input.last_layer,
                  input.token,
                  input.second_token,
                  input.ids,
                  has_vocabulary,
                  make_routing_content(input)};
    };
    if (goes_aside) {
      memory_.making.begin(std::move(make));
      return last;
    }
    memory_.made = make();
    return memory_.made->content;
  }

  void describe(const RoutingSide& side) {
    add_readouts(*side.rollup);
    set_source(side);
    set_heads(side);
    set_lock();
    if (const std::int64_t invalid = std::ssize(side.rollup->invalid_queries()); invalid > 0)
      picture_.invalid = fmt::format(
          "{} weights of step {} are no numbers; their pairs count without mass, red ticks mark their "
          "queries",
          format_count(invalid), step_text(side.step));
    set_routing_sums(picture_);
    set_routing_takeaway(picture_, batch_density(first_batch_step()), batch_density(picture_.cursor_step));
  }

  void add_readouts(const EdgeRollup& rollup) {
    const auto tokens = static_cast<double>(rollup.tokens());
    const double past = std::max(1.0, tokens * (tokens - 1) / 2);
    for (std::int64_t layer = 0; layer < rollup.layers(); ++layer) {
      RoutingReadout readout;
      readout.layer = layer;
      readout.by_reason = rollup.layer(layer);
      for (std::size_t reason = 0; reason < kRoutingReasons; ++reason) {
        readout.density_of[reason] = static_cast<double>(readout.by_reason[reason].pairs) / past;
        if (static_cast<RoutingReason>(reason) != RoutingReason::Self)
          readout.density += readout.density_of[reason];
      }
      readout.mean_scope = tokens > 0 ? readout.density * past / tokens : 0;
      readout.empty_rows = tokens > 0 ? static_cast<double>(rollup.empty_rows(layer)) / tokens : 0;
      readout.expected = batch_value(layer, "expected", picture_.cursor_step);
      picture_.readouts.push_back(readout);
    }
  }

  double batch_value(std::int64_t layer, const char* reason, std::uint64_t step) const {
    const Track* track = run_.track("density");
    const Series* series = run_.series("density", {std::to_string(layer), reason});
    const auto sample = track != nullptr ? run_.sample_at_or_before(*track, step) : std::nullopt;
    return series != nullptr && sample ? series->at(*sample) : kUnknown;
  }
  std::uint64_t first_batch_step() const {
    const Track* track = run_.track("density");
    return track != nullptr && track->size() > 0 ? run_.step_of_sample(*track, 0) : run_.first_step();
  }
  // Mean over the layers shown: they have equally many pairs.
  double batch_density(std::uint64_t step) const {
    double sum = 0;
    for (std::int64_t layer = picture_.first_layer; layer <= picture_.last_layer; ++layer)
      sum += batch_value(layer, "scope", step);
    return sum /
           static_cast<double>(std::max<std::int64_t>(1, picture_.last_layer - picture_.first_layer + 1));
  }

  void set_source(const RoutingSide& side) {
    if (side.rollup->has_weights()) return;
    const auto before = routing_sample_step(run_, "edges", picture_.cursor_step);
    picture_.weights_at = before ? before : nearest_step(run_, "edges", picture_.cursor_step);
    picture_.source = "Scopes without weights from step " + step_text(side.step);
    picture_.source += picture_.weights_at ? "; edges recorded at step " + step_text(*picture_.weights_at)
                                           : std::string("; no edges are recorded yet");
  }

  void set_heads(const RoutingSide& side) {
    const auto& wanted = frame_.locked.head;
    if (!wanted || side.heads.taken == *wanted) return;
    picture_.heads =
        side.rollup->has_weights()
            ? fmt::format("Head {} is not recorded apart: `edges` hold the average over heads", *wanted)
            : std::string("All heads share a scope");
  }

  void set_lock() {
    for (const auto& token : {frame_.locked.token, frame_.locked.second_token}) {
      if (!token || *token < picture_.tokens) continue;
      picture_.lock_words += fmt::format("{}Token {} is not in this sequence of {}; the lock is kept",
                                         picture_.lock_words.empty() ? "" : ". ", format_count(*token),
                                         format_count(picture_.tokens));
    }
  }

  const QueryFrame& frame_;
  Run& run_;
  const RoutingWindow& window_;
  RoutingMemory& memory_;
  RoutingWork work_;
  RoutingPicture picture_;
};

}  // namespace

RoutingPicture routing_query(const QueryFrame& frame, const RoutingSettings& settings,
                             const RoutingWindow& window, RoutingMemory& memory, RoutingWork work) {
  return Query(frame, settings, window, memory, work).make();
}

RoutingPicture routing_picture(const QueryFrame& frame, const RoutingSettings& settings) {
  RoutingMemory memory;
  return routing_query(frame, settings, {}, memory);
}

}  // namespace sparsescope::viz
