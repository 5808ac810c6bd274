// ALiBi: a fixed penalty per head, linear in the distance, on the logits.
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>

#include <bit>
#include <cmath>

#include "engine/model/per_length.h"
#include "engine/model/positions/positions.h"

namespace sparsescope::model {
namespace {

// m_h = 2^(-8 h / count), h = 1 .. count, every `stride`-th, the first `wanted` of them.
void append_geometric(std::vector<double>& slopes, std::int64_t count, std::int64_t stride,
                      std::int64_t wanted) {
  for (std::int64_t h = 1; h <= count && wanted > 0; h += stride, --wanted) {
    slopes.push_back(std::exp2(-8.0 * static_cast<double>(h) / static_cast<double>(count)));
  }
}

class Alibi : public Positions {
 public:
  explicit Alibi(const experiments::ModelConfig& config)
      : slopes_(alibi_slopes(config.heads, config.alibi_slopes)), biases_(config.context) {}

  at::Tensor bias(std::int64_t tokens, at::TensorOptions like) const override {
    return biases_.get(tokens, [&] {
      const at::Tensor positions = at::arange(tokens, like.dtype(at::kLong));
      return alibi_bias(slopes_, positions, positions, like);
    });
  }
  void describe(kernels::AttentionForm& form, std::int64_t, at::TensorOptions like) const override {
    if (!slopes_on_device_.defined())
      slopes_on_device_ =
          at::tensor(slopes_, at::TensorOptions().dtype(at::kDouble)).to(like.dtype(at::kFloat));
    form.slopes = slopes_on_device_;
  }

 private:
  std::vector<double> slopes_;
  mutable at::Tensor slopes_on_device_;   // [H] fp32
  mutable PerLength<at::Tensor> biases_;  // [H,T,T]
};

}  // namespace

std::vector<double> alibi_slopes(std::int64_t heads, experiments::AlibiSlopes convention) {
  std::vector<double> slopes;
  if (convention == experiments::AlibiSlopes::Geometric) {
    append_geometric(slopes, heads, 1, heads);
    return slopes;
  }
  const auto power = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(heads)));
  append_geometric(slopes, power, 1, power);
  append_geometric(slopes, 2 * power, 2, heads - power);
  return slopes;
}

at::Tensor alibi_bias(const std::vector<double>& slopes, const at::Tensor& query_positions,
                      const at::Tensor& key_positions, at::TensorOptions like) {
  const at::Tensor distance =
      (key_positions.unsqueeze(0) - query_positions.unsqueeze(1)).to(like.dtype());  // [Tq,Tk], -(t-p)
  const at::Tensor heads = at::tensor(slopes, at::TensorOptions().dtype(at::kDouble))
                               .to(like.device(), like.dtype().toScalarType());
  return heads.view({-1, 1, 1}) * distance;
}

std::unique_ptr<Positions> make_alibi(const experiments::ModelConfig& config, ParameterTable&) {
  return std::make_unique<Alibi>(config);
}

}  // namespace sparsescope::model
