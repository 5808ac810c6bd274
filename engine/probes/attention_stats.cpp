#include "engine/probes/attention_stats.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <limits>

#include "engine/probes/probe.h"
#include "kernels/spark_scope/spark_scope.h"

namespace sparsescope::probes {
namespace {

constexpr std::int64_t kSinkTokens = 64;
constexpr double kSinkMass = 0.3;

// Mean over sequences and rows: [B,H,T] -> [H].
at::Tensor row_mean(const at::Tensor& rows) { return rows.mean(at::IntArrayRef{0, 2}); }

// The same over the rows where `counted` [B,H,T] holds; 0 when there is none.
at::Tensor row_mean_where(const at::Tensor& rows, const at::Tensor& counted) {
  const at::Tensor count = counted.sum(at::IntArrayRef{0, 2}).clamp_min(1);
  return at::where(counted, rows, at::zeros_like(rows)).sum(at::IntArrayRef{0, 2}) / count;
}

std::int64_t near_reach(const experiments::ModelConfig& config) {
  switch (config.mixer) {
    case experiments::MixerKind::Window:
      return config.window;
    case experiments::MixerKind::Spark:
      return config.spark.fallback_window;
    case experiments::MixerKind::Dense:
      return 32;
  }
  return 32;
}

}  // namespace

at::Tensor attention_statistics(const at::Tensor& weights, const at::Tensor& logits, const at::Tensor& ids,
                                std::int64_t reach) {
  const std::int64_t T = weights.size(-1);
  const at::Tensor w = weights.to(at::kFloat);                                // [B,H,T,T]
  const at::Tensor position = at::arange(T, w.options());                     // [T]
  const at::Tensor distance = position.unsqueeze(1) - position.unsqueeze(0);  // [T,T] t - p
  const at::Tensor causal = distance.ge(0);                                   // [T,T]
  const at::Tensor in_scope = w.gt(0);                                        // [B,H,T,T]

  const at::Tensor entropy =
      -at::where(in_scope, w * w.clamp_min(std::numeric_limits<float>::min()).log(), at::zeros_like(w))
           .sum(-1);
  const at::Tensor keys = in_scope.sum(-1).to(at::kFloat);                            // [B,H,T] n_t
  const at::Tensor of_past = entropy.slice(2, 1) / (position.slice(0, 1) + 1).log();  // [B,H,T-1]
  const at::Tensor several = keys.ge(2);
  const at::Tensor of_scope = entropy / keys.clamp_min(2).log();

  const at::Tensor shadow = logits.to(at::kFloat)
                                .masked_fill(causal.logical_not(), -std::numeric_limits<float>::infinity())
                                .softmax(-1);
  const at::Tensor retained = at::where(in_scope, shadow, at::zeros_like(shadow)).sum(-1);
  const at::Tensor same_id =
      ids.unsqueeze(2).eq(ids.unsqueeze(1)).logical_and(distance.gt(0)).unsqueeze(1);  // [B,1,T,T]
  const std::int64_t rows = std::min(T, kSinkTokens);
  const at::Tensor alpha = w.slice(2, 0, rows).select(3, 0).mean(2);  // [B,H]

  std::vector<at::Tensor> columns = {
      row_mean(entropy),
      T > 1 ? row_mean(of_past) : at::zeros({w.size(1)}, w.options()),
      row_mean_where(of_scope, several),
      row_mean(entropy.exp()),
      row_mean(at::where(keys.gt(0), 1 / w.square().sum(-1), at::zeros_like(keys))),
      row_mean(1 - retained).clamp_min(0),
      row_mean((w * distance).sum(-1)),
      row_mean((w * distance.ge(reach)).sum(-1)),
      row_mean((w * distance.eq(1)).sum(-1)),
      row_mean((w * same_id).sum(-1)),
      alpha.mean(0),
      alpha.gt(kSinkMass).to(at::kFloat).mean(0),
  };
  return at::stack(columns, 1);
}

at::Tensor scope_mass(const at::Tensor& weights, const at::Tensor& reasons) {
  const at::Tensor w = weights.to(at::kFloat);
  const at::Tensor code = reasons.unsqueeze(1);  // [B,1,T,T]
  const at::Tensor direct = code.bitwise_and(kernels::kDirect).ne(0);
  const at::Tensor inherited = code.bitwise_and(kernels::kInherited).ne(0).logical_and(direct.logical_not());
  std::vector<at::Tensor> columns;
  for (const at::Tensor& part : {direct, inherited, code.bitwise_and(kernels::kFallback).ne(0),
                                 code.bitwise_and(kernels::kSelf).ne(0)}) {
    columns.push_back(row_mean((w * part).sum(-1)));
  }
  return at::stack(columns, 1);
}

at::Tensor induction_score(const at::Tensor& weights) {
  const std::int64_t m = weights.size(-1) / 2;
  if (m < 2) return at::zeros({weights.size(1)}, weights.options().dtype(at::kFloat));
  // w_t[t-m+1] for t = m .. 2m-2 is a diagonal that starts at row m, column 1.
  const at::Tensor stripe =
      weights.to(at::kFloat).slice(2, m, 2 * m - 1).slice(3, 1, m).diagonal(0, 2, 3);  // [B,H,m-1]
  return row_mean(stripe);
}

std::vector<std::string> attention_stat_names(const experiments::ModelConfig& config) {
  std::vector<std::string> names = kAttentionStats;
  names.push_back("induction");
  if (config.mixer == experiments::MixerKind::Spark)
    names.insert(names.end(), kScopeMassStats.begin(), kScopeMassStats.end());
  return names;
}

at::Tensor attention_stats_of_layer(const LayerInput& input) {
  const auto seen = [&](model::Observation what) { return input.seen.get(what, input.layer); };
  const at::Tensor weights = seen(model::Observation::AttentionWeights);
  const at::Tensor reasons = seen(model::Observation::Scope);
  std::vector<at::Tensor> columns = {attention_statistics(weights, seen(model::Observation::AttentionLogits),
                                                          input.batch.ids, near_reach(input.model.config())),
                                     input.induction.unsqueeze(1)};
  if (reasons.defined()) columns.push_back(scope_mass(weights, reasons));
  return at::cat(columns, 1);
}

}  // namespace sparsescope::probes
