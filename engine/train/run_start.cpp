#include "engine/train/run_start.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <ctime>
#include <random>

#include "engine/data/batches.h"
#include "engine/data/random.h"
#include "engine/trace/error.h"
#include "engine/train/run_schema.h"

namespace sparsescope::train {
namespace {

using Json = nlohmann::ordered_json;

std::string utc_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

void set_vocabulary(FrameBuilder& frame, const data::Tokenizer& tokenizer) {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint32_t> ends;
  for (std::int64_t id = 0; id < tokenizer.vocabulary(); ++id) {
    const std::string_view piece = tokenizer.piece_bytes(static_cast<std::int32_t>(id));
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    ends.push_back(static_cast<std::uint32_t>(bytes.size()));
  }
  frame.set("vocabulary", bytes);
  frame.set("vocabulary_ends", ends);
}

// The needles of one context, depth by depth. Throws Error for text in which no new cue can be drawn.
void append_needles(std::vector<std::int32_t>& ids, const TrainingState& state,
                    const data::PreparedData& data, std::int64_t multiple,
                    const evaluate::NeedleSettings& settings) {
  const std::int64_t context = multiple * state.experiment().model.context;
  for (std::size_t depth = 0; depth < settings.depths.size(); ++depth) {
    for (std::int64_t trial = 0; trial < settings.trials; ++trial) {
      const evaluate::NeedleTrial made = evaluate::make_needle_trial(
          data.validation.ids, context, static_cast<std::int64_t>(depth), trial, settings);
      ids.insert(ids.end(), made.needle.begin(), made.needle.end());
    }
  }
}

void set_needle_ids(FrameBuilder& frame, EventLog& events, const TrainingState& state,
                    const data::PreparedData& data) {
  if (!frame.has("needle_ids")) return;
  const evaluate::NeedleSettings settings = needle_settings(state.experiment().evaluation);
  std::vector<std::int32_t> ids;
  for (std::int64_t multiple : needle_multiples(state.experiment().evaluation)) {
    std::optional<std::string> obstacle = needle_obstacle(state, data, multiple);
    if (!obstacle) {
      const std::size_t before = ids.size();
      try {
        append_needles(ids, state, data, multiple, settings);
        continue;
      } catch (const Error& error) {
        ids.resize(before);
        obstacle = fmt::format("needle at {}x is not applicable: {}", multiple, error.what());
      }
    }
    events.add(state.counters().steps, EventKind::Note, {{"text", *obstacle}});
    ids.resize(
        ids.size() + settings.depths.size() * static_cast<std::size_t>(settings.trials * settings.length),
        -1);
  }
  frame.set("needle_ids", ids);
}

}  // namespace

std::string new_uuid() {
  std::random_device device;
  std::array<unsigned, 4> words{};
  for (unsigned& word : words) word = device();
  words[1] = (words[1] & 0xffff0fffu) | 0x4000u;
  words[2] = (words[2] & 0x3fffffffu) | 0x80000000u;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:04x}{:08x}", words[0], words[1] >> 16, words[1] & 0xffffu,
                     words[2] >> 16, words[2] & 0xffffu, words[3]);
}

FixedTexts choose_texts(const TrainingState& state, const data::PreparedData& data) {
  const experiments::Experiment& experiment = state.experiment();
  const std::int64_t T = experiment.model.context, sequences = experiment.probe.sequences;
  FixedTexts texts;
  texts.validation_windows = data::validation_windows(data.validation.ids, experiment.evaluation.windows, T);
  data::Random random(data::stream_seed(experiment.train.seed, data::kProbeStream));
  texts.probe_ids = data::copy_windows(data.validation.ids,
                                       data::random_starts(data.validation.ids, sequences, T, random), T);
  texts.probe_batch = probes::make_probe_batch(texts.probe_ids, sequences, state.model(), random.next());
  return texts;
}

evaluate::NeedleSettings needle_settings(const experiments::EvaluationConfig& config) {
  evaluate::NeedleSettings settings;
  settings.length = config.needle_length;
  settings.cue = config.needle_cue;
  settings.depths = config.needle_depths;
  settings.trials = config.needle_trials;
  settings.trial_seed = static_cast<std::uint64_t>(config.needle_seed);
  settings.rejection = config.needle_rejection ? evaluate::NeedleSettings::Rejection::On
                                               : evaluate::NeedleSettings::Rejection::Off;
  return settings;
}

std::optional<std::string> needle_obstacle(const TrainingState& state, const data::PreparedData& data,
                                           std::int64_t multiple) {
  const experiments::Experiment& experiment = state.experiment();
  const std::int64_t context = multiple * experiment.model.context;
  const auto held_out = static_cast<std::int64_t>(data.validation.ids.size());
  if (experiment.model.position == experiments::PositionKind::Learned &&
      context > experiment.model.max_positions) {
    return fmt::format("needle at {}x is not applicable: {} tokens, learned positions end at {}", multiple,
                       context, experiment.model.max_positions);
  }
  if (!evaluate::needle_fits(context, held_out, needle_settings(experiment.evaluation))) {
    return fmt::format("needle at {}x is not applicable: it needs {} tokens of held-out text, there are {}",
                       multiple, context, held_out);
  }
  return std::nullopt;
}

trace::SchemaPtr make_schema(const TrainingState& state, const FixedTexts& texts, const std::string& run_uuid,
                             const Checkpoint* parent) {
  const experiments::Experiment& experiment = state.experiment();
  trace::Schema schema;
  schema.run_uuid = run_uuid;
  schema.title = experiment.title.empty() ? experiment.name : experiment.title;
  schema.created_utc = utc_now();
  schema.seed = experiment.train.seed;
  if (parent != nullptr) schema.parent = trace::Parent{parent->run_uuid, parent->step, parent->sha256, "[]"};
  schema.experiment_json = experiments::to_json(experiment);
  schema.build_json = build_json();
  schema.device_json = device_json(state.setup());
  schema.channels =
      run_channels(experiment, {.loss_terms = state.loss_term_names(),
                                .distinct_ids = texts.probe_batch.distinct_ids,
                                .attention_stats = probes::attention_stat_names(experiment.model),
                                .probe_sequences = experiment.probe.sequences});
  return std::make_shared<const trace::Schema>(trace::finish_schema(std::move(schema)));
}

void fill_first_frame(FrameBuilder& frame, EventLog& events, const TrainingState& state,
                      const data::PreparedData& data, const FixedTexts& texts, const Checkpoint* parent) {
  const std::uint64_t step = state.counters().steps;
  const std::uint64_t seed = state.experiment().train.seed;
  set_vocabulary(frame, *data.tokenizer);
  frame.set("probe_ids", texts.probe_ids);
  Json seeds;
  for (std::string_view name : {data::kInitStream, data::kDataStream, data::kProbeStream})
    seeds[std::string(name)] = data::stream_seed(seed, name);
  seeds["needle_trials"] = needle_settings(state.experiment().evaluation).trial_seed;
  events.add(step, EventKind::Note, {{"text", "random streams"}, {"seeds", seeds}});
  events.add(step, EventKind::Note,
             {{"text", "text: " + data::describe(data.corpus)}, {"data", Json::parse(data::to_json(data))}});
  for (const std::string& warning : data.warnings)
    events.add(step, EventKind::Warning, {{"what", "corpus"}, {"text", warning}});
  for (const std::string& note : data.notes) events.add(step, EventKind::Note, {{"text", note}});
  set_needle_ids(frame, events, state, data);
  Json controls;
  for (const trace::Control& control : state.model().controls().controls())
    controls[control.name] = control.value;
  events.add(step, EventKind::Note, {{"text", "live controls at the start"}, {"controls", controls}});
  if (parent == nullptr) return;
  events.add(step, EventKind::Note,
             {{"text", fmt::format("resumed from step {} of run {}", parent->step, parent->run_uuid)},
              {"checkpoint_sha256", parent->sha256}});
  const std::vector<std::string> words = differences(state, *parent, data);
  if (!words.empty())
    events.add(
        step, EventKind::Warning,
        {{"text", fmt::format("will not be bitwise equal to its parent: {}", fmt::join(words, "; "))}});
}

}  // namespace sparsescope::train
