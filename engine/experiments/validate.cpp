// What single keys cannot see: values that contradict one another.
#include <fmt/format.h>

#include <algorithm>

#include "engine/experiments/experiment.h"
#include "engine/experiments/manifest.h"
#include "engine/trace/error.h"

namespace sparsescope::experiments {
namespace {

constexpr std::int64_t kLongestUnfused = 1024;  // tokens; a layer then holds a dozen T x T tensors a head

template <typename... Parts>
void require(bool fits, fmt::format_string<Parts...> text, Parts&&... parts) {
  if (!fits) throw Error(fmt::format(text, std::forward<Parts>(parts)...), ExitCode::Usage);
}

void validate_model(const ModelConfig& model) {
  require(model.width % model.heads == 0,
          "model.width = {} is not a multiple of model.heads = {}; change one of them", model.width,
          model.heads);
  require(model.position != PositionKind::Rope || model.width / model.heads % 2 == 0,
          "RoPE turns channels in pairs, and model.width / model.heads = {} is odd; make it even or choose "
          "another model.position",
          model.width / model.heads);
  require(model.position != PositionKind::Learned || model.context <= model.max_positions,
          "model.context = {} is longer than model.max_positions = {}; raise the latter", model.context,
          model.max_positions);
}

// `vocabulary` ids.
void validate_spark(const ModelConfig& model, std::int64_t vocabulary) {
  const SparkConfig& spark = model.spark;
  require(spark.gate_pairs == GatePairs::All || spark.estimator == Estimator::InScope,
          "spark.gate_pairs = direct says something of spark.estimator = in_scope only; set it to all or "
          "choose that estimator");
  require(spark.rule != DeclarationRule::TopK || spark.initial_theta_sigmas == 0,
          "spark.rule = top_k has no threshold and spark.initial_theta_sigmas is {}; set that to 0 or choose "
          "spark.rule = top_k_offset",
          spark.initial_theta_sigmas);
  require(!spark.is_ranked() || spark.top_k <= vocabulary,
          "spark.top_k = {} is more than the {} ids of data.vocabulary; lower it", spark.top_k, vocabulary);
  require(
      spark.has_fused_form() || model.context <= kLongestUnfused,
      "this spark.estimator or spark.rule forms matrices of all pairs, up to {} tokens, and model.context "
      "is {}; shorten it, or choose surrogate or in_scope with spark.rule = threshold",
      kLongestUnfused, model.context);
}

void validate_needle(const EvaluationConfig& evaluation, std::int64_t context) {
  require(
      evaluation.needle_cue < evaluation.needle_length,
      "evaluation.needle_cue = {} leaves no answer in evaluation.needle_length = {}; make the cue shorter",
      evaluation.needle_cue, evaluation.needle_length);
  for (const auto* contexts : {&evaluation.needle_contexts, &evaluation.needle_contexts_on_demand}) {
    const std::int64_t shortest = context * *std::min_element(contexts->begin(), contexts->end());
    require(4 * evaluation.needle_length <= shortest,
            "a needle of {} tokens and its query do not fit into {} tokens of context; shorten "
            "evaluation.needle_length or "
            "lengthen model.context",
            evaluation.needle_length, shortest);
  }
}

}  // namespace

void validate(const Experiment& experiment) {
  require(is_file_name(experiment.name),
          "name = \"{}\" cannot be part of a file name; use letters, digits, '-', '_' and '.', and begin "
          "with a letter or digit",
          experiment.name);
  validate_model(experiment.model);
  if (experiment.model.mixer == MixerKind::Spark)
    validate_spark(experiment.model, experiment.data.vocabulary);
  validate_needle(experiment.evaluation, experiment.model.context);
  require(
      experiment.train.attention == AttentionKernels::Own ||
          (experiment.model.mixer == MixerKind::Dense && experiment.model.position != PositionKind::Alibi),
      "train.attention = cudnn is for dense attention without ALiBi; leave it at own, or choose model.mixer "
      "= "
      "dense and another model.position");
  const DataConfig& data = experiment.data;
  require(data.tokenizer != TokenizerKind::Bytes || data.vocabulary == 256,
          "data.tokenizer = bytes has 256 ids and data.vocabulary is {}; set data.vocabulary to 256 too",
          data.vocabulary);
  require(
      data.tokenizer != TokenizerKind::Bpe || data.vocabulary > 256,
      "data.tokenizer = bpe needs more than 256 ids; raise data.vocabulary or set data.tokenizer to bytes");
}

}  // namespace sparsescope::experiments
