#include "engine/train/optimizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "engine/trace/error.h"

namespace sparsescope::train {
namespace {

// A fp32 zero on the parameter's device.
at::Tensor scalar_like(const at::Tensor& parameter) {
  return at::zeros({}, at::TensorOptions().dtype(at::kFloat).device(parameter.device()));
}

}  // namespace

Optimizer::Optimizer(const experiments::OptimizerConfig& config, std::vector<Segment> segments)
    : config_(config), segments_(std::move(segments)) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    const bool is_trained = segment.freedom == Segment::Freedom::Trained;
    m_.push_back(is_trained ? at::zeros_like(segment.parameter) : at::Tensor());
    v_.push_back(is_trained ? at::zeros_like(segment.parameter) : at::Tensor());
    t_.push_back(is_trained ? scalar_like(segment.parameter) : at::Tensor());
    if (!is_trained) continue;
    auto group = std::find_if(groups_.begin(), groups_.end(), [&](const Group& g) {
      return g.lr_multiplier == segment.lr_multiplier && g.weight_decay == segment.weight_decay;
    });
    if (group == groups_.end()) {
      groups_.push_back({segment.lr_multiplier, segment.weight_decay, {}, scalar_like(segment.parameter)});
      group = groups_.end() - 1;
    }
    group->members.push_back(i);
  }
  check(!groups_.empty(), "an optimizer needs a trained segment");
}

at::Tensor Optimizer::gradient_norm() const {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const Segment& segment : segments_) {
    if (segment.freedom == Segment::Freedom::Trained && segment.parameter.grad().defined())
      gradients.push_back(segment.parameter.grad());
  }
  if (gradients.empty()) return scalar_like(segments_.front().parameter);
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)));
}

void Optimizer::step(double learning_rate, const at::Tensor& norm, const at::Tensor& found_non_finite) {
  const at::NoGradGuard no_grad;
  // The fused update divides gradients by this: max(1, norm / clip); without a clip by 1.
  const at::Tensor grad_scale = config_.clip > 0 ? (norm / config_.clip).clamp_min(1.0) : at::ones_like(norm);
  for (Group& group : groups_) {
    group.learning_rate.fill_(learning_rate * group.lr_multiplier);
    update(group, grad_scale, found_non_finite);
  }
  drop_gradients();
}

void Optimizer::update(const Group& group, const at::Tensor& grad_scale, const at::Tensor& found_non_finite) {
  std::vector<at::Tensor> parameters, gradients, m, v, t;
  for (std::size_t i : group.members) {
    if (!segments_[i].parameter.grad().defined()) continue;
    parameters.push_back(segments_[i].parameter);
    gradients.push_back(segments_[i].parameter.grad());
    m.push_back(m_[i]);
    v.push_back(v_[i]);
    t.push_back(t_[i]);
  }
  if (parameters.empty()) return;
  at::_foreach_add_(t, 1 - found_non_finite);
  at::_fused_adamw_(parameters, gradients, m, v, {}, t, group.learning_rate, config_.beta1, config_.beta2,
                    group.weight_decay, config_.eps, /*amsgrad=*/false, /*maximize=*/false, grad_scale,
                    found_non_finite);
}

void Optimizer::drop_gradients() {
  for (Segment& segment : segments_) segment.parameter.mutable_grad() = at::Tensor();
}

std::vector<Optimizer::State> Optimizer::state() const {
  std::vector<State> state;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (!m_[i].defined()) continue;
    state.push_back({"optimizer.m." + segments_[i].name, m_[i]});
    state.push_back({"optimizer.v." + segments_[i].name, v_[i]});
    state.push_back({"optimizer.t." + segments_[i].name, t_[i]});
  }
  return state;
}

}  // namespace sparsescope::train
