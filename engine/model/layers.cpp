// Linear, Norm and FeedForward in ATen operations.
#include "engine/model/layers.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/rsqrt.h>

#include <cmath>

#include "engine/model/functions/gelu.h"
#include "engine/model/functions/linear.h"

namespace sparsescope::model {

Linear::Linear(ParameterTable& parameters, const std::string& name, std::int64_t inputs, std::int64_t outputs,
               double std, bool has_bias)
    : weight_(parameters.add_weight(name, {outputs, inputs}, std)) {
  if (has_bias) bias_ = parameters.add_constant(name + "_bias", {outputs}, 0);
}

at::Tensor Linear::apply(const at::Tensor& x, at::ScalarType out) const {
  const at::Tensor y = linear(x, weight_, out);
  return bias_.defined() ? y + bias_.to(out) : y;
}

at::Tensor Linear::operator()(const at::Tensor& x) const { return apply(x, weight_.gemm.scalar_type()); }
at::Tensor Linear::wide(const at::Tensor& x) const { return apply(x, weight_.value.scalar_type()); }

Norm::Norm(ParameterTable& parameters, const std::string& name, const experiments::ModelConfig& config)
    : kind_(config.norm),
      eps_(config.norm_eps),
      gain_(parameters.add_constant(name + ".gain", {config.width}, 1)) {
  if (kind_ == experiments::NormKind::Layer && config.biases)
    bias_ = parameters.add_constant(name + ".bias", {config.width}, 0);
}

at::Tensor Norm::operator()(const at::Tensor& x) const {
  if (kind_ == experiments::NormKind::Layer) {
    return at::layer_norm(x, {x.size(-1)}, gain_,
                          bias_.defined() ? std::optional<at::Tensor>(bias_) : std::nullopt, eps_);
  }
  const at::Tensor scale = at::rsqrt(x.square().mean(-1, /*keepdim=*/true) + eps_);  // [B,T,1]
  return x * scale * gain_;
}

FeedForward::FeedForward(ParameterTable& parameters, const std::string& name,
                         const experiments::ModelConfig& config)
    : up_(parameters, name + ".w1", config.width, 4 * config.width, config.init_std, config.biases),
      down_(parameters, name + ".w2", 4 * config.width, config.width, output_std(config), config.biases) {}

at::Tensor FeedForward::operator()(const at::Tensor& x, Kernels kernels) const {
  const at::Tensor hidden = up_(x);  // [B,T,4C]
  return down_(kernels == Kernels::Own ? model::gelu(hidden) : at::gelu(hidden));
}

double output_std(const experiments::ModelConfig& config) {
  return config.depth_scaled_init ? config.init_std / std::sqrt(2.0 * static_cast<double>(config.layers))
                                  : config.init_std;
}

}  // namespace sparsescope::model
