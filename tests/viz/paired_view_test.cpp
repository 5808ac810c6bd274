// Two views of one kind side by side: whose run and step each shows, cameras that follow each other, and the
// twin of both.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::viz {
namespace {

// Two runs of 61 steps; the first one is looked at.
struct Pair {
  explicit Pair(const std::string& view_id = "routing") : view(test::make_view(view_id)) {
    for (std::uint64_t seed : {1, 2}) {
      test::SparkRun source({.seed = seed});
      Feed feed;
      feed.mailbox = test::mailbox_with(source.schema, source.frames(61));
      feed.mailbox->on_end(test::finished());
      timeline.add_run(std::move(feed));
    }
    timeline.drain_all();
    selection.run = 0;
  }
  DrawHash draw(int frames = 3) { return test::draw_view(screen, *view, timeline, selection, frames); }
  std::string text() {
    ViewContext context{timeline, selection};
    return view->text_twin(context);
  }
  bool says(const std::string& words) { return text().find(words) != std::string::npos; }
  void wheel(float share_of_width) {
    screen.io().AddMousePosEvent(screen.content_min.x + share_of_width * screen.content_size.x,
                                 screen.content_min.y + screen.content_size.y * 0.6f);
    draw(2);
    screen.io().AddMouseWheelEvent(0, 3);
    draw(3);
  }
  // Of the pane looked at and of the other; null: it shows everything.
  nlohmann::json camera() const { return view->settings().value("camera", nlohmann::json()); }
  nlohmann::json camera_beside() const {
    return view->settings()
        .value("beside_camera", nlohmann::json::object())
        .value("camera", nlohmann::json());
  }

  test::NullScreen screen{{1400, 800}};
  Timeline timeline;
  Selection selection;
  std::unique_ptr<View> view;
};

TEST(SideBySide, ShowsTheBaselineOnTheLeftAndTheTwinNamesTheSideOfEveryRow) {
  Pair pair;
  pair.selection.comparison.baseline = 1;
  const DrawHash alone = pair.draw();
  pair.view->set_settings({{"side_by_side", true}});
  EXPECT_NE(pair.draw().value, alone.value);
  const std::string text = pair.text();
  EXPECT_NE(text.find("side by side"), std::string::npos) << text.substr(0, 400);
  const std::size_t a = text.find("\nA: "), b = text.find("\nB: ");
  ASSERT_NE(a, std::string::npos);
  ASSERT_NE(b, std::string::npos);
  EXPECT_NE(text.find("\nside\t"), std::string::npos);
  EXPECT_NE(text.find("\nA\t"), std::string::npos);
  EXPECT_LT(text.find("\nA\t"), text.find("\nB\t"));
  EXPECT_TRUE(pair.says(", baseline"));
  pair.view->set_settings({{"side_by_side", false}});
  EXPECT_EQ(pair.draw().value, alone.value);
}

TEST(SideBySide, WithoutASecondRunSaysThatOneIsToBePicked) {
  Pair pair;
  pair.view->set_settings({{"side_by_side", true}});
  const DrawHash missing = pair.draw();
  EXPECT_TRUE(pair.says("Pick a second run"));
  pair.selection.comparison.beside = {1};
  EXPECT_NE(pair.draw().value, missing.value);
  EXPECT_FALSE(pair.says("Pick a second run"));
}

TEST(SideBySide, TwoStepsOfOneRunStandBesideEachOther) {
  Pair pair;
  pair.timeline.cursor().seek(60);
  pair.view->set_settings({{"side_by_side", true}, {"beside_step", 20}});
  pair.draw();
  EXPECT_TRUE(pair.says("A: held at step 20"));
  EXPECT_TRUE(pair.says("B: at the cursor, step 60"));
  const std::string text = pair.text();
  EXPECT_NE(text.find("step 20"), std::string::npos);
  EXPECT_EQ(pair.view->settings()["beside_step"], 20);
}

// "score − θ from -0.4 to 1.2" of every pane, in their order.
std::vector<std::string> colour_ranges(const std::string& text) {
  std::vector<std::string> ranges;
  for (std::size_t at = text.find("score − θ from "); at != std::string::npos;
       at = text.find("score − θ from ", at + 1))
    ranges.push_back(text.substr(at, text.find_first_of(";\n", at) - at));
  return ranges;
}

TEST(SideBySide, MapsThatAreSeenTogetherHaveOneScaleAndAlonePanesTheirOwn) {
  Pair pair("declarations");
  pair.timeline.cursor().seek(60);
  pair.draw();
  const std::string alone = colour_ranges(pair.text()).at(0);
  const std::optional<double> own = pair.view->data_limit();
  ASSERT_TRUE(own.has_value());
  pair.view->set_settings({{"side_by_side", true}, {"beside_step", 10}});
  pair.draw(6);
  const std::vector<std::string> together = colour_ranges(pair.text());
  ASSERT_EQ(together.size(), 2u);
  EXPECT_EQ(together[0], together[1]);
  EXPECT_NE(together[0].find("the same for all that is seen together"), std::string::npos) << together[0];
  EXPECT_GE(*pair.view->data_limit(), *own) << "the larger of both";

  pair.view->set_settings({{"side_by_side", false}});
  pair.draw(6);
  EXPECT_EQ(colour_ranges(pair.text()).at(0), alone);
  // Of frames of a film, say; a limit of its own goes before.
  pair.view->set_common_limit(40);
  pair.draw();
  EXPECT_NE(colour_ranges(pair.text()).at(0).find("to 40, the same"), std::string::npos)
      << colour_ranges(pair.text()).at(0);
  EXPECT_EQ(pair.view->data_limit(), own) << "what the data have does not change";
  pair.view->set_settings({{"limit", 7.0}});
  pair.draw();
  EXPECT_NE(colour_ranges(pair.text()).at(0).find("to 7, an end that was chosen"), std::string::npos)
      << colour_ranges(pair.text()).at(0);
}

TEST(SideBySide, LinkedCamerasFollowEachOtherAndUnlinkedOnesDoNot) {
  Pair pair;
  pair.selection.comparison.beside = {1};
  pair.view->set_settings({{"side_by_side", true}});
  pair.draw();
  pair.wheel(0.75f);  // over the right pane, which is the other run's
  ASSERT_FALSE(pair.camera().is_null()) << "the left one followed";
  const nlohmann::json linked = pair.camera();
  pair.view->set_settings(
      {{"link_cameras", false}, {"camera", linked}, {"beside_camera", {{"camera", linked}}}});
  pair.draw();
  EXPECT_EQ(pair.camera_beside(), linked);
  pair.wheel(0.25f);
  EXPECT_NE(pair.camera(), linked);
  EXPECT_EQ(pair.camera_beside(), linked) << "the right one stayed";
  const nlohmann::json own = pair.camera();
  nlohmann::json settings = pair.view->settings();
  settings["link_cameras"] = true;
  pair.view->set_settings(settings);
  pair.draw();
  EXPECT_EQ(pair.camera(), own) << "linked again, the other comes to this one";
  settings = pair.view->settings();
  EXPECT_FALSE(settings.contains("beside_camera"));
}

TEST(SideBySide, WhatIsSetInOnePaneIsSetInBothAndComesBackFromJson) {
  Pair pair;
  pair.selection.comparison.beside = {1};
  pair.view->set_settings(
      {{"side_by_side", true}, {"link_cameras", false}, {"layout", 1}, {"threshold", 0.1}});
  pair.draw();
  const nlohmann::json kept = pair.view->settings();
  auto other = test::make_view("routing");
  other->set_settings(kept);
  EXPECT_EQ(other->settings(), kept);
  EXPECT_EQ(test::draw_view(pair.screen, *other, pair.timeline, pair.selection).value, pair.draw().value);
  other->set_settings({{"side_by_side", 3}, {"beside_step", "no"}, {"link_cameras", -1}});
  EXPECT_EQ(other->settings()["side_by_side"], true);
}

TEST(SideBySide, AReplayShowsTheOtherRunAtTheSameStep) {
  Pair pair;
  pair.selection.comparison.beside = {1};
  pair.view->set_settings({{"side_by_side", true}});
  pair.timeline.cursor().seek(40);
  pair.draw();
  EXPECT_TRUE(pair.says("A: spark run, step 40") || pair.says(", step 40")) << pair.text().substr(0, 600);
  const std::string at_40 = pair.text();
  pair.timeline.cursor().seek(20);
  pair.draw();
  EXPECT_NE(pair.text(), at_40);
}

TEST(SideBySide, TheOtherRunTakesThePlaceOfThisOneAndGoesAgain) {
  Pair pair;
  pair.selection.comparison.beside = {1};
  const DrawHash own = pair.draw();
  pair.view->set_settings({{"other_run", true}});
  EXPECT_NE(pair.draw().value, own.value);
  EXPECT_TRUE(pair.says("\nB\t"));
  EXPECT_FALSE(pair.says("\nA\t"));
  pair.selection.comparison = {};
  pair.draw();
  EXPECT_FALSE(pair.says("\nB\t")) << "without another run it shows its own";
  pair.selection.comparison.beside = {1};
  pair.view->set_settings({{"other_run", false}});
  EXPECT_EQ(pair.draw().value, own.value);
}

TEST(SideBySide, EveryKindThatPairsDrawsBothSides) {
  for (const auto& made : make_views()) {
    if (!made->can_pair()) continue;
    Pair pair(std::string(made->id()));
    pair.selection.comparison.beside = {1};
    const DrawHash alone = pair.draw();
    pair.view->set_settings({{"side_by_side", true}});
    EXPECT_NE(pair.draw().value, alone.value) << made->id();
    EXPECT_TRUE(pair.says("side by side")) << made->id();
    pair.view->set_settings({{"side_by_side", true}, {"panes", 1}});
    EXPECT_TRUE(pair.says("\nA: ")) << made->id();
    EXPECT_FALSE(pair.says("\nB\t")) << made->id();
  }
}

}  // namespace
}  // namespace sparsescope::viz
