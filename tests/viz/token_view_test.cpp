// The inspector in every state of its data, and under the pointer.
#include "viz/views/token_view.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

using test::NullScreen;
using test::SparkRun;

struct Stage {
  Timeline timeline;
  Selection selection;
};
using Setter = std::function<void(Stage&)>;

std::shared_ptr<trace::Mailbox> add(Stage& stage, trace::SchemaPtr schema,
                                    const std::vector<trace::FramePtr>& frames, Feed feed = {}) {
  feed.mailbox = test::mailbox_with(std::move(schema), frames);
  auto mailbox = feed.mailbox;
  stage.timeline.add_run(std::move(feed));
  return mailbox;
}

void add_spark(Stage& stage, std::uint64_t steps = 61, test::SparkOptions options = {}) {
  SparkRun source(options);
  add(stage, source.schema, source.frames(steps));
}

const std::map<std::string, Setter>& states() {
  static const std::map<std::string, Setter> table = {
      {"no run", [](Stage&) {}},
      {"opening",
       [](Stage& stage) {
         stage.timeline.add_run({std::make_shared<trace::Mailbox>(1 << 20, trace::Overflow::DropOldest)});
       }},
      {"not applicable",
       [](Stage& stage) {
         test::SmallRun source;
         add(stage, source.schema, {source.frame(0)});
       }},
      {"waiting", [](Stage& stage) { add(stage, SparkRun().schema, {}); }},
      {"empty",
       [](Stage& stage) {
         add(stage, SparkRun().schema, {})->on_end({trace::RunStatus::Stopped, ""});
       }},
      {"failed",
       [](Stage& stage) {
         add(stage, SparkRun().schema, {})->on_end({trace::RunStatus::Failed, "the disk is full"});
       }},
      {"loading",
       [](Stage& stage) {
         SparkRun source;
         Feed feed;
         feed.progress = [] { return LoadProgress{60, 1000, 1 << 20}; };
         feed.cancel_loading = [] {};
         add(stage, source.schema, source.frames(21), feed);
       }},
      {"nothing locked", [](Stage& stage) { add_spark(stage); }},
      {"locked",
       [](Stage& stage) {
         add_spark(stage);
         stage.selection.locked.token = 20;
       }},
      {"two locked",
       [](Stage& stage) {
         add_spark(stage);
         stage.selection.locked.token = 20;
         stage.selection.locked.second_token = 12;
       }},
      {"another layer",
       [](Stage& stage) {
         add_spark(stage);
         stage.selection.locked.token = 20;
         stage.selection.locked.layer = 0;
       }},
      {"weights not recorded here",
       [](Stage& stage) {
         add_spark(stage);
         stage.selection.locked.token = 20;
         stage.timeline.cursor().seek(35);
       }},
      {"past the end",
       [](Stage& stage) {
         add_spark(stage);
         stage.selection.locked.token = 2000;
       }},
      {"without a vocabulary",
       [](Stage& stage) {
         test::SparkOptions options;
         options.words = test::SparkWords::Missing;
         add_spark(stage, 61, options);
         stage.selection.locked.token = 20;
       }},
      {"needle",
       [](Stage& stage) {
         SparkRun source;
         auto frames = source.frames(20);
         frames.push_back(
             source.frame(20, {R"({"step":20,"kind":"needle_injected","ids":[31,32],"positions":[4,15]})"}));
         add(stage, source.schema, frames);
         stage.selection.locked.token = 5;
       }},
      {"id locked",
       [](Stage& stage) {
         add_spark(stage);
         stage.selection.locked.vocabulary_id = SparkRun().ids()[3];
       }},
  };
  return table;
}

std::map<std::string, DrawHash> draw_all_states(Theme theme, float scale, ImVec2 size) {
  std::map<std::string, DrawHash> hashes;
  for (const auto& [name, set] : states()) {
    SCOPED_TRACE(name);
    NullScreen screen(size, theme, scale);
    Stage stage;
    set(stage);
    stage.timeline.drain_all();
    auto view = test::make_view("tokens");
    EXPECT_NO_THROW(hashes[name] = test::draw_view(screen, *view, stage.timeline, stage.selection, 5));
    ViewContext context{stage.timeline, stage.selection};
    EXPECT_FALSE(view->text_twin(context).empty());
  }
  return hashes;
}

TEST(TokenView, DrawsEveryStateOfItsDataInItsOwnWay) {
  std::map<std::uint64_t, std::string> seen;
  for (const auto& [name, hash] : draw_all_states(Theme::Dark, 1, {1000, 800})) {
    EXPECT_GT(hash.vertices, 50) << name;
    const auto [place, is_new] = seen.emplace(hash.value, name);
    EXPECT_TRUE(is_new) << name << " looks like " << place->second;
  }
}

TEST(TokenView, DrawsInLittleRoomAndAtThreeTimesTheScale) {
  draw_all_states(Theme::Light, 1, {280, 200});
  draw_all_states(Theme::Light, 3, {1200, 700});
}

TEST(TokenView, SaysWhetherItAppliesAndWhyNot) {
  auto view = test::make_view("tokens");
  viz::Run spark(0, nullptr, 1 << 20), other(1, nullptr, 1 << 20);
  spark.take(SparkRun().schema);
  other.take(test::SmallRun().schema);
  EXPECT_TRUE(view->applies(spark).does);
  EXPECT_FALSE(view->applies(other).does);
  EXPECT_NE(view->applies(other).reason.find("preset"), std::string::npos);
}

// Where the text begins: below the header.
ImVec2 first_token(const NullScreen& screen) {
  return {screen.content_min.x + px(10),
          screen.content_min.y + px(40) + ImGui::GetStyle().ItemSpacing.y + px(12)};
}

TEST(TokenView, HoverLightsUpClickLocksAndShiftClickPutsASecondBeside) {
  NullScreen screen({1000, 800});
  Stage stage;
  add_spark(stage);
  stage.timeline.drain_all();
  auto view = test::make_view("tokens");
  const auto draw = [&] { return test::draw_view(screen, *view, stage.timeline, stage.selection, 2); };
  const DrawHash before = draw();
  const auto move_to = [&](ImVec2 at) { screen.io().AddMousePosEvent(at.x, at.y); };
  const auto click = [&] {
    screen.io().AddMouseButtonEvent(0, true);
    draw();
    screen.io().AddMouseButtonEvent(0, false);
    draw();
  };
  move_to(first_token(screen));
  EXPECT_NE(draw().value, before.value);
  EXPECT_EQ(stage.selection.hover.token, 0);
  click();
  EXPECT_EQ(stage.selection.locked.token, 0);
  ViewContext context{stage.timeline, stage.selection};
  EXPECT_NE(view->values_text(context).find("token 0"), std::string::npos) << view->values_text(context);

  move_to({first_token(screen).x + px(200), first_token(screen).y});
  draw();
  const auto second = stage.selection.hover.token;
  ASSERT_TRUE(second.has_value());
  screen.io().AddKeyEvent(ImGuiMod_Shift, true);
  click();
  screen.io().AddKeyEvent(ImGuiMod_Shift, false);
  EXPECT_EQ(stage.selection.locked.token, 0);
  EXPECT_EQ(stage.selection.locked.second_token, second);
  stage.selection.release();
  EXPECT_EQ(stage.selection.locked.second_token, std::nullopt);
}

TEST(TokenView, KeysWalkTheTextAndEnterLocksTheTokenHeld) {
  NullScreen screen;
  Stage stage;
  add_spark(stage);
  stage.timeline.drain_all();
  const auto view = test::make_view("tokens");
  const auto draw = [&] { return test::draw_view(screen, *view, stage.timeline, stage.selection, 3).value; };
  draw();
  ViewContext context{stage.timeline, stage.selection};
  EXPECT_FALSE(view->walk(context, Walk::Left));
  ASSERT_TRUE(view->walk(context, Walk::Enter));
  draw();
  EXPECT_EQ(stage.selection.hover.token, 0);
  view->walk(context, Walk::Right);
  view->walk(context, Walk::Right);
  draw();
  EXPECT_EQ(stage.selection.hover.token, 2);
  view->walk(context, Walk::Enter);
  EXPECT_EQ(stage.selection.locked.token, 2);
  view->walk(context, Walk::FarLeft);
  draw();
  EXPECT_EQ(stage.selection.hover.token, 0);
  view->walk(context, Walk::Leave);
  draw();
  EXPECT_FALSE(view->is_walking());
  EXPECT_FALSE(stage.selection.hover.token);
}

TEST(TokenView, WhatAnotherViewHoversLightsUpHere) {
  NullScreen screen({1000, 800});
  Stage stage;
  add_spark(stage);
  stage.timeline.drain_all();
  auto view = test::make_view("tokens");
  const DrawHash before = test::draw_view(screen, *view, stage.timeline, stage.selection);
  stage.selection.hover.token = 3;  // drawn in the frame that follows
  EXPECT_NE(test::draw_view(screen, *view, stage.timeline, stage.selection, 1).value, before.value);
}

TEST(TokenView, SettingsSurviveAsJsonAndStrangeOnesAreLeftOut) {
  auto view = test::make_view("tokens");
  view->set_settings({{"rows", 16}, {"order", 1}, {"layer", 0}, {"marks", 2}});
  const nlohmann::json kept = test::own_settings(*view);
  EXPECT_EQ(kept, (nlohmann::json{{"rows", 16}, {"order", 1}, {"layer", 0}, {"marks", 2}}));
  view->set_settings({{"rows", 17}, {"order", "up"}, {"marks", 9}});
  EXPECT_EQ(test::own_settings(*view), kept);
  view->set_settings(nlohmann::json::array());
  EXPECT_EQ(test::own_settings(*view), kept);
}

TEST(TokenView, ALongSequenceDrawsOnlyTheLinesInSight) {
  NullScreen screen({1000, 800});
  Stage stage;
  test::SparkOptions options;
  options.positions = 4096;
  options.layers = 1;
  options.vocabulary = 12;  // scores of all ids at all positions are computed
  SparkRun source(options);
  add(stage, source.schema, {source.frame(0)});
  stage.timeline.drain_all();
  auto view = test::make_view("tokens");
  const DrawHash hash = test::draw_view(screen, *view, stage.timeline, stage.selection);
  EXPECT_LT(hash.vertices, 60'000);
}

TEST(TokenPanel, ShowsTheSameTokensInLittleRoom) {
  NullScreen screen({306, 900});
  Stage stage;
  add_spark(stage);
  stage.timeline.drain_all();
  TokenPanel panel;
  const auto draw = [&] {
    DrawHash hash;
    for (int i = 0; i < 4; ++i) {
      stage.selection.begin_frame();
      hash = screen.frame([&] {
        ViewContext context{stage.timeline, stage.selection};
        panel.draw(context, *stage.timeline.runs().front());
      });
    }
    return hash;
  };
  const DrawHash nothing = draw();
  stage.selection.locked.token = 20;
  const DrawHash one = draw();
  stage.selection.locked.second_token = 8;
  const DrawHash two = draw();
  EXPECT_NE(nothing.value, one.value);
  EXPECT_GT(two.vertices, one.vertices);
}

}  // namespace
}  // namespace sparsescope::viz
