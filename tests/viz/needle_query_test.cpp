// Needle retrieval in numbers and words.
#include "viz/model/needle_query.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/trace/text.h"
#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

using test::SparkRun;

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

// Frames whose evaluations are made by hand.
struct Stage {
  // An evaluation at `step`: by context, the cells of all five depths alike; a context without trials is left
  // out.
  struct Context {
    float signal = 0, error = 0, exact = 0;
    float trials = 0;
  };
  void add(std::uint64_t step, const std::vector<Context>& contexts,
           const std::vector<std::string>& events = {}) {
    test::SparkOptions options;
    auto frame = std::make_shared<trace::Frame>();
    frame->row = next_row++;
    frame->step = step;
    frame->mono_nanos = static_cast<std::int64_t>(step) * 1'000'000;
    std::vector<float> values;
    for (const Context& context : contexts) {
      for (int depth = 0; depth < 5; ++depth) {
        if (context.trials == 0) {
          values.insert(values.end(), 6, kNone);
        } else {
          values.insert(values.end(),
                        {context.signal, context.error, 4.f, context.exact, context.exact, context.trials});
        }
      }
    }
    if (!contexts.empty()) trace::add_values<float>(*frame, source.schema->find("needle")->id, values);
    if (!events.empty()) trace::add_texts(*frame, source.schema->find("events")->id, events);
    mailbox->on_frame(frame);
    timeline.drain_all();
  }
  Stage() {
    mailbox->on_schema(source.schema);
    timeline.add_run({mailbox});
    timeline.drain_all();
  }
  NeedlePicture query(NeedleSettings settings = {}) {
    return needle_query({timeline, *timeline.runs().front()}, settings);
  }

  SparkRun source;
  std::shared_ptr<trace::Mailbox> mailbox =
      std::make_shared<trace::Mailbox>(std::size_t{1} << 26, trace::Overflow::DropOldest);
  Timeline timeline;
  std::uint64_t next_row = 0;
};

TEST(Wilson, GivesTheKnownIntervals) {
  const auto percent = [](double share, std::int64_t trials) {
    const Range interval = wilson_interval(share, trials);
    return std::pair(std::lround(100 * interval.minimum), std::lround(100 * interval.maximum));
  };
  EXPECT_EQ(percent(0, 20), (std::pair<long, long>{0, 16}));
  EXPECT_EQ(percent(0.5, 20), (std::pair<long, long>{30, 70}));
  EXPECT_EQ(percent(1, 20), (std::pair<long, long>{84, 100}));
  EXPECT_EQ(percent(0, 5), (std::pair<long, long>{0, 43}));
  EXPECT_EQ(percent(0.2, 5), (std::pair<long, long>{4, 62}));
  EXPECT_EQ(percent(0.8, 5), (std::pair<long, long>{38, 96}));
  EXPECT_TRUE(std::isnan(wilson_interval(0.5, 0).minimum));
}

TEST(TwoErrors, DecideWhatIsToldFromZero) {
  EXPECT_TRUE(is_distinguishable(0.2, 0.1));
  EXPECT_TRUE(is_distinguishable(-0.2, 0.1));
  EXPECT_FALSE(is_distinguishable(0.19, 0.1));
  EXPECT_FALSE(is_distinguishable(0.5, 0)) << "one trial has no error";
  EXPECT_FALSE(is_distinguishable(kNone, 0.1));
}

TEST(NeedleMean, IsUnweightedOverDepthsWithTheErrorOfTheirSum) {
  const std::vector<NeedleCell> cells = {{1, 0.3, 4, 0, 0, 10}, {3, 0.4, 6, 0, 0, 20}, {}};
  const NeedleMean mean = mean_over_depths(cells);
  EXPECT_DOUBLE_EQ(mean.signal, 2);
  EXPECT_DOUBLE_EQ(mean.standard_error, 0.25);
  EXPECT_DOUBLE_EQ(mean.nll_without, 5);
  EXPECT_EQ(mean.trials, 30);
  EXPECT_FALSE(mean_over_depths(std::vector<NeedleCell>(3)).is_known());
}

TEST(NeedleQuery, SaysWhatHelpsWhatDistractsAndWhatCannotBeTold) {
  Stage stage;
  stage.add(100, {{0.5f, 0.1f, 0.25f, 64}, {-0.4f, 0.1f, 0, 64}, {0.01f, 0.1f, 0, 64}});
  EXPECT_EQ(stage.query().takeaway,
            "1x +0.500 ± 0.045 nats, the needle helps; 4x −0.400 ± 0.045 nats, the needle distracts; "
            "16x +0.010 ± 0.045 nats, not distinguishable from 0");
  stage.add(200, {{0.01f, 0.1f, 0, 64}, {0, 0, 0, 0}, {0, 0, 0, 0}});
  stage.timeline.cursor().seek(200);
  const NeedlePicture later = stage.query();
  EXPECT_EQ(later.runs.at(0).contexts.at(0).step, 200u);
  EXPECT_EQ(later.runs[0].contexts[1].step, 100u) << "its latest evaluation, named by its step";
}

TEST(NeedleQuery, AContextThatWasNotEvaluatedIsNotANumberAndSaidSo) {
  Stage stage;
  stage.add(10, {}, {R"({"kind":"note","text":"needle at 16x is not applicable: it needs 2048 tokens"})"});
  stage.add(100, {{0.f, 0.1f, 0, 8}, {}, {}});
  NeedlePicture picture = stage.query();
  EXPECT_EQ(picture.takeaway,
            "No signal to tell from 0 yet: 1x 0.000 ± 0.045 nats; 4x and 16x not evaluated");
  EXPECT_EQ(picture.runs.at(0).contexts.at(1).missing, "not evaluated");
  EXPECT_EQ(picture.runs[0].contexts[2].missing, "not applicable: it needs 2048 tokens");
  EXPECT_FALSE(picture.runs[0].contexts[1].cells.at(0).is_evaluated());
  stage.add(150, {},
            {R"({"kind":"warning","what":"evaluation","context":4,"text":"out of memory: given up"})"});
  picture = stage.query();
  EXPECT_EQ(picture.runs.at(0).contexts.at(1).missing, "out of memory: given up");
  stage.add(160, {{}, {0.f, 0.1f, 0, 8}, {}});
  EXPECT_TRUE(stage.query().runs.at(0).contexts.at(1).missing.empty())
      << "a later evaluation takes its place";
}

TEST(NeedleQuery, ContextsThatComeOneByOneFillTheGrid) {
  Stage stage;
  stage.add(100, {{0.5f, 0.1f, 1, 20}, {}, {}});
  EXPECT_FALSE(stage.query().runs.at(0).contexts.at(1).step.has_value());
  stage.add(100, {{}, {0.3f, 0.1f, 0.5f, 20}, {}});
  const NeedlePicture picture = stage.query();
  EXPECT_TRUE(picture.runs.at(0).contexts.at(0).step.has_value());
  EXPECT_TRUE(picture.runs[0].contexts.at(1).step.has_value());
  EXPECT_EQ(picture.tracks.at(0).lines.size(), 2u);
}

TEST(NeedleQuery, BeforeTheFirstEvaluationItSaysSoAndKeepsTheStepsPane) {
  Stage stage;
  stage.add(10, {});
  stage.add(100, {{0.5f, 0.1f, 1, 20}, {}, {}});
  stage.timeline.cursor().seek(50);
  const NeedlePicture picture = stage.query();
  EXPECT_EQ(picture.state, PictureState::Ready);
  EXPECT_EQ(picture.takeaway, "Nothing evaluated at or before this step");
  EXPECT_EQ(picture.tracks.at(0).lines.size(), 1u);
}

TEST(NeedleQuery, WithoutAnEvaluationItOffersOne) {
  Stage waiting;
  waiting.add(10, {});
  EXPECT_EQ(waiting.query().state, PictureState::Waiting);
  EXPECT_EQ(waiting.query().words, "First evaluation expected at step 50");
  waiting.mailbox->on_end(test::finished());
  waiting.timeline.drain_all();
  const NeedlePicture ended = waiting.query();
  EXPECT_EQ(ended.state, PictureState::Empty);
  EXPECT_EQ(ended.words, "No retrieval evaluation recorded");
  ASSERT_TRUE(ended.action.has_value());
  EXPECT_EQ(ended.action->command, "train.evaluate");
}

TEST(NeedleQuery, AShareOfTheCeilingIsTheSignalOverTheLossWithoutTheNeedle) {
  Stage stage;
  stage.add(100, {{1.f, 0.1f, 1, 20}, {}, {}});
  const NeedlePicture picture = stage.query({.as_share = true});
  EXPECT_DOUBLE_EQ(picture.tracks.at(0).lines.at(0).columns.at(0).bucket.last, 0.25);
  EXPECT_NE(picture.takeaway.find("1x +25.0 ± 1.1 % of the ceiling"), std::string::npos) << picture.takeaway;
}

TEST(NeedleQuery, ZeroIsAlwaysInTheFrameAndBold) {
  Stage stage;
  stage.add(100, {{3.f, 0.1f, 1, 20}, {}, {}});
  const NeedlePicture picture = stage.query();
  EXPECT_LE(picture.tracks.at(0).y.minimum, 0);
  EXPECT_LE(picture.signal_y.minimum, 0);
  EXPECT_GE(picture.signal_y.maximum, 3);
  ASSERT_EQ(picture.tracks[0].levels.size(), 1u);
  EXPECT_EQ(picture.tracks[0].levels[0].y, 0);
  EXPECT_EQ(picture.tracks[0].levels[0].weight, Weight::Strong);
}

TEST(NeedleQuery, TheNeedleInForceIsTheOneInjectedLast) {
  Stage stage;
  stage.add(10, {}, {R"({"kind":"needle_injected","depth":0.3,"ids":[1,2],"positions":[7,20]})"});
  stage.add(20, {}, {R"({"kind":"needle_injected","depth":-1,"ids":[],"positions":[]})"});
  const viz::Run& run = *stage.timeline.runs().front();
  EXPECT_FALSE(injected_needle(run, 9).has_value());
  ASSERT_TRUE(injected_needle(run, 15).has_value());
  EXPECT_EQ(injected_needle(run, 15)->depth, 0.3);
  EXPECT_EQ(injected_needle(run, 15)->positions, (std::vector<std::int64_t>{7, 20}));
  EXPECT_FALSE(injected_needle(run, 20).has_value());
}

TEST(NeedleDifference, SubtractsAStepWithTheErrorOfBoth) {
  Stage stage;
  stage.add(100, {{0.1f, 0.3f, 0.5f, 20}, {0.2f, 0.1f, 0, 20}, {}});
  stage.add(200, {{1.2f, 0.4f, 0.5f, 8}, {0.3f, 0.1f, 0, 20}, {0.5f, 0.1f, 0, 20}});
  NeedleSettings settings;
  settings.show_difference = true;
  settings.against_step = 100;
  const NeedlePicture picture = stage.query(settings);
  ASSERT_TRUE(picture.difference.is_shown());
  const NeedleDelta& first = picture.difference.cells.at(0).at(0);
  EXPECT_NEAR(first.delta(), 1.1, 1e-6);
  EXPECT_NEAR(first.standard_error, 0.5, 1e-6);
  EXPECT_EQ(first.trials, 8);
  EXPECT_TRUE(first.is_beyond_error());
  EXPECT_FALSE(picture.difference.cells[1].at(0).is_beyond_error());
  EXPECT_FALSE(picture.difference.cells[2].at(0).is_known()) << "only one of both was evaluated";
  EXPECT_DOUBLE_EQ(picture.difference.limits.minimum, -picture.difference.limits.maximum);
  EXPECT_NEAR(picture.difference.limits.maximum, 1.1, 1e-6);
  EXPECT_NE(
      picture.takeaway.find(
          "step 200 − step 100: 5 of 10 cells beyond 2 SE, the strongest +1.10 ± 0.50 nats at 1x, depth 0.1"),
      std::string::npos)
      << picture.takeaway;
}

TEST(NeedleDifference, ColoursEndAtAChosenLimitElseAtTheCommonOneAndTheTwinSaysWhich) {
  Stage stage;
  stage.add(100, {{0.1f, 0.3f, 0.5f, 20}, {}, {}});
  stage.add(200, {{1.2f, 0.1f, 0.5f, 20}, {}, {}});
  NeedleSettings settings;
  settings.show_difference = true;
  settings.against_step = 100;
  settings.common_limit = 4;
  const NeedlePicture together = stage.query(settings);
  EXPECT_EQ(together.difference.limits.minimum, -4);
  EXPECT_EQ(together.difference.limits.maximum, 4);
  EXPECT_NEAR(together.difference.data_limit, 1.1, 1e-6) << "what the data have does not change";
  EXPECT_NE(text_of(twin_of(together)).find("the same for all that is seen together"), std::string::npos);
  settings.limit = 0.5;
  const NeedlePicture chosen = stage.query(settings);
  EXPECT_EQ(chosen.difference.limits.maximum, 0.5);
  EXPECT_NE(text_of(twin_of(chosen)).find("limits −0.5 to +0.5 nats, an end that was chosen"),
            std::string::npos)
      << text_of(twin_of(chosen));
}

TEST(NeedleDifference, AStepAgainstItselfIsZeroAndSaidToBeWithinTheError) {
  Stage stage;
  stage.add(100, {{0.5f, 0.1f, 0.5f, 20}, {}, {}});
  NeedleSettings settings;
  settings.show_difference = true;
  settings.against_step = 100;
  const NeedlePicture picture = stage.query(settings);
  EXPECT_EQ(picture.difference.cells.at(0).at(0).delta(), 0);
  EXPECT_NE(picture.takeaway.find("all 5 cells within 2 SE of 0"), std::string::npos) << picture.takeaway;
}

TEST(NeedleDifference, WithoutABaselineItSaysWhatToDoAndShowsTheAnswers) {
  Stage stage;
  stage.add(100, {{0.5f, 0.1f, 0.5f, 20}, {}, {}});
  NeedleSettings settings;
  settings.show_difference = true;
  const NeedlePicture picture = stage.query(settings);
  EXPECT_FALSE(picture.difference.is_shown());
  EXPECT_NE(picture.takeaway.find("No difference: pick a second run"), std::string::npos) << picture.takeaway;
  const std::string text = text_of(twin_of(picture));
  EXPECT_NE(text.find("accuracy\t"), std::string::npos);
  EXPECT_EQ(text.find("difference\tB − A"), std::string::npos);
}

TEST(NeedleDifference, TheTwinTellsEveryCellOfTheGrid) {
  Stage stage;
  stage.add(100, {{0.1f, 0.3f, 0.5f, 20}, {0.2f, 0.1f, 0, 20}, {}});
  stage.add(200, {{1.6f, 0.4f, 0.5f, 20}, {0.3f, 0.1f, 0, 20}, {}});
  NeedleSettings settings;
  settings.show_difference = true;
  settings.against_step = 100;
  const Twin twin = twin_of(stage.query(settings));
  std::int64_t rows = 0, within = 0;
  for (const auto& row : twin.table.rows) {
    ASSERT_EQ(row.size(), twin.table.header.size());
    if (row[0] != "difference") continue;
    ++rows;
    within += row.back() == "within 2 SE of 0";
    EXPECT_NEAR(std::stod(row[9]) - std::stod(row[8]), 2 * std::stod(row[7]), 1e-6);
  }
  EXPECT_EQ(rows, 10);
  EXPECT_EQ(within, 5);
  EXPECT_NE(text_of(twin).find("limits −1.5 to +1.5 nats"), std::string::npos) << text_of(twin);
}

TEST(NeedleTwin, HasARowForEveryMarkOfThePicture) {
  Stage stage;
  stage.add(50, {{0.5f, 0.1f, 0.5f, 8}, {0.1f, 0.1f, 0, 8}, {}});
  stage.add(100, {{0.7f, 0.1f, 0.5f, 8}, {}, {}});
  const NeedlePicture picture = stage.query();
  const Twin twin = twin_of(picture);
  const auto rows = [&](const std::string& pane, const std::string& context) {
    std::int64_t count = 0;
    for (const auto& row : twin.table.rows) count += row.at(0) == pane && row.at(2) == context;
    return count;
  };
  EXPECT_EQ(rows("signal by depth", "1x"), 5);
  EXPECT_EQ(rows("signal by depth", "16x"), 5) << "what is missing is a row too";
  EXPECT_EQ(rows("accuracy", "1x"), 5);
  EXPECT_EQ(rows("accuracy", "16x"), 0);
  EXPECT_EQ(rows("signal over steps", "1x"), 2);
  EXPECT_EQ(rows("signal over steps", "4x"), 1);
  for (const auto& row : twin.table.rows) ASSERT_EQ(row.size(), twin.table.header.size());
  const auto& first = twin.table.rows.front();
  EXPECT_EQ(first[4], "100");
  EXPECT_NEAR(std::stod(first[5]), picture.runs.at(0).contexts.at(0).cells.at(0).signal, 1e-6);
  const std::string text = text_of(twin);
  EXPECT_NE(text.find("fewer than 20 trials"), std::string::npos);
  EXPECT_NE(text.find("not distinguishable from 0"), std::string::npos);
  EXPECT_NE(text.find("16x, 384 tokens: not evaluated"), std::string::npos);
}

}  // namespace
}  // namespace sparsescope::viz
