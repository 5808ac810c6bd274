// Rotary positions: pairs of channels turn by position * frequency, so that scores depend on distances alone.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>

#include "engine/model/per_length.h"
#include "engine/model/positions/positions.h"
#include "engine/trace/error.h"

namespace sparsescope::model {
namespace {

using experiments::RopeLayout;

struct Angles {
  at::Tensor cosines, sines;  // [T,D/2]
};

Angles angles_at(const at::Tensor& positions, std::int64_t channels, double base, at::TensorOptions like) {
  const at::Tensor exponents =
      at::arange(channels / 2, like.dtype(at::kDouble)) * (-2.0 / static_cast<double>(channels));
  const at::Tensor angles = at::outer(positions.to(at::kDouble), at::pow(at::Scalar(base), exponents));
  return {at::cos(angles).to(like.dtype()), at::sin(angles).to(like.dtype())};
}

at::Tensor turn(const at::Tensor& x, const Angles& angles, RopeLayout layout) {
  const std::int64_t half = x.size(-1) / 2;
  const bool interleaved = layout == RopeLayout::Interleaved;
  const at::Tensor first = interleaved ? x.unflatten(-1, {half, 2}).select(-1, 0) : x.narrow(-1, 0, half);
  const at::Tensor second = interleaved ? x.unflatten(-1, {half, 2}).select(-1, 1) : x.narrow(-1, half, half);
  const at::Tensor turned_first = first * angles.cosines - second * angles.sines;
  const at::Tensor turned_second = first * angles.sines + second * angles.cosines;
  return interleaved ? at::stack({turned_first, turned_second}, -1).flatten(-2)
                     : at::cat({turned_first, turned_second}, -1);
}

class Rope : public Positions {
 public:
  explicit Rope(const experiments::ModelConfig& config)
      : head_width_(config.width / config.heads),
        base_(config.rope_base),
        layout_(config.rope_layout),
        angles_(config.context) {}

  std::pair<at::Tensor, at::Tensor> rotate(const at::Tensor& queries, const at::Tensor& keys) const override {
    const std::int64_t tokens = queries.size(-2);
    const Angles angles = angles_.get(tokens, [&] {
      return angles_at(at::arange(tokens, queries.options().dtype(at::kLong)), queries.size(-1), base_,
                       queries.options());
    });
    return {turn(queries, angles, layout_), turn(keys, angles, layout_)};
  }
  void describe(kernels::AttentionForm& form, std::int64_t tokens, at::TensorOptions like) const override {
    const at::TensorOptions wide = like.dtype(at::kFloat);
    const Angles angles = angles_.get(tokens, [&] {
      return angles_at(at::arange(tokens, wide.dtype(at::kLong)), head_width_, base_, wide);
    });
    form.cosines = angles.cosines;
    form.sines = angles.sines;
    form.layout = layout_ == RopeLayout::Interleaved ? kernels::RotaryLayout::Interleaved
                                                     : kernels::RotaryLayout::HalfSplit;
  }

 private:
  std::int64_t head_width_;
  double base_;
  RopeLayout layout_;
  mutable PerLength<Angles> angles_;
};

}  // namespace

at::Tensor apply_rope(const at::Tensor& x, const at::Tensor& positions, double base, RopeLayout layout) {
  check(x.size(-1) % 2 == 0, "RoPE turns pairs of channels: the head width must be even");
  return turn(x, angles_at(positions, x.size(-1), base, x.options()), layout);
}

std::unique_ptr<Positions> make_rope(const experiments::ModelConfig& config, ParameterTable&) {
  if (config.width / config.heads % 2 != 0) {
    throw Error("RoPE turns pairs of channels and a head here has " +
                    std::to_string(config.width / config.heads) +
                    "; choose model.width and model.heads so that their quotient is even",
                ExitCode::Usage);
  }
  return std::make_unique<Rope>(config);
}

}  // namespace sparsescope::model
