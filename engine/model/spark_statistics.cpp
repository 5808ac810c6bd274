// The statistics tensor of a training step, and what probes read from a sequence's scores.
#include "engine/model/spark_statistics.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "engine/model/language_model.h"
#include "engine/model/mixers/spark_rank.h"
#include "engine/trace/error.h"
#include "kernels/spark_scope/spark_scope.h"
#include "kernels/spark_statistics/spark_statistics_op.h"

namespace sparsescope::model {
namespace {

// Share of each id in the batch, pi: [V] f64.
at::Tensor unigram_shares(const at::Tensor& ids, std::int64_t vocabulary) {
  const at::Tensor flat = ids.flatten();
  const at::Tensor counts =
      at::zeros({vocabulary}, flat.options()).scatter_add_(0, flat, at::ones({flat.numel()}, flat.options()));
  return counts.to(at::kDouble) / static_cast<double>(flat.numel());
}

struct LayerSums {
  at::Tensor theta, gradient;  // [L] f64
  at::Tensor declared;         // [L,V] f64
  at::Tensor counts;           // [L,kScopeCounts] f64
  at::Tensor moments;          // [L,2] f64
};

LayerSums sum_layers(const LanguageModel& model, const ForwardResult& result) {
  std::vector<at::Tensor> theta, gradient, declared, counts, moments;
  for (std::size_t layer = 0; layer < result.spark.size(); ++layer) {
    const SparkLayerResult& left = result.spark[layer];
    check(left.declared_share.defined(), "statistics need a forward pass with Statistics::Collect");
    const at::Tensor& slope = model.thetas()[layer].grad();
    theta.push_back(left.theta);
    gradient.push_back(slope.defined() ? slope.detach() : at::zeros_like(left.theta));
    declared.push_back(left.declared_share);
    counts.push_back(left.row_counts.sum(at::IntArrayRef{0, 1}));
    moments.push_back(left.row_moments.sum(at::IntArrayRef{0, 1}));
  }
  return {at::stack(theta).to(at::kDouble), at::stack(gradient).to(at::kDouble), at::stack(declared),
          at::stack(counts).to(at::kDouble), at::stack(moments)};
}

static_assert(static_cast<int>(kernels::kSparkFigures) == static_cast<int>(kSparkStatisticCount) &&
              static_cast<int>(kDirect) == static_cast<int>(kernels::kFigureDirect) &&
              static_cast<int>(kNonFinite) == static_cast<int>(kernels::kFigureNonFinite));

at::Tensor own_statistics(const LanguageModel& model, const ForwardResult& result,
                          const at::Tensor& non_finite) {
  check(non_finite.defined() && result.groups.offsets.defined(),
        "statistics of own kernels follow a pass with gradients and count what is not finite");
  const experiments::SparkConfig& spark = model.config().spark;
  kernels::SparkStatisticsTensors tensors;
  for (std::size_t layer = 0; layer < result.spark.size(); ++layer) {
    const SparkLayerResult& left = result.spark[layer];
    tensors.layers.push_back({left.row_counts, left.row_moments,
                              result.row_gates.select(0, static_cast<std::int64_t>(layer)), left.declarations,
                              left.theta, model.thetas()[layer].grad()});
  }
  tensors.addresses = model.addresses().detach();
  tensors.offsets = result.groups.offsets;
  tensors.score_scale = spark.kappa / std::sqrt(static_cast<double>(spark.rank));
  return kernels::spark_statistics(tensors, non_finite);
}

}  // namespace

const char* spark_statistic_name(SparkStatistic statistic) {
  static constexpr const char* kNames[kSparkStatisticCount] = {"theta",
                                                               "score mean",
                                                               "score std",
                                                               "theta in sigmas",
                                                               "gradient",
                                                               "direct",
                                                               "inherited",
                                                               "fallback",
                                                               "scope",
                                                               "self",
                                                               "empty rows",
                                                               "expected from counts",
                                                               "declared per token",
                                                               "non-finite"};
  return kNames[statistic];
}

at::Tensor spark_statistics(const LanguageModel& model, const ForwardResult& result,
                            const at::Tensor& non_finite) {
  check(!result.spark.empty(), "statistics of SPaRK want a SPaRK model");
  const c10::NoGradGuard no_graph;
  if (result.row_gates.defined()) return own_statistics(model, result, non_finite);
  const LayerSums sums = sum_layers(model, result);
  const double batch = static_cast<double>(result.ids.size(0)),
               tokens = static_cast<double>(result.ids.size(1));
  const double pairs = std::max(batch * tokens * (tokens - 1) / 2, 1.0);

  const at::Tensor mean = sums.moments.select(1, 0) / pairs;
  const at::Tensor std = (sums.moments.select(1, 1) / pairs - mean * mean).clamp_min(0).sqrt();
  const auto density = [&](kernels::ScopeCount reason) { return sums.counts.select(1, reason) / pairs; };
  const at::Tensor direct = density(kernels::kCountDirect), inherited = density(kernels::kCountInherited),
                   fallback = density(kernels::kCountFallback);

  std::vector<at::Tensor> columns(kSparkStatisticCount);
  columns[kTheta] = sums.theta;
  columns[kScoreMean] = mean;
  columns[kScoreStd] = std;
  columns[kThetaSigmas] = (sums.theta - mean) / std;
  columns[kThetaGradient] = sums.gradient;
  columns[kDirect] = direct;
  columns[kInherited] = inherited;
  columns[kFallback] = fallback;
  columns[kScope] = direct + inherited + fallback;
  columns[kSelf] = at::full_like(mean, batch * tokens / pairs);
  columns[kEmptyRows] = sums.counts.select(1, kernels::kCountEmpty) / (batch * tokens);
  columns[kExpected] = sums.declared.matmul(unigram_shares(result.ids, model.vocabulary()));
  columns[kDeclaredMean] = sums.declared.sum(1);
  columns[kNonFinite] = sums.counts.select(1, kernels::kCountNonFinite);
  return at::stack(columns, 1);
}

std::vector<std::int64_t> distinct_ids(const at::Tensor& ids) {
  const at::Tensor host = ids.detach().cpu().contiguous();
  std::vector<std::int64_t> sorted(host.data_ptr<std::int64_t>(),
                                   host.data_ptr<std::int64_t>() + host.numel());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

DeclaredIds declared_ids(const at::Tensor& scores, const at::Tensor& theta, const at::Tensor& ids,
                         const at::Tensor& distinct) {
  const at::Tensor is_there = distinct.unsqueeze(1).eq(ids.unsqueeze(0));  // [N,T]
  const at::Tensor first = is_there.to(at::kByte).argmax(1);
  return {scores.index_select(0, first).gt(theta.to(scores.scalar_type())), is_there.any(1)};
}

at::Tensor scores_of_ids(const LanguageModel& model, const at::Tensor& declaration, const at::Tensor& ids) {
  const c10::NoGradGuard no_graph;
  const experiments::SparkConfig& spark = model.config().spark;
  const double scale = spark.kappa / std::sqrt(static_cast<double>(spark.rank));
  if (spark.is_ranked()) {
    const at::Tensor table = at::matmul(declaration * scale, model.addresses().t());  // [T,V], F
    return relative_to_rank(table, spark.top_k).index_select(1, ids).t();
  }
  const at::Tensor addresses = model.addresses().index_select(0, ids);  // [N,r]
  return at::matmul(addresses * scale, declaration.t());
}

at::Tensor pack_bits(const at::Tensor& bits) {
  const std::int64_t count = bits.size(-1), padded = (count + 7) / 8 * 8;
  const at::Tensor whole =
      at::constant_pad_nd(bits.to(at::kByte), {0, padded - count}).unflatten(-1, {padded / 8, 8});
  const at::Tensor weights =
      at::full({8}, 2, bits.options().dtype(at::kByte)).pow(at::arange(8, bits.options().dtype(at::kByte)));
  return (whole * weights).sum(-1).to(at::kByte);
}

DeclaredTop declared_top(const LanguageModel& model, const at::Tensor& declaration, std::int64_t k) {
  const c10::NoGradGuard no_graph;
  const experiments::SparkConfig& spark = model.config().spark;
  const double scale = spark.kappa / std::sqrt(static_cast<double>(spark.rank));
  at::Tensor table = at::matmul(declaration * scale, model.addresses().t());  // [T,V], F
  if (spark.is_ranked()) table = relative_to_rank(table, spark.top_k);
  const auto [scores, ids] = at::topk(table, std::min(k, table.size(1)), -1);
  return {ids, scores.to(at::kFloat)};
}

}  // namespace sparsescope::model
