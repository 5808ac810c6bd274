// The size budget of a recording against a scripted recorder: what is taken, what is left out, how large it
// ends.
#include "engine/train/recording_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/train/run_estimate.h"
#include "engine/train/run_schema.h"

namespace sparsescope::train {
namespace {

constexpr std::int64_t kVocabulary = 4096;

experiments::Experiment experiment(double budget, std::int64_t steps = 2040) {
  experiments::Experiment e;
  e.name = "scripted";
  e.train.steps = steps;
  e.recording.budget_bytes = budget;
  return e;
}

std::vector<trace::Channel> channels(const experiments::Experiment& e) {
  SchemaFacts facts{.loss_terms = {"cross_entropy", "sparsity"}, .probe_sequences = e.probe.sequences};
  for (std::int64_t id = 0; id < 170; ++id) facts.distinct_ids.push_back(id);
  for (int stat = 0; stat < 17; ++stat) facts.attention_stats.push_back(std::to_string(stat));
  trace::Schema schema;
  schema.channels = run_channels(e, facts);
  return trace::finish_schema(std::move(schema)).channels;
}

// A run of which the recorder stores `factor` times what samples are estimated at, and which is seen on the
// disk `lag` probes later.
struct Scripted {
  explicit Scripted(const experiments::Experiment& e, double stored_factor = 1, std::size_t lag_probes = 4,
                    double growth = 1)
      : made(channels(e)),
        run(e),
        factor(stored_factor),
        edges_growth(growth),
        lag(lag_probes),
        budget(made, e, kVocabulary, 0, [this] { return seen; }) {
    const auto steps = static_cast<std::uint64_t>(e.train.steps),
               every = static_cast<std::uint64_t>(e.probe.every);
    for (std::uint64_t step = 0; step <= steps; step += every) probe(step);
    bytes = light(steps) + samples;
  }

  double light(std::uint64_t step) const {
    return recording_size(made, run, kVocabulary, static_cast<std::int64_t>(step)).light;
  }
  void probe(std::uint64_t step) {
    const bool is_edges_turn = taken.size() % 10 == 0;
    const auto sample =
        budget.choose(step, is_edges_turn ? RecordingBudget::Edges::Due : RecordingBudget::Edges::NotDue);
    if (sample != RecordingBudget::Sample::Nothing) {
      taken.push_back(step);
      const RecordingSize size = recording_size(made, run, kVocabulary, 0);
      for (const trace::Channel& channel : made) {
        const double share = stored_share(channel, run.model);
        double raw = 0;
        if (channel.name == "declared" || channel.name == "declared_top" || channel.name == "scope_pooled" ||
            channel.name == "attention_stats" || channel.name == "probe_surprisal" ||
            channel.name == "probe_predictions")
          raw = static_cast<double>(channel.unit_bytes());
        if (channel.name == "edges" && sample == RecordingBudget::Sample::WithEdges) {
          raw = edges_growth * size.edges_sample / share;
          if (!budget.admits_edges(step, static_cast<std::size_t>(raw))) continue;
          with_edges.push_back(step);
        }
        if (raw <= 0) continue;
        budget.recorded(step, channel.name, static_cast<std::size_t>(raw));
        samples += factor * raw * share;
      }
    }
    history.push_back({step, samples});
    if (history.size() <= lag) return;
    const auto& [then, stored] = history[history.size() - 1 - lag];
    seen = {static_cast<std::uint64_t>(light(then) + stored), then + 1, then};
  }

  std::vector<trace::Channel> made;
  experiments::Experiment run;
  double factor, edges_growth = 1;  // edge lists to what was expected
  std::size_t lag;
  RecordedSoFar seen;
  RecordingBudget budget;
  std::vector<std::uint64_t> taken, with_edges;
  std::vector<std::pair<std::uint64_t, double>> history;
  double samples = 0, bytes = 0;
};

TEST(RecordingBudget, NoneTakesEverySampleAndSaysNothing) {
  const Scripted run(experiment(0));
  EXPECT_EQ(run.taken.size(), 2040u / 25 + 1);
  EXPECT_EQ(run.with_edges.size(), 9u);
  EXPECT_EQ(run.budget.words(), "");
  EXPECT_EQ(run.budget.left_out_in_words(), "");
}

TEST(RecordingBudget, TheRecordingEndsBelowItAndUsesIt) {
  for (const double budget : {2.5e6, 3e6, 5e6, 8e6}) {
    for (const double factor : {0.3, 1.0, 2.5}) {
      for (const std::size_t lag : {0u, 4u, 12u}) {
        for (const double growth : {0.3, 2.4}) {
          const Scripted all(experiment(0), factor, lag, growth);
          const Scripted run(experiment(budget), factor, lag, growth);
          EXPECT_LT(run.bytes, budget) << factor << " " << lag << " " << growth;
          if (all.bytes > budget && factor < 2) {
            EXPECT_GT(run.bytes, 0.7 * budget) << budget << " " << factor << " " << lag << " " << growth;
          }
        }
      }
    }
  }
}

TEST(RecordingBudget, SamplesAreCloseAtTheBeginningAndTheLastIsThere) {
  const Scripted run(experiment(5e6));
  ASSERT_GT(run.taken.size(), 8u);
  ASSERT_LT(run.taken.size(), 60u);
  EXPECT_EQ(run.taken.front(), 0u);
  EXPECT_EQ(run.taken.back(), 2025u);
  const auto within = [&](std::uint64_t first, std::uint64_t last) {
    return std::ranges::count_if(run.taken,
                                 [&](std::uint64_t step) { return step >= first && step <= last; });
  };
  EXPECT_GT(within(0, 200), 2 * within(1000, 1200));
  // Evenly over a logarithmic axis: the first 400 steps are a good half of it.
  EXPECT_NEAR(static_cast<double>(within(0, 400)) / static_cast<double>(run.taken.size()), 0.62, 0.15);
}

TEST(RecordingBudget, EdgesAreLeftOutFirstAndBothAreCounted) {
  const Scripted tight(experiment(2.4e6)), wide(experiment(12e6));
  EXPECT_GT(tight.budget.probes_left_out(), 0u);
  EXPECT_EQ(tight.taken.size() + tight.budget.probes_left_out(), 82u);
  EXPECT_GT(tight.taken.size(), 2u);
  EXPECT_LT(tight.with_edges.size(), wide.with_edges.size());
  EXPECT_EQ(wide.with_edges.back(), 2025u) << "the last probe has one";
  EXPECT_GT(tight.budget.edges_left_out(), 0u);
  const std::string words = tight.budget.left_out_in_words();
  EXPECT_TRUE(words.starts_with(std::to_string(tight.budget.probes_left_out()) + " of 82 probe samples and "))
      << words;
  EXPECT_TRUE(words.ends_with("were left out to keep the recording below 2.40 MB")) << words;
}

TEST(RecordingBudget, OneThatIsTooSmallTakesNoProbeAndSaysSo) {
  const Scripted run(experiment(1e5));
  EXPECT_TRUE(run.taken.empty());
  EXPECT_TRUE(run.budget.leaves_no_room());
  EXPECT_NE(run.budget.words().find("leaves no room for probes"), std::string::npos);
}

TEST(RecordingBudget, WithoutARecorderEstimatesStandForTheDisk) {
  experiments::Experiment e = experiment(3e6);
  const auto made = channels(e);
  RecordingBudget budget(made, e, kVocabulary, 0, {});
  std::uint64_t taken = 0;
  for (std::uint64_t step = 0; step <= 2040; step += 25) {
    if (budget.choose(step, RecordingBudget::Edges::NotDue) == RecordingBudget::Sample::Nothing) continue;
    ++taken;
    for (const trace::Channel& channel : made) {
      if (channel.name == "declared_top" || channel.name == "declared" || channel.name == "scope_pooled")
        budget.recorded(step, channel.name, channel.unit_bytes());
    }
  }
  EXPECT_GT(taken, 4u);
  EXPECT_EQ(taken + budget.probes_left_out(), 82u);
}

TEST(RecordingBudget, TheEstimateOfARunKnowsIt) {
  const double all = estimate_run(experiment(0), Device::Cpu).file_bytes;
  ASSERT_GT(all, 4e6);
  EXPECT_EQ(estimate_run(experiment(3e6), Device::Cpu).file_bytes, 3e6);
  EXPECT_EQ(estimate_run(experiment(2 * all), Device::Cpu).file_bytes, all);
  const double least = estimate_run(experiment(1), Device::Cpu).file_bytes;
  EXPECT_GT(least, 5e5) << "what is of every step is never left out";
  EXPECT_LT(least, 3e6);
}

}  // namespace
}  // namespace sparsescope::train
