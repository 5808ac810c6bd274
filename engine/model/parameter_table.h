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
  double lr_multiplier = 1;
  bool weight_decay = false;  // 2-D weights only
  bool is_frozen = false;
};

class ParameterTable {
 public:
  // Values live on `device` in `dtype`; `seed` starts the init streams.
  ParameterTable(at::Device device, at::ScalarType dtype, std::uint64_t seed);

  // Draws N(0, std^2) in fp64 on the CPU, then converts: the same numbers on every device and in every
  // precision. 2-D parameters decay, others do not. The returned tensor is the leaf itself.
  at::Tensor add_normal(const std::string& name, at::IntArrayRef shape, double std);
  at::Tensor add_constant(const std::string& name, at::IntArrayRef shape, double value,
                          double lr_multiplier = 1);

  std::vector<Parameter>& rows() { return rows_; }
  const std::vector<Parameter>& rows() const { return rows_; }
  // nullptr when there is none.
  const Parameter* find(std::string_view name) const;
  std::int64_t count() const;  // scalars in all
  at::Device device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }

 private:
  at::Tensor add(const std::string& name, at::Tensor value, double lr_multiplier);

  at::Device device_;
  at::ScalarType dtype_;
  std::uint64_t seed_;
  std::vector<Parameter> rows_;
};

// N(0, std^2) from the stream that `seed` and `name` name: fp64 on the CPU, independent of torch's global
// generator.
at::Tensor draw_normal(std::uint64_t seed, std::string_view name, at::IntArrayRef shape, double std);

}  // namespace sparsescope::model
