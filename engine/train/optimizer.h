// AdamW over a table of parameter segments: one update, whatever a parameter's rate, decay or freedom.
// The learning rate as a function of the step lives in schedule.h.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/experiments/experiment.h"

namespace sparsescope::train {

// A parameter and how it is updated.
struct Segment {
  std::string name;
  at::Tensor parameter;  // fp32, a leaf that requires a gradient
  double lr_multiplier = 1;
  double weight_decay = 0;
  enum class Freedom { Trained, Frozen } freedom = Freedom::Trained;
};

class Optimizer {
 public:
  Optimizer(const experiments::OptimizerConfig& config, std::vector<Segment> segments);

  // Global L2 norm of the gradients of all trained segments; undefined gradients count as zero. []  fp32, on
  // the device.
  at::Tensor gradient_norm() const;

  // Clips by the global norm, then AdamW with decoupled decay: for each trained segment
  //   g <- g min(1, clip / norm);  m <- b1 m + (1-b1) g;  v <- b2 v + (1-b2) g g;
  //   p <- p (1 - lr wd) - lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps),   lr = learning_rate * multiplier.
  // `norm` is gradient_norm(). Where `found_non_finite` ([] fp32 on the device) is 1 nothing moves, not even
  // t. Rates and step counts are device scalars, so nothing of this freezes in a capture. Gradients are
  // dropped afterwards.
  void step(double learning_rate, const at::Tensor& norm, const at::Tensor& found_non_finite);

  void drop_gradients();
  const std::vector<Segment>& segments() const { return segments_; }

  // For checkpoints: per trained segment "optimizer.m.<name>", "optimizer.v.<name>", "optimizer.t.<name>".
  struct State {
    std::string name;
    at::Tensor value;
  };
  std::vector<State> state() const;

 private:
  // Segments that share multiplier and decay are updated by one call.
  struct Group {
    double lr_multiplier, weight_decay;
    std::vector<std::size_t> members;  // into segments_
    at::Tensor learning_rate;          // [] fp32, on the device
  };
  void update(const Group& group, const at::Tensor& grad_scale, const at::Tensor& found_non_finite);

  experiments::OptimizerConfig config_;
  std::vector<Segment> segments_;
  std::vector<Group> groups_;
  std::vector<at::Tensor> m_, v_, t_;  // like the parameters; t: [] fp32, updates made
};

}  // namespace sparsescope::train
