// Named scalars that live commands and schedules write and the device reads: one flat tensor, one 0-dim view
// per name. What a scalar means is the business of the member that registers it.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <vector>

#include "engine/trace/command.h"

namespace sparsescope::model {

class ControlBlock {
 public:
  static constexpr std::int64_t kCapacity = 64;

  explicit ControlBlock(at::Device device);

  // Registers `control` with its initial value and returns the live value: fp32, 0-dim, on the device; it
  // stays the same storage for the life of the block. Registering a name twice or a value outside its range
  // is a bug of ours.
  at::Tensor add(trace::Control control);

  // Writes the live value, in stream order. Throws Error (Usage) for an unknown name, a non-finite value or
  // one out of range.
  void set(std::string_view name, double value);
  // The value as it was last set, without asking the device. Throws Error (Usage) for an unknown name.
  double get(std::string_view name) const;
  bool has(std::string_view name) const;
  // The live value on the device. Throws Error (Usage) for an unknown name.
  at::Tensor tensor(std::string_view name) const;
  // All of them with their present values, in the order of registration.
  const std::vector<trace::Control>& controls() const { return controls_; }

 private:
  std::size_t index_of(std::string_view name) const;

  at::Tensor values_;  // [kCapacity] fp32
  std::vector<trace::Control> controls_;
};

}  // namespace sparsescope::model
