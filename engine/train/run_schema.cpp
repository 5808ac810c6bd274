#include "engine/train/run_schema.h"

#include <array>
#include <charconv>
#include <set>

#include "engine/probes/edges.h"
#include "engine/probes/sizes.h"
#include "engine/trace/error.h"
#include "engine/train/watching.h"

namespace sparsescope::train {
namespace {

using trace::Axis;
using trace::Channel;
using trace::ChannelKind;
using trace::DType;
using trace::StorageClass;

constexpr std::array kScalarNames = {"total_loss",        "learning_rate", "gradient_norm", "tokens_seen",
                                     "tokens_per_second", "step_ms",       "data_ms",       "forward_ms",
                                     "backward_ms",       "optimizer_ms",  "probe_ms",      "evaluation_ms",
                                     "memory_bytes",      "blocked_ms"};
static_assert(kScalarNames.size() == static_cast<std::size_t>(Scalar::Count));

std::string number_text(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc(), "a number fits its text");
  return {text.data(), end};
}

Axis axis(std::string name, std::int64_t size) { return {std::move(name), size, {}}; }
Axis labelled(std::string name, std::vector<std::string> labels) {
  const auto size = static_cast<std::int64_t>(labels.size());
  return {std::move(name), size, std::move(labels)};
}
Axis numbered(std::string name, std::int64_t size) {
  std::vector<std::string> labels;
  for (std::int64_t i = 0; i < size; ++i) labels.push_back(std::to_string(i));
  return labelled(std::move(name), std::move(labels));
}

Channel dense(std::string name, DType dtype, std::vector<Axis> axes, std::int64_t cadence, std::string unit,
              std::string text) {
  Channel channel;
  channel.name = std::move(name);
  channel.dtype = dtype;
  channel.axes = std::move(axes);
  channel.cadence = cadence;
  channel.unit = std::move(unit);
  channel.text = std::move(text);
  return channel;
}

Channel ragged(std::string name, DType dtype, StorageClass storage, std::int64_t cadence, std::string text) {
  Channel channel = dense(std::move(name), dtype, {}, cadence, "1", std::move(text));
  channel.kind = ChannelKind::Ragged;
  channel.storage = storage;
  return channel;
}

Channel scalars_channel(const SchemaFacts& facts) {
  std::vector<std::string> names = facts.loss_terms;
  names.insert(names.end(), kScalarNames.begin(), kScalarNames.end());
  return dense("scalars", DType::F64, {labelled("name", std::move(names))}, 1, "1",
               "One optimizer step: loss terms unweighted and total_loss weighted, in nats per token, on the "
               "batch before its update; "
               "gradient_norm before clipping; times in milliseconds of this step; evaluation_ms and "
               "blocked_ms (waiting for the recorder) "
               "since the step before");
}

Channel needle_channel(const experiments::EvaluationConfig& config) {
  std::vector<std::string> contexts, depths;
  for (std::int64_t multiple : needle_multiples(config)) contexts.push_back(std::to_string(multiple) + "x");
  for (double depth : config.needle_depths) depths.push_back(number_text(depth));
  return dense(
      "needle", DType::F32,
      {labelled("context", std::move(contexts)), labelled("depth", std::move(depths)),
       labelled("field", {"signal", "se", "nll_without", "token_accuracy", "exact_accuracy", "trials"})},
      config.needle_every, "nats",
      "Needle signal in nats per answer token by context (multiples of the training context) and depth: NLL "
      "without minus NLL "
      "with the needle, its standard error over paired trials, NLL without, shares of answer tokens and of "
      "whole answers "
      "found with the needle, trials; NaN where not evaluated or not applicable");
}

Channel evaluation_channel(const experiments::Experiment& experiment) {
  std::vector<std::string> names = {"val_nll", "perplexity", "bits_per_byte"};
  std::string text =
      "Held-out loss over non-overlapping windows: val_nll in nats per token, perplexity its exponential, "
      "bits_per_byte of the text behind the predicted tokens";
  if (compares_hard_with_soft(experiment.model)) {
    names.push_back("hard_minus_soft");
    text += "; hard_minus_soft in nats per token, what attention over the hard scope alone adds to val_nll";
  }
  return dense("evaluation", DType::F64, {labelled("name", std::move(names))}, experiment.evaluation.every,
               "1", std::move(text));
}

void add_spark_step_channels(std::vector<Channel>& channels, const experiments::Experiment& experiment) {
  const Axis layer = numbered("layer", experiment.model.layers);
  channels.push_back(dense("threshold", DType::F32,
                           {layer, labelled("stat", {"theta", "score_mean", "score_std", "theta_sigmas",
                                                     "displacement", "reach", "gradient"})},
                           1, "1",
                           "Threshold after the update of this step, its distance from the initial one and "
                           "the optimizer's reach (sum of "
                           "its learning rates); mean and deviation of the scores over past pairs, theta in "
                           "deviations from that mean "
                           "and the loss gradient, all of this step's batch"));
  channels.push_back(dense(
      "density", DType::F32,
      {layer,
       labelled("reason", {"direct", "inherited", "fallback", "self", "scope", "empty_rows", "expected"})},
      1, "1",
      "Share of past pairs T(T-1)/2 of the training batch, self excluded: direct, inherited and fallback are "
      "disjoint "
      "and sum to scope; self is the diagonal over the same denominator; empty_rows is the share of rows "
      "without a "
      "direct declaration; expected is the direct density that the ids' shares of the text and of the "
      "declarations "
      "predict when neither knows of the other: the sum over ids of both shares' product"));
}

void add_spark_probe_channels(std::vector<Channel>& channels, const experiments::Experiment& experiment,
                              const SchemaFacts& facts) {
  const std::int64_t T = experiment.model.context;
  const std::int64_t every = experiment.probe.every;
  const Axis layer = numbered("layer", experiment.model.layers);
  std::vector<std::string> ids;
  for (std::int64_t id : facts.distinct_ids) ids.push_back(std::to_string(id));
  channels.push_back(dense("declared", DType::Bits,
                           {layer, labelled("id", std::move(ids)), axis("position", T)}, every, "1",
                           "Which of the ids that occur in probe sequence 0 each of its positions declares; "
                           "a later token of that id then "
                           "reads the position directly"));
  channels.push_back(dense("declared_top", DType::F32,
                           {layer, axis("position", T), axis("rank", probes::kDeclaredTopRanks),
                            labelled("field", {"id", "score"})},
                           every, "1",
                           "The best-scored ids of the whole vocabulary for each position of probe sequence "
                           "0, with their scores"));
  channels.push_back(dense("scope_pooled", DType::F16,
                           {layer, labelled("reason", {"direct", "inherited", "fallback", "self"}),
                            axis("query", probes::pooled_blocks(T)), axis("key", probes::pooled_blocks(T))},
                           every, "1",
                           "Share of the pairs of each block of " + std::to_string(probes::pooled_block(T)) +
                               " x " + std::to_string(probes::pooled_block(T)) +
                               " tokens of probe sequence 0 that are in scope, by reason"));
}

// Read from the logits of probe sequence 0, so every model has them.
void add_prediction_channels(std::vector<Channel>& channels, const experiments::Experiment& experiment) {
  const Axis position = axis("position", experiment.model.context);
  channels.push_back(dense("probe_surprisal", DType::F32, {position}, experiment.probe.every, "nats",
                           "-log p of each token of probe sequence 0 given the tokens before it, in nats; "
                           "NaN at position 0, which nothing predicts"));
  channels.push_back(
      dense("probe_predictions", DType::F32,
            {position, axis("rank", probes::kPredictionRanks), labelled("field", {"id", "logp"})},
            experiment.probe.every, "1",
            "The likeliest ids for each position of probe sequence 0 given the tokens before "
            "it, with their log probability in nats; NaN at position 0"));
}

void add_sample_channels(std::vector<Channel>& channels, const experiments::Experiment& experiment) {
  channels.push_back(ragged("text_samples", DType::Text, StorageClass::Packed, experiment.sample.every,
                            "Text that the model wrote, one JSON object per element: prompt, generated ids "
                            "and text, temperature, seed, share of distinct 4-grams"));
  channels.push_back(ragged("text_sample_payloads", DType::U8, StorageClass::Packed, 0,
                            "Samples longer than an element of `text_samples`, which then names the bytes "
                            "here"));
}

Channel watching_channel(const experiments::Experiment& experiment) {
  return dense("watching", DType::F64, {labelled("name", watching_names())},
               experiment.probe.every > 0 ? experiment.probe.every : 10, "1",
               "What watching costs: shares of the training time in percent, estimated from the time of "
               "probes and of waiting for the recorder with their frames, and measured by windows of steps "
               "with a probe against windows without (median of the pairs, "
               "half their range); cadence in force and asked for; detail 1 is everything, 0 leaves out "
               "edges; drops are due probe samples left out so far; times in milliseconds; NaN is not "
               "measured yet");
}

Channel edges_channel(const experiments::Experiment& experiment) {
  Channel channel = ragged("edges", DType::Record, StorageClass::Once,
                           experiment.probe.every * experiment.probe.edges_every,
                           "All pairs in scope of probe sequence 0: score, attention weight averaged over "
                           "heads (head 255), query t, key p, the "
                           "inheriting position with the smallest index (65535: none), layer, kind (1 "
                           "direct, 2 inherited, 4 fallback, 8 self)");
  channel.record_bytes = sizeof(probes::Edge);
  channel.fields = {{"score", DType::F32, 0}, {"weight", DType::F32, 4}, {"t", DType::U16, 8},
                    {"p", DType::U16, 10},    {"via", DType::U16, 12},   {"layer", DType::U8, 14},
                    {"head", DType::U8, 15},  {"kind", DType::U8, 16}};
  return channel;
}

void add_once_channels(std::vector<Channel>& channels, const experiments::Experiment& experiment,
                       const SchemaFacts& facts) {
  const experiments::EvaluationConfig& evaluation = experiment.evaluation;
  channels.push_back(ragged("vocabulary", DType::U8, StorageClass::Once, 0,
                            "The bytes of all pieces one after the other, in the order of their ids"));
  channels.push_back(
      ragged("vocabulary_ends", DType::U32, StorageClass::Once, 0, "Where each piece ends in `vocabulary`"));
  channels.push_back(
      dense("probe_ids", DType::I32,
            {axis("sequence", facts.probe_sequences), axis("position", experiment.model.context)}, 0, "1",
            "Token ids of the probe batch, held-out text that never changes during the run"));
  std::vector<std::string> contexts;
  for (std::int64_t multiple : needle_multiples(evaluation))
    contexts.push_back(std::to_string(multiple) + "x");
  if (contexts.empty()) return;
  channels.push_back(dense(
      "needle_ids", DType::I32,
      {labelled("context", std::move(contexts)),
       axis("depth", static_cast<std::int64_t>(evaluation.needle_depths.size())),
       axis("trial", evaluation.needle_trials), axis("token", evaluation.needle_length)},
      0, "1", "Token ids of the needle of every trial; -1 where a context is longer than the held-out text"));
}

}  // namespace

const char* scalar_name(Scalar scalar) { return kScalarNames.at(static_cast<std::size_t>(scalar)); }

std::vector<std::int64_t> needle_multiples(const experiments::EvaluationConfig& config) {
  std::set<std::int64_t> multiples(config.needle_contexts.begin(), config.needle_contexts.end());
  multiples.insert(config.needle_contexts_on_demand.begin(), config.needle_contexts_on_demand.end());
  return {multiples.begin(), multiples.end()};
}

bool compares_hard_with_soft(const experiments::ModelConfig& model) {
  return model.mixer == experiments::MixerKind::Spark &&
         model.spark.estimator == experiments::Estimator::Soft;
}

std::vector<Channel> run_channels(const experiments::Experiment& experiment, const SchemaFacts& facts) {
  const bool is_spark = experiment.model.mixer == experiments::MixerKind::Spark;
  std::vector<Channel> channels;
  channels.push_back(scalars_channel(facts));
  if (is_spark) add_spark_step_channels(channels, experiment);
  channels.push_back(evaluation_channel(experiment));
  if (!needle_multiples(experiment.evaluation).empty())
    channels.push_back(needle_channel(experiment.evaluation));
  if (is_spark) add_spark_probe_channels(channels, experiment, facts);
  channels.push_back(
      dense("attention_stats", DType::F32,
            {numbered("layer", experiment.model.layers), numbered("head", experiment.model.heads),
             labelled("stat", facts.attention_stats)},
            experiment.probe.every, "1",
            "Attention statistics of each head, averaged over the probe batch; entropies in nats, distances "
            "in tokens"));
  add_prediction_channels(channels, experiment);
  if (is_spark) channels.push_back(edges_channel(experiment));
  channels.push_back(watching_channel(experiment));
  add_sample_channels(channels, experiment);
  channels.push_back(ragged("events", DType::Text, StorageClass::Packed, 0,
                            "What happened, one JSON object per element: commands with old and new value, "
                            "evaluations, checkpoints, notes, warnings, the end"));
  channels.push_back(ragged("event_payloads", DType::U8, StorageClass::Packed, 0,
                            "Events longer than an element of `events`, which then names the bytes here"));
  add_once_channels(channels, experiment, facts);
  return channels;
}

}  // namespace sparsescope::train
