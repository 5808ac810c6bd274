// The GPU against the CPU, same seeds and same batches, in fp32. Skips itself, saying so, where there is no
// GPU.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "engine/data/batches.h"
#include "engine/evaluate/logits.h"
#include "engine/model/language_model.h"
#include "engine/model/observation.h"
#include "engine/train/device.h"
#include "engine/train/optimizer.h"
#include "engine/train/schedule.h"
#include "kernels/spark_scope/spark_scope.h"
#include "tiny_run.h"

namespace sparsescope::train {
namespace {

constexpr std::int64_t kBatch = 8, kContext = 64, kSteps = 200;

experiments::Experiment experiment_of(experiments::MixerKind mixer) {
  experiments::Experiment experiment;
  experiment.model.layers = 3;
  experiment.model.width = 64;
  experiment.model.heads = 4;
  experiment.model.context = kContext;
  experiment.model.mixer = mixer;
  experiment.model.spark.rank = 16;
  experiment.model.spark.initial_theta_sigmas = 2;
  experiment.model.spark.fallback_window = 8;
  experiment.model.spark.inheritance = true;
  experiment.optimizer.warmup_steps = 20;
  experiment.train.steps = kSteps;
  return experiment;
}

// A model with its optimizer on one device.
struct Side {
  Side(const experiments::Experiment& experiment, at::Device where)
      : device(where),
        model(experiment.model, 256, where, at::kFloat, 7),
        schedule(experiment.optimizer, kSteps),
        optimizer(experiment.optimizer, segments(experiment)) {}

  std::vector<Segment> segments(const experiments::Experiment& experiment) {
    std::vector<Segment> rows;
    for (const model::Parameter& p : model.parameters())
      rows.push_back(
          {p.name, p.value, p.lr_multiplier, p.weight_decay ? experiment.optimizer.weight_decay : 0.0});
    return rows;
  }
  // One step on `ids` [B,T+1]; the loss before the update, in nats.
  double step(const at::Tensor& ids, std::int64_t i, const model::Interventions* forced = nullptr) {
    const at::Tensor here = ids.to(device);
    const model::Loss loss = model.loss(model.forward(here.slice(1, 0, kContext), {.interventions = forced}),
                                        here.slice(1, 1, kContext + 1));
    loss.total.backward();
    const at::NoGradGuard no_grad;
    model.before_update();
    optimizer.step(schedule.learning_rate(i), optimizer.gradient_norm(),
                   at::zeros({}, at::TensorOptions().device(device)));
    model.after_update();
    return loss.total.item<double>();
  }
  void take(const Side& other) {
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < model.parameters().size(); ++i)
      model.parameters()[i].value.copy_(other.model.parameters()[i].value);
    const auto mine = optimizer.state(), theirs = other.optimizer.state();
    for (std::size_t i = 0; i < mine.size(); ++i) mine[i].value.copy_(theirs[i].value);
  }
  // The gates that this side decides on `ids` by itself, by layer.
  std::vector<at::Tensor> gates(const at::Tensor& ids) const {
    const at::NoGradGuard no_grad;
    model::ObservationStore store({model::Observation::Scope});
    model.forward(ids.to(device).slice(1, 0, kContext), {.observer = &store});
    std::vector<at::Tensor> layers;
    for (std::int64_t layer = 0; layer < model.config().layers; ++layer)
      layers.push_back(store.get(model::Observation::Scope, layer));
    return layers;
  }

  at::Device device;
  model::LanguageModel model;
  Schedule schedule;
  Optimizer optimizer;
};

class OnTheGpu : public testing::Test {
 protected:
  void SetUp() override {
    if (const CudaAnswer answer = cuda_answer(); !answer.available)
      GTEST_SKIP() << "no GPU here: " << answer.reason;
    set_up_device(Device::Cuda, 0);
    const std::string text = TinyFolder::generated_text(200'000);
    stream_.assign(text.begin(), text.end());
    sampler_ = std::make_unique<data::BatchSampler>(stream_, kBatch, kContext, 11);
  }
  at::Tensor next() { return evaluate::ids_tensor(sampler_->next(), kBatch, kContext + 1, at::kCPU); }
  std::vector<std::int32_t> stream_;
  std::unique_ptr<data::BatchSampler> sampler_;
  const at::Device gpu_ = at::Device(at::kCUDA, 0);
};

TEST_F(OnTheGpu, ADenseModelStaysWithinAThousandthOfANatOfTheCpuFor200Steps) {
  for (const experiments::PositionKind position :
       {experiments::PositionKind::Rope, experiments::PositionKind::Alibi}) {
    experiments::Experiment experiment = experiment_of(experiments::MixerKind::Dense);
    experiment.model.position = position;
    Side cpu(experiment, at::kCPU), gpu(experiment, gpu_);
    double worst = 0, first = 0, last = 0;
    for (std::int64_t i = 0; i < kSteps; ++i) {
      const at::Tensor ids = next();
      last = cpu.step(ids, i);
      if (i == 0) first = last;
      worst = std::max(worst, std::abs(gpu.step(ids, i) - last));
    }
    std::cout << "dense: worst difference over " << kSteps << " steps " << worst << " nats, loss " << first
              << " -> " << last << "\n";
    EXPECT_LT(worst, 1e-3);
    EXPECT_LT(last, first - 1);
  }
}

TEST_F(OnTheGpu, ASparkStepFromTheCpusStateWithTheSameGatesStaysWithinATenThousandth) {
  for (const experiments::Estimator estimator :
       {experiments::Estimator::Surrogate, experiments::Estimator::InScope}) {
    experiments::Experiment experiment = experiment_of(experiments::MixerKind::Spark);
    experiment.model.spark.estimator = estimator;
    Side cpu(experiment, at::kCPU), gpu(experiment, gpu_);
    double worst_before = 0, worst_after = 0;
    std::int64_t flips = 0, pairs = 0;
    for (std::int64_t i = 0; i < kSteps; ++i) {
      const at::Tensor ids = next();
      gpu.take(cpu);
      // What the GPU would decide by itself, against what the CPU decided.
      const std::vector<at::Tensor> own = gpu.gates(ids), theirs = cpu.gates(ids);
      model::Interventions forced;
      for (std::size_t layer = 0; layer < own.size(); ++layer) {
        flips += own[layer].to(at::kCPU).ne(theirs[layer]).sum().item<std::int64_t>();
        pairs += theirs[layer].numel();
        forced.scope.push_back(theirs[layer].to(gpu_));
      }
      worst_before = std::max(worst_before, std::abs(gpu.step(ids, i, &forced) - cpu.step(ids, i)));

      // The updated parameters must mean the same: the loss of the same batch, again with one set of gates.
      const at::NoGradGuard no_grad;
      model::Interventions again_cpu, again_gpu;
      again_cpu.scope = theirs;
      again_gpu.scope = forced.scope;
      const auto loss_after = [&](const Side& side, const model::Interventions& gates) {
        const at::Tensor here = ids.to(side.device);
        return side.model
            .loss(side.model.forward(here.slice(1, 0, kContext), {.interventions = &gates}),
                  here.slice(1, 1, kContext + 1))
            .total.item<double>();
      };
      worst_after = std::max(worst_after, std::abs(loss_after(gpu, again_gpu) - loss_after(cpu, again_cpu)));
    }
    std::cout << (estimator == experiments::Estimator::Surrogate ? "surrogate" : "in_scope")
              << ": worst difference before the update " << worst_before << ", after it " << worst_after
              << " nats; " << flips << " of " << pairs << " gates flipped\n";
    EXPECT_LT(worst_before, 1e-4);
    EXPECT_LT(worst_after, 1e-4);
  }
}

TEST_F(OnTheGpu, AWholeRunTrainsRecordsAndRepeatsItself) {
  const TinyFolder folder;
  std::map<std::uint64_t, double> losses[2];
  for (auto& run_losses : losses) {
    RunRequest request = tiny_request(folder);
    request.device = Device::Cuda;
    CollectingSink sink;
    Trainer trainer(request, sink);
    EXPECT_EQ(trainer.run().status, trace::RunStatus::Finished) << trainer.status().message;
    EXPECT_EQ(sink.order, "s" + std::string(sink.frames.size(), 'f') + "e");
    run_losses = sink.losses();
  }
  EXPECT_EQ(losses[0].size(), 20u);
  EXPECT_EQ(losses[0], losses[1]);
}

TEST_F(OnTheGpu, NeedlesTextsAndCheckpointsChangeNoLossAndAResumedRunIsTheSame) {
  const TinyFolder folder;
  const auto run_on_gpu = [&](RunRequest request, bool is_watched, CollectingSink& sink) {
    request.device = Device::Cuda;
    Trainer trainer(request, sink);
    bool has_asked = false;
    sink.at_frame = [&](const trace::Frame& frame) {
      if (frame.step != 7 || has_asked || !is_watched) return;
      has_asked = true;
      trainer.post(trace::InjectNeedle{0.5});
      trainer.post(trace::GenerateText{"a", 20, 1, 3});
      trainer.post(trace::SaveCheckpoint{});
    };
    EXPECT_EQ(trainer.run().status, trace::RunStatus::Finished) << trainer.status().message;
    sink.at_frame = nullptr;
  };
  CollectingSink plain, watched, resumed;
  run_on_gpu(tiny_request(folder), false, plain);
  RunRequest request = tiny_request(folder);
  request.checkpoint_stem = folder.file("run");
  run_on_gpu(request, true, watched);
  EXPECT_EQ(watched.losses(), plain.losses());
  EXPECT_EQ(watched.events("needle_injected").size(), 1u);
  EXPECT_TRUE(watched.events("warning").empty());
  const auto surprisal = watched.series<float>("probe_surprisal", {"8"});
  EXPECT_TRUE(std::isfinite(surprisal.at(20)));
  EXPECT_NE(surprisal.at(20), plain.series<float>("probe_surprisal", {"8"}).at(20));

  request.checkpoint_stem.clear();
  // Step 8 had begun when the command came.
  request.resume_checkpoint = folder.file("run.step-000000008.safetensors");
  run_on_gpu(request, false, resumed);
  for (const auto& [step, loss] : resumed.losses()) EXPECT_EQ(loss, plain.losses().at(step)) << step;
  EXPECT_EQ(resumed.losses().size(), 12u);
}

}  // namespace
}  // namespace sparsescope::train
