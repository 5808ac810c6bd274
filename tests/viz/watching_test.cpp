// The cost of watching as it was recorded, in words.
#include "viz/model/watching.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "tests/viz/viz_support.h"
#include "viz/model/view_cost.h"

namespace sparsescope::viz {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
const std::vector<std::string> kLabels = {"budget_percent",
                                          "estimated_percent",
                                          "measured_percent",
                                          "measured_spread_percent",
                                          "measured_step",
                                          "probes_percent",
                                          "samples_percent",
                                          "copies_percent",
                                          "recording_percent",
                                          "cadence",
                                          "base_cadence",
                                          "detail",
                                          "drops",
                                          "is_watching",
                                          "probe_ms",
                                          "copy_ms",
                                          "step_ms",
                                          "window_steps",
                                          "text_cadence",
                                          "base_text_cadence",
                                          "text_drops"};

struct Watched {
  Watched() : run(0, nullptr, 1 << 20) {
    trace::Channel channel;
    channel.name = "watching";
    channel.dtype = trace::DType::F64;
    channel.axes = {{"name", static_cast<std::int64_t>(kLabels.size()), kLabels}};
    channel.cadence = 10;
    trace::Schema schema;
    schema.channels = {channel};
    run.take(std::make_shared<const trace::Schema>(trace::finish_schema(schema)));
  }
  // A row at `step`; labels left out are not measured.
  void row(std::uint64_t step, const std::map<std::string, double>& values) {
    std::vector<double> all;
    for (const std::string& label : kLabels) all.push_back(values.contains(label) ? values.at(label) : kNone);
    auto frame = std::make_shared<trace::Frame>();
    frame->row = next++;
    frame->step = step;
    trace::add_values<double>(*frame, 0, all);
    run.take(frame);
  }
  viz::Run run;
  std::uint64_t next = 0;
};

TEST(Watching, BeforeTheFirstMeasurementItSaysMeasuringAndNeverZero) {
  Watched watched;
  EXPECT_EQ(watching_facts(watched.run, 50).state, WatchingState::NotRecorded);
  EXPECT_EQ(watching_value(watching_facts(watched.run, 50)), "—");
  watched.row(0, {{"budget_percent", 2}, {"is_watching", 1}});
  const WatchingFacts first = watching_facts(watched.run, 5);
  EXPECT_EQ(first.state, WatchingState::Measuring);
  EXPECT_EQ(watching_value(first), "measuring");
  EXPECT_FALSE(first.cost().has_value());
  EXPECT_FALSE(first.is_over_budget());
  watched.row(10, {{"budget_percent", 2}, {"is_watching", 1}, {"estimated_percent", 1.346}});
  EXPECT_EQ(watching_value(watching_facts(watched.run, 10)), "≈ 1.35 %");
  watched.row(20, {{"budget_percent", 2},
                   {"is_watching", 1},
                   {"estimated_percent", 1.3},
                   {"measured_percent", 1.25},
                   {"measured_step", 18}});
  EXPECT_EQ(watching_value(watching_facts(watched.run, 21)), "1.25 %") << "measured stands before estimated";
  EXPECT_EQ(watching_value(watching_facts(watched.run, 10)), "≈ 1.35 %")
      << "of the cursor's step, not of the newest";
  watched.row(22, {{"budget_percent", 2},
                   {"is_watching", 1},
                   {"estimated_percent", 1.3},
                   {"measured_percent", 1.25},
                   {"measured_step", 18},
                   {"samples_percent", 0.5}});
  EXPECT_EQ(watching_value(watching_facts(watched.run, 25)), "1.75 %")
      << "text samples stand beside the measured probes";
  watched.row(30, {{"budget_percent", 2}, {"is_watching", 0}});
  EXPECT_EQ(watching_value(watching_facts(watched.run, 30)), "paused");
}

TEST(Watching, OverBudgetItSaysWhatIsHeldBack) {
  Watched watched;
  watched.row(0, {{"budget_percent", 2},
                  {"is_watching", 1},
                  {"estimated_percent", 3},
                  {"cadence", 10},
                  {"base_cadence", 10},
                  {"detail", 1}});
  watched.row(10, {{"budget_percent", 2},
                   {"is_watching", 1},
                   {"estimated_percent", 3},
                   {"cadence", 20},
                   {"base_cadence", 10},
                   {"detail", 1}});
  watched.row(20, {{"budget_percent", 2},
                   {"is_watching", 1},
                   {"estimated_percent", 3},
                   {"cadence", 40},
                   {"base_cadence", 10},
                   {"detail", 0},
                   {"drops", 3}});
  watched.row(30, {{"budget_percent", 0}, {"is_watching", 1}, {"estimated_percent", 30}});
  EXPECT_TRUE(watching_facts(watched.run, 0).is_over_budget());
  EXPECT_EQ(watching_measures(watching_facts(watched.run, 0)), "nothing is held back");
  EXPECT_EQ(watching_measures(watching_facts(watched.run, 10)), "every 20 steps instead of 10");
  EXPECT_EQ(watching_measures(watching_facts(watched.run, 20)),
            "every 40 steps instead of 10, edges left out");
  EXPECT_FALSE(watching_facts(watched.run, 30).is_over_budget()) << "0 is no budget";
}

TEST(Watching, AMeasurementAtAnotherCadenceGivesWayToTheEstimate) {
  Watched watched;
  watched.row(0, {{"is_watching", 1}, {"cadence", 10}, {"base_cadence", 10}, {"estimated_percent", 3}});
  watched.row(20, {{"is_watching", 1},
                   {"cadence", 10},
                   {"base_cadence", 10},
                   {"estimated_percent", 3},
                   {"measured_percent", 4},
                   {"measured_step", 18}});
  watched.row(30, {{"is_watching", 1},
                   {"cadence", 20},
                   {"base_cadence", 10},
                   {"estimated_percent", 1.5},
                   {"measured_percent", 4},
                   {"measured_step", 18}});
  EXPECT_EQ(watching_facts(watched.run, 20).state, WatchingState::Measured);
  EXPECT_EQ(watching_facts(watched.run, 30).state, WatchingState::Estimated);
  EXPECT_EQ(watching_value(watching_facts(watched.run, 30)), "≈ 1.50 %");
}

TEST(Watching, TheTwinHasEveryRowOfThePopover) {
  Watched watched;
  EXPECT_TRUE(watching_twin(watching_facts(watched.run, 0)).table.rows.empty());
  watched.row(0, {{"budget_percent", 2},
                  {"is_watching", 1},
                  {"estimated_percent", 1.3},
                  {"measured_percent", 1.2},
                  {"measured_spread_percent", 0.3},
                  {"measured_step", 118},
                  {"window_steps", 8},
                  {"cadence", 10},
                  {"base_cadence", 10},
                  {"detail", 1},
                  {"drops", 0}});
  const WatchingFacts facts = watching_facts(watched.run, 0);
  const Twin twin = watching_twin(facts);
  ASSERT_EQ(twin.table.rows.size(), watching_rows(facts).size());
  EXPECT_EQ(twin.table.rows[0][1], "1.20 % ± 0.30 % at step 118");
  EXPECT_EQ(twin.table.rows[1][1], "—") << "what was not measured is absent, not 0";
  EXPECT_EQ(twin.table.rows[4][1], "1.30 %");
  for (const WatchingRow& row : watching_rows(facts)) EXPECT_FALSE(row.detail.empty()) << row.label;
}

TEST(Watching, TextsHeldBackAndTheViewsOwnShareAreSaid) {
  Watched watched;
  watched.row(0, {{"is_watching", 1},
                  {"estimated_percent", 1.3},
                  {"cadence", 10},
                  {"base_cadence", 10},
                  {"text_cadence", 400},
                  {"base_text_cadence", 100},
                  {"text_drops", 3}});
  const WatchingFacts facts = watching_facts(watched.run, 0);
  EXPECT_EQ(watching_measures(facts), "texts every 400 steps instead of 100");
  const auto value_of = [](const Twin& twin, const std::string& what) {
    for (const auto& row : twin.table.rows) {
      if (row[0] == what) return row[1];
    }
    return std::string("no such row");
  };
  EXPECT_EQ(value_of(watching_twin(facts), "Texts"), "every 400 steps");
  EXPECT_EQ(value_of(watching_twin(facts), "View"), "not measured yet");
  EXPECT_EQ(value_of(watching_twin(facts, 0.034), "View"), "3.4 % of one processor");
  Watched without;
  without.row(0, {{"is_watching", 1}, {"cadence", 10}, {"text_cadence", 0}});
  EXPECT_EQ(value_of(watching_twin(watching_facts(without.run, 0)), "Texts"), "no such row");
}

TEST(Watching, TheViewsShareIsThatOfWholeWindowsOfTime) {
  ViewCost cost;
  cost.add(4.9, 4.9);
  EXPECT_FALSE(cost.processor_share()) << "not before the first window is over";
  cost.add(0.1, 0);
  EXPECT_NEAR(*cost.processor_share(), 0.98, 1e-12);
  for (int i = 0; i < 2; ++i) cost.add(2.5, 0.25);
  EXPECT_NEAR(*cost.processor_share(), 0.1, 1e-9);
}

TEST(Watching, ARecordingWithoutItSaysSo) {
  test::SmallRun source;
  viz::Run run(0, nullptr, 1 << 20);
  run.take(source.schema);
  run.take(source.frame(0));
  const Twin twin = watching_twin(watching_facts(run, 0));
  EXPECT_NE(text_of(twin).find("Not recorded by this run"), std::string::npos) << text_of(twin);
}

}  // namespace
}  // namespace sparsescope::viz
