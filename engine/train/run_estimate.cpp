#include "engine/train/run_estimate.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/data/corpus.h"
#include "engine/train/cost_model.h"
#include "engine/train/recording_size.h"
#include "engine/train/run_schema.h"

namespace sparsescope::train {
namespace {

constexpr double kProgramBytesCpu = 420e6, kProgramBytesCuda = 700e6;

// What the recording comes to, before a corpus is read: channels as a usual text gives them.
RecordingSize size_of(const experiments::Experiment& experiment, std::int64_t vocabulary) {
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
  return recording_size(schema.channels, experiment, vocabulary, experiment.train.steps);
}

// Samples are spaced so that the file stays below the budget; what is never left out stays.
double file_bytes(const RecordingSize& size, double budget) {
  return budget > 0 ? std::min(size.total(), std::max(budget, size.light)) : size.total();
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
  estimate.file_bytes = file_bytes(size_of(experiment, vocabulary), experiment.recording.budget_bytes);
  estimate.checkpoint_bytes = 12 * parameters + 16e3;
  if (tokens_per_second && *tokens_per_second > 0) {
    estimate.seconds =
        static_cast<double>(experiment.train.steps * experiment.train.batch * experiment.model.context) /
        *tokens_per_second;
  }
  return estimate;
}

}  // namespace sparsescope::train
