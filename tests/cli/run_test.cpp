// Runs as both programs start them: what follows one without a window, where its recording goes, and whether
// what was foretold of it comes true.
#include <gtest/gtest.h>

#include <chrono>

#include "app/live_display.h"
#include "app/training_run.h"
#include "engine/train/cost_model.h"
#include "engine/train/run_estimate.h"
#include "tests/train/tiny_run.h"

namespace sparsescope::app {
namespace {

using train::TinyFolder;

TrainingRunOptions recorded(const TinyFolder& folder, const experiments::Experiment& experiment) {
  TrainingRunOptions options;
  options.request = train::tiny_request(folder, experiment);
  options.request.device = train::Device::Cpu;
  options.recorder.path = folder.file("run.h5");
  options.recorder.free_bytes_at_start = 0;
  options.recorder.free_bytes_while_running = 0;
  return options;
}

// Nobody can resume it there: it must not be waited for.
TEST(FollowRun, ARunThatPausesWithoutAWindowIsEndedAndItsRecordingIsWhole) {
  const TinyFolder folder;
  TrainingRunOptions options = recorded(folder, train::tiny_experiment());
  options.request.start_paused = true;
  TrainingRun run(std::move(options));
  const auto start = std::chrono::steady_clock::now();
  follow_run(run);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_EQ(run.wait().status, trace::RunStatus::Stopped);
  EXPECT_EQ(run.status().step, 0u);
  const record::WriterStats stats = run.recorder_stats();
  EXPECT_TRUE(stats.is_closed);
  EXPECT_EQ(stats.failure, "");
  EXPECT_GT(stats.frames_committed, 0u);
}

TEST(TrainingRun, IntoAFolderOnANetworkRecordsLocallyAndBringsEverythingToWhereItWasAsked) {
  const TinyFolder folder, local;
  experiments::Experiment experiment = train::tiny_experiment();
  TrainingRunOptions options = recorded(folder, experiment);
  options.request.checkpoint_stem = folder.file("run");
  options.recorder.local_folder = std::filesystem::path(local.text()).parent_path();
  const std::string network = std::filesystem::path(folder.text()).parent_path();
  options.recorder.is_on_network = [network](const std::string& path) { return path == network; };
  TrainingRun run(std::move(options));
  EXPECT_EQ(run.recorder_stats().path, local.file("run.h5"));
  EXPECT_EQ(run.wait().status, trace::RunStatus::Finished);
  EXPECT_EQ(run.recorder_stats().path, folder.file("run.h5"));
  EXPECT_NE(run.recorder_stats().note.find("was moved to"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder.file("run.h5")));
  EXPECT_TRUE(std::filesystem::exists(folder.file("run.step-000000020.safetensors")));
  EXPECT_FALSE(std::filesystem::exists(local.file("run.h5")));
}

// The largest memory in use after a step, from its own channel.
struct Peak final : trace::FrameSink {
  void on_schema(trace::SchemaPtr s) override { schema = std::move(s); }
  void on_frame(trace::FramePtr frame) override {
    const trace::Channel* channel = schema->find("scalars");
    const trace::ChannelData* data = frame->find(channel->id);
    if (data == nullptr) return;
    const auto at = static_cast<std::size_t>(channel->label_index("name", "memory_bytes"));
    bytes = std::max(bytes, trace::values_as<double>(*data)[at]);
  }
  void on_end(const trace::RunEnd&) override {}
  trace::SchemaPtr schema;
  double bytes = 0;
};

void expect_within(double estimate, double real, double factor, const char* what) {
  EXPECT_LT(estimate, factor * real) << what << ": " << estimate << " foretold, " << real << " real";
  EXPECT_GT(estimate, real / factor) << what << ": " << estimate << " foretold, " << real << " real";
}

void expect_foretold(const experiments::Experiment& experiment) {
  const TinyFolder folder;
  Peak peak;
  TrainingRunOptions options = recorded(folder, experiment);
  options.request.checkpoint_stem = folder.file("run");
  options.screen = &peak;
  const train::RunEstimate estimate = train::estimate_run(experiment, train::Device::Cpu);
  TrainingRun run(std::move(options));
  ASSERT_EQ(run.wait().status, trace::RunStatus::Finished);
  expect_within(estimate.memory_bytes, peak.bytes, 1.5, "memory");
  expect_within(estimate.file_bytes, static_cast<double>(run.recorder_stats().bytes_on_disk), 1.5,
                "recording");
  const std::string digits = std::to_string(experiment.train.steps);
  const std::string checkpoint =
      folder.file("run.step-" + std::string(9 - digits.size(), '0') + digits + ".safetensors");
  expect_within(estimate.checkpoint_bytes, static_cast<double>(std::filesystem::file_size(checkpoint)), 1.1,
                "checkpoint");
}

TEST(RunEstimate, IsTrueForATinyRun) { expect_foretold(train::tiny_experiment()); }

TEST(RunEstimate, IsTrueForALargerSparseRunWithManyProbes) {
  experiments::Experiment experiment = train::tiny_experiment();
  experiment.model.layers = 4;
  experiment.model.width = 128;
  experiment.model.heads = 4;
  experiment.model.context = 128;
  experiment.model.spark.rank = 32;
  experiment.model.spark.fallback_window = 16;
  experiment.train.batch = 16;
  experiment.train.steps = 24;
  experiment.probe.every = 2;
  experiment.probe.edges_every = 4;
  expect_foretold(experiment);
}

TEST(RunEstimate, IsTrueForADenseRun) {
  experiments::Experiment experiment = train::tiny_experiment();
  experiment.model.mixer = experiments::MixerKind::Dense;
  experiment.model.width = 96;
  experiment.model.context = 64;
  experiment.train.batch = 32;
  experiment.train.steps = 30;
  expect_foretold(experiment);
}

}  // namespace
}  // namespace sparsescope::app
