// Drawing and keeping parameters.
#include "engine/model/parameter_table.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/full.h>
#include <ATen/ops/normal.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include "engine/trace/error.h"

namespace sparsescope::model {
namespace {

// FNV-1a over the name, then a finalizing mix with the seed (splitmix64): neighbouring seeds give unrelated
// streams.
std::uint64_t stream_seed(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3ull;
  std::uint64_t mixed = hash + 0x9e3779b97f4a7c15ull * (seed + 1);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
  return mixed ^ (mixed >> 31);
}

}  // namespace

at::Tensor draw_normal(std::uint64_t seed, std::string_view name, at::IntArrayRef shape, double std) {
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(stream_seed(seed, name));
  return at::normal(0.0, std, shape, generator, at::TensorOptions().dtype(at::kDouble));
}

ParameterTable::ParameterTable(at::Device device, at::ScalarType dtype, at::ScalarType gemm_dtype,
                               std::uint64_t seed)
    : device_(device), dtype_(dtype), gemm_dtype_(gemm_dtype), seed_(seed) {}

at::Tensor ParameterTable::add_normal(const std::string& name, at::IntArrayRef shape, double std) {
  return add(name, draw_normal(seed_, name, shape, std), 1);
}

at::Tensor ParameterTable::add_constant(const std::string& name, at::IntArrayRef shape, double value,
                                        double lr_multiplier) {
  return add(name, at::full(shape, value, at::TensorOptions().dtype(at::kDouble)), lr_multiplier);
}

at::Tensor ParameterTable::add(const std::string& name, at::Tensor value, double lr_multiplier) {
  check(find(name) == nullptr, "the parameter " + name + " exists already");
  Parameter row{.name = name,
                .value = value.to(device_, dtype_).set_requires_grad(true),
                .lr_multiplier = lr_multiplier,
                .weight_decay = value.dim() >= 2};
  row.gemm = gemm_dtype_ == dtype_ ? row.value : row.value.detach().to(gemm_dtype_);
  rows_.push_back(std::move(row));
  return rows_.back().value;
}

Weight ParameterTable::add_weight(const std::string& name, at::IntArrayRef shape, double std) {
  add_normal(name, shape, std);
  return {rows_.back().value, rows_.back().gemm};
}

void ParameterTable::lay_out_flat() {
  check(!flat_.values.defined() && dtype_ == at::kFloat, "fp32 parameters are laid out once");
  const c10::NoGradGuard no_graph;
  std::int64_t size = 0;
  for (const Parameter& row : rows_) {
    flat_.begins.push_back(size);
    size += (row.value.numel() + kSegmentAlignment - 1) / kSegmentAlignment * kSegmentAlignment;
  }
  const at::TensorOptions options = at::TensorOptions().device(device_).dtype(dtype_);
  flat_.values = at::zeros({size}, options);
  flat_.gradients = at::zeros({size}, options);
  if (gemm_dtype_ != dtype_) flat_.gemm = at::zeros({size}, options.dtype(gemm_dtype_));
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    Parameter& row = rows_[i];
    const auto view = [&](const at::Tensor& flat) {
      return flat.narrow(0, flat_.begins[i], row.value.numel()).view(row.value.sizes());
    };
    view(flat_.values).copy_(row.value);
    row.value.set_data(view(flat_.values));
    row.value.mutable_grad() = view(flat_.gradients);
    if (flat_.gemm.defined()) row.gemm.set_data(view(flat_.gemm));
  }
  refresh_gemm_copies();
}

void ParameterTable::refresh_gemm_copies() {
  if (gemm_dtype_ == dtype_) return;
  const c10::NoGradGuard no_graph;
  for (Parameter& row : rows_) row.gemm.copy_(row.value);
}

const Parameter* ParameterTable::find(std::string_view name) const {
  for (const Parameter& row : rows_) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::int64_t ParameterTable::count() const {
  std::int64_t sum = 0;
  for (const Parameter& row : rows_) sum += row.value.numel();
  return sum;
}

}  // namespace sparsescope::model
