// Laws of a run: order of what is sent, repeatability, and that watching, pacing and pausing change nothing.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "engine/trace/error.h"
#include "tiny_run.h"

namespace sparsescope::train {
namespace {

// Everything that is a function of the run and not of the clock, frame by frame.
std::string fingerprint(const CollectingSink& sink) {
  std::string all;
  for (const trace::FramePtr& frame : sink.frames) {
    for (const trace::ChannelData& data : frame->data) {
      const std::string& name = sink.schema->channels[data.channel].name;
      if (name == "scalars" || name == "events" || name == "watching") continue;
      all += std::to_string(frame->step) + name;
      all.append(reinterpret_cast<const char*>(data.bytes.data()), data.bytes.size());
    }
  }
  return all;
}

TEST(Trainer, SendsTheSchemaThenFramesInOrderThenOneEnd) {
  const TinyFolder folder;
  const TinyRun run(tiny_request(folder));
  EXPECT_EQ(run.end.status, trace::RunStatus::Finished);
  EXPECT_EQ(run.sink.order, "s" + std::string(run.sink.frames.size(), 'f') + "e");
  for (std::size_t i = 0; i < run.sink.frames.size(); ++i) {
    const trace::Frame& frame = *run.sink.frames[i];
    EXPECT_EQ(frame.row, i);
    if (i == 0) continue;
    EXPECT_GE(frame.step, run.sink.frames[i - 1]->step);
    EXPECT_GE(frame.mono_nanos, run.sink.frames[i - 1]->mono_nanos);
    for (std::size_t k = 1; k < frame.data.size(); ++k)
      EXPECT_LT(frame.data[k - 1].channel, frame.data[k].channel);
  }
  EXPECT_EQ(run.sink.frames.back()->step, 20u);
  EXPECT_EQ(run.status.state, Status::State::Finished);
  EXPECT_EQ(run.sink.events("end").size(), 1u);
}

TEST(Trainer, EveryChannelComesWhenItsCadenceSays) {
  const TinyFolder folder;
  experiments::Experiment experiment = tiny_experiment();
  experiment.evaluation.needle_every = 10;
  experiment.sample.every = 8;
  experiment.sample.tokens = 5;
  const TinyRun run(tiny_request(folder, experiment));
  std::map<std::string, std::vector<std::uint64_t>> seen;
  for (const trace::FramePtr& frame : run.sink.frames) {
    for (const trace::ChannelData& data : frame->data)
      seen[run.sink.schema->channels[data.channel].name].push_back(frame->step);
  }
  std::vector<std::uint64_t> every_step;
  for (std::uint64_t step = 1; step <= 20; ++step) every_step.push_back(step);
  for (const char* name : {"scalars", "threshold", "density"}) EXPECT_EQ(seen[name], every_step) << name;
  for (const char* name : {"declared", "declared_top", "scope_pooled", "attention_stats", "probe_surprisal",
                           "probe_predictions", "watching"}) {
    EXPECT_EQ(seen[name], (std::vector<std::uint64_t>{0, 5, 10, 15, 20})) << name;
  }
  EXPECT_EQ(seen["edges"], (std::vector<std::uint64_t>{0, 10, 20}));
  EXPECT_EQ(seen["text_samples"], (std::vector<std::uint64_t>{8, 16}));
  EXPECT_EQ(seen["evaluation"], (std::vector<std::uint64_t>{0, 10, 20}));
  EXPECT_EQ(seen["needle"], (std::vector<std::uint64_t>{10, 20}));
  for (const char* name : {"vocabulary", "vocabulary_ends", "probe_ids", "needle_ids"})
    EXPECT_EQ(seen[name], (std::vector<std::uint64_t>{0})) << name;
  EXPECT_TRUE(run.sink.frames[0]->find(run.sink.schema->find("vocabulary")->id) != nullptr);
  // Every channel but the payloads of what is long was used: nothing is declared in vain.
  for (const trace::Channel& channel : run.sink.schema->channels)
    EXPECT_TRUE(seen.contains(channel.name) || channel.name.ends_with("_payloads")) << channel.name;
}

TEST(Trainer, ADenseModelLacksTheChannelsOfThresholds) {
  const TinyFolder folder;
  experiments::Experiment experiment = tiny_experiment();
  experiment.model.mixer = experiments::MixerKind::Dense;
  experiment.model.position = experiments::PositionKind::Alibi;
  const TinyRun run(tiny_request(folder, experiment));
  EXPECT_EQ(run.end.status, trace::RunStatus::Finished);
  for (const char* name : {"threshold", "density", "declared", "declared_top", "scope_pooled", "edges"})
    EXPECT_EQ(run.sink.schema->find(name), nullptr) << name;
  EXPECT_NE(run.sink.schema->find("attention_stats"), nullptr);
  EXPECT_FALSE(run.status.has_thresholds);
}

TEST(Trainer, LearnsTheText) {
  const TinyFolder folder;
  experiments::Experiment experiment = tiny_experiment();
  experiment.train.steps = 150;
  experiment.probe.every = 0;
  const TinyRun run(tiny_request(folder, experiment));
  const auto losses = run.sink.losses();
  EXPECT_LT(losses.at(150), losses.at(1) - 1.5);
  const auto held_out = run.sink.series<double>("evaluation", {"val_nll"});
  EXPECT_LT(held_out.at(150), held_out.at(0) - 1.5);
  EXPECT_NEAR(held_out.at(0), std::log(256.0), 0.1);
  const auto perplexity = run.sink.series<double>("evaluation", {"perplexity"});
  EXPECT_NEAR(perplexity.at(150), std::exp(held_out.at(150)), 1e-9);
  // One byte a token: bits per byte are nats over ln 2.
  EXPECT_NEAR(run.sink.series<double>("evaluation", {"bits_per_byte"}).at(150),
              held_out.at(150) / std::log(2.0), 1e-9);
}

TEST(Trainer, TheSameSeedGivesTheSameBits) {
  const TinyFolder folder;
  const TinyRun first(tiny_request(folder)), second(tiny_request(folder));
  EXPECT_EQ(first.sink.losses(), second.sink.losses());
  EXPECT_EQ(fingerprint(first.sink), fingerprint(second.sink));
  EXPECT_NE(first.sink.schema->run_uuid, second.sink.schema->run_uuid);

  experiments::Experiment other = tiny_experiment();
  other.train.seed = 2;
  EXPECT_NE(TinyRun(tiny_request(folder, other)).sink.losses(), first.sink.losses());
}

TEST(Trainer, ProbesAndEvaluationsOnAndOffGiveTheSameLosses) {
  const TinyFolder folder;
  experiments::Experiment watched = tiny_experiment(), blind = tiny_experiment();
  watched.train.steps = blind.train.steps = 200;
  watched.probe.every = 3;
  watched.probe.edges_every = 1;
  watched.evaluation.every = 7;
  watched.evaluation.needle_every = 50;
  blind.probe.every = 0;
  blind.evaluation.every = 1000;
  const TinyRun with(tiny_request(folder, watched)), without(tiny_request(folder, blind));
  ASSERT_EQ(with.sink.losses().size(), 200u);
  EXPECT_EQ(with.sink.losses(), without.sink.losses());
  for (const char* layer : {"0", "1"}) {
    EXPECT_EQ(with.sink.series<float>("threshold", {layer, "theta"}),
              without.sink.series<float>("threshold", {layer, "theta"}));
  }
}

TEST(Trainer, TheNeedleSeedChoosesTheNeedles) {
  const TinyFolder folder;
  std::vector<std::vector<std::byte>> needles;
  for (std::uint64_t seed : {0, 0, 9}) {
    experiments::Experiment experiment = tiny_experiment();
    experiment.train.steps = 1;
    experiment.evaluation.needle_seed = seed;
    const TinyRun run(tiny_request(folder, experiment));
    needles.push_back(run.sink.frames.front()->find(run.sink.schema->find("needle_ids")->id)->bytes);
  }
  EXPECT_EQ(needles[0], needles[1]);
  EXPECT_NE(needles[0], needles[2]);
}

TEST(Trainer, ThePaceChangesTheClockAndNothingElse) {
  const TinyFolder folder;
  experiments::Experiment slow = tiny_experiment();
  slow.train.pace = 50;
  const TinyRun fast(tiny_request(folder)), paced(tiny_request(folder, slow));
  EXPECT_EQ(fingerprint(fast.sink), fingerprint(paced.sink));
  EXPECT_EQ(fast.sink.losses(), paced.sink.losses());
  // 20 steps at 50 a second: 19 waits of 20 ms at least.
  EXPECT_GE(paced.sink.frames.back()->mono_nanos - paced.sink.frames.front()->mono_nanos, 370'000'000);
}

TEST(Trainer, DensityPartsSumToTheScopeAndAllFallbackIsTheWindow) {
  const TinyFolder folder;
  experiments::Experiment experiment = tiny_experiment();
  experiment.model.spark.initial_theta_sigmas = 100;  // nothing passes: every row falls back
  experiment.probe.every = 0;
  const TinyRun window(tiny_request(folder, experiment));
  const std::int64_t T = experiment.model.context, W = experiment.model.spark.fallback_window;
  double pairs = 0;
  for (std::int64_t t = 0; t < T; ++t) pairs += static_cast<double>(std::min(t, W - 1));
  const auto expected = static_cast<float>(pairs / (static_cast<double>(T * (T - 1)) / 2));
  for (const auto& [step, value] : window.sink.series<float>("density", {"1", "fallback"}))
    EXPECT_FLOAT_EQ(value, expected) << step;
  for (const auto& [step, value] : window.sink.series<float>("density", {"0", "empty_rows"}))
    EXPECT_EQ(value, 1.0f) << step;

  const TinyRun mixed(tiny_request(folder));
  const auto direct = mixed.sink.series<float>("density", {"1", "direct"}),
             inherited = mixed.sink.series<float>("density", {"1", "inherited"});
  const auto fallback = mixed.sink.series<float>("density", {"1", "fallback"}),
             scope = mixed.sink.series<float>("density", {"1", "scope"});
  for (const auto& [step, value] : scope) {
    EXPECT_GT(direct.at(step), 0) << step;
    EXPECT_GT(inherited.at(step), 0) << step;
    EXPECT_NEAR(direct.at(step) + inherited.at(step) + fallback.at(step), value, 1e-6) << step;
  }
}

TEST(Trainer, ThresholdChannelStatesDisplacementReachAndSigmas) {
  const TinyFolder folder;
  const TinyRun run(tiny_request(folder));
  const auto theta = run.sink.series<float>("threshold", {"0", "theta"}),
             displacement = run.sink.series<float>("threshold", {"0", "displacement"});
  const auto reach = run.sink.series<float>("threshold", {"0", "reach"}),
             sigmas = run.sink.series<float>("threshold", {"0", "theta_sigmas"});
  const auto mean = run.sink.series<float>("threshold", {"0", "score_mean"}),
             deviation = run.sink.series<float>("threshold", {"0", "score_std"});
  const auto rate = run.sink.series<double>("scalars", {"learning_rate"});
  double sum = 0;
  for (std::uint64_t step = 1; step <= 20; ++step) {
    sum += rate.at(step);
    EXPECT_NEAR(reach.at(step), sum, 1e-6);
    EXPECT_NEAR(displacement.at(step) - displacement.at(1), theta.at(step) - theta.at(1), 1e-6);
    EXPECT_LE(std::abs(displacement.at(step)), 1.05 * reach.at(step));
    EXPECT_NEAR(sigmas.at(step), (theta.at(step) - mean.at(step)) / deviation.at(step), 1e-4);
  }
  EXPECT_NE(displacement.at(20), 0);
}

// The pairs that `edges` lists are those that `declared` predicts: the recorded cause rebuilds the recorded
// effect.
TEST(Trainer, ScopesRebuiltFromDeclarationsAreTheRecordedEdges) {
  const TinyFolder folder;
  const TinyRun run(tiny_request(folder));
  const trace::Schema& schema = *run.sink.schema;
  const trace::Channel* declared = schema.find("declared");
  const auto T = static_cast<std::size_t>(declared->axes[2].size);
  const auto ids = trace::values_as<std::int32_t>(*run.sink.frames[0]->find(schema.find("probe_ids")->id));
  std::size_t compared = 0;
  for (const trace::FramePtr& frame : run.sink.frames) {
    const trace::ChannelData* edges = frame->find(schema.find("edges")->id);
    const trace::ChannelData* bits = frame->find(declared->id);
    if (edges == nullptr) continue;
    ASSERT_NE(bits, nullptr);
    for (std::size_t layer = 0; layer < 2; ++layer) {
      std::vector<std::vector<int>> kind(T, std::vector<int>(T, 0));
      for (std::size_t at = 0; at < edges->bytes.size(); at += 20) {
        std::uint16_t pair[2];
        std::memcpy(pair, edges->bytes.data() + at + 8, 4);
        if (static_cast<std::size_t>(edges->bytes[at + 14]) == layer)
          kind[pair[0]][pair[1]] = static_cast<int>(edges->bytes[at + 16]);
      }
      const std::size_t row_bytes = (T + 7) / 8;
      for (std::size_t t = 0; t < T; ++t) {
        const auto id = static_cast<std::size_t>(declared->label_index("id", std::to_string(ids[t])));
        for (std::size_t p = 0; p < t; ++p) {
          const auto byte = static_cast<unsigned>(
              bits->bytes[(layer * static_cast<std::size_t>(declared->axes[1].size) + id) * row_bytes +
                          p / 8]);
          EXPECT_EQ((byte >> (p % 8) & 1) != 0, (kind[t][p] & 1) != 0)
              << "layer " << layer << " pair " << t << "," << p;
          compared += (kind[t][p] & 1) != 0 ? 1 : 0;
        }
        EXPECT_EQ(kind[t][t] & 8, 8);
      }
    }
  }
  EXPECT_GT(compared, 100u);
}

TEST(Trainer, AMissingCorpusIsSaidBeforeTheSinkSeesAnything) {
  const TinyFolder folder;
  RunRequest request = tiny_request(folder);
  request.corpus = {folder.file("absent.txt")};
  request.device = Device::Cpu;
  CollectingSink sink;
  Trainer trainer(request, sink);
  try {
    trainer.run();
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("absent.txt"), std::string::npos);
  }
  EXPECT_EQ(sink.order, "");
  EXPECT_EQ(trainer.status().state, Status::State::Failed);
  EXPECT_FALSE(trainer.status().message.empty());
}

TEST(Trainer, AnImpossibleExperimentIsRefusedAtOnce) {
  const TinyFolder folder;
  experiments::Experiment experiment = tiny_experiment();
  experiment.model.heads = 5;
  CollectingSink sink;
  EXPECT_THROW(Trainer(tiny_request(folder, experiment), sink), Error);
}

TEST(Trainer, AskingForAGpuWhereThereIsNoneIsRefusedInWords) {
  if (cuda_answer().available) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_EQ(resolve_device(Device::Auto), Device::Cpu);
  try {
    resolve_device(Device::Cuda);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("--device cpu"), std::string::npos);
  }
}

TEST(Trainer, StoppedWhilePreparingItSaysSoAndSendsNothing) {
  const TinyFolder folder;
  RunRequest request = tiny_request(folder);
  request.device = Device::Cpu;
  CollectingSink sink;
  Trainer trainer(request, sink);
  trainer.post(trace::Stop{});
  EXPECT_THROW(trainer.run(), Error);
  EXPECT_EQ(sink.order, "");
  EXPECT_EQ(trainer.status().state, Status::State::Stopped);
}

}  // namespace
}  // namespace sparsescope::train
