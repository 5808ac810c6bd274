// AdamW against a reference in double, with a moving rate, segments of every sort, clipping and non-finite
// gradients.
#include "engine/train/optimizer.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/scalar_tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/data/random.h"
#include "engine/train/schedule.h"

namespace sparsescope::train {
namespace {

at::Tensor tensor_of(const std::vector<double>& values) {
  return at::from_blob(const_cast<double*>(values.data()), {static_cast<std::int64_t>(values.size())},
                       at::kDouble)
      .to(at::kFloat);
}

std::vector<double> values_of(const at::Tensor& tensor) {
  const at::Tensor wide = tensor.detach().to(at::kDouble).contiguous();
  return {wide.data_ptr<double>(), wide.data_ptr<double>() + wide.numel()};
}

std::vector<double> draw(data::Random& random, std::size_t count, double scale) {
  std::vector<double> values(count);
  for (double& value : values) value = static_cast<float>(scale * (2 * random.uniform() - 1));
  return values;
}

// One parameter as the formula writes it.
struct Reference {
  std::vector<double> p, m, v;
  double multiplier, decay;
  void step(const std::vector<double>& g, double scale, double lr, int t,
            const experiments::OptimizerConfig& c) {
    lr *= multiplier;
    for (std::size_t i = 0; i < p.size(); ++i) {
      const double gradient = g[i] * scale;
      m[i] = c.beta1 * m[i] + (1 - c.beta1) * gradient;
      v[i] = c.beta2 * v[i] + (1 - c.beta2) * gradient * gradient;
      p[i] *= 1 - lr * decay;
      p[i] -=
          lr * (m[i] / (1 - std::pow(c.beta1, t))) / (std::sqrt(v[i] / (1 - std::pow(c.beta2, t))) + c.eps);
    }
  }
};

class OptimizerTest : public testing::Test {
 protected:
  struct Shape {
    std::size_t size;
    double multiplier, decay, gradient_scale;
  };
  const std::vector<Shape> shapes_ = {{37, 1, 0.1, 1}, {1, 3, 0, 0.1}, {12, 1, 0, 30}};

  void SetUp() override {
    data::Random random(5);
    const std::vector<std::string> names = {"p0", "p1", "p2"};
    for (const Shape& shape : shapes_) {
      const std::vector<double> start = draw(random, shape.size, 1);
      reference_.push_back({start, std::vector<double>(shape.size), std::vector<double>(shape.size),
                            shape.multiplier, shape.decay});
      segments_.push_back(
          {names[segments_.size()], tensor_of(start).set_requires_grad(true), shape.multiplier, shape.decay});
    }
    frozen_ = tensor_of({1, 2, 3}).set_requires_grad(false);
    segments_.push_back({"frozen", frozen_, 1, 0.1, Segment::Freedom::Frozen});
  }
  void set_gradients(const std::vector<std::vector<double>>& gradients) {
    for (std::size_t i = 0; i < gradients.size(); ++i)
      segments_[i].parameter.mutable_grad() = tensor_of(gradients[i]);
  }
  const at::Tensor fine_ = at::scalar_tensor(0.0f, at::kFloat), bad_ = at::scalar_tensor(1.0f, at::kFloat);
  experiments::OptimizerConfig config_;
  std::vector<Reference> reference_;
  std::vector<Segment> segments_;
  at::Tensor frozen_;
};

TEST_F(OptimizerTest, FollowsTheReferenceOver200StepsWithAMovingRate) {
  config_.warmup_steps = 20;
  const Schedule schedule(config_, 200);
  Optimizer optimizer(config_, segments_);
  data::Random random(6);
  int clipped = 0;
  for (int i = 0; i < 200; ++i) {
    std::vector<std::vector<double>> gradients;
    double squares = 0;
    for (const Shape& shape : shapes_) {
      gradients.push_back(draw(random, shape.size, shape.gradient_scale * (i % 3 == 0 ? 0.01 : 0.3)));
      for (double g : gradients.back()) squares += g * g;
    }
    set_gradients(gradients);
    const at::Tensor norm = optimizer.gradient_norm();
    EXPECT_NEAR(norm.item<double>(), std::sqrt(squares), 1e-5 * std::sqrt(squares));
    const double scale = std::min(1.0, config_.clip / std::sqrt(squares));
    clipped += scale < 1 ? 1 : 0;
    optimizer.step(schedule.learning_rate(i), norm, fine_);
    for (std::size_t s = 0; s < reference_.size(); ++s)
      reference_[s].step(gradients[s], scale, schedule.learning_rate(i), i + 1, config_);
  }
  EXPECT_GT(clipped, 50);
  EXPECT_LT(clipped, 150);
  for (std::size_t s = 0; s < reference_.size(); ++s) {
    const std::vector<double> got = values_of(segments_[s].parameter);
    // 200 fp32 updates of size lr: each rounds a value near 1 and an update by one unit.
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], reference_[s].p[i], 200 * 6e-8 * (1 + std::abs(reference_[s].p[i])))
          << s << " " << i;
  }
  EXPECT_EQ(values_of(frozen_), (std::vector<double>{1, 2, 3}));
}

TEST_F(OptimizerTest, AClipOfZeroDoesNotClip) {
  config_.clip = 0;
  Optimizer optimizer(config_, segments_);
  const std::vector<std::vector<double>> gradients = {
      std::vector<double>(37, 5), {-3}, std::vector<double>(12, 40)};
  set_gradients(gradients);
  optimizer.step(1e-2, optimizer.gradient_norm(), fine_);
  for (std::size_t s = 0; s < reference_.size(); ++s) {
    reference_[s].step(gradients[s], 1, 1e-2, 1, config_);
    const std::vector<double> got = values_of(segments_[s].parameter);
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], reference_[s].p[i], 1e-6) << s << " " << i;
    const std::vector<double> moment = values_of(optimizer.state().at(0).value);
    EXPECT_GT(std::abs(moment[0]), 0);
  }
}

TEST_F(OptimizerTest, ANonFiniteGradientMovesNothingNotEvenTheStepCount) {
  Optimizer optimizer(config_, segments_);
  set_gradients({std::vector<double>(37, 0.1), {0.1}, std::vector<double>(12, 0.1)});
  optimizer.step(1e-3, optimizer.gradient_norm(), fine_);
  std::vector<std::vector<double>> before;
  for (const Optimizer::State& entry : optimizer.state()) before.push_back(values_of(entry.value));
  for (const Segment& segment : segments_) before.push_back(values_of(segment.parameter));

  set_gradients({std::vector<double>(37, std::nan("")), {0.1}, std::vector<double>(12, 0.1)});
  const at::Tensor norm = optimizer.gradient_norm();
  EXPECT_TRUE(std::isnan(norm.item<double>()));
  optimizer.step(1e-3, norm, bad_);
  std::vector<std::vector<double>> after;
  for (const Optimizer::State& entry : optimizer.state()) after.push_back(values_of(entry.value));
  for (const Segment& segment : segments_) after.push_back(values_of(segment.parameter));
  EXPECT_EQ(before, after);
  for (const Segment& segment : segments_) EXPECT_FALSE(segment.parameter.grad().defined());
}

TEST_F(OptimizerTest, ASegmentWithoutGradientKeepsItsPlaceAndItsCount) {
  Optimizer optimizer(config_, segments_);
  segments_[0].parameter.mutable_grad() = tensor_of(std::vector<double>(37, 0.1));
  const std::vector<double> second = values_of(segments_[1].parameter);
  optimizer.step(1e-3, optimizer.gradient_norm(), fine_);
  EXPECT_EQ(values_of(segments_[1].parameter), second);
  for (const Optimizer::State& entry : optimizer.state()) {
    if (entry.name.find("optimizer.t.") == 0) {
      EXPECT_EQ(entry.value.item<double>(), entry.name == "optimizer.t.p0" ? 1 : 0) << entry.name;
    }
  }
}

TEST_F(OptimizerTest, ARateOfZeroChangesMomentsOnly) {
  Optimizer optimizer(config_, segments_);
  set_gradients({std::vector<double>(37, 0.1), {0.1}, std::vector<double>(12, 0.1)});
  const std::vector<double> before = values_of(segments_[0].parameter);
  optimizer.step(0, optimizer.gradient_norm(), fine_);
  EXPECT_EQ(values_of(segments_[0].parameter), before);
  EXPECT_NE(values_of(optimizer.state()[0].value)[0], 0);
}

}  // namespace
}  // namespace sparsescope::train
