// Storage and checks of the live scalars.
#include "engine/model/control_block.h"

#include <ATen/ops/zeros.h>

#include <cmath>
#include <sstream>

#include "engine/trace/error.h"

namespace sparsescope::model {

ControlBlock::ControlBlock(at::Device device)
    : values_(at::zeros({kCapacity}, at::TensorOptions().device(device).dtype(at::kFloat))) {}

at::Tensor ControlBlock::add(trace::Control control) {
  check(!has(control.name), "the control " + control.name + " is registered twice");
  check(std::ssize(controls_) < kCapacity, "the control block is full");
  check(control.minimum <= control.value && control.value <= control.maximum,
        "the control " + control.name + " starts outside its range");
  at::Tensor view = values_.select(0, std::ssize(controls_));
  view.fill_(control.value);
  controls_.push_back(std::move(control));
  return view;
}

void ControlBlock::set(std::string_view name, double value) {
  const std::size_t index = index_of(name);
  trace::Control& control = controls_[index];
  if (!(value >= control.minimum && value <= control.maximum)) {  // NaN lands here too
    std::ostringstream sentence;
    sentence << "the control " << name << " cannot be " << value << "; it takes " << control.minimum << " to "
             << control.maximum;
    throw Error(sentence.str(), ExitCode::Usage);
  }
  control.value = control.is_switch ? std::round(value) : value;
  values_.select(0, static_cast<std::int64_t>(index)).fill_(control.value);
}

double ControlBlock::get(std::string_view name) const { return controls_[index_of(name)].value; }

bool ControlBlock::has(std::string_view name) const {
  for (const trace::Control& control : controls_) {
    if (control.name == name) return true;
  }
  return false;
}

at::Tensor ControlBlock::tensor(std::string_view name) const {
  return values_.select(0, static_cast<std::int64_t>(index_of(name)));
}

std::size_t ControlBlock::index_of(std::string_view name) const {
  std::string known;
  for (std::size_t index = 0; index < controls_.size(); ++index) {
    if (controls_[index].name == name) return index;
    known += (index == 0 ? "" : ", ") + controls_[index].name;
  }
  throw Error(
      "there is no control \"" + std::string(name) + "\"; this run has " + (known.empty() ? "none" : known),
      ExitCode::Usage);
}

}  // namespace sparsescope::model
