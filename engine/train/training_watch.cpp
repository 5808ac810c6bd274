// The part of the training loop that looks at the model: probes, the needle injected into their text, text
// samples. Nothing here touches what training reads.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>

#include "engine/data/random.h"
#include "engine/evaluate/logits.h"
#include "engine/train/training_loop.h"

namespace sparsescope::train {
namespace {

using Clock = Inbox::Clock;

constexpr std::uint64_t kExactSeed = (std::uint64_t{1} << 53) - 1;  // JSON readers keep such numbers

}  // namespace

std::vector<std::string_view> TrainingLoop::probe_channels(Edges edges) const {
  std::vector<std::string_view> channels;
  for (const probes::Probe& probe : probes::probes()) {
    const bool is_wanted = probe.channel != "edges" || edges == Edges::With;
    if (is_wanted && outbox_.frame.has(probe.channel)) channels.push_back(probe.channel);
  }
  return channels;
}

void TrainingLoop::prepare_probes() {
  if (state_.experiment().probe.every <= 0) return;
  prober_.prepare(probe_channels(Edges::Without));
  prober_.prepare(probe_channels(Edges::With));
}

void TrainingLoop::record_sample(const probes::Measured& measured) {
  outbox_.frame.set(measured.channel, measured.bytes);
  recording_.recorded(step(), measured.channel, measured.bytes.size());
}

// What the budget of the recording leaves room for, before the first sample.
void TrainingLoop::announce_recording_budget() {
  if (!recording_.is_on()) return;
  const bool is_warning = recording_.leaves_no_room();
  outbox_.events.add(step(), is_warning ? EventKind::Warning : EventKind::Note,
                     {{"what", "recording budget"}, {"text", recording_.words()}});
  if (!is_warning) return;
  parts_.board.update([&](Status& status) {
    if (!status.notice.empty()) status.notice += ' ';
    status.notice += recording_.words();
  });
}

void TrainingLoop::begin_probe_if_due() {
  const Watching::Look look = watching_.look(step());
  if (look == Watching::Look::LeftOut) outbox_.frame.flag(trace::kFlagProbeDropped);
  if (look != Watching::Look::Take) return;
  const RecordingBudget::Sample sample = recording_.choose(
      step(), watching_.takes_edges() ? RecordingBudget::Edges::Due : RecordingBudget::Edges::NotDue);
  if (sample == RecordingBudget::Sample::Nothing) {
    outbox_.frame.flag(trace::kFlagProbeDropped);
    watching_.left_out();
    return;
  }
  has_probe_edges_ = sample == RecordingBudget::Sample::WithEdges;
  prober_.begin(probe_channels(has_probe_edges_ ? Edges::With : Edges::Without));
}

double TrainingLoop::finish_probe(double& shadow_ms) {
  if (!prober_.is_begun()) return 0;
  const probes::Probed probed = prober_.finish();
  for (const probes::Measured& measured : probed.measured) {
    if (measured.channel != "edges" || recording_.admits_edges(step(), measured.bytes.size()))
      record_sample(measured);
  }
  const double hidden_ms = std::min(shadow_ms, probed.times.host_ms);
  shadow_ms -= hidden_ms;
  const double probe_ms = probed.times.device_ms + probed.times.host_ms - hidden_ms;
  watching_.probed({probe_ms, probed.times.copy_ms, has_probe_edges_}, seconds());
  return probe_ms;
}

void TrainingLoop::probe_at_once(const std::vector<std::string_view>& channels) {
  prober_.begin(probe_channels(Edges::With));
  for (const probes::Measured& measured : prober_.finish().measured)
    if (std::ranges::find(channels, measured.channel) != channels.end()) record_sample(measured);
}

void TrainingLoop::record_edges() {
  if (!outbox_.frame.has("edges")) {
    refuse("this model routes nothing, so there are no edges to record");
    return;
  }
  record("record_edges", nullptr, step());
  probe_at_once({"edges"});
}

// Probes are taken again at once, so that every row from here on is about the new text, also while paused.
void TrainingLoop::inject_needle(double depth) {
  const bool is_removal = depth < 0;
  const evaluate::NeedleSettings settings = needle_settings(state_.experiment().evaluation);
  const auto T = static_cast<std::int64_t>(probe_text_.size());
  if (!is_removal && !(depth <= 1)) {
    refuse(
        fmt::format("a needle cannot lie at depth {}; it takes 0 (the beginning) to 1, or less than 0 to "
                    "remove it",
                    depth));
    return;
  }
  if (is_removal && !needle_depth_) {
    refuse("there is no injected needle to remove");
    return;
  }
  if (!evaluate::needle_fits(T, T, settings)) {
    refuse(
        fmt::format("a needle of {} tokens and its query do not fit into the {} tokens of a probe "
                    "sequence; shorten evaluation.needle_length",
                    settings.length, T));
    return;
  }
  const std::uint64_t seed =
      data::stream_seed(state_.experiment().train.seed,
                        fmt::format("{} {}", data::kInjectionStream, needles_injected_)) &
      kExactSeed;
  evaluate::NeedleTrial trial;
  try {
    if (!is_removal) trial = evaluate::inject_needle(probe_text_, depth, settings, seed);
  } catch (const Error& error) {
    refuse(error.what());
    return;
  }
  const std::vector<std::int32_t>& sequence = is_removal ? probe_text_ : trial.with;
  prober_.set_sequence(evaluate::ids_tensor(sequence, 1, T, state_.setup().device)[0]);
  nlohmann::ordered_json fields;
  if (is_removal) {
    fields = {{"text", "the needle was removed from probe sequence 0"},
              {"depth", -1},
              {"ids", std::vector<int>()},
              {"positions", std::vector<int>()}};
  } else {
    ++needles_injected_;
    fields = {{"text", fmt::format("needle of {} tokens at {} in probe sequence 0, asked for at its end",
                                   settings.length, trial.position)},
              {"depth", depth},
              {"ids", trial.needle},
              {"positions", {trial.position, T - settings.length}},
              {"length", settings.length},
              {"cue", settings.cue},
              {"seed", seed}};
  }
  fields["sequence"] = sequence;
  record("inject_needle", needle_depth_ ? nlohmann::ordered_json(*needle_depth_) : nlohmann::ordered_json(),
         is_removal ? nlohmann::ordered_json() : nlohmann::ordered_json(depth));
  outbox_.events.add(step(), EventKind::NeedleInjected, fields);
  needle_depth_ = is_removal ? std::nullopt : std::optional(depth);
  const Clock::time_point start = Clock::now();
  probe_at_once(probe_channels(Edges::With));
  done_.aside_ms += std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

void TrainingLoop::sample_if_due() {
  const experiments::SampleConfig& config = state_.experiment().sample;
  if (course_.is_stopped || watching_.look_for_text(step()) != Watching::Look::Take) return;
  const std::uint64_t seed =
      data::stream_seed(state_.experiment().train.seed, fmt::format("{} {}", data::kTextStream, step())) &
      kExactSeed;
  const Clock::time_point start = Clock::now();
  write_text({config.prompt, config.tokens, config.temperature, seed}, TextSampleLog::Reason::Schedule);
  watching_.sampled(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
}

void TrainingLoop::generate_text(const trace::GenerateText& command) {
  const SampleRequest request{command.prompt, command.tokens, command.temperature, command.seed};
  if (const auto obstacle = sample_obstacle(request)) {
    refuse(*obstacle);
    return;
  }
  record("generate_text", nullptr,
         {{"tokens", command.tokens}, {"temperature", command.temperature}, {"seed", command.seed}});
  write_text(request, TextSampleLog::Reason::Asked);
}

void TrainingLoop::write_text(const SampleRequest& request, TextSampleLog::Reason reason) {
  attempt("text sample", [&](const data::Task& task) {
    outbox_.samples.add(step(), reason, sample_text(state_, *parts_.data.tokenizer, request, task));
  });
}

}  // namespace sparsescope::train
