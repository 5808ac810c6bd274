// The list of runs and the tree of channels: what they say, and that they cost what is in sight.
#include "viz/model/run_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"
#include "viz/model/run_list_channels.h"
#include "viz/views/run_list_panel.h"

namespace sparsescope::viz {
namespace {

using test::SmallRun;
using test::SparkRun;

struct Runs {
  // A run of `steps` steps; `changes` go into its experiment. Returns its id.
  std::uint32_t add(const std::string& title, std::uint64_t steps,
                    std::optional<trace::RunEnd> end = test::finished(),
                    const nlohmann::json& changes = nlohmann::json::object()) {
    SmallRun source;
    trace::Schema schema = *source.schema;
    schema.title = title;
    schema.run_uuid = "aaaaaaaa-0000-0000-0000-" + std::to_string(100000000000u + timeline.runs().size());
    nlohmann::json experiment = nlohmann::json::parse(schema.experiment_json);
    experiment["name"] = title;
    experiment.merge_patch(changes);
    schema.experiment_json = experiment.dump();
    std::vector<trace::FramePtr> frames;
    for (std::uint64_t step = 0; step < steps; ++step) {
      auto frame = source.frame(step);
      if (step % 50 == 49) source.add_evaluation(*frame, 5 - 0.01 * static_cast<double>(step % 150));
      frames.push_back(frame);
    }
    Feed feed;
    feed.mailbox = test::mailbox_with(std::make_shared<const trace::Schema>(schema), frames);
    if (end) feed.mailbox->on_end(*end);
    feed.name = title + ".h5";
    feed.path = "/recordings/" + title + ".h5";
    feed.bytes = 2048;
    const std::uint32_t id = timeline.add_run(std::move(feed)).id();
    timeline.drain_all();
    return id;
  }
  RunEntry entry(std::uint32_t id, const std::optional<TrainedRun>& trained = {}) {
    return run_entry(timeline, *timeline.find(id), selection, settings, trained);
  }
  Timeline timeline;
  Selection selection;
  RunListSettings settings;
};

TEST(RunList, ARowSaysStateBestEvaluationDurationAndSize) {
  Runs runs;
  const RunEntry entry = runs.entry(runs.add("spark", 200));
  EXPECT_EQ(entry.name, "spark, seed 7");
  EXPECT_EQ(entry.words, "finished");
  EXPECT_EQ(entry.steps, 199u);
  ASSERT_TRUE(entry.best_loss.has_value());
  EXPECT_DOUBLE_EQ(*entry.best_loss, 5 - 1.49);
  EXPECT_EQ(entry.best_step, 149u) << "the lowest, not the last";
  EXPECT_DOUBLE_EQ(entry.seconds, 1.99);
  EXPECT_EQ(numbers_in_words(entry), "finished at 199 of 1,000 · 3.510 nats · 1.99 s · 2 KiB");
  EXPECT_TRUE(entry.is_selected);
}

TEST(RunList, EveryStateHasItsWords) {
  Runs runs;
  const std::uint32_t stopped = runs.add("b", 10, trace::RunEnd{trace::RunStatus::Stopped, ""});
  const std::uint32_t failed = runs.add("c", 10, trace::RunEnd{trace::RunStatus::Failed, "the disk is full"});
  const std::uint32_t unclosed =
      runs.add("d", 10, trace::RunEnd{trace::RunStatus::Unclosed, "its writer died"});
  const std::uint32_t open = runs.add("e", 10, std::nullopt);
  EXPECT_EQ(runs.entry(stopped).words, "stopped");
  EXPECT_EQ(runs.entry(failed).words, "failed");
  EXPECT_EQ(runs.entry(failed).problem, "the disk is full");
  EXPECT_EQ(runs.entry(unclosed).words, "not closed");
  EXPECT_EQ(runs.entry(unclosed).problem, "its writer died");
  EXPECT_EQ(runs.entry(open).words, "loading");
  using S = RunState;
  for (const auto& [state, words] : {std::pair{S::Preparing, "preparing"},
                                     {S::Training, "training"},
                                     {S::Paused, "paused"},
                                     {S::Evaluating, "evaluating"}})
    EXPECT_EQ(runs.entry(open, TrainedRun{open, state, "", 0}).words, words);
  EXPECT_EQ(runs.entry(stopped, TrainedRun{stopped, S::Training, "", 0}).words, "stopped")
      << "its end says so";
}

TEST(RunList, TheConfigurationIsComparedWithTheBaselineKeyByKey) {
  Runs runs;
  const std::uint32_t a = runs.add("a", 10, test::finished(), {{"spark", {{"tau", 0.5}, {"rank", 32}}}});
  const std::uint32_t b = runs.add("b", 10, test::finished(), {{"spark", {{"tau", 0.25}, {"kappa", 1}}}});
  EXPECT_TRUE(runs.entry(b).changes.empty()) << "no baseline is pinned";
  runs.selection.comparison.baseline = a;
  const RunEntry entry = runs.entry(b);
  ASSERT_EQ(entry.changes.size(), 3u);
  EXPECT_EQ(changes_in_words(entry.changes, 8), "spark.kappa — → 1, spark.rank 32 → —, spark.tau 0.5 → 0.25");
  EXPECT_EQ(changes_in_words(entry.changes, 1), "spark.kappa — → 1, 2 more");
  EXPECT_TRUE(runs.entry(a).is_baseline);
  EXPECT_TRUE(runs.entry(a).changes.empty());
  EXPECT_TRUE(config_changes("no json", "{}").empty());
}

TEST(RunList, FilterNamesAndHidingDecideWhatIsListed) {
  Runs runs;
  const std::uint32_t dense = runs.add("dense", 3), spark = runs.add("spark", 3),
                      last = runs.add("spark deep", 3);
  EXPECT_EQ(listed_runs(runs.timeline, runs.settings), (std::vector<std::uint32_t>{dense, spark, last}));
  runs.settings.filter = "SPARK";
  EXPECT_EQ(listed_runs(runs.timeline, runs.settings), (std::vector<std::uint32_t>{spark, last}));
  runs.timeline.find(dense)->call("my spark baseline");
  EXPECT_EQ(listed_runs(runs.timeline, runs.settings).front(), dense) << "the person's name counts";
  EXPECT_EQ(runs.entry(dense).name, "my spark baseline");
  EXPECT_EQ(runs.entry(dense).title, "dense, seed 7") << "the recording keeps its own";
  runs.settings.tags[last] = {"good"};
  EXPECT_EQ(numbers_in_words(runs.entry(last)).find(" · #good") != std::string::npos, true);
  runs.settings.filter = "#GOOD";
  EXPECT_EQ(listed_runs(runs.timeline, runs.settings), std::vector<std::uint32_t>{last});
  runs.settings.filter = "SPARK";
  runs.settings.hidden.insert(dense);
  EXPECT_EQ(listed_runs(runs.timeline, runs.settings).size(), 2u);
  runs.settings.shows_hidden = true;
  EXPECT_EQ(listed_runs(runs.timeline, runs.settings).size(), 3u);
}

TEST(RunList, TheTwinHasOneRowARunAndCountsWhatIsHidden) {
  Runs runs;
  runs.add("a", 200);
  const std::uint32_t b = runs.add("b", 10, trace::RunEnd{trace::RunStatus::Failed, "the disk is full"});
  const std::uint32_t c = runs.add("c", 10);
  runs.settings.hidden.insert(c);
  runs.selection.comparison.baseline = b;
  const Twin twin = run_list_twin(runs.timeline, runs.selection, runs.settings, {});
  ASSERT_EQ(twin.table.rows.size(), 2u);
  for (const auto& row : twin.table.rows) EXPECT_EQ(row.size(), twin.table.header.size());
  EXPECT_EQ(twin.table.rows[1][8], "baseline");
  EXPECT_EQ(twin.lines,
            (std::vector<std::string>{"b, seed 7: the disk is full", "1 of 3 runs are not listed"}));
}

// --- the panel ---
struct Screen {
  explicit Screen(Runs& runs_) : runs(runs_) {}
  DrawHash draw(int frames = 3, float height = 400) {
    DrawHash hash;
    for (int i = 0; i < frames; ++i) {
      runs.selection.begin_frame();
      hash = screen.frame([&] {
        ViewContext context{runs.timeline, runs.selection};
        context.run_command = [&](std::string_view id) { asked.emplace_back(id); };
        context.run_command_with = [&](std::string_view id, const std::string& value) {
          asked.push_back(std::string(id) + " " + value);
        };
        context.why_disabled = [](std::string_view) { return std::string(); };
        panel.draw_runs(context, {}, height);
      });
    }
    return hash;
  }
  void click(ImVec2 at, int button = 0) {
    screen.io().AddMousePosEvent(at.x, at.y);
    draw(2);
    screen.io().AddMouseButtonEvent(button, true);
    draw(1);
    screen.io().AddMouseButtonEvent(button, false);
    draw(2);
  }
  Runs& runs;
  test::NullScreen screen{{300, 700}};
  RunListPanel panel;
  std::vector<std::string> asked;
};

TEST(RunListPanel, TenThousandRunsDrawOnlyTheRowsInSight) {
  Runs runs;
  trace::Schema schema = *SmallRun().schema;
  for (int i = 0; i < 10'000; ++i) {
    schema.title = "run " + std::to_string(i);
    runs.timeline.add_run({test::mailbox_with(std::make_shared<const trace::Schema>(schema), {})});
  }
  runs.timeline.drain_all();
  Screen screen(runs);
  const DrawHash all = screen.draw();
  EXPECT_LT(all.vertices, 5'000);
  screen.screen.io().AddMousePosEvent(screen.screen.content_min.x + 50, screen.screen.content_min.y + 50);
  screen.draw(1);
  screen.screen.io().AddMouseWheelEvent(0, -2000);
  const DrawHash scrolled = screen.draw(30);
  EXPECT_NE(scrolled.value, all.value);
  EXPECT_LT(scrolled.vertices, 5'000);
  screen.panel.settings.filter = "run 9999";
  EXPECT_LT(screen.draw().vertices, scrolled.vertices);
}

TEST(RunListPanel, AClickSelectsAndCtrlClickCompares) {
  Runs runs;
  runs.add("a", 5);
  const std::uint32_t second = runs.add("b", 5);
  Screen screen(runs);
  screen.draw();
  const ImVec2 place{screen.screen.content_min.x + px(60), screen.screen.content_min.y + px(46) + px(20)};
  screen.click(place);
  EXPECT_EQ(runs.selection.run, second);
  EXPECT_TRUE(screen.asked.empty());
  screen.screen.io().AddKeyEvent(ImGuiMod_Ctrl, true);
  screen.click(place);
  screen.screen.io().AddKeyEvent(ImGuiMod_Ctrl, false);
  EXPECT_EQ(screen.asked, std::vector<std::string>{"run.compare_with b, seed 7"});
  EXPECT_TRUE(runs.selection.comparison.beside.empty()) << "only the command compares, and knows the limit";
}

TEST(RunListPanel, RenamingAsksForTheNameAndEscLeavesIt) {
  Runs runs;
  const std::uint32_t id = runs.add("a", 5);
  Screen screen(runs);
  screen.draw();
  screen.panel.begin_rename(runs.timeline, *runs.timeline.find(id));
  screen.draw();
  screen.screen.io().AddInputCharactersUTF8("best one");
  screen.draw(2);
  screen.screen.io().AddKeyEvent(ImGuiKey_Enter, true);
  screen.screen.io().AddKeyEvent(ImGuiKey_Enter, false);
  screen.draw();
  EXPECT_EQ(screen.asked, std::vector<std::string>{"run.set_name best one"});
  EXPECT_FALSE(screen.panel.is_renaming());
  screen.panel.begin_rename(runs.timeline, *runs.timeline.find(id));
  screen.draw();
  screen.screen.io().AddInputCharactersUTF8("worse");
  screen.draw(2);
  screen.screen.io().AddKeyEvent(ImGuiKey_Escape, true);
  screen.screen.io().AddKeyEvent(ImGuiKey_Escape, false);
  screen.draw();
  EXPECT_EQ(screen.asked.size(), 1u);
  EXPECT_FALSE(screen.panel.is_renaming());
}

TEST(RunListPanel, EveryStateLooksDifferent) {
  std::vector<std::uint64_t> seen;
  const auto look = [&](const std::function<void(Runs&, RunListPanel&)>& arrange) {
    Runs runs;
    Screen screen(runs);
    arrange(runs, screen.panel);
    seen.push_back(screen.draw().value);
  };
  look([](Runs& runs, RunListPanel&) { runs.add("a", 60); });
  look([](Runs& runs, RunListPanel&) {
    runs.add("a", 60, trace::RunEnd{trace::RunStatus::Failed, "the disk is full"});
  });
  look([](Runs& runs, RunListPanel&) { runs.add("a", 60, trace::RunEnd{trace::RunStatus::Unclosed, ""}); });
  look([](Runs& runs, RunListPanel&) { runs.add("a", 60, std::nullopt); });
  look([](Runs& runs, RunListPanel&) {
    runs.selection.comparison.baseline = runs.add("a", 60);
    runs.add("b", 60, test::finished(), {{"spark", {{"tau", 0.25}}}});
  });
  look([](Runs& runs, RunListPanel& panel) {
    runs.add("a", 60);
    panel.settings.filter = "nothing";
  });
  look([](Runs& runs, RunListPanel& panel) { panel.settings.hidden.insert(runs.add("a", 60)); });
  look([](Runs& runs, RunListPanel& panel) {
    panel.settings.hidden.insert(runs.add("a", 60));
    panel.settings.shows_hidden = true;
  });
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
}

// --- channels ---
struct Channels {
  Channels() {
    Feed feed;
    feed.mailbox = test::mailbox_with(source.schema, source.frames(61));
    timeline.add_run(std::move(feed));
    timeline.drain_all();
  }
  std::vector<ChannelRow> rows(std::uint64_t step, ChannelSettings settings = {}) {
    return channel_rows(*timeline.runs().front(), step, settings);
  }
  SparkRun source;
  Timeline timeline;
};

TEST(ChannelTree, FoldedItListsChannelsWithShapeAndCadence) {
  Channels channels;
  const auto rows = channels.rows(60);
  ASSERT_EQ(rows.size(), channels.source.schema->channels.size());
  const auto threshold = std::ranges::find(rows, "threshold", &ChannelRow::label);
  ASSERT_NE(threshold, rows.end());
  EXPECT_EQ(threshold->shape, "2 × 4");
  EXPECT_EQ(threshold->detail, "f32, every step");
  EXPECT_TRUE(threshold->can_open);
  const auto edges = std::ranges::find(rows, "edges", &ChannelRow::label);
  EXPECT_EQ(edges->shape, "4 rows");
  EXPECT_FALSE(edges->can_open);
  const auto events = std::ranges::find(rows, "events", &ChannelRow::label);
  EXPECT_FALSE(events->is_here);
  EXPECT_NE(events->detail.find("nothing recorded up to this step"), std::string::npos);
}

TEST(ChannelTree, UnfoldedItShowsEveryElementWithItsValueAtTheCursor) {
  Channels channels;
  ChannelSettings settings;
  settings.open.insert("threshold");
  const auto rows = channels.rows(30, settings);
  EXPECT_EQ(rows.size(), channels.source.schema->channels.size() + 8);
  const auto theta = std::ranges::find(rows, "layer 1, theta", &ChannelRow::label);
  ASSERT_NE(theta, rows.end());
  EXPECT_EQ(theta->value, format_number(channels.source.theta(30, 1)));
  EXPECT_EQ(theta->element, 4u);
}

TEST(ChannelTree, TheFilterFindsChannelsElementsUnitsAndCadences) {
  Channels channels;
  ChannelSettings settings;
  settings.filter = "theta_sig";
  EXPECT_TRUE(channels.rows(30, settings).empty()) << "labels are read as words";
  settings.filter = "theta sigmas";
  const auto found = channels.rows(30, settings);
  ASSERT_EQ(found.size(), 3u) << "the channel and its element of either layer";
  EXPECT_EQ(found[0].label, "threshold");
  EXPECT_EQ(found[2].label, "layer 1, theta sigmas");
  settings.filter = "every 20 steps";
  ASSERT_EQ(channels.rows(30, settings).size(), 1u);
  EXPECT_EQ(channels.rows(30, settings)[0].label, "edges");
  settings.filter = "DENSITY";
  EXPECT_EQ(channels.rows(30, settings).size(), 1u) << "named, so not unfolded";
}

TEST(ChannelTree, AClickUnfoldsAndAClickOnAnElementAsksForItsTrack) {
  Channels channels;
  Selection selection;
  test::NullScreen screen({300, 700});
  RunListPanel panel;
  std::vector<std::pair<std::uint32_t, std::size_t>> asked;
  const auto draw = [&](int frames) {
    DrawHash hash;
    for (int i = 0; i < frames; ++i) {
      hash = screen.frame([&] {
        ViewContext context{channels.timeline, selection};
        panel.draw_channels(
            context, *channels.timeline.runs().front(), 600,
            [&](std::uint32_t channel, std::size_t element) { asked.emplace_back(channel, element); });
      });
    }
    return hash;
  };
  const auto click = [&](float row) {
    screen.io().AddMousePosEvent(screen.content_min.x + px(60), screen.content_min.y + px(24 * row + 12));
    draw(2);
    screen.io().AddMouseButtonEvent(0, true);
    draw(1);
    screen.io().AddMouseButtonEvent(0, false);
    draw(2);
  };
  draw(3);
  click(1);
  EXPECT_TRUE(panel.channels.open.contains("threshold"));
  click(2);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].first, channels.source.schema->find("threshold")->id);
  EXPECT_EQ(asked[0].second, 0u);
  click(1);
  EXPECT_TRUE(panel.channels.open.empty());
}

}  // namespace
}  // namespace sparsescope::viz
