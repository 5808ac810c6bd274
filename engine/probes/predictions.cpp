// Probes `probe_surprisal` and `probe_predictions`: what the model expected at each position of probe
// sequence 0, from the logits that the probes' forward pass makes anyway.
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/topk.h>

#include <algorithm>
#include <limits>

#include "engine/probes/probe.h"
#include "engine/probes/sizes.h"

namespace sparsescope::probes {
namespace {

// Row i: log probabilities of the token at i + 1. [T-1,V]
at::Tensor log_probabilities(const at::Tensor& logits) {
  return at::log_softmax(logits[0].slice(0, 0, logits.size(1) - 1).to(at::kFloat), -1);
}

at::Tensor unknown(at::IntArrayRef shape, const at::Tensor& like) {
  return at::full(shape, std::numeric_limits<float>::quiet_NaN(), like.options());
}

}  // namespace

at::Tensor surprisal(const at::Tensor& logits, const ProbeBatch& batch) {
  const at::Tensor log_p = log_probabilities(logits);
  const at::Tensor targets = batch.ids[0].slice(0, 1);  // [T-1]
  const at::Tensor nats = log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1).neg();
  return at::cat({unknown({1}, nats), nats});
}

at::Tensor predictions(const at::Tensor& logits, const ProbeBatch&) {
  const at::Tensor log_p = log_probabilities(logits);
  const std::int64_t ranks = std::min(kPredictionRanks, log_p.size(1));
  const auto [values, ids] = at::topk(log_p, ranks, -1);  // [T-1,ranks]
  at::Tensor rows = at::stack({ids.to(at::kFloat), values}, -1);
  if (ranks < kPredictionRanks)
    rows = at::cat({rows, unknown({rows.size(0), kPredictionRanks - ranks, 2}, rows)}, 1);
  return at::cat({unknown({1, kPredictionRanks, 2}, rows), rows});
}

}  // namespace sparsescope::probes
