// Linear, Norm and FeedForward in ATen operations.
#include "engine/model/layers.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/rsqrt.h>

#include <cmath>

namespace sparsescope::model {

Linear::Linear(ParameterTable& parameters, const std::string& name, std::int64_t inputs, std::int64_t outputs,
               double std, bool has_bias)
    : weight_(parameters.add_normal(name, {outputs, inputs}, std)) {
  if (has_bias) bias_ = parameters.add_constant(name + "_bias", {outputs}, 0);
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return at::linear(x, weight_, bias_.defined() ? std::optional<at::Tensor>(bias_) : std::nullopt);
}

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

at::Tensor FeedForward::operator()(const at::Tensor& x) const { return down_(at::gelu(up_(x))); }

double output_std(const experiments::ModelConfig& config) {
  return config.depth_scaled_init ? config.init_std / std::sqrt(2.0 * static_cast<double>(config.layers))
                                  : config.init_std;
}

}  // namespace sparsescope::model
