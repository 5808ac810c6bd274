// Numbers made without a run: parameters, arithmetic, times of evaluations, text samples as elements.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/train/cost_model.h"
#include "engine/train/evaluation_times.h"
#include "engine/train/run_estimate.h"
#include "engine/train/text_samples.h"

namespace sparsescope::train {
namespace {

experiments::Experiment small() {
  experiments::Experiment experiment;
  experiment.name = "small";
  experiment.model.layers = 1;
  experiment.model.width = 8;
  experiment.model.heads = 2;
  experiment.model.context = 32;
  experiment.model.mixer = experiments::MixerKind::Dense;
  experiment.data.vocabulary = 300;
  return experiment;
}

TEST(CostModel, CountsParametersByHand) {
  experiments::Experiment experiment = small();
  // Embedding, 12 d^2 of the block, its two norms and the last one.
  EXPECT_EQ(parameter_count(experiment.model, 300), 300 * 8 + 12 * 64 + 3 * 8);
  experiment.model.tied_head = false;
  experiment.model.biases = true;
  EXPECT_EQ(parameter_count(experiment.model, 300), 2 * 300 * 8 + 300 + 12 * 64 + 9 * 8 + 3 * 8);
  experiment.model.norm = experiments::NormKind::Layer;
  experiment.model.position = experiments::PositionKind::Learned;
  experiment.model.max_positions = 50;
  EXPECT_EQ(parameter_count(experiment.model, 300), 2 * 300 * 8 + 300 + 12 * 64 + 9 * 8 + 6 * 8 + 400);
}

TEST(EvaluationTimes, FollowWhatWasMeasuredAndScaleTheRest) {
  experiments::Experiment experiment = small();
  experiment.evaluation.needle_depths = {0.5};
  experiment.evaluation.needle_trials = 10;
  experiment.train.batch = 4;
  EvaluationTimes times(experiment, 300, {1, 4, 16});
  EXPECT_TRUE(times.needle().empty());
  times.stepped(8);  // 4 windows in 8 ms: 20 texts take 40 ms at the training context
  ASSERT_EQ(times.needle().size(), 3u);
  EXPECT_NEAR(times.needle()[0].seconds, 0.04, 1e-9);
  EXPECT_GT(times.needle()[1].seconds, 4 * 0.04);
  EXPECT_FALSE(times.needle()[0].is_measured);
  EXPECT_NEAR(times.held_out_seconds(), 32 * 0.002, 1e-9);

  times.needle_took(4, 3);
  const auto needle = times.needle();
  EXPECT_EQ(needle[1].seconds, 3);
  EXPECT_TRUE(needle[1].is_measured);
  EXPECT_FALSE(needle[2].is_measured);
  EXPECT_GT(needle[2].seconds, 4 * 3);
  EXPECT_LT(needle[0].seconds, 3.0 / 4);
  times.held_out_took(0.5);
  EXPECT_EQ(times.held_out_seconds(), 0.5);
}

TEST(RunEstimate, SaysSecondsOnlyWhenARateIsKnown) {
  experiments::Experiment experiment = small();
  experiment.train.steps = 100;
  experiment.train.batch = 10;
  EXPECT_FALSE(estimate_run(experiment, Device::Cpu).seconds.has_value());
  EXPECT_DOUBLE_EQ(estimate_run(experiment, Device::Cpu, 3200.0).seconds.value(), 10);
}

// Counted by hand, term by term: 700 MB of context and workspaces, 16 bytes a parameter, activations in fp32.
TEST(RunEstimate, OfAGpusMemoryIsWhatIsCountedByHand) {
  experiments::Experiment dense = small();
  dense.train.batch = 3;
  // 300*8 + 12*8^2 + 3*8 = 3,192 parameters. Vectors 3*32*20*8 = 15,360; weights and logits of attention
  // 3*32^2*2*2 = 12,288; backward 3*32^2*6*2 = 36,864; logits 3*3*32*300 = 86,400.
  EXPECT_EQ(estimate_run(dense, Device::Cuda).parameters, 3'192);
  EXPECT_DOUBLE_EQ(estimate_run(dense, Device::Cuda).memory_bytes, 700e6 + 16 * 3'192 + 4 * 150'912);

  experiments::Experiment spark = small();
  spark.model.mixer = experiments::MixerKind::Spark;
  spark.model.layers = 4;
  spark.model.width = 256;
  spark.model.heads = 8;
  spark.model.context = 512;
  spark.model.spark.rank = 32;
  spark.data.vocabulary = 4'096;
  spark.train.batch = 16;
  // 4096*256 + 4*(12*256^2 + 2*256 + 256*32 + 1) + 256 + 4096*32 parameters. A layer: vectors 41,943,040 and
  // squares 16*512^2*(2*8 + 2) = 75,497,472; backward 16*512^2*6*8 = 201,326,592; logits 100,663,296.
  EXPECT_EQ(estimate_run(spark, Device::Cuda).parameters, 4'360'452);
  EXPECT_DOUBLE_EQ(estimate_run(spark, Device::Cuda).memory_bytes,
                   700e6 + 16.0 * 4'360'452 + 4.0 * (4.0 * 117'440'512 + 201'326'592 + 100'663'296));
}

TEST(RunEstimate, OfAGpusMemoryStaysWithinItsBounds) {
  for (const std::int64_t context : {32, 256, 2048}) {
    for (const std::int64_t batch : {1, 16}) {
      experiments::Experiment experiment = small();
      experiment.model.context = context;
      experiment.train.batch = batch;
      const RunEstimate gpu = estimate_run(experiment, Device::Cuda);
      const auto P = static_cast<double>(gpu.parameters), BT = static_cast<double>(batch * context);
      const auto T = static_cast<double>(context);
      // What no step can do without, and every square of attention in all layers at once.
      EXPECT_GT(gpu.memory_bytes, 700e6 + 16 * P + 12 * BT * 300);
      EXPECT_LT(gpu.memory_bytes, 700e6 + 16 * P + 4 * BT * (3 * 300 + 20 * 8 + 10 * 2 * T) + 1);
      // The text lies in the computer's memory, not in the device's.
      experiments::Experiment longer = experiment;
      longer.data.max_bytes *= 2;
      EXPECT_EQ(estimate_run(longer, Device::Cuda).memory_bytes, gpu.memory_bytes);
    }
  }
}

TEST(RunEstimate, GrowsWithWhatCosts) {
  const experiments::Experiment plain = small();
  const RunEstimate base = estimate_run(plain, Device::Cpu);
  const auto with = [&](const char* key, const char* value) {
    experiments::Experiment changed = plain;
    experiments::set(changed, key, value);
    return estimate_run(changed, Device::Cpu);
  };
  EXPECT_GT(with("model.layers", "3").parameters, base.parameters);
  EXPECT_GT(with("train.batch", "500").memory_bytes, base.memory_bytes);
  EXPECT_GT(with("train.steps", "100000").file_bytes, 2 * base.file_bytes);
  EXPECT_GT(with("probe.every", "1").file_bytes, base.file_bytes);
  EXPECT_GT(with("model.mixer", "spark").file_bytes, base.file_bytes);
}

TEST(TextSamples, DistinctShareFallsWhenTextRepeats) {
  EXPECT_FALSE(distinct_4gram_share({1, 2, 3}).has_value());
  EXPECT_DOUBLE_EQ(distinct_4gram_share({1, 2, 3, 4}).value(), 1);
  EXPECT_DOUBLE_EQ(distinct_4gram_share({7, 7, 7, 7, 7, 7, 7}).value(), 0.25);
  EXPECT_DOUBLE_EQ(distinct_4gram_share({1, 2, 1, 2, 1, 2, 1}).value(), 0.5);
}

TEST(TextSamples, BytesThatAreNoTextAreEscapedAndCharactersKept) {
  EXPECT_EQ(utf8_or_escaped("a\xc3\xa9\n"), "a\xc3\xa9\n");
  EXPECT_EQ(utf8_or_escaped("\xc3"), "\\xc3");
  EXPECT_EQ(utf8_or_escaped("x\xff\xfe"
                            "y"),
            "x\\xff\\xfey");
}

TEST(TextSamples, AShortOneIsAnElementALongOneKeepsItsNumbersThere) {
  TextSampleLog log;
  TextSample sample{"Once", {5, 6, 7, 8}, " upon", 0.5, 9};
  log.add(3, TextSampleLog::Reason::Asked, sample);
  sample.ids.assign(400, 1234);
  sample.bytes.assign(2000, 'w');
  log.add(4, TextSampleLog::Reason::Schedule, sample);
  const auto taken = log.take();
  ASSERT_EQ(taken.elements.size(), 2u);
  const auto json = [&](std::size_t i) {
    const auto& element = taken.elements[i];
    return nlohmann::json::parse(std::string(element.data(), strnlen(element.data(), element.size())));
  };
  EXPECT_EQ(json(0)["text"], " upon");
  EXPECT_EQ(json(0)["reason"], "asked");
  EXPECT_EQ(json(0)["ids"], (std::vector<int>{5, 6, 7, 8}));
  EXPECT_EQ(json(1)["reason"], "schedule");
  EXPECT_EQ(json(1)["tokens"], 400);
  EXPECT_FALSE(json(1).contains("text"));
  const std::string payload(taken.payload.begin(), taken.payload.end());
  const std::size_t begin = json(1)["payload_begin"], end = json(1)["payload_end"];
  EXPECT_EQ(nlohmann::json::parse(payload.substr(begin, end - begin))["text"], sample.bytes);
}

}  // namespace
}  // namespace sparsescope::train
