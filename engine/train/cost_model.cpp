#include "engine/train/cost_model.h"

namespace sparsescope::train {

using experiments::MixerKind;
using experiments::ModelConfig;

std::int64_t parameter_count(const ModelConfig& model, std::int64_t vocabulary) {
  const std::int64_t d = model.width, r = model.spark.rank;
  const bool is_spark = model.mixer == MixerKind::Spark;
  const std::int64_t norm = d + (model.norm == experiments::NormKind::Layer && model.biases ? d : 0);
  // Projections 3 d^2 + d^2, feed-forward 4 d^2 + 4 d^2; their biases 3 d + d + 4 d + d.
  std::int64_t block = 12 * d * d + (model.biases ? 9 * d : 0) + 2 * norm;
  if (is_spark) block += d * r + 1;  // declarations and the threshold
  std::int64_t all = vocabulary * d + model.layers * block + norm;
  if (is_spark) all += vocabulary * r;  // addresses, shared by the layers
  if (model.position == experiments::PositionKind::Learned) all += model.max_positions * d;
  if (!model.tied_head) all += vocabulary * d + (model.biases ? vocabulary : 0);
  return all;
}

double forward_flops_per_token(const ModelConfig& model, std::int64_t vocabulary, std::int64_t context) {
  const auto d = static_cast<double>(model.width), T = static_cast<double>(context),
             r = static_cast<double>(model.spark.rank);
  double layer = 24 * d * d + 4 * T * d;
  if (model.mixer == MixerKind::Spark) layer += 2 * d * r + 2 * T * r;
  return static_cast<double>(model.layers) * layer + 2 * d * static_cast<double>(vocabulary);
}

double activation_bytes(const ModelConfig& model, std::int64_t vocabulary, std::int64_t batch) {
  const auto B = static_cast<double>(batch), T = static_cast<double>(model.context),
             d = static_cast<double>(model.width), H = static_cast<double>(model.heads);
  // A block keeps about 20 vectors of width d per token: both norms' inputs and outputs, q, k, v before and
  // after the position encoding, the heads' output, the feed-forward part's 4 + 4, sums of the residual.
  const double tokens = B * T * 20 * d;
  // Attention keeps weights and logits per head, routing scores and reasons per layer.
  const double squares = B * T * T * (2 * H + (model.mixer == MixerKind::Spark ? 2 : 0));
  // The backward pass of one layer holds about six more squares per head; the head its logits three times.
  const double passing = B * T * T * 6 * H, logits = 3 * B * T * static_cast<double>(vocabulary);
  return 4 * (static_cast<double>(model.layers) * (tokens + squares) + passing + logits);
}

}  // namespace sparsescope::train
