// SPaRK: tokens declare which vocabulary ids will need them, a query finds its keys by its own id among past
// declarations. Scores, decision, fallback and inheritance meet attention here; the decision itself is
// kernels/spark_scope.
#include "engine/model/functions/spark.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sigmoid.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "engine/model/mixers/attention.h"
#include "engine/model/mixers/spark_attention.h"
#include "engine/model/mixers/spark_rank.h"
#include "engine/model/spark_statistics.h"
#include "engine/trace/error.h"
#include "kernels/spark_scope/spark_scope_op.h"

namespace sparsescope::model {
namespace {

constexpr double kNoClamp = 1000;  // far outside what scores reach

void register_controls(ControlBlock& controls, const experiments::SparkConfig& spark) {
  if (controls.has("sparsity_weight")) return;
  controls.add({"sparsity_weight", spark.sparsity_weight, 0, 10, false, true, "1",
                "Weight of the mean soft gate over past pairs in the loss: a price on density."});
  controls.add({"threshold_min", -kNoClamp, -kNoClamp, kNoClamp, false, false, "1",
                "Thresholds are held at or above this value."});
  controls.add({"threshold_max", kNoClamp, -kNoClamp, kNoClamp, false, false, "1",
                "Thresholds are held at or below this value."});
  controls.add({"threshold_freeze", 0, 0, 1, true, false, "1",
                "Thresholds keep their values while everything else trains."});
}

// One table for all layers: the first layer draws it.
at::Tensor shared_addresses(const MixerContext& context) {
  const Parameter* known = context.parameters.find("spark.addresses");
  if (known != nullptr) return known->value;
  return context.parameters.add_normal("spark.addresses", {context.vocabulary, context.config.spark.rank}, 1);
}

class Spark : public Mixer {
 public:
  explicit Spark(const MixerContext& context);
  at::Tensor forward(const at::Tensor& x, MixerCall& call) const override;

 private:
  at::Tensor scores_of(const at::Tensor& declaration, const MixerCall& call) const;
  at::Tensor strict_theta() const;
  kernels::SparkScope decide(const at::Tensor& scores, MixerCall& call) const;
  at::Tensor penalty(const at::Tensor& scores, const MixerCall& call) const;
  at::Tensor declared_share(const at::Tensor& declaration) const;
  kernels::SparkForm form(const at::Tensor& qkv) const;
  at::Tensor forward_own(const at::Tensor& x, MixerCall& call) const;

  std::int64_t layer_, layers_;
  experiments::SparkConfig config_;
  const ControlBlock& controls_;
  HeadProjections projections_;
  Linear declare_;
  at::Tensor addresses_;  // [V,r]
  at::Tensor theta_;      // []
  double score_scale_;    // kappa/sqrt(r)
};

Spark::Spark(const MixerContext& context)
    : layer_(context.layer),
      layers_(context.config.layers),
      config_(context.config.spark),
      controls_(context.controls),
      projections_(context),
      declare_(context.parameters, context.name + ".wz", context.config.width, config_.rank,
               context.config.init_std, false),
      addresses_(shared_addresses(context)),
      theta_(context.parameters.add_constant(
          context.name + ".theta", {},
          config_.initial_theta_sigmas * initial_score_std(context.config, context.layer),
          config_.used_theta_lr_multiplier())),
      score_scale_(config_.kappa / std::sqrt(static_cast<double>(config_.rank))) {
  register_controls(context.controls, config_);
}

// S [B,T,T]; by the rules of top-K counted from the K-th best of its declarer.
at::Tensor Spark::scores_of(const at::Tensor& declaration, const MixerCall& call) const {
  const at::Tensor address = at::embedding(addresses_, call.ids);  // [B,T,r], u
  if (config_.is_ranked())
    return ranked_scores({declaration, address, addresses_, call.ids, score_scale_}, config_.top_k);
  return at::matmul(address * score_scale_, declaration.transpose(-2, -1));
}

// What a score has to exceed, fp32: decisions and probes compare strictly, ties with the K-th are in.
at::Tensor Spark::strict_theta() const {
  const at::Tensor theta = theta_.detach().to(at::kFloat);
  return config_.is_ranked() ? just_below(theta) : theta;
}

// The decision, once, from one fp32 tensor; an intervention may put another in its place.
kernels::SparkScope Spark::decide(const at::Tensor& scores, MixerCall& call) const {
  const at::Tensor decided_from = scores.detach().to(at::kFloat).contiguous();
  call.show(Observation::Scores, layer_, decided_from);
  kernels::SparkScope scope = kernels::spark_scope(
      decided_from, strict_theta(), {config_.inheritance, config_.fallback, config_.fallback_window});
  const Interventions* interventions = call.options.interventions;
  if (interventions != nullptr && layer_ < std::ssize(interventions->scope) &&
      interventions->scope[layer_].defined()) {
    check(interventions->scope[layer_].sizes() == scope.reasons.sizes(),
          "a forced scope has the shape of the layer's own");
    scope.reasons = interventions->scope[layer_];
  }
  call.show(Observation::Scope, layer_, scope.reasons);
  return scope;
}

// Mean over past pairs of sigma((S - theta)/tau); with a graph only while it has a weight.
at::Tensor Spark::penalty(const at::Tensor& scores, const MixerCall& call) const {
  const bool is_weighted = call.options.has_all_terms || controls_.get("sparsity_weight") != 0;
  if (!is_weighted && call.options.statistics == Statistics::Skip) return {};
  const c10::AutoGradMode mode(c10::GradMode::is_enabled() && is_weighted);
  return at::sigmoid((scores - theta_) / config_.tau).tril(-1).sum() /
         past_pairs(scores.size(0), scores.size(1));
}

// Of each id, over declarers spread evenly over the batch.
at::Tensor Spark::declared_share(const at::Tensor& declaration) const {
  const at::Tensor rows = declaration.detach().flatten(0, 1);  // [BT,r]
  const std::int64_t count = std::min(rows.size(0), kDeclarerSample);
  const at::Tensor sample =
      (at::arange(count, rows.options().dtype(at::kLong)) * rows.size(0)).floor_divide(count);
  at::Tensor table =
      at::matmul(rows.index_select(0, sample) * score_scale_, addresses_.detach().t());  // [n,V]
  if (config_.is_ranked()) table = relative_to_rank(table, config_.top_k);
  return table.gt(strict_theta()).sum(0).to(at::kDouble) / static_cast<double>(count);  // [V]
}

kernels::SparkForm Spark::form(const at::Tensor& qkv) const {
  kernels::SparkForm form;
  form.attention = projections_.form(qkv, INT64_MAX);
  form.scores = {{config_.inheritance, config_.fallback, config_.fallback_window},
                 static_cast<float>(config_.kappa),
                 static_cast<float>(config_.tau)};
  form.estimator = config_.estimator == experiments::Estimator::Surrogate ? kernels::SparkEstimator::Surrogate
                                                                          : kernels::SparkEstimator::InScope;
  form.gate_pairs = config_.gate_pairs == experiments::GatePairs::All ? kernels::SparkGatePairs::All
                                                                      : kernels::SparkGatePairs::Direct;
  form.layers = layers_;
  return form;
}

// The same in own kernels: no T x T matrix, and the penalty's gradient is formed with the others.
at::Tensor Spark::forward_own(const at::Tensor& x, MixerCall& call) const {
  const at::Tensor qkv = projections_.pack(x), declaration = declare_.wide(x);  // [B,T,3C], [B,T,r]
  call.show(Observation::Declaration, layer_, declaration);
  call.show(Observation::Theta, layer_, theta_);
  if (call.options.statistics == Statistics::Collect && layer_ == 0)
    call.result.row_gates = at::empty({layers_, x.size(0), x.size(1)}, x.options().dtype(at::kDouble));
  const at::Tensor row_gates =
      call.result.row_gates.defined() ? call.result.row_gates.select(0, layer_) : at::Tensor();
  const SparkOutput made = spark({qkv, declaration, addresses_, theta_, call.ids}, form(qkv),
                                 call.result.groups, controls_.tensor("sparsity_weight"), row_gates);
  call.result.spark.push_back({.theta = theta_.detach(),
                               .row_counts = made.row_counts,
                               .row_moments = made.row_moments,
                               .declarations = declaration.detach()});
  return projections_.unpack(made.output);
}

at::Tensor Spark::forward(const at::Tensor& x, MixerCall& call) const {
  if (x.is_cuda() && config_.has_fused_form() && projections_.may_use_own(call, kernels::has_spark_attention))
    return forward_own(x, call);
  const Heads heads = projections_.split(x, call);
  const at::Tensor declaration = declare_.wide(x);         // [B,T,r], z
  const at::Tensor scores = scores_of(declaration, call);  // [B,T,T], S
  call.show(Observation::Declaration, layer_, declaration);
  call.show(Observation::Theta, layer_, config_.is_ranked() ? strict_theta() : theta_);
  const kernels::SparkScope scope = decide(scores, call);

  SparkLayerResult left{
      theta_.detach().clone(), scope.row_counts, scope.row_moments, penalty(scores, call), {}};
  if (call.options.statistics == Statistics::Collect) left.declared_share = declared_share(declaration);
  call.result.spark.push_back(std::move(left));

  const bool is_hard = call.options.gates == Gates::Hard;  // the surrogate's forward pass
  const SparkAttention attention = spark_attention(
      {heads.queries, heads.keys, heads.values, projections_.bias(heads), scores, theta_, scope.reasons},
      {is_hard ? experiments::Estimator::Surrogate : config_.estimator, config_.gate_pairs, config_.tau,
       projections_.scale()});
  call.show(Observation::AttentionLogits, layer_, attention.logits);
  call.show(Observation::AttentionWeights, layer_, attention.weights);
  return projections_.merge(attention.output);
}

}  // namespace

std::unique_ptr<Mixer> make_spark(MixerContext context) { return std::make_unique<Spark>(context); }

}  // namespace sparsescope::model
