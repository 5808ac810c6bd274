// The pieces every sublayer is made of: a linear map with or without bias, a norm, the feed-forward sublayer.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "engine/experiments/experiment.h"
#include "engine/model/parameter_table.h"

namespace sparsescope::model {

// Whose operations compute what both offer: the library's, which any form of model can use and observe, or
// kernels/, for bf16 products.
enum class Kernels { Library, Own };

// y = x W^T (+ b): weight [outputs, inputs] ~ N(0, std^2), bias zeros when the configuration has biases.
class Linear {
 public:
  Linear(ParameterTable& parameters, const std::string& name, std::int64_t inputs, std::int64_t outputs,
         double std, bool has_bias);
  at::Tensor operator()(const at::Tensor& x) const;  // [...,inputs] -> [...,outputs] in the products' type
  at::Tensor wide(const at::Tensor& x) const;        // the same in the parameters' type
  bool has_bias() const { return bias_.defined(); }

 private:
  at::Tensor apply(const at::Tensor& x, at::ScalarType out) const;

  Weight weight_;
  at::Tensor bias_;
};

// RMSNorm: gain * x * rsqrt(mean(x^2) + eps). LayerNorm: the usual one, its bias present when the
// configuration has biases.
class Norm {
 public:
  Norm(ParameterTable& parameters, const std::string& name, const experiments::ModelConfig& config);
  at::Tensor operator()(const at::Tensor& x) const;  // [B,T,C] -> [B,T,C]

  experiments::NormKind kind() const { return kind_; }
  double eps() const { return eps_; }
  const at::Tensor& gain() const { return gain_; }

 private:
  experiments::NormKind kind_;
  double eps_;
  at::Tensor gain_, bias_;
};

// W2 gelu(W1 x), erf GELU, 4 C hidden.
class FeedForward {
 public:
  FeedForward(ParameterTable& parameters, const std::string& name, const experiments::ModelConfig& config);
  at::Tensor operator()(const at::Tensor& x, Kernels kernels) const;  // [B,T,C] -> [B,T,C]

 private:
  Linear up_, down_;
};

// Standard deviation at which the projections that end a sublayer start.
double output_std(const experiments::ModelConfig& config);

}  // namespace sparsescope::model
