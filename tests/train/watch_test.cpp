// Watching a run: injected needles, text samples, the switch and the budget. Laws: the losses are the same
// bits whatever is watched, and a reader can rebuild what the probes saw.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tiny_run.h"

namespace sparsescope::train {
namespace {

// Acts once at the first frame of each of its steps.
TinyRun::Script at_steps(std::map<std::uint64_t, std::function<void(Trainer&)>> acts) {
  auto left = std::make_shared<decltype(acts)>(std::move(acts));
  return [left](Trainer& trainer, const trace::Frame& frame) {
    const auto found = left->find(frame.step);
    if (found == left->end()) return;
    const auto act = std::move(found->second);
    left->erase(found);
    act(trainer);
  };
}

std::vector<nlohmann::json> text_samples(const CollectingSink& sink) {
  std::vector<nlohmann::json> all;
  const trace::Channel* channel = sink.schema->find("text_samples");
  for (const trace::FramePtr& frame : sink.frames) {
    const trace::ChannelData* data = frame->find(channel->id);
    if (data == nullptr) continue;
    for (std::size_t begin = 0; begin < data->bytes.size(); begin += 1024) {
      const char* text = reinterpret_cast<const char*>(data->bytes.data()) + begin;
      nlohmann::json json = nlohmann::json::parse(std::string(text, strnlen(text, 1024)));
      if (json.contains("payload_begin")) {
        const auto* payload = frame->find(sink.schema->find("text_sample_payloads")->id);
        const char* bytes = reinterpret_cast<const char*>(payload->bytes.data());
        json = nlohmann::json::parse(std::string(bytes + json["payload_begin"].get<std::size_t>(),
                                                 bytes + json["payload_end"].get<std::size_t>()));
      }
      all.push_back(json);
    }
  }
  return all;
}

std::vector<std::int32_t> probe_sequence(const CollectingSink& sink) {
  const trace::Channel* channel = sink.schema->find("probe_ids");
  const auto ids = trace::values_as<std::int32_t>(*sink.frames.front()->find(channel->id));
  return {ids.begin(), ids.begin() + channel->axes[1].size};
}

std::set<std::uint64_t> steps_with(const CollectingSink& sink, const std::string& channel) {
  std::set<std::uint64_t> steps;
  for (const trace::FramePtr& frame : sink.frames) {
    if (frame->find(sink.schema->find(channel)->id) != nullptr) steps.insert(frame->step);
  }
  return steps;
}

TEST(Needle, IsHiddenInProbeSequence0AndChangesNoLoss) {
  const TinyFolder folder;
  const TinyRun plain(tiny_request(folder));
  const TinyRun run(tiny_request(folder),
                    at_steps({{7, [](Trainer& t) { t.post(trace::InjectNeedle{0.5}); }}}));
  EXPECT_EQ(run.sink.losses(), plain.sink.losses());
  const auto events = run.sink.events("needle_injected");
  ASSERT_EQ(events.size(), 1u);
  const nlohmann::json& event = events[0];
  EXPECT_EQ(event["step"], 7);
  const std::vector<std::int32_t> before = probe_sequence(run.sink), after = event["sequence"],
                                  needle = event["ids"];
  const std::vector<std::size_t> positions = event["positions"];
  ASSERT_EQ(after.size(), before.size());
  ASSERT_EQ(needle.size(), 4u);
  EXPECT_EQ(positions, (std::vector<std::size_t>{6, 20}));  // floor(0.5 (24 - 12)) and 24 - 4
  const std::set<std::int32_t> known(before.begin(), before.end());
  for (std::size_t i = 0; i < after.size(); ++i) {
    const bool in_needle = i >= 6 && i < 10, in_query = i >= 20;
    EXPECT_EQ(after[i], in_needle ? needle[i - 6] : in_query ? needle[i - 20] : before[i]) << i;
    EXPECT_TRUE(known.contains(after[i])) << "the axis of `declared` would lack it";
  }
  // The probes were taken again at once, edges with them, and from then on as scheduled.
  EXPECT_EQ(steps_with(run.sink, "declared"), (std::set<std::uint64_t>{0, 5, 7, 10, 15, 20}));
  EXPECT_TRUE(steps_with(run.sink, "edges").contains(7));
  // Before it the rows are those of the plain run, after it they are not.
  const auto then = run.sink.series<float>("probe_surprisal", {"8"}),
             usual = plain.sink.series<float>("probe_surprisal", {"8"});
  EXPECT_EQ(then.at(5), usual.at(5));
  EXPECT_NE(then.at(10), usual.at(10));
}

TEST(Needle, ASecondReplacesTheFirstANegativeDepthRemovesItNonsenseIsRefused) {
  const TinyFolder folder;
  const TinyRun run(tiny_request(folder),
                    at_steps({{2, [](Trainer& t) { t.post(trace::InjectNeedle{-1}); }},
                              {4, [](Trainer& t) { t.post(trace::InjectNeedle{0.1}); }},
                              {8, [](Trainer& t) { t.post(trace::InjectNeedle{0.9}); }},
                              {9, [](Trainer& t) { t.post(trace::InjectNeedle{1.5}); }},
                              {10, [](Trainer& t) { t.post(trace::InjectNeedle{std::nan("")}); }},
                              {12, [](Trainer& t) { t.post(trace::InjectNeedle{-1}); }}}));
  const auto events = run.sink.events("needle_injected");
  ASSERT_EQ(events.size(), 3u);
  const std::vector<std::int32_t> original = probe_sequence(run.sink);
  const std::vector<std::int32_t> second = events[1]["sequence"];
  // The second begins from the text itself, not from the first needle.
  EXPECT_EQ(second[1], original[1]);
  EXPECT_EQ(events[1]["positions"][0], 10);
  EXPECT_NE(events[0]["seed"], events[1]["seed"]);
  EXPECT_EQ(events[2]["sequence"].get<std::vector<std::int32_t>>(), original);
  EXPECT_TRUE(events[2]["ids"].empty());
  const auto refused = run.sink.events("warning");
  ASSERT_EQ(refused.size(), 3u);
  EXPECT_NE(refused[0]["text"].get<std::string>().find("no injected needle"), std::string::npos);
  EXPECT_NE(refused[1]["text"].get<std::string>().find("depth 1.5"), std::string::npos);
  const TinyRun plain(tiny_request(folder));
  EXPECT_EQ(run.sink.series<float>("probe_surprisal", {"8"}).at(20),
            plain.sink.series<float>("probe_surprisal", {"8"}).at(20));
}

TEST(TextSamples, ComeAsScheduledAndWhenAskedAndChangeNoLoss) {
  const TinyFolder folder;
  experiments::Experiment experiment = tiny_experiment();
  experiment.sample.every = 6;
  experiment.sample.tokens = 30;
  experiment.sample.prompt = "ab";
  const TinyRun plain(tiny_request(folder));
  const TinyRun run(tiny_request(folder, experiment),
                    at_steps({{9, [](Trainer& t) {
                                 t.post(trace::GenerateText{"", 7, 0, 3});
                                 t.post(trace::GenerateText{"", 7, 0, 4});
                                 t.post(trace::GenerateText{"hello", 40, 1, 3});
                                 t.post(trace::GenerateText{"hello", 40, 1, 3});
                                 t.post(trace::GenerateText{"hello", 40, 1, 4});
                               }}}));
  EXPECT_EQ(run.sink.losses(), plain.sink.losses());
  std::map<std::uint64_t, std::vector<nlohmann::json>> by_step;
  for (const nlohmann::json& sample : text_samples(run.sink)) by_step[sample["step"]].push_back(sample);
  ASSERT_EQ(by_step.size(), 4u);
  for (std::uint64_t step : {6, 12, 18}) {
    ASSERT_EQ(by_step[step].size(), 1u) << step;
    const nlohmann::json& sample = by_step[step][0];
    EXPECT_EQ(sample["reason"], "schedule");
    EXPECT_EQ(sample["prompt"], "ab");
    EXPECT_EQ(sample["ids"].size(), 30u);
    EXPECT_EQ(sample["tokens"], 30);
    EXPECT_EQ(sample["temperature"], 0.8);
    EXPECT_GT(sample["distinct_4gram_share"], 0);
  }
  EXPECT_NE(by_step[6][0]["seed"], by_step[12][0]["seed"]);
  const auto& asked = by_step[9];
  ASSERT_EQ(asked.size(), 5u);
  EXPECT_EQ(asked[0]["reason"], "asked");
  EXPECT_EQ(asked[0]["ids"], asked[1]["ids"]);  // the likeliest needs no seed
  EXPECT_EQ(asked[2]["ids"], asked[3]["ids"]);
  EXPECT_NE(asked[2]["ids"], asked[4]["ids"]);
  EXPECT_EQ(asked[2]["ids"].size(), 40u);  // more than the context of 24
  // The same run writes the same texts.
  EXPECT_EQ(text_samples(TinyRun(tiny_request(folder, experiment)).sink)[1]["ids"], by_step[12][0]["ids"]);
}

TEST(TextSamples, NonsenseIsRefusedInWordsAndALongOneCanBeCancelled) {
  const TinyFolder folder;
  const TinyRun run(tiny_request(folder),
                    at_steps({{3, [](Trainer& t) {
                                 t.post(trace::GenerateText{"", 0, 1, 0});
                                 t.post(trace::GenerateText{"", 9, -1, 0});
                                 t.post(trace::GenerateText{std::string(100'000, 'x'), 9, 1, 0});
                                 t.post(trace::GenerateText{"", 9, 1, ~std::uint64_t{0}});
                                 t.post(trace::GenerateText{"", 4096, 1, 0});
                                 t.post(trace::CancelEvaluation{});
                               }}}));
  EXPECT_EQ(run.end.status, trace::RunStatus::Finished);
  EXPECT_EQ(run.sink.events("warning").size(), 4u);
  const auto samples = text_samples(run.sink);
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_LT(samples[0]["tokens"], 100);
}

TEST(Watching, SwitchedOffNothingIsLookedAtAndTheGapIsMarked) {
  const TinyFolder folder;
  experiments::Experiment experiment = tiny_experiment();
  experiment.sample.every = 6;
  experiment.sample.tokens = 3;
  const TinyRun plain(tiny_request(folder));
  const TinyRun run(tiny_request(folder, experiment), at_steps({{7,
                                                                 [](Trainer& t) {
                                                                   t.post(trace::SetControl{"watching", 0});
                                                                 }},
                                                                {16, [](Trainer& t) {
                                                                   t.post(trace::SetControl{"watching", 1});
                                                                 }}}));
  EXPECT_EQ(run.sink.losses(), plain.sink.losses());
  EXPECT_EQ(steps_with(run.sink, "attention_stats"), (std::set<std::uint64_t>{0, 5, 20}));
  EXPECT_EQ(steps_with(run.sink, "text_samples"), (std::set<std::uint64_t>{6, 18}));
  std::set<std::uint64_t> marked;
  for (const trace::FramePtr& frame : run.sink.frames) {
    if ((frame->flags & trace::kFlagProbeDropped) != 0) marked.insert(frame->step);
  }
  EXPECT_EQ(marked, (std::set<std::uint64_t>{10, 15}));
  EXPECT_EQ(run.sink.series<double>("watching", {"drops"}).at(20), 2);
  EXPECT_EQ(run.sink.series<double>("watching", {"is_watching"}).at(10), 0);
  bool said = false;
  for (const nlohmann::json& event : run.sink.events("command"))
    said = said || event.value("text", "").find("watching is off") == 0;
  EXPECT_TRUE(said);
}

TEST(Watching, ABudgetStretchesTheCadenceSaysSoAndChangesNoLoss) {
  const TinyFolder folder;
  experiments::Experiment experiment = tiny_experiment();
  experiment.train.steps = 60;
  experiment.probe.every = 1;
  const TinyRun all(tiny_request(folder, experiment));
  EXPECT_EQ(steps_with(all.sink, "declared").size(), 61u);
  experiment.probe.budget_percent = 0.5;
  experiment.probe.measure_every_minutes = 1;
  const TinyRun few(tiny_request(folder, experiment));
  EXPECT_EQ(few.sink.losses(), all.sink.losses());
  EXPECT_LT(steps_with(few.sink, "declared").size(), 30u);
  ASSERT_FALSE(few.sink.events("watching").empty());
  EXPECT_EQ(few.sink.events("watching")[0]["base_cadence"], 1);
  EXPECT_GT(few.sink.series<double>("watching", {"cadence"}).at(60), 1);
  EXPECT_GT(few.sink.series<double>("watching", {"estimated_percent"}).at(60), 0);
}

TEST(Watching, WindowsAreMeasuredInARealRun) {
  const TinyFolder folder;
  experiments::Experiment experiment = tiny_experiment();
  experiment.train.steps = 60;
  experiment.probe.measure_every_minutes = 5;
  const TinyRun run(tiny_request(folder, experiment));
  const auto measured = run.sink.series<double>("watching", {"measured_percent"});
  EXPECT_TRUE(std::isnan(measured.at(0)));
  EXPECT_FALSE(std::isnan(measured.at(60)));
  EXPECT_TRUE(run.status.is_watching_measured);
  EXPECT_EQ(steps_with(run.sink, "declared").size(), 13u);  // none was left out for it
}

TEST(Status, TellsTheRealRateUnderAPaceAndWhatEvaluationsTake) {
  const TinyFolder folder;
  experiments::Experiment experiment = tiny_experiment();
  experiment.train.pace = 40;
  std::vector<EvaluationEstimate> early;
  const TinyRun run(tiny_request(folder, experiment), [&](Trainer& trainer, const trace::Frame& frame) {
    if (frame.step == 5 && early.empty()) early = trainer.status().evaluations;
  });
  EXPECT_GT(run.status.steps_per_second, 15);  // a busy machine may be late
  EXPECT_LT(run.status.steps_per_second, 40.5);
  ASSERT_EQ(early.size(), 2u);
  EXPECT_FALSE(early[0].is_measured);
  EXPECT_GT(early[1].seconds, early[0].seconds);
  // The last evaluation measured the scheduled context.
  ASSERT_EQ(run.status.evaluations.size(), 2u);
  EXPECT_EQ(run.status.evaluations[0].context_multiple, 1);
  EXPECT_TRUE(run.status.evaluations[0].is_measured);
  EXPECT_EQ(run.status.evaluations[1].context_multiple, 4);
  EXPECT_FALSE(run.status.evaluations[1].is_measured);
  EXPECT_GT(run.status.evaluations[1].seconds, run.status.evaluations[0].seconds);
  EXPECT_GT(run.status.held_out_seconds, 0);
}

}  // namespace
}  // namespace sparsescope::train
