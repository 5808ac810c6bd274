#include "engine/train/recording_size.h"

#include <algorithm>
#include <cmath>

#include "engine/probes/sizes.h"

namespace sparsescope::train {
namespace {

constexpr double kBytesPerToken = 3.5;  // of text behind one id of a trained vocabulary

// Beside a channel's values its steps (and spans), the index, the schema and HDF5's own.
constexpr double kStepsBytes = 4096, kSpansBytes = 4096, kFileBytes = 64 << 10, kIndexRowBytes = 64,
                 kIndexChunkRows = 256;

double rows_of(const trace::Channel& channel, double steps) {
  if (channel.cadence <= 0) return 1;
  const bool is_of_steps =
      channel.name == "scalars" || channel.name == "threshold" || channel.name == "density";
  const double rows = std::floor(steps / static_cast<double>(channel.cadence));
  return is_of_steps ? rows : rows + 1;  // probes and evaluations begin before the first step
}

// Elements of a ragged channel's row.
double elements_of(const trace::Channel& channel, const experiments::Experiment& experiment,
                   std::int64_t vocabulary, std::int64_t steps) {
  const experiments::ModelConfig& model = experiment.model;
  const auto T = static_cast<double>(model.context);
  if (channel.name == "edges") return 0.25 * static_cast<double>(model.layers) * T * (T + 1) / 2;
  if (channel.name == "vocabulary") return kBytesPerToken * static_cast<double>(vocabulary);
  if (channel.name == "vocabulary_ends") return static_cast<double>(vocabulary);
  if (channel.name == "events")
    return 8 + 2 * static_cast<double>(steps / std::max<std::int64_t>(experiment.evaluation.every, 1));
  if (channel.name == "text_samples") return 1;
  return 0;
}

double stored_bytes(const trace::Channel& channel, double units, const experiments::ModelConfig& model) {
  const auto unit = static_cast<double>(channel.unit_bytes());
  if (channel.storage == trace::StorageClass::Once) return units * unit * stored_share(channel, model);
  const auto chunk = static_cast<double>(std::max<std::int64_t>(channel.chunk.front(), 1));
  return std::ceil(units / chunk) * chunk * unit;
}

}  // namespace

double stored_share(const trace::Channel& channel, const experiments::ModelConfig& model) {
  if (channel.storage != trace::StorageClass::Once) return 1;
  if (channel.name == "declared_top") return 0.65;
  if (channel.name == "edges") return 0.32;
  // Single pairs are 0 or 1, and mostly equal to their neighbours; shares of larger blocks take more values.
  if (channel.name == "scope_pooled") return probes::pooled_block(model.context) <= 2 ? 0.013 : 0.04;
  return 0.8;
}

RecordingSize recording_size(const std::vector<trace::Channel>& channels,
                             const experiments::Experiment& experiment, std::int64_t vocabulary,
                             std::int64_t steps) {
  const experiments::ModelConfig& model = experiment.model;
  const auto count = static_cast<double>(steps);
  RecordingSize size;
  size.light = kFileBytes + std::ceil(count * 1.05 / kIndexChunkRows) * kIndexChunkRows * kIndexRowBytes;
  for (const trace::Channel& channel : channels) {
    const bool is_ragged = channel.kind == trace::ChannelKind::Ragged;
    const double rows = is_ragged && channel.cadence <= 0 ? 1 : rows_of(channel, count);
    const double elements = is_ragged ? elements_of(channel, experiment, vocabulary, steps) : 1;
    const bool is_edges = channel.name == "edges", is_probe = probes::is_probe_channel(channel.name);
    const double sample = elements * static_cast<double>(channel.unit_bytes()) * stored_share(channel, model);
    (is_edges ? size.edges_sample : is_probe ? size.probe_sample : size.light) += is_probe ? sample : 0;
    if (rows * elements <= 0) continue;
    (is_edges   ? size.edges
     : is_probe ? size.probes
                : size.light) += stored_bytes(channel, rows * elements, model) +
                                 std::ceil(rows / 512) * kStepsBytes + (is_ragged ? kSpansBytes : 0);
  }
  return size;
}

}  // namespace sparsescope::train
