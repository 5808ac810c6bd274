// The parameters of a model as one named list in a stable order, with what the optimizer must know of each.
// Each parameter is drawn from its own random stream, so adding one changes no other.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sparsescope::model {

// One row of the optimizer's segment table.
struct Parameter {
  std::string name;  // "blocks.0.mixer.wqkv"; the key in checkpoints
  at::Tensor value;  // a leaf; requires_grad unless frozen
  at::Tensor gemm;   // what matrix products read: `value` itself, or its copy in the products' type
  double lr_multiplier = 1;
  bool weight_decay = false;  // 2-D weights only
  bool is_frozen = false;
};

// A 2-D weight as a layer holds it.
struct Weight {
  at::Tensor value;  // [outputs, inputs], the leaf
  at::Tensor gemm;   // the same numbers in the products' type, not differentiable; or `value` itself
};

// All parameters in one piece, segment after segment in the order of the table, each beginning at a multiple
// of kSegmentAlignment elements; the padding between them is 0.
inline constexpr std::int64_t kSegmentAlignment = 64;
struct FlatParameters {
  at::Tensor values;                 // [n] fp32; the parameters are views of it
  at::Tensor gradients;              // [n] fp32; their gradients are views of it, added to and never replaced
  at::Tensor gemm;                   // [n] in the products' type; undefined when that is fp32
  std::vector<std::int64_t> begins;  // of each segment
};

class ParameterTable {
 public:
  // Values live on `device` in `dtype`; matrix products read copies in `gemm_dtype`; `seed` starts the init
  // streams.
  ParameterTable(at::Device device, at::ScalarType dtype, at::ScalarType gemm_dtype, std::uint64_t seed);

  // Draws N(0, std^2) in fp64 on the CPU, then converts: the same numbers on every device and in every
  // precision. 2-D parameters decay, others do not. The returned tensor is the leaf itself.
  at::Tensor add_normal(const std::string& name, at::IntArrayRef shape, double std);
  at::Tensor add_constant(const std::string& name, at::IntArrayRef shape, double value,
                          double lr_multiplier = 1);

  // add_normal for a 2-D weight of a layer.
  Weight add_weight(const std::string& name, at::IntArrayRef shape, double std);

  // Moves values, gradients and copies into one piece each; tensors handed out before stay valid. Once, after
  // the last add. fp32 values only.
  void lay_out_flat();
  // nullptr before lay_out_flat().
  const FlatParameters* flat() const { return flat_.values.defined() ? &flat_ : nullptr; }
  // Call after values were written by anything but the optimizer that keeps the copies: they follow.
  void refresh_gemm_copies();

  std::vector<Parameter>& rows() { return rows_; }
  const std::vector<Parameter>& rows() const { return rows_; }
  // nullptr when there is none.
  const Parameter* find(std::string_view name) const;
  std::int64_t count() const;  // scalars in all
  at::Device device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }
  at::ScalarType gemm_dtype() const { return gemm_dtype_; }

 private:
  at::Tensor add(const std::string& name, at::Tensor value, double lr_multiplier);

  at::Device device_;
  at::ScalarType dtype_, gemm_dtype_;
  std::uint64_t seed_;
  std::vector<Parameter> rows_;
  FlatParameters flat_;
};

// N(0, std^2) from the stream that `seed` and `name` name: fp64 on the CPU, independent of torch's global
// generator.
at::Tensor draw_normal(std::uint64_t seed, std::string_view name, at::IntArrayRef shape, double std);

}  // namespace sparsescope::model
