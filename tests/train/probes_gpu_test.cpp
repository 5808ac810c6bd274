// Probes as graphs beside the captured step. Skips itself, saying so, where there is no GPU.
#include <gtest/gtest.h>

#include <cstring>

#include "engine/evaluate/logits.h"
#include "engine/probes/prober.h"
#include "engine/train/training_state.h"
#include "tiny_run.h"

namespace sparsescope::train {
namespace {

class ProbesOnTheGpu : public testing::Test {
 protected:
  void SetUp() override {
    if (const CudaAnswer answer = cuda_answer(); !answer.available)
      GTEST_SKIP() << "no GPU here: " << answer.reason;
    setup_ = set_up_device(Device::Cuda, 0);
  }
  experiments::Experiment experiment() const {
    experiments::Experiment made = tiny_experiment();
    made.model.width = 96;
    made.model.heads = 3;      // of width 32
    made.model.context = 100;  // no multiple of a tile
    made.train.steps = 100;
    return made;
  }
  // Losses by step with a probe after every step, or without any.
  std::map<std::uint64_t, double> losses(std::int64_t probe_every) {
    experiments::Experiment made = experiment();
    made.probe.every = probe_every;
    RunRequest request = tiny_request(folder_, made);
    request.device = Device::Cuda;
    CollectingSink sink;
    Trainer trainer(request, sink);
    EXPECT_EQ(trainer.run().status, trace::RunStatus::Finished) << trainer.status().message;
    EXPECT_EQ(sink.series<float>("probe_surprisal", {"8"}).size(), probe_every > 0 ? 101u : 0u);
    return sink.losses();
  }

  TinyFolder folder_;
  DeviceSetup setup_;
};

probes::Probed probed(probes::Prober& prober) {
  std::vector<std::string_view> channels;
  for (const probes::Probe& probe : probes::probes()) channels.push_back(probe.channel);
  prober.begin(channels);
  return prober.finish();
}

void expect_same(const probes::Probed& a, const probes::Probed& b, int step) {
  ASSERT_EQ(a.measured.size(), b.measured.size());
  EXPECT_EQ(a.measured.size(), 7u);
  for (std::size_t i = 0; i < a.measured.size(); ++i) {
    EXPECT_EQ(a.measured[i].channel, b.measured[i].channel);
    EXPECT_FALSE(a.measured[i].bytes.empty());
    EXPECT_EQ(a.measured[i].bytes, b.measured[i].bytes) << a.measured[i].channel << " after step " << step;
  }
}

TEST_F(ProbesOnTheGpu, AGraphSeesWhatTheOperationsSeeWhileTheModelAndTheTextChange) {
  const experiments::Experiment made = experiment();
  const data::PreparedData data = data::prepare(made.data, {folder_.text()}, made.model.context, {});
  TrainingState state(made, data, setup_);
  ASSERT_TRUE(state.graph_pool().has_value());
  const std::int64_t T = made.model.context;
  const std::vector<std::int32_t> text(data.validation.ids.begin(), data.validation.ids.begin() + 2 * T);
  const probes::ProbeBatch batch = probes::make_probe_batch(text, 2, state.model(), 5);
  probes::Prober captured(state.model(), batch, state.graph_pool()),
      plain(state.model(), batch, std::nullopt);
  for (int step = 0; step < 12; ++step) {
    if (step == 6) {
      std::vector<std::int32_t> other(text.begin() + T, text.end());
      for (probes::Prober* prober : {&captured, &plain})
        prober->set_sequence(evaluate::ids_tensor(other, 1, T, setup_.device)[0]);
    }
    const probes::Probed seen = probed(plain);
    expect_same(probed(captured), seen, step);
    // The same when a step is queued before the host looks.
    std::vector<std::string_view> channels;
    for (const probes::Measured& measured : seen.measured) channels.push_back(measured.channel);
    captured.begin(channels);
    state.begin_step();
    expect_same(captured.finish(), seen, step);
    ASSERT_TRUE(state.step().is_finite);
  }
}

TEST_F(ProbesOnTheGpu, AProbeAfterEveryStepChangesNoBitOfTheLosses) {
  const std::map<std::uint64_t, double> unwatched = losses(0);
  EXPECT_EQ(unwatched.size(), 100u);
  EXPECT_EQ(losses(1), unwatched);
}

}  // namespace
}  // namespace sparsescope::train
