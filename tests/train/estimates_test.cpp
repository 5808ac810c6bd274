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
