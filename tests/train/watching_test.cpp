// The budget of watching: scripted times in, cadence, detail, measurements and counted drops out.
#include "engine/train/watching.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace sparsescope::train {
namespace {

// A run of steps of 10 ms in which a probe takes `probe_ms`, the one with edges `edges_ms` more.
struct Scripted {
  explicit Scripted(WatchingSettings settings) : watching(settings) {}

  void run_to(std::uint64_t last) {
    for (; step < last; ++step, seconds += 0.01) {
      const Watching::Look look = watching.look(step + 1);
      double whole = step_ms + noise_ms;
      if (look == Watching::Look::Take) {
        taken.push_back(step + 1);
        const bool has_edges = watching.takes_edges();
        if (has_edges) with_edges.push_back(step + 1);
        const double cost = probe_ms + (has_edges ? edges_ms : 0);
        whole += cost;
        watching.probed({cost, cost / 4, has_edges}, seconds);
      }
      if (look == Watching::Look::LeftOut) left_out.push_back(step + 1);
      watching.stepped(step + 1, step_ms, whole, look == Watching::Look::Take ? blocked_ms : 0, seconds);
      for (auto& event : watching.take_events()) events.push_back(event);
    }
  }
  double value(const std::string& name) {
    const auto& names = watching_names();
    const auto at = std::find(names.begin(), names.end(), name);
    EXPECT_NE(at, names.end()) << name;
    return watching.take_row(step).at(static_cast<std::size_t>(at - names.begin()));
  }

  Watching watching;
  double step_ms = 10, noise_ms = 0.2, probe_ms = 1, edges_ms = 0, blocked_ms = 0, seconds = 0;
  std::uint64_t step = 0;
  std::vector<std::uint64_t> taken, left_out, with_edges;
  std::vector<nlohmann::ordered_json> events;
};

WatchingSettings settings_of(std::int64_t every, double budget, double minutes = 0) {
  return {.probe_every = every,
          .edges_every = 0,
          .sample_every = 0,
          .budget_percent = budget,
          .measure_every_minutes = minutes};
}

std::vector<std::uint64_t> multiples(std::uint64_t of, std::uint64_t to) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t step = of; step <= to; step += of) all.push_back(step);
  return all;
}

TEST(Watching, WithoutABudgetEveryDueProbeIsTakenHoweverDear) {
  Scripted run(settings_of(5, 0));
  run.probe_ms = 500;
  run.run_to(100);
  EXPECT_EQ(run.taken, multiples(5, 100));
  EXPECT_TRUE(run.left_out.empty());
  EXPECT_TRUE(run.events.empty());
  EXPECT_NEAR(run.value("estimated_percent"), 100 * 500 / (5 * 10.0), 1e-6);
}

TEST(Watching, WithinItsBudgetNothingChanges) {
  Scripted run(settings_of(10, 2));
  run.probe_ms = 1.9;  // of 100 ms between two probes
  run.run_to(200);
  EXPECT_EQ(run.taken, multiples(10, 200));
  EXPECT_TRUE(run.events.empty());
  EXPECT_NEAR(run.value("probes_percent"), 1.9, 1e-6);
  EXPECT_NEAR(run.value("copies_percent"), 1.9 / 4, 1e-6);
  EXPECT_EQ(run.value("drops"), 0);
}

TEST(Watching, OverBudgetTheCadenceStretchesAndDropsAreCountedAndSaid) {
  Scripted run(settings_of(10, 2));
  run.probe_ms = 7;  // 7 % at 10 steps, 1.75 % at 40
  run.run_to(200);
  EXPECT_EQ(run.taken, (std::vector<std::uint64_t>{10, 40, 80, 120, 160, 200}));
  EXPECT_EQ(run.left_out.size(), 14u);
  EXPECT_EQ(run.value("drops"), 14);
  EXPECT_EQ(run.value("cadence"), 40);
  EXPECT_EQ(run.value("base_cadence"), 10);
  ASSERT_EQ(run.events.size(), 1u);
  EXPECT_EQ(run.events[0]["what"], "cadence");
  EXPECT_EQ(run.events[0]["cadence"], 40);
  EXPECT_NE(run.events[0]["text"].get<std::string>().find("every 40 steps, asked for was every 10"),
            std::string::npos);
}

TEST(Watching, ItRelaxesWhenProbesBecomeCheapWithoutFlapping) {
  Scripted run(settings_of(10, 2));
  run.probe_ms = 7;
  run.run_to(200);
  run.probe_ms = 0.5;
  run.run_to(1200);
  EXPECT_EQ(run.watching.cadence(), 10);
  EXPECT_EQ(run.events.size(), 3u);  // 40 -> 20 -> 10, nothing back and forth
  run.probe_ms = 1.6;                // within the budget of 2 %, above 70 % of it
  run.run_to(1600);
  EXPECT_EQ(run.events.size(), 3u);
}

TEST(Watching, EdgesAreDroppedNextAndOnlyNext) {
  WatchingSettings settings = settings_of(1, 2);
  settings.edges_every = 2;
  Scripted run(settings);
  run.probe_ms = 3;       // 0.94 % at 32 steps
  run.edges_ms = 10'000;  // 5,000 ms a probe: no cadence helps
  run.run_to(400);
  EXPECT_EQ(run.watching.cadence(), 32);
  EXPECT_EQ(run.value("detail"), 0);
  ASSERT_GE(run.events.size(), 2u);
  EXPECT_EQ(run.events.front()["what"], "cadence");
  EXPECT_EQ(run.events.back()["what"], "detail");
  const std::uint64_t last_edges = run.with_edges.back();
  run.run_to(1000);
  EXPECT_EQ(run.with_edges.back(), last_edges);
}

TEST(Watching, ARecorderThatHoldsTheTrainingUpAtProbesStretchesThem) {
  Scripted run(settings_of(10, 2));
  run.run_to(100);
  EXPECT_EQ(run.watching.cadence(), 10);
  run.blocked_ms = 20;
  run.run_to(300);
  EXPECT_GE(run.watching.cadence(), 160);
  run.blocked_ms = 0;
  run.run_to(5000);
  EXPECT_EQ(run.watching.cadence(), 10);
}

TEST(Watching, ALowerBudgetActsAtOnceAndNoneRestoresTheCadence) {
  Scripted run(settings_of(10, 2));
  run.probe_ms = 1.8;
  run.run_to(100);
  run.watching.set_budget(0.5);
  EXPECT_EQ(run.watching.cadence(), 40);
  run.watching.set_budget(0);
  EXPECT_EQ(run.watching.cadence(), 10);
}

// Steps of 10 ms; a text of `ms` whenever one is taken.
std::vector<std::uint64_t> texts(Watching& watching, std::uint64_t first, std::uint64_t last, double ms) {
  std::vector<std::uint64_t> taken;
  for (std::uint64_t step = first; step <= last; ++step) {
    watching.stepped(step, 10, 10, 0, 0.01 * static_cast<double>(step));
    if (watching.look_for_text(step) != Watching::Look::Take) continue;
    taken.push_back(step);
    watching.sampled(ms);
  }
  return taken;
}

TEST(Watching, TextsKeepWithinTheirHalfOfTheBudgetAndSaySo) {
  WatchingSettings settings = settings_of(0, 2);
  settings.sample_every = 10;
  Watching watching(settings);
  // 4 ms in 100 ms: 4 %; half of the budget, 1 %, is kept at every 40.
  EXPECT_EQ(texts(watching, 1, 200, 4), (std::vector<std::uint64_t>{10, 40, 80, 120, 160, 200}));
  EXPECT_EQ(watching.text_cadence(), 40);
  EXPECT_NEAR(watching.cost_percent(), 1, 1e-9);
  const auto events = watching.take_events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["what"], "text_cadence");
  EXPECT_NE(events[0]["text"].get<std::string>().find("texts come every 40 steps, asked for was every 10"),
            std::string::npos)
      << events[0];
  const auto row = watching.take_row(200);
  EXPECT_EQ(row[row.size() - 3], 40);
  EXPECT_EQ(row[row.size() - 2], 10);
  EXPECT_EQ(row.back(), 14) << "what was due and left out is counted";
  // Cheap again, they come back; without a budget they always came.
  EXPECT_EQ(texts(watching, 201, 400, 0.1).back(), 400u);
  EXPECT_EQ(watching.text_cadence(), 10);
  Watching free_of_budget([&] {
    settings.budget_percent = 0;
    return settings;
  }());
  EXPECT_EQ(texts(free_of_budget, 1, 100, 400), multiples(10, 100));
}

TEST(Watching, WhatTextsTakeIsNotLeftForProbes) {
  WatchingSettings settings = settings_of(10, 2);
  settings.sample_every = 10;
  Scripted alone(settings);
  alone.probe_ms = 1.5;  // 1.5 % at every 10
  alone.run_to(100);
  EXPECT_EQ(alone.watching.cadence(), 10);
  Scripted beside(settings);
  beside.probe_ms = 1.5;
  beside.run_to(20);
  beside.watching.sampled(0.9);  // 0.9 %: 1.1 % is left
  beside.run_to(100);
  EXPECT_EQ(beside.watching.text_cadence(), 10);
  EXPECT_EQ(beside.watching.cadence(), 20);
}

TEST(Watching, OffNothingIsTakenAndEachDueSampleIsCounted) {
  Scripted run(settings_of(10, 0));
  run.run_to(50);
  run.watching.set_on(false);
  run.run_to(100);
  EXPECT_EQ(run.taken.back(), 50u);
  EXPECT_EQ(run.left_out, (std::vector<std::uint64_t>{60, 70, 80, 90, 100}));
  EXPECT_EQ(run.value("is_watching"), 0);
  EXPECT_EQ(run.watching.cost_percent(), 0);
  run.watching.set_on(true);
  run.run_to(110);
  EXPECT_EQ(run.taken.back(), 110u);
}

TEST(Watching, WindowsMeasureWhatIsThereWithoutLeavingOutAProbe) {
  Scripted run(settings_of(10, 0, 5));
  run.probe_ms = 4;
  EXPECT_TRUE(std::isnan(run.value("measured_percent")));
  run.run_to(100);
  EXPECT_EQ(run.taken, multiples(10, 100));
  EXPECT_TRUE(run.left_out.empty());
  // 4 ms in 10 steps of 10.2 ms; the estimate leaves out what a step does beside training.
  EXPECT_NEAR(run.value("measured_percent"), 100 * 4 / 102.0, 1e-6);
  EXPECT_NEAR(run.value("measured_spread_percent"), 0, 1e-6);
  EXPECT_EQ(run.value("window_steps"), 4);
  EXPECT_TRUE(run.watching.is_measured());
  ASSERT_EQ(run.events.size(), 1u);
  EXPECT_EQ(run.events[0]["what"], "measured");
  run.run_to(29'000);  // less than five minutes later
  EXPECT_EQ(run.events.size(), 1u);
  run.run_to(31'000);
  EXPECT_EQ(run.events.size(), 2u);
}

TEST(Watching, AtACadenceOfOneStepTheQuietWindowsAreCountedAndNeedABudget) {
  Scripted free_run(settings_of(1, 0, 5));
  free_run.run_to(50);
  EXPECT_TRUE(free_run.left_out.empty());
  Scripted run(settings_of(1, 10, 5));
  run.probe_ms = 0.5;
  run.run_to(50);
  EXPECT_EQ(run.left_out.size(), 5u);  // one for each pair
  EXPECT_NEAR(run.value("measured_percent"), 100 * 0.5 / 10.2, 1e-6);
}

TEST(Watching, ARowIsDueByCadenceAndWhenSomethingChanged) {
  Watching watching(settings_of(10, 2));
  EXPECT_TRUE(watching.is_row_due(3));  // the first
  EXPECT_EQ(watching.take_row(3).size(), watching_names().size());
  EXPECT_FALSE(watching.is_row_due(3));
  EXPECT_TRUE(watching.is_row_due(20));
  watching.take_row(20);
  EXPECT_FALSE(watching.is_row_due(20));  // one of a step's frames carries it
  watching.set_on(false);
  EXPECT_TRUE(watching.is_row_due(3));
  Watching blind(settings_of(0, 2));
  blind.take_row(0);
  EXPECT_TRUE(blind.is_row_due(10));
  EXPECT_EQ(blind.look(10), Watching::Look::NotDue);
}

}  // namespace
}  // namespace sparsescope::train
