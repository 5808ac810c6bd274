// The routing graph in every state of its data, under the pointer, and at a million edges.
#include "viz/views/routing_view.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/viz/allocations.h"
#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

using test::NullScreen;
using test::SparkRun;

struct Stage {
  Timeline timeline;
  Selection selection;
  nlohmann::json settings = nlohmann::json::object();
};
using Setter = std::function<void(Stage&)>;

std::shared_ptr<trace::Mailbox> add(Stage& stage, trace::SchemaPtr schema,
                                    const std::vector<trace::FramePtr>& frames, Feed feed = {}) {
  feed.mailbox = test::mailbox_with(std::move(schema), frames);
  auto mailbox = feed.mailbox;
  stage.timeline.add_run(std::move(feed));
  return mailbox;
}

void add_spark(Stage& stage, test::SparkOptions options = {}) {
  SparkRun source(options);
  add(stage, source.schema, source.frames(61));
}

// Frame 0 with `bytes` written into its record `record` of `edges`.
template <typename T>
void add_changed(Stage& stage, std::size_t record, std::size_t offset, T value) {
  SparkRun source;
  auto frame = source.frame(0);
  for (trace::ChannelData& part : frame->data) {
    if (part.channel == source.schema->find("edges")->id)
      std::memcpy(part.bytes.data() + record * 20 + offset, &value, sizeof(value));
  }
  add(stage, source.schema, {frame});
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
      {"nothing at this step",
       [](Stage& stage) {
         SparkRun source;
         std::vector<trace::FramePtr> frames;
         for (std::uint64_t step = 5; step < 30; ++step) frames.push_back(source.frame(step));
         add(stage, source.schema, frames);
         stage.timeline.cursor().seek(7);
       }},
      {"loading",
       [](Stage& stage) {
         SparkRun source;
         Feed feed;
         feed.progress = [] { return LoadProgress{60, 1000, 1 << 20}; };
         feed.cancel_loading = [] {};
         add(stage, source.schema, source.frames(21), feed);
       }},
      {"one layer", [](Stage& stage) { add_spark(stage); }},
      {"all layers",
       [](Stage& stage) {
         add_spark(stage);
         stage.settings = {{"layout", 1}};
       }},
      {"a layer held in the bands",
       [](Stage& stage) {
         add_spark(stage);
         stage.settings = {{"layout", 1}};
         stage.selection.locked.layer = 0;
       }},
      {"without weights",
       [](Stage& stage) {
         add_spark(stage);
         stage.timeline.cursor().seek(35);
       }},
      {"behind",
       [](Stage& stage) {
         SparkRun source;
         auto frames = source.frames(21);
         auto bare = std::make_shared<trace::Frame>();
         bare->row = 21;
         bare->step = 80;
         frames.push_back(bare);
         add(stage, source.schema, frames);
       }},
      {"locked",
       [](Stage& stage) {
         add_spark(stage);
         stage.selection.locked.token = 12;
       }},
      {"two locked",
       [](Stage& stage) {
         add_spark(stage);
         stage.selection.locked.token = 12;
         stage.selection.locked.second_token = 20;
       }},
      {"a lock that is not here",
       [](Stage& stage) {
         add_spark(stage);
         stage.selection.locked.token = 2000;
       }},
      {"a head held",
       [](Stage& stage) {
         add_spark(stage);
         stage.selection.locked.head = 1;
       }},
      {"difference",
       [](Stage& stage) {
         add_spark(stage);
         stage.settings = {{"against", 1}, {"against_step", 20}};
       }},
      {"difference of all layers",
       [](Stage& stage) {
         add_spark(stage);
         stage.settings = {{"against", 1}, {"against_step", 20}, {"layout", 1}};
       }},
      {"threshold",
       [](Stage& stage) {
         add_spark(stage);
         stage.settings = {{"threshold", 0.1}};
       }},
      {"renormalised",
       [](Stage& stage) {
         add_spark(stage);
         stage.settings = {{"threshold", 0.1}, {"renormalise", true}};
       }},
      {"one reason",
       [](Stage& stage) {
         add_spark(stage);
         stage.settings = {{"shown", 1}};
       }},
      {"blocks of 16",
       [](Stage& stage) {
         add_spark(stage);
         stage.settings = {{"detail", 2}};
       }},
      {"zoomed in",
       [](Stage& stage) {
         add_spark(stage);
         stage.settings = {{"camera", {4, 12}}};
       }},
      {"sums disagree", [](Stage& stage) { add_changed<std::uint16_t>(stage, 2, 8, 9999); }},
      {"invalid weights",
       [](Stage& stage) { add_changed(stage, 4, 4, std::numeric_limits<float>::quiet_NaN()); }},
      {"without a vocabulary",
       [](Stage& stage) {
         test::SparkOptions options;
         options.words = test::SparkWords::Missing;
         add_spark(stage, options);
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
    auto view = test::make_view("routing");
    view->set_settings(stage.settings);
    hashes[name] = test::draw_view(screen, *view, stage.timeline, stage.selection);
    ViewContext context{stage.timeline, stage.selection};
    EXPECT_FALSE(view->text_twin(context).empty());
    if (name != "no run") {
      EXPECT_FALSE(view->values_text(context).empty());
    }
  }
  return hashes;
}

TEST(RoutingView, DrawsEveryStateOfItsDataInItsOwnWay) {
  std::map<std::uint64_t, std::string> seen;
  for (const auto& [name, hash] : draw_all_states(Theme::Dark, 1, {1200, 800})) {
    EXPECT_GT(hash.vertices, 50) << name;
    const auto [place, is_new] = seen.emplace(hash.value, name);
    EXPECT_TRUE(is_new) << name << " looks like " << place->second;
  }
}

TEST(RoutingView, DrawsInLittleRoomAndAtThreeTimesTheScale) {
  draw_all_states(Theme::Light, 1, {280, 200});
  draw_all_states(Theme::Light, 3, {1200, 700});
}

TEST(RoutingView, SaysWhetherItAppliesAndWhyNot) {
  auto view = test::make_view("routing");
  viz::Run spark(0, nullptr, 1 << 20), other(1, nullptr, 1 << 20);
  spark.take(SparkRun().schema);
  other.take(test::SmallRun().schema);
  EXPECT_TRUE(view->applies(spark).does);
  EXPECT_FALSE(view->applies(other).does);
  EXPECT_NE(view->applies(other).reason.find("preset"), std::string::npos);
}

TEST(RoutingView, AReplayDrawsWhatTheLiveRunDrew) {
  for (const nlohmann::json& settings : {nlohmann::json{{"layout", 0}}, nlohmann::json{{"layout", 1}}}) {
    SparkRun source;
    const auto frames = source.frames(61);
    const auto draw = [&](bool is_live) {
      NullScreen screen({1000, 700});
      Stage stage;
      auto view = test::make_view("routing");
      view->set_settings(settings);
      auto box = add(stage, source.schema, is_live ? std::vector<trace::FramePtr>{} : frames);
      for (std::size_t i = 0; is_live && i < frames.size(); ++i) {
        box->on_frame(frames[i]);
        if (i % 7 != 0) continue;
        stage.timeline.update(1.0 / 60);
        test::draw_view(screen, *view, stage.timeline, stage.selection, 1);
      }
      box->on_end(test::finished());
      stage.timeline.drain_all();
      return test::draw_view(screen, *view, stage.timeline, stage.selection).value;
    };
    EXPECT_EQ(draw(true), draw(false));
  }
}

// A graph on a screen, and hands.
struct Hands {
  explicit Hands(ImVec2 size = {1000, 700}, const test::SparkOptions& options = {}) : screen(size) {
    add_spark(stage, options);
    stage.timeline.drain_all();
    draw();
  }
  DrawHash draw(int frames = 2) {
    return test::draw_view(screen, *view, stage.timeline, stage.selection, frames);
  }
  void move_to(float x, float y) { screen.io().AddMousePosEvent(x, y); }
  void press() {
    screen.io().AddMouseButtonEvent(0, true);
    draw(1);
    screen.io().AddMouseButtonEvent(0, false);
    draw(1);
  }
  // Over the words of the tokens: they stand above legend and footer.
  float words_y() const {
    const float line = text_size(Font::Regular, kSmallText, "0").y + ImGui::GetStyle().ItemSpacing.y;
    return screen.content_min.y + screen.content_size.y - 2 * line - px(12);
  }
  // The middle of token `i` of 24.
  float token_x(int i) const {
    const float width = screen.content_size.x - px(28);
    return screen.content_min.x + px(14) + width * (static_cast<float>(i) + 0.5f) / 24;
  }
  NullScreen screen;
  Stage stage;
  std::unique_ptr<View> view = test::make_view("routing");
};

TEST(RoutingView, HoverLightsUpClickLocksAndShiftClickPutsASecondBeside) {
  Hands hands;
  const DrawHash before = hands.draw();
  hands.move_to(hands.token_x(12), hands.words_y());
  EXPECT_NE(hands.draw().value, before.value);
  EXPECT_EQ(hands.stage.selection.hover.token, 12);
  hands.press();
  EXPECT_EQ(hands.stage.selection.locked.token, 12);
  ViewContext context{hands.stage.timeline, hands.stage.selection};
  EXPECT_NE(hands.view->values_text(context).find("token 12"), std::string::npos);
  hands.move_to(hands.token_x(20), hands.words_y());
  hands.draw(30);  // so that the second press is no double click
  hands.screen.io().AddKeyEvent(ImGuiMod_Shift, true);
  hands.press();
  hands.screen.io().AddKeyEvent(ImGuiMod_Shift, false);
  EXPECT_EQ(hands.stage.selection.locked.token, 12);
  EXPECT_EQ(hands.stage.selection.locked.second_token, 20);
}

TEST(RoutingView, WhatAnotherViewHoversLightsUpHere) {
  Hands hands;
  const DrawHash before = hands.draw();
  hands.stage.selection.hover.token = 14;  // drawn in the frame that follows
  EXPECT_NE(hands.draw(1).value, before.value);
}

TEST(RoutingView, WheelZoomsAndADoubleClickGoesIntoABlockAndBack) {
  Hands hands;
  hands.move_to(hands.token_x(12), hands.words_y());
  hands.draw();
  EXPECT_FALSE(hands.view->settings().contains("camera"));
  hands.screen.io().AddMouseWheelEvent(0, 3);
  hands.draw();
  ASSERT_TRUE(hands.view->settings().contains("camera"));
  const auto camera = hands.view->settings()["camera"];
  EXPECT_LT(camera[1].get<double>() - camera[0].get<double>(), 24.0);
  const DrawHash near = hands.draw();
  // The camera is a setting: taking it back is taking back the zoom.
  hands.view->set_settings(nlohmann::json::object());
  EXPECT_NE(hands.draw(3).value, near.value);

  hands.move_to(hands.token_x(3), hands.words_y());
  hands.draw(30);
  hands.press();
  hands.press();
  EXPECT_EQ(hands.view->settings()["camera"], (nlohmann::json{0.0, 16.0}));
}

TEST(RoutingView, TheMiddleButtonZoomsToTheTokensItIsDraggedOver) {
  Hands hands;
  hands.move_to(hands.token_x(4), hands.words_y());
  hands.draw();
  hands.screen.io().AddMouseButtonEvent(2, true);
  hands.draw();
  const float end = hands.token_x(16);
  for (int i = 0; i < 4; ++i) {
    hands.move_to(end, hands.words_y());
    hands.draw();
  }
  EXPECT_FALSE(hands.view->settings().contains("camera")) << "only once it is let go";
  hands.screen.io().AddMouseButtonEvent(2, false);
  hands.draw(2);
  ASSERT_TRUE(hands.view->settings().contains("camera"));
  EXPECT_NEAR(hands.view->settings()["camera"][0].get<double>(), 4, 0.6);
  EXPECT_NEAR(hands.view->settings()["camera"][1].get<double>(), 16, 0.6);
}

TEST(RoutingView, KeysWalkAlongTheEdgesOfTheLockedTokenFromTheHeaviestOn) {
  Hands hands;
  ViewContext context{hands.stage.timeline, hands.stage.selection};
  Marks& locked = hands.stage.selection.locked;
  locked.token = 20;
  hands.draw();
  const auto held_text = [&] {
    hands.draw();
    return hands.view->values_text(context);
  };
  const auto weight_of = [](const std::string& text) {
    const std::size_t at = text.find("0.");
    return at == std::string::npos ? -1 : std::stod(text.substr(at));
  };
  EXPECT_TRUE(hands.view->walk(context, Walk::Enter)) << "holds the locked token";
  const std::string token = held_text();
  EXPECT_TRUE(hands.view->walk(context, Walk::Enter)) << "and then its heaviest edge";
  const DrawHash first_edge = hands.draw();
  const std::string first = held_text();
  EXPECT_NE(first, token);
  EXPECT_EQ(locked.token, 20);
  hands.view->walk(context, Walk::Right);
  EXPECT_NE(hands.draw().value, first_edge.value);
  const std::string second = held_text();
  EXPECT_NE(second, first);
  EXPECT_GE(weight_of(first.substr(first.rfind("\n"))), weight_of(second.substr(second.rfind("\n"))));
  hands.view->walk(context, Walk::Left);
  EXPECT_EQ(held_text(), first);
  hands.view->walk(context, Walk::Leave);
  EXPECT_EQ(held_text(), token) << "Esc is back at the token";
  EXPECT_TRUE(hands.view->is_walking());
  hands.view->walk(context, Walk::Enter);
  hands.draw();
  hands.view->walk(context, Walk::Enter);
  hands.draw();
  EXPECT_NE(locked.token, 20) << "Enter goes to the edge's other end";
  EXPECT_TRUE(locked.token.has_value());
}

TEST(RoutingView, AClickOnABandLocksItsLayer) {
  Hands hands;
  hands.view->set_settings({{"layout", 1}});
  hands.draw();
  hands.move_to(hands.screen.content_min.x + px(20), hands.words_y() - px(60));
  hands.draw();
  EXPECT_EQ(hands.stage.selection.hover.layer, 0);
  hands.press();
  EXPECT_EQ(hands.stage.selection.locked.layer, 0);
}

TEST(RoutingView, SettingsSurviveAsJsonAndStrangeOnesAreLeftOut) {
  auto view = test::make_view("routing");
  const nlohmann::json wanted = {{"layout", 1},         {"source", 1},       {"detail", 2},
                                 {"shown", 3},          {"against", 1},      {"against_step", 40},
                                 {"layer", 1},          {"threshold", 0.25}, {"renormalise", true},
                                 {"camera", {3.0, 9.0}}};
  view->set_settings(wanted);
  EXPECT_EQ(test::own_settings(*view), wanted);
  view->set_settings({{"layout", 7}, {"shown", "all"}, {"threshold", -1}, {"camera", {3.0, 9.0}}});
  EXPECT_EQ(test::own_settings(*view), wanted);
  view->set_settings(nlohmann::json::array());
  EXPECT_EQ(test::own_settings(*view), wanted);
}

// More than a million edges: 512 tokens and 8 layers whose `edges` hold all pairs.
struct Million {
  Million() { options.layers = 8, options.positions = 512, options.vocabulary = 12; }
  DrawHash draw() { return test::draw_view(screen, *view, stage.timeline, stage.selection, 1); }
  // Until nothing is summed any more.
  DrawHash settle() {
    DrawHash hash;
    for (int i = 0; i < 5000 && (i < 4 || stage.timeline.is_busy()); ++i) {
      if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      stage.timeline.update(0);
      hash = draw();
    }
    EXPECT_FALSE(stage.timeline.is_busy());
    return hash;
  }
  test::SparkOptions options;
  Stage stage;
  NullScreen screen{{1920, 1080}};
  std::unique_ptr<View> view = test::make_view("routing");
};

// Of a frame in which nothing changes, whatever the number of edges: words, labels, what ImGui asks for.
constexpr std::int64_t kMostAllocations = 60;

TEST(RoutingView, AMillionEdgesStayWithinTheBudgetsOfAFrame) {
  Million graph;
  SparkRun source(graph.options);
  add(graph.stage, source.schema, {source.dense_frame(0)});
  graph.stage.timeline.drain_all();
  for (const nlohmann::json& settings : {nlohmann::json{{"layout", 0}}, nlohmann::json{{"layout", 1}},
                                         nlohmann::json{{"detail", 1}, {"layout", 1}},
                                         nlohmann::json{{"layout", 1}, {"camera", {100, 160}}}}) {
    graph.view->set_settings(settings);
    const DrawHash hash = graph.settle();
    EXPECT_LT(hash.vertices, 200'000) << settings;
    EXPECT_LT(hash.commands, 60) << settings;
    // Letters that were not drawn before, buffers that grow, what was begun aside: all come to rest.
    for (int i = 0; i < 30; ++i) {
      graph.stage.timeline.update(0);
      graph.draw();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const test::Allocations steady;
    graph.draw();
    EXPECT_LE(steady.count(), kMostAllocations) << settings;
    ViewContext context{graph.stage.timeline, graph.stage.selection};
    const std::string text = graph.view->text_twin(context);
    EXPECT_NE(text.find("Σ visible + Σ hidden = Σ recorded ✓"), std::string::npos);
  }
}

TEST(RoutingView, WhileAnotherRowIsSummedTheLastGraphStaysAsItIs) {
  Million graph;
  SparkRun source(graph.options);
  const auto box = add(graph.stage, source.schema, {source.dense_frame(0)});
  graph.stage.timeline.drain_all();
  const DrawHash before = graph.settle();
  for (std::uint64_t step = 1; step < 20; ++step) source.frame(step);
  box->on_frame(source.dense_frame(20, 1));
  graph.stage.timeline.drain_all();
  EXPECT_EQ(graph.draw().value, before.value);
  EXPECT_TRUE(graph.stage.timeline.is_busy());
  EXPECT_NE(graph.settle().value, before.value);
}

TEST(RoutingView, TheTwinOfALargeGraphIsWholeAtOnce) {
  Million graph;
  SparkRun source(graph.options);
  add(graph.stage, source.schema, {source.dense_frame(0)});
  graph.stage.timeline.drain_all();
  graph.draw();
  ASSERT_TRUE(graph.stage.timeline.is_busy());
  ViewContext context{graph.stage.timeline, graph.stage.selection};
  EXPECT_NE(graph.view->text_twin(context).find("Σ visible + Σ hidden = Σ recorded ✓"), std::string::npos);
}

}  // namespace
}  // namespace sparsescope::viz
