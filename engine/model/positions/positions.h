// How a model knows where a token is: one member per encoding, one table. Queries and keys only, never
// declarations.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "engine/experiments/experiment.h"
#include "engine/model/parameter_table.h"
#include "kernels/attention/attention_op.h"

namespace sparsescope::model {

class Positions {
 public:
  virtual ~Positions() = default;
  // Added to the embedding x [B,T,C] before the first sublayer.
  virtual at::Tensor embed(const at::Tensor& x) const { return x; }
  // Turns queries and keys [B,H,T,D] at positions 0 .. T-1.
  virtual std::pair<at::Tensor, at::Tensor> rotate(const at::Tensor& queries, const at::Tensor& keys) const {
    return {queries, keys};
  }
  // Added to the logits: [H,T,T] in the given type, or undefined when there is none.
  virtual at::Tensor bias(std::int64_t, at::TensorOptions) const { return {}; }
  // The same for own kernels: fills in what `form` says of positions; tables are fp32 on the device of
  // `like`.
  virtual void describe(kernels::AttentionForm&, std::int64_t /*tokens*/, at::TensorOptions /*like*/) const {}
};

std::unique_ptr<Positions> make_positions(const experiments::ModelConfig& config, ParameterTable& parameters);

// The members, as the table calls them.
std::unique_ptr<Positions> make_rope(const experiments::ModelConfig& config, ParameterTable& parameters);
std::unique_ptr<Positions> make_alibi(const experiments::ModelConfig& config, ParameterTable& parameters);
std::unique_ptr<Positions> make_learned(const experiments::ModelConfig& config, ParameterTable& parameters);
std::unique_ptr<Positions> make_none(const experiments::ModelConfig& config, ParameterTable& parameters);

// RoPE of x [...,T,D], D even, at integer positions [T]: pair i turns by position * base^(-2i/D). Angles in
// fp64.
at::Tensor apply_rope(const at::Tensor& x, const at::Tensor& positions, double base,
                      experiments::RopeLayout layout);
// ALiBi slopes m_h of H heads.
std::vector<double> alibi_slopes(std::int64_t heads, experiments::AlibiSlopes convention);
// -m_h (query - key) at the given positions [Tq], [Tk]: [H,Tq,Tk] in the options of `like`. Keys may come in
// any order.
at::Tensor alibi_bias(const std::vector<double>& slopes, const at::Tensor& query_positions,
                      const at::Tensor& key_positions, at::TensorOptions like);

}  // namespace sparsescope::model
