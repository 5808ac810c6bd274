// Building the stack from its families, the forward pass, the loss terms, and what brackets an optimizer
// update.
#include "engine/model/language_model.h"

#include <ATen/ops/clamp.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "engine/model/depth/depth.h"
#include "engine/model/functions/cross_entropy.h"
#include "engine/model/functions/embedding.h"
#include "engine/model/functions/linear.h"
#include "engine/model/layers.h"
#include "engine/model/mixers/mixer.h"
#include "engine/model/positions/positions.h"
#include "engine/trace/error.h"
#include "kernels/spark_attention/spark_attention_op.h"
#include "kernels/spark_scope/spark_scope.h"

namespace sparsescope::model {
namespace {

void check_config(const experiments::ModelConfig& config, std::int64_t vocabulary) {
  if (config.layers < 1 || config.heads < 1 || config.width < 1 || config.width % config.heads != 0) {
    throw Error("a model of " + std::to_string(config.layers) + " layers, width " +
                    std::to_string(config.width) + " and " + std::to_string(config.heads) +
                    " heads cannot be built; all three are at least 1 and model.heads divides model.width",
                ExitCode::Usage);
  }
  if (vocabulary < 1)
    throw Error("a model needs a vocabulary of at least one token, not " + std::to_string(vocabulary),
                ExitCode::Usage);
  if (config.window < 1 || config.spark.fallback_window < 1 || config.spark.rank < 1) {
    throw Error("model.window, model.spark.fallback_window and model.spark.rank are at least 1",
                ExitCode::Usage);
  }
}

}  // namespace

struct LanguageModel::Stack {
  Weight embedding;      // [V,C]
  Weight head;           // [V,C]; the embedding itself when tied
  at::Tensor head_bias;  // [V] or undefined
  at::Tensor one;        // [] fp32, the weight of terms that have no control
  std::unique_ptr<Positions> positions;
  std::unique_ptr<Depth> depth;
  std::vector<std::unique_ptr<Mixer>> mixers;
  std::vector<FeedForward> feed_forward;
  std::vector<at::Tensor> thetas, thetas_before;
  at::Tensor addresses;
};

LanguageModel::LanguageModel(const experiments::ModelConfig& config, std::int64_t vocabulary,
                             at::Device device, at::ScalarType dtype, std::uint64_t init_seed,
                             Products products)
    : config_(config),
      vocabulary_(vocabulary),
      controls_(device),
      parameters_(device, dtype, products == Products::Bf16 ? at::kBFloat16 : dtype, init_seed),
      stack_(std::make_unique<Stack>()) {
  check_config(config, vocabulary);
  stack_->embedding = parameters_.add_weight("embedding", {vocabulary, config.width}, config.init_std);
  stack_->positions = make_positions(config, parameters_);
  stack_->depth = make_depth(config, parameters_);
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string block = "blocks." + std::to_string(layer);
    stack_->mixers.push_back(make_mixer(
        {config_, vocabulary, layer, block + ".mixer", parameters_, controls_, *stack_->positions}));
    stack_->feed_forward.emplace_back(parameters_, block + ".feed_forward", config);
    const Parameter* theta = parameters_.find(block + ".mixer.theta");
    if (theta != nullptr) stack_->thetas.push_back(theta->value);
  }
  stack_->head = config.tied_head
                     ? stack_->embedding
                     : parameters_.add_weight("head", {vocabulary, config.width}, config.init_std);
  if (config.biases && !config.tied_head)
    stack_->head_bias = parameters_.add_constant("head_bias", {vocabulary}, 0);
  const Parameter* addresses = parameters_.find("spark.addresses");
  if (addresses != nullptr) stack_->addresses = addresses->value;
  stack_->one = at::zeros({}, at::TensorOptions().device(device).dtype(at::kFloat)).fill_(1);
}

LanguageModel::~LanguageModel() = default;

ForwardResult LanguageModel::forward(const at::Tensor& ids, const ForwardOptions& options) const {
  check(ids.dim() == 2 && ids.scalar_type() == at::kLong, "a forward pass wants ids [B,T] of type i64");
  ForwardResult result;
  result.ids = ids;
  result.has_all_terms = options.has_all_terms;
  MixerCall call{ids, options, result};
  const auto is_silenced = [&](std::int64_t sublayer) {
    const Interventions* interventions = options.interventions;
    return interventions != nullptr && std::count(interventions->silenced_sublayers.begin(),
                                                  interventions->silenced_sublayers.end(), sublayer) > 0;
  };
  call.kernels = kernels_of(options);
  if (call.kernels == Kernels::Own && c10::GradMode::is_enabled())
    result.groups = kernels::group_ids(ids, vocabulary_);
  const at::Tensor embedded = call.kernels == Kernels::Own
                                  ? embedding(ids, stack_->embedding.value, result.groups)
                                  : at::embedding(stack_->embedding.value, ids);
  const std::unique_ptr<DepthPass> pass =
      stack_->depth->begin(stack_->positions->embed(embedded), call.kernels);
  for (std::int64_t sublayer = 0; sublayer < 2 * config_.layers; ++sublayer) {
    const std::int64_t layer = sublayer / 2;
    const bool is_mixer = sublayer % 2 == 0;
    const at::Tensor x = pass->input(sublayer);  // [B,T,C]
    at::Tensor v =
        is_mixer ? stack_->mixers[layer]->forward(x, call) : stack_->feed_forward[layer](x, call.kernels);
    if (is_silenced(sublayer)) v = at::zeros_like(v);
    call.show(is_mixer ? Observation::MixerOutput : Observation::FeedForwardOutput, layer, v);
    pass->output(sublayer, v);
  }
  result.hidden = pass->input(2 * config_.layers);
  if (options.head == ForwardOptions::Head::None) return result;
  if (options.head == ForwardOptions::Head::Logits || !can_chunk_head(call.kernels)) {
    result.logits = logits_of(result.hidden);  // [B,T,V]
    result.non_finite = at::isfinite(result.logits.detach().sum(-1)).logical_not().sum();
  }
  if (result.row_gates.defined()) return result;  // counted with the statistics
  for (const SparkLayerResult& layer : result.spark) {
    if (!result.non_finite.defined()) result.non_finite = at::zeros({}, ids.options());
    result.non_finite += layer.row_counts.select(-1, kernels::kCountNonFinite).sum() + layer.theta.isnan();
  }
  return result;
}

// Over layers; without a graph where own kernels form its gradient with the others.
at::Tensor LanguageModel::mean_penalty(const ForwardResult& result) const {
  if (result.row_gates.defined()) {
    const double pairs = past_pairs(result.ids.size(0), result.ids.size(1));
    return (result.row_gates.sum() / (pairs * static_cast<double>(config_.layers))).to(at::kFloat);
  }
  if (result.spark.empty() || !result.spark.front().penalty.defined()) return {};
  std::vector<at::Tensor> penalties;
  for (const SparkLayerResult& layer : result.spark) penalties.push_back(layer.penalty);
  return at::stack(penalties).mean();
}

Kernels LanguageModel::kernels_of(const ForwardOptions& options) const {
  const bool has_own = parameters_.gemm_dtype() == at::kBFloat16;
  return has_own ? options.kernels : Kernels::Library;
}

bool LanguageModel::can_chunk_head(Kernels kernels) const {
  return kernels == Kernels::Own && !stack_->head_bias.defined();
}

at::Tensor LanguageModel::logits_of(const at::Tensor& hidden) const {
  const at::Tensor logits = linear(hidden, stack_->head, parameters_.dtype());
  return stack_->head_bias.defined() ? logits + stack_->head_bias : logits;
}

bool LanguageModel::has_own_attention() const {
  const std::int64_t head_width = config_.width / config_.heads;
  const bool has_kernel = config_.mixer == experiments::MixerKind::Spark
                              ? config_.spark.has_fused_form() && kernels::has_spark_attention(head_width)
                              : kernels::has_attention(head_width);
  return device().is_cuda() && parameters_.gemm_dtype() == at::kBFloat16 && has_kernel;
}

Loss LanguageModel::loss(const ForwardResult& result, const at::Tensor& targets) const {
  check(targets.sizes() == result.ids.sizes(), "targets have the shape of the ids");
  Loss loss;
  loss.non_finite = result.non_finite;
  at::Tensor entropy;
  if (result.logits.defined()) {
    entropy = at::cross_entropy_loss(result.logits.flatten(0, 1), targets.flatten(), {}, at::Reduction::Mean,
                                     kIgnoredLabel);
  } else {
    const HeadLoss made = head_loss(result.hidden, stack_->head, targets);
    entropy = made.loss;
    loss.non_finite =
        loss.non_finite.defined() ? loss.non_finite + made.non_finite.squeeze(0) : made.non_finite;
  }
  loss.terms.push_back({"cross_entropy", entropy, stack_->one});
  loss.total = entropy;
  if (at::Tensor penalty = mean_penalty(result); penalty.defined()) {
    loss.terms.push_back({"sparsity", std::move(penalty), controls_.tensor("sparsity_weight")});
    if (result.has_all_terms || controls_.get("sparsity_weight") != 0)
      loss.total = loss.total + loss.terms.back().value * loss.terms.back().weight;
  }
  return loss;
}

void LanguageModel::before_update() {
  const c10::NoGradGuard no_graph;
  stack_->thetas_before.clear();
  for (const at::Tensor& theta : stack_->thetas) stack_->thetas_before.push_back(theta.detach().clone());
}

void LanguageModel::after_update() {
  const c10::NoGradGuard no_graph;
  check(stack_->thetas_before.size() == stack_->thetas.size(), "after_update() follows before_update()");
  for (std::size_t layer = 0; layer < stack_->thetas.size(); ++layer) {
    const at::Tensor is_frozen = controls_.tensor("threshold_freeze").gt(0.5);
    const at::Tensor kept = at::where(is_frozen, stack_->thetas_before[layer], stack_->thetas[layer]);
    stack_->thetas[layer].copy_(
        at::clamp(kept, controls_.tensor("threshold_min"), controls_.tensor("threshold_max")));
  }
}

void LanguageModel::set_control(const std::string& name, double value) {
  controls_.set(name, value);
  if (name != "threshold_min" && name != "threshold_max") return;
  const c10::NoGradGuard no_graph;
  for (at::Tensor& theta : stack_->thetas)
    theta.copy_(at::clamp(theta, controls_.tensor("threshold_min"), controls_.tensor("threshold_max")));
}

const std::vector<at::Tensor>& LanguageModel::thetas() const { return stack_->thetas; }
at::Tensor LanguageModel::addresses() const { return stack_->addresses; }

double past_pairs(std::int64_t batch, std::int64_t tokens) {
  const auto T = static_cast<double>(tokens);
  return std::max(static_cast<double>(batch) * T * (T - 1) / 2, 1.0);
}

double initial_score_std(const experiments::ModelConfig& config, std::int64_t layer) {
  const bool reads_embedding = config.norm_placement == experiments::NormPlacement::Post && layer == 0;
  const double parts =
      config.position == experiments::PositionKind::Learned ? 2 : 1;  // of the embedding's variance
  const double rms = reads_embedding ? config.init_std * std::sqrt(parts) : 1;
  return config.spark.kappa * config.init_std * std::sqrt(static_cast<double>(config.width)) * rms;
}

void raise_if_not_finite(const ForwardResult& result, std::uint64_t step) {
  const bool is_counted = result.non_finite.defined();
  if (is_counted && result.non_finite.item<std::int64_t>() == 0) return;
  const std::string where = " at step " + std::to_string(step);
  const std::string way_out = "; lower the learning rate or load an earlier checkpoint";
  for (std::size_t layer = 0; layer < result.spark.size(); ++layer) {
    if (result.spark[layer].theta.isnan().item<bool>())
      throw Error("the threshold of layer " + std::to_string(layer) + " is not a number" + where + way_out);
    const auto bad =
        result.spark[layer].row_counts.select(-1, kernels::kCountNonFinite).sum().item<std::int64_t>();
    if (bad != 0)
      throw Error(std::to_string(bad) + " scores of layer " + std::to_string(layer) +
                  " are not finite numbers" + where + way_out);
  }
  if (!is_counted) return;
  throw Error("the logits hold values that are not finite numbers" + where + way_out);
}

}  // namespace sparsescope::model
