// What a SPaRK model records of every training step: one small tensor, fetched with one copy. Counting
// happens in the forward pass on the training batch; displacement and reach are the trainer's own arithmetic.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace sparsescope::model {

class LanguageModel;
struct ForwardResult;

// Columns of the statistics tensor. Densities divide by the past pairs of a sequence, T(T-1)/2, averaged over
// the batch.
enum SparkStatistic : std::int64_t {
  kTheta,
  kScoreMean,      // of S over past pairs p < t
  kScoreStd,       // population standard deviation of the same
  kThetaSigmas,    // (theta - mean) / std
  kThetaGradient,  // d loss / d theta of this step; 0 before any backward pass
  kDirect,         // disjoint parts of the scope density: direct,
  kInherited,      //   inherited and not direct,
  kFallback,       //   fallback
  kScope,          // their sum: scope density, self excluded
  kSelf,           // the diagonal in the same denominator: 2 / (T-1)
  kEmptyRows,      // share of rows without a direct declaration, row 0 included
  kExpected,       // direct density that declaration counts alone predict, see below
  kDeclaredMean,   // ids of the vocabulary declared per token, K
  kNonFinite,      // scores at p <= t that are not finite; any makes the step invalid
  kSparkStatisticCount
};
const char* spark_statistic_name(SparkStatistic statistic);

// Per layer [L, kSparkStatisticCount], fp64, on the model's device. Call after the backward pass of the step
// whose forward pass made `result` (with ForwardOptions::statistics = Collect). No synchronisation.
//
// kExpected: the direct density that would be seen if a query's id and a key's declaration knew nothing of
// one another: sum_v pi_v d_v, with pi_v the share of id v in the batch and d_v the share of declarers whose
// declaration holds v (kappa u_v.z_p / sqrt(r) > theta), over kDeclarerSample declarers spread evenly over
// the batch. kDeclaredMean is sum_v d_v.
// Where own kernels ran the forward pass they make the statistics, too, and add what is not finite to
// `non_finite` [1] i32.
at::Tensor spark_statistics(const LanguageModel& model, const ForwardResult& result,
                            const at::Tensor& non_finite = {});
inline constexpr std::int64_t kDeclarerSample = 256;

// For probes; sequences one at a time.
// The ids that occur in `ids` [T], ascending.
std::vector<std::int64_t> distinct_ids(const at::Tensor& ids);
// Which of `distinct` [N] i64 each position declares, taken from `scores` [T,T] itself (the row of an id's
// first occurrence in `ids` [T]), so that direct[t,p] == bits[n of ids_t][p] for p < t. Nothing is read back.
struct DeclaredIds {
  at::Tensor bits;    // [N,T] bool; rows of ids that do not occur mean nothing
  at::Tensor occurs;  // [N] bool
};
DeclaredIds declared_ids(const at::Tensor& scores, const at::Tensor& theta, const at::Tensor& ids,
                         const at::Tensor& distinct);
// Scores kappa u_v.z_p / sqrt(r) of `ids` [N] i64 that need not occur in a sequence: [N,T] from z [T,r] of
// one layer; by the rules of top-K, here and in declared_top, counted from the K-th best of the position.
at::Tensor scores_of_ids(const LanguageModel& model, const at::Tensor& declaration, const at::Tensor& ids);
// Packs the last axis of a bool tensor: [..., ceil(n/8)] u8, little-endian, rows padded with 0.
at::Tensor pack_bits(const at::Tensor& bits);

struct DeclaredTop {
  at::Tensor ids;     // [T,k] i64
  at::Tensor scores;  // [T,k] fp32, falling
};
// The k best-scored ids of the whole vocabulary per declaring position, from z [T,r] of `layer`.
DeclaredTop declared_top(const LanguageModel& model, const at::Tensor& declaration, std::int64_t k = 8);

}  // namespace sparsescope::model
