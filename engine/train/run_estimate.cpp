#include "engine/train/run_estimate.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/data/corpus.h"
#include "engine/probes/sizes.h"
#include "engine/train/cost_model.h"
#include "engine/train/run_schema.h"

namespace sparsescope::train {
namespace {

constexpr double kProgramBytesCpu = 420e6, kProgramBytesCuda = 700e6;
constexpr double kBytesPerToken = 3.5;  // of text behind one id of a trained vocabulary

// Of the recording: beside a channel's values its steps (and spans), the index, the schema and HDF5's own.
constexpr double kStepsBytes = 4096, kSpansBytes = 4096, kFileBytes = 64 << 10, kIndexRowBytes = 64,
                 kIndexChunkRows = 256;

// What is left of a compressed channel's rows.
double compressed_share(const trace::Channel& channel, const experiments::ModelConfig& model) {
  if (channel.name == "declared_top") return 0.65;
  if (channel.name == "edges") return 0.32;
  // Single pairs are 0 or 1, and mostly equal to their neighbours; shares of larger blocks take more values.
  if (channel.name == "scope_pooled") return probes::pooled_block(model.context) <= 2 ? 0.013 : 0.04;
  return 0.8;
}

double rows_of(const trace::Channel& channel, double steps) {
  if (channel.cadence <= 0) return 1;
  const bool is_of_steps =
      channel.name == "scalars" || channel.name == "threshold" || channel.name == "density";
  const double rows = std::floor(steps / static_cast<double>(channel.cadence));
  return is_of_steps ? rows : rows + 1;  // probes and evaluations begin before the first step
}

// Elements of a ragged channel's row.
double elements_of(const trace::Channel& channel, const experiments::Experiment& experiment,
                   std::int64_t vocabulary) {
  const experiments::ModelConfig& model = experiment.model;
  const auto T = static_cast<double>(model.context);
  if (channel.name == "edges") return 0.25 * static_cast<double>(model.layers) * T * (T + 1) / 2;
  if (channel.name == "vocabulary") return kBytesPerToken * static_cast<double>(vocabulary);
  if (channel.name == "vocabulary_ends") return static_cast<double>(vocabulary);
  if (channel.name == "events")
    return 8 + 2 * static_cast<double>(experiment.train.steps /
                                       std::max<std::int64_t>(experiment.evaluation.every, 1));
  if (channel.name == "text_samples") return 1;
  return 0;
}

double stored_bytes(const trace::Channel& channel, double units, const experiments::ModelConfig& model) {
  const auto unit = static_cast<double>(channel.unit_bytes());
  if (channel.storage == trace::StorageClass::Once) return units * unit * compressed_share(channel, model);
  const auto chunk = static_cast<double>(std::max<std::int64_t>(channel.chunk.front(), 1));
  return std::ceil(units / chunk) * chunk * unit;
}

double file_bytes(const experiments::Experiment& experiment, std::int64_t vocabulary) {
  const experiments::ModelConfig& model = experiment.model;
  const bool is_spark = model.mixer == experiments::MixerKind::Spark;
  SchemaFacts facts;
  facts.loss_terms = {"cross_entropy"};
  if (is_spark) facts.loss_terms.push_back("sparsity");
  // About two of three tokens of a sequence are a new id.
  const std::int64_t distinct = std::min<std::int64_t>(vocabulary, model.context * 2 / 3 + 1);
  for (std::int64_t id = 0; id < distinct; ++id) facts.distinct_ids.push_back(id);
  for (int stat = 0; stat < (is_spark ? 17 : 13); ++stat)
    facts.attention_stats.push_back(std::to_string(stat));
  facts.probe_sequences = experiment.probe.sequences;
  trace::Schema schema;
  schema.channels = run_channels(experiment, facts);
  schema = trace::finish_schema(std::move(schema));

  const auto steps = static_cast<double>(experiment.train.steps);
  double bytes = kFileBytes + std::ceil(steps * 1.05 / kIndexChunkRows) * kIndexChunkRows * kIndexRowBytes;
  for (const trace::Channel& channel : schema.channels) {
    const bool is_ragged = channel.kind == trace::ChannelKind::Ragged;
    double rows = rows_of(channel, steps);
    if (is_ragged && channel.cadence <= 0) rows = 1;
    const double units = is_ragged ? rows * elements_of(channel, experiment, vocabulary) : rows;
    if (units <= 0) continue;
    bytes += stored_bytes(channel, units, model) + std::ceil(rows / 512) * kStepsBytes +
             (is_ragged ? kSpansBytes : 0);
  }
  return bytes;
}

}  // namespace

RunEstimate estimate_run(const experiments::Experiment& experiment, Device device,
                         std::optional<double> tokens_per_second) {
  const std::int64_t vocabulary = experiment.data.vocabulary;
  RunEstimate estimate;
  estimate.parameters = parameter_count(experiment.model, vocabulary);
  const auto parameters = static_cast<double>(estimate.parameters);
  const double activations = activation_bytes(experiment.model, vocabulary, experiment.train.batch);
  const bool on_gpu = device == Device::Cuda;
  estimate.memory_bytes = (on_gpu ? kProgramBytesCuda : kProgramBytesCpu) + 16 * parameters + activations;
  if (!on_gpu)
    estimate.memory_bytes +=
        3.0 * static_cast<double>(data::expected_bytes(experiment.data.corpus, experiment.data.max_bytes));
  estimate.file_bytes = file_bytes(experiment, vocabulary);
  estimate.checkpoint_bytes = 12 * parameters + 16e3;
  if (tokens_per_second && *tokens_per_second > 0) {
    estimate.seconds =
        static_cast<double>(experiment.train.steps * experiment.train.batch * experiment.model.context) /
        *tokens_per_second;
  }
  return estimate;
}

}  // namespace sparsescope::train
