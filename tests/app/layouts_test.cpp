// Layouts: stock ones, a person's own, and which of them a kind of run gets.
#include <nlohmann/json.hpp>

#include "tests/app/bench.h"
#include "viz/frame/time_bar.h"
#include "viz/frame/time_choices.h"

namespace sparsescope::test {
namespace {

bool is_open(const frame::State& state, const std::string& view) {
  for (const frame::State::Slot& slot : state.slots) {
    if (slot.view->id() == view) return slot.is_open;
  }
  return false;
}

TEST(Layouts, OfTheProgramHoldOnlyViewsThatExist) {
  Bench bench;
  bench.draw(10);
  ASSERT_GE(bench.state().layouts.all.size(), 3u);
  EXPECT_TRUE(bench.state().notes.empty()) << bench.state().notes.front();
  for (const frame::Layout& layout : bench.state().layouts.all) {
    bench.run("layout.stock." + layout.name);
    EXPECT_FALSE(frame::layout_now(bench.state())["tree"].is_null()) << layout.name;
  }
}

TEST(Layouts, OfARunComeFromItsKind) {
  Bench bench;
  bench.draw(20);
  EXPECT_EQ(bench.state().layouts.kind, "spark");
  EXPECT_TRUE(is_open(bench.state(), "drift"));
  EXPECT_TRUE(frame::layout_now(bench.state())["tree"].contains("split"));
  EXPECT_TRUE(frame::is_in_front(frame::layout_now(bench.state()), "drift"));
}

TEST(Layouts, AreReadFromTheScreenAsTheyWerePutThere) {
  Bench bench;
  bench.draw(20);
  const nlohmann::json layout = {
      {"tree",
       {{"split", "below"},
        {"share", 0.3},
        {"first", {{"views", {"loss"}}, {"front", "loss"}}},
        {"second",
         {{"split", "right"},
          {"share", 0.25},
          {"first", {{"views", {"drift"}}, {"front", "drift"}}},
          {"second", {{"views", {"density", "no such view"}}, {"front", "density"}}}}}}},
      {"floating", nlohmann::json::array()}};
  frame::apply_layout(bench.state(), layout);
  bench.draw(10);
  const nlohmann::json now = frame::layout_now(bench.state());
  EXPECT_NEAR(now["tree"]["share"].get<double>(), 0.3, 0.002);
  EXPECT_NEAR(now["tree"]["second"]["share"].get<double>(), 0.25, 0.002);
  EXPECT_EQ(now["tree"]["split"], "below");
  EXPECT_EQ(now["tree"]["second"]["second"]["views"], nlohmann::json::array({"density"}));
  EXPECT_FALSE(is_open(bench.state(), "tokens"));
  // Pixel for pixel the same again.
  const std::uint64_t hash = (bench.run("train.toggle"), bench.hash());
  frame::apply_layout(bench.state(), now);
  EXPECT_EQ(bench.hash(), hash);
  EXPECT_EQ(frame::layout_now(bench.state()), now);
}

TEST(Layouts, OfTheProgramFoldIntoTabsInALowWindowAndAPersonsStay) {
  Bench bench;
  bench.draw(20);
  const nlohmann::json high = frame::layout_now(bench.state());
  ASSERT_EQ(high["tree"]["first"]["split"], "below");
  bench.run("window.scale", "200");
  bench.run("layout.reset_stock");
  const nlohmann::json low = frame::layout_now(bench.state());
  EXPECT_EQ(low["tree"]["split"], "right");
  EXPECT_EQ(low["tree"]["first"]["views"], nlohmann::json::array({"drift", "loss", "routing", "tokens"}));
  EXPECT_EQ(low["tree"]["first"]["front"], "drift");
  frame::apply_layout(bench.state(), high);
  bench.draw(10);
  EXPECT_EQ(frame::layout_now(bench.state())["tree"]["first"]["split"], "below");
}

TEST(Layouts, LeaveTheTimelineAFifthOfTheWindowAndItNamesWhatHasNoRoom) {
  Bench bench;
  bench.draw(40);
  bench.run("train.evaluate");
  frame::State& state = bench.state();
  for (const float height : {700.f, 771.f, 900.f, 1080.f, 2160.f}) {
    const frame::TrackRows rows = frame::rows_that_fit(state, *state.run(), {1600, height});
    EXPECT_LE(frame::time_bar_height(state, {1600, height}), 0.2f * height) << height;
    EXPECT_FALSE(rows.charts.empty()) << height;
    EXPECT_EQ(rows.left_out.empty(), height >= 900) << height;
  }
  // Who chooses charts gets room for them.
  for (const char* chart : {"gradient norm", "learning rate"}) bench.run("timeline.chart", chart);
  EXPECT_EQ(frame::rows_that_fit(state, *state.run(), {1600, 900}).charts.size(), 4u);
}

TEST(Layouts, AreSavedUnderANameAndAreTheDefaultOfTheirKind) {
  Bench bench;
  bench.draw(20);
  EXPECT_NE(bench.commands().why_disabled("layout.reset_mine"), "");
  bench.run("view.loss");
  bench.run("view.close");
  bench.run("layout.save", "Without loss");
  ASSERT_EQ(bench.host.own_layouts.size(), 1u);
  bench.run("layout.reset_stock");
  EXPECT_TRUE(is_open(bench.state(), "loss"));
  bench.run("layout.reset_mine");
  EXPECT_FALSE(is_open(bench.state(), "loss"));
  bench.reset();
  bench.draw(10);
  EXPECT_FALSE(is_open(bench.state(), "loss")) << "the next start opens with it";
  EXPECT_NE(bench.commands().find("layout.mine.Without loss"), nullptr);
  EXPECT_NE(bench.commands().run("layout.save", "../elsewhere"), "");
}

TEST(Layouts, BringTheChartsLanesAxisAndSmoothingOfTheTimelineBack) {
  Bench bench;
  bench.draw(20);
  bench.run("timeline.chart", "gradient norm");
  bench.run("timeline.lane.evaluations");
  bench.run("setting.time.axis", "tokens");
  bench.run("setting.time.smoothing_window", "40");
  const nlohmann::json chosen = frame::time_choices_now(bench.state());
  bench.run("layout.save", "With gradients");
  bench.run("timeline.default_charts");
  bench.run("timeline.lane.evaluations");
  bench.run("timeline.tracks");
  bench.run("setting.time.axis", "step");
  bench.run("setting.time.smoothing", "off");
  EXPECT_NE(frame::time_choices_now(bench.state()), chosen);
  bench.run("layout.reset_stock");
  EXPECT_EQ(bench.state().timeline.window().axis(), viz::TimeAxis::Step)
      << "a stock layout leaves them alone";
  bench.run("layout.reset_mine");
  EXPECT_EQ(frame::time_choices_now(bench.state()), chosen);
  // One step of undo takes the whole layout back.
  bench.run("window.undo");
  EXPECT_EQ(bench.state().timeline.window().axis(), viz::TimeAxis::Step);
  EXPECT_EQ(bench.state().time_bar.tracks, frame::TimeBar::Tracks::Hidden);
  bench.reset();
  bench.draw(10);
  EXPECT_EQ(frame::time_choices_now(bench.state())["charts"], chosen["charts"])
      << "the next start opens with them";
  EXPECT_EQ(frame::time_choices_now(bench.state())["time.axis"], "tokens");
}

TEST(Layouts, WithNonsenseForTheTimelineAreTakenAsFarAsTheyGo) {
  Bench bench;
  bench.draw(20);
  const nlohmann::json before = frame::time_choices_now(bench.state());
  for (const char* nonsense :
       {"7", "[]", R"({"charts": 7, "hidden_lanes": {}, "tracks": "no", "time.axis": 3})",
        R"({"time.axis": "furlongs", "time.smoothing_window": "none"})"}) {
    frame::take_time_choices(bench.state(), nlohmann::json::parse(nonsense));
    EXPECT_EQ(frame::time_choices_now(bench.state()), before) << nonsense;
  }
  frame::take_time_choices(bench.state(), nlohmann::json::parse(R"({"charts": [7, {"channel": "scalars",
    "labels": ["cross_entropy"]}, {"channel": 1}, {"channel": "gone", "labels": []}], "hidden_lanes": ["x"]})"));
  ASSERT_TRUE(bench.state().time_bar.charts);
  EXPECT_EQ(bench.state().time_bar.charts->size(), 2u)
      << "a channel of another run is said to be not recorded";
  bench.draw(3);
}

TEST(Layouts, ForATalkLeaveTheViewsAlone) {
  Bench bench;
  bench.draw(20);
  EXPECT_TRUE(bench.state().show_side_panels);
  bench.run("layout.stock.talk");
  EXPECT_FALSE(bench.state().show_side_panels);
  bench.run("layout.reset_stock");
  EXPECT_TRUE(bench.state().show_side_panels);
}

TEST(Layouts, ThatCannotBeReadAreNamed) {
  Bench bench;
  const std::string tree = R"("tree": {"views": ["loss"]})";
  for (const std::string& text :
       {std::string("{"), std::string("7"), "{" + tree + R"(, "saved": "yes"})",
        "{" + tree + R"(, "kind": 3})",
        "{" + tree + R"(, "floating": [{"view": "loss", "at": 1, "size": [1, 1]}]})"}) {
    bench.host.own_layouts = {{"broken", text, frame::KeptLayout::Origin::User}};
    bench.reset();
    bench.draw(10);
    ASSERT_EQ(bench.state().notes.size(), 1u) << text;
    EXPECT_NE(bench.state().notes[0].find("broken"), std::string::npos);
  }
}

TEST(Layouts, AClosedViewKeepsItsSettingsAndFindsAPlaceAgain) {
  Bench bench;
  bench.draw(20);
  bench.run("view.density.expected_density");
  bench.run("layout.stock.talk");
  bench.run("view.density");
  bench.run("view.close");
  bench.run("view.density");
  bench.draw(10);
  EXPECT_TRUE(is_open(bench.state(), "density"));
  EXPECT_EQ(frame::view_in_front(bench.state())->id(), "density");
  EXPECT_EQ(frame::view_in_front(bench.state())->settings()["expected_density"], false);
}

}  // namespace
}  // namespace sparsescope::test
