// The needle view in every state of its data, under the pointer, and with a trainer attached.
#include "viz/views/needle_view.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "engine/trace/text.h"
#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"
#include "viz/views/needle_panes.h"

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

void add_spark(Stage& stage, std::uint64_t steps = 161, test::SparkOptions options = {}) {
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
         add(stage, source.schema, source.frames(60), feed);
       }},
      {"ready", [](Stage& stage) { add_spark(stage); }},
      {"one evaluation", [](Stage& stage) { add_spark(stage, 20); }},
      {"before the first evaluation",
       [](Stage& stage) {
         SparkRun source;
         std::vector<trace::FramePtr> frames;
         for (std::uint64_t step = 10; step < 120; ++step) frames.push_back(source.frame(step));
         add(stage, source.schema, frames);
         stage.timeline.cursor().seek(20);
       }},
      {"behind",
       [](Stage& stage) {
         SparkRun source;
         auto frames = source.frames(60);
         auto bare = std::make_shared<trace::Frame>();
         bare->row = 60;
         bare->step = 190;
         trace::add_texts(*bare, source.schema->find("events")->id,
                          std::vector<std::string>{R"({"kind":"note","text":"later"})"});
         frames.push_back(bare);
         add(stage, source.schema, frames);
       }},
      {"gap",
       [](Stage& stage) {
         SparkRun source;
         auto frames = source.frames(161);
         frames.erase(frames.begin() + 60, frames.begin() + 90);
         add(stage, source.schema, frames);
       }},
      {"problem",
       [](Stage& stage) {
         SparkRun source;
         auto frames = source.frames(161);
         std::swap(frames[10], frames[20]);
         add(stage, source.schema, frames);
       }},
      {"held cursor",
       [](Stage& stage) {
         add_spark(stage);
         stage.timeline.cursor().seek(70);
       }},
      {"several runs",
       [](Stage& stage) {
         add_spark(stage);
         add_spark(stage, 121, {.seed = 2});
         stage.timeline.drain_all();
         stage.selection.comparison = all_beside(stage.timeline);
       }},
  };
  return table;
}

std::map<std::string, DrawHash> draw_all(Theme theme, float scale, ImVec2 size) {
  std::map<std::string, DrawHash> hashes;
  for (const auto& [name, set] : states()) {
    SCOPED_TRACE(name);
    NullScreen screen(size, theme, scale);
    Stage stage;
    set(stage);
    stage.timeline.drain_all();
    auto view = test::make_view("needle");
    EXPECT_NO_THROW(hashes[name] = test::draw_view(screen, *view, stage.timeline, stage.selection));
    ViewContext context{stage.timeline, stage.selection};
    EXPECT_FALSE(view->text_twin(context).empty());
    EXPECT_NO_THROW(view->values_text(context));
  }
  return hashes;
}

TEST(NeedleView, DrawsEveryStateOfItsDataInItsOwnWay) {
  std::map<std::uint64_t, std::string> seen;
  for (const auto& [name, hash] : draw_all(Theme::Dark, 1, {1000, 640})) {
    EXPECT_GT(hash.vertices, 50) << name;
    const auto [place, is_new] = seen.emplace(hash.value, name);
    EXPECT_TRUE(is_new) << name << " looks like " << place->second;
  }
}

TEST(NeedleView, DrawsInLittleRoomAndAtThreeTimesTheScale) {
  draw_all(Theme::Light, 1, {280, 200});
  draw_all(Theme::Projector, 3, {1200, 700});
}

TEST(NeedleView, SaysWhetherItAppliesAndWhyNot) {
  auto view = test::make_view("needle");
  viz::Run with(0, nullptr, 1 << 20), without(1, nullptr, 1 << 20);
  with.take(SparkRun().schema);
  without.take(test::SmallRun().schema);
  EXPECT_TRUE(view->applies(with).does);
  EXPECT_FALSE(view->applies(without).does);
  EXPECT_NE(view->applies(without).reason.find("preset"), std::string::npos);
}

TEST(NeedleView, TheTwinIsMadeOfThePictureThatIsDrawn) {
  Stage stage;
  add_spark(stage);
  stage.timeline.drain_all();
  auto view = test::make_view("needle");
  ViewContext context{stage.timeline, stage.selection};
  EXPECT_EQ(view->text_twin(context),
            text_of(twin_of(needle_query({stage.timeline, *stage.timeline.runs().front()}, {}))));
}

TEST(NeedleView, ALiveRunAndItsReplayLookTheSame) {
  SparkRun source;
  const auto frames = source.frames(161);
  const auto picture = [&](std::size_t at_once) {
    NullScreen screen({1000, 640});
    Stage stage;
    auto mailbox = add(stage, source.schema, {});
    auto view = test::make_view("needle");
    for (std::size_t i = 0; i < frames.size(); ++i) {
      mailbox->on_frame(frames[i]);
      if (i % at_once != 0) continue;
      stage.timeline.drain_all();
      test::draw_view(screen, *view, stage.timeline, stage.selection, 1);
    }
    mailbox->on_end(test::finished());
    stage.timeline.drain_all();
    return test::draw_view(screen, *view, stage.timeline, stage.selection).value;
  };
  EXPECT_EQ(picture(7), picture(1000));
}

TEST(NeedleView, SettingsComeBackAndNonsenseIsPassedOver) {
  auto view = test::make_view("needle");
  view->set_settings({{"as_share", true}, {"answer_tokens", true}});
  EXPECT_EQ(test::own_settings(*view), (nlohmann::json{{"as_share", true},
                                                       {"answer_tokens", true},
                                                       {"difference", false},
                                                       {"against_step", -1},
                                                       {"limit", 0.0}}));
  view->set_settings({{"as_share", "yes"}});
  view->set_settings(nlohmann::json::array());
  EXPECT_EQ(view->settings().at("as_share"), true);
}

// A view with a trainer that keeps what it is asked.
struct Attached {
  Attached() : view(test::make_view("needle")) {
    add_spark(stage);
    stage.timeline.drain_all();
    trainer.evaluations = {{1, 3, true}, {4, 12, true}, {16, 130, false}};
    trainer.held_out_seconds = 2;
  }
  DrawHash draw() {
    stage.selection.begin_frame();
    return screen.frame([&] {
      ViewContext context{stage.timeline, stage.selection};
      context.size = ImGui::GetContentRegionAvail();
      context.motion = Motion::Reduced;
      context.post = [&](const trace::Command& command) { posted.push_back(command); };
      context.run_command = [&](std::string_view id) { asked.emplace_back(id); };
      context.run_command_with = [&](std::string_view id, const std::string& value) {
        asked.push_back(std::string(id) + " " + value);
      };
      context.why_disabled = [](std::string_view) { return std::string(); };
      context.trainer = is_attached ? &trainer : nullptr;
      view->draw(context);
    });
  }
  void move_to(ImVec2 at) {
    screen.io().AddMousePosEvent(at.x, at.y);
    draw();
    draw();
  }
  void click() {
    for (bool down : {true, false}) {
      screen.io().AddMouseButtonEvent(0, down);
      draw();
    }
    draw();
  }

  NullScreen screen{{1200, 760}};
  Stage stage;
  std::unique_ptr<View> view;
  AttachedTrainer trainer;
  bool is_attached = true;
  std::vector<trace::Command> posted;
  std::vector<std::string> asked;
};

TEST(NeedleActions, AButtonOfAContextAsksForItsEvaluation) {
  Attached attached;
  for (int i = 0; i < 3; ++i) attached.draw();
  for (float x = 20; x < 1000; x += 40) {
    attached.move_to({x, 66});
    attached.click();
  }
  const auto has = [&](const std::string& wanted) {
    return std::find(attached.asked.begin(), attached.asked.end(), wanted) != attached.asked.end();
  };
  EXPECT_TRUE(has("needle.evaluate 1x"));
  EXPECT_TRUE(has("needle.evaluate 4x"));
  EXPECT_TRUE(has("needle.evaluate 16x"));
  EXPECT_TRUE(has("needle.inject"));
}

TEST(NeedleActions, TheTimeOfAnEvaluationIsTheSumOfWhatIsScheduled) {
  NeedlePicture picture;
  picture.scheduled = {1, 4};
  Attached attached;
  EXPECT_EQ(evaluate_words(picture, &attached.trainer), "Evaluate now (about 17 s)");
  EXPECT_EQ(evaluate_words(picture, nullptr), "Evaluate now");
  attached.trainer.evaluations.clear();
  EXPECT_EQ(evaluate_words(picture, &attached.trainer), "Evaluate now");
}

TEST(NeedleActions, WithoutATrainerNothingIsOffered) {
  Attached attached;
  const DrawHash with = attached.draw();
  attached.is_attached = false;
  EXPECT_LT(attached.draw().vertices, with.vertices);
}

TEST(NeedlePointer, AClickInTheGridGoesToItsEvaluationAndTheNeedleOfThen) {
  Attached attached;
  for (int i = 0; i < 3; ++i) attached.draw();
  EXPECT_TRUE(attached.stage.timeline.cursor().is_following());
  attached.move_to({760, 260});
  EXPECT_EQ(attached.stage.selection.hover.step, 150u)
      << "the evaluation under the pointer lights up elsewhere";
  attached.click();
  EXPECT_FALSE(attached.stage.timeline.cursor().is_following());
  EXPECT_EQ(attached.stage.timeline.cursor().step(), 150u);
}

TEST(NeedlePointer, AClickOnADipOfTheStepsGoesToTheNearestEvaluation) {
  Attached attached;
  attached.is_attached = false;
  for (int i = 0; i < 3; ++i) attached.draw();
  attached.move_to({420, 600});
  ASSERT_TRUE(attached.stage.selection.hover.step.has_value());
  const std::uint64_t pointed = *attached.stage.selection.hover.step;
  attached.click();
  EXPECT_EQ(attached.stage.timeline.cursor().step() % 50, 0u);
  EXPECT_LE(std::llabs(static_cast<long long>(attached.stage.timeline.cursor().step()) -
                       static_cast<long long>(pointed)),
            25);
  EXPECT_FALSE(attached.stage.selection.locked.step.has_value()) << "it goes there instead of pinning";
}

TEST(NeedleView, KeysWalkTheGridAndEnterGoesToTheEvaluation) {
  NullScreen screen;
  Stage stage;
  add_spark(stage);
  stage.timeline.drain_all();
  const auto view = test::make_view("needle");
  test::draw_view(screen, *view, stage.timeline, stage.selection);
  ViewContext context{stage.timeline, stage.selection};
  ASSERT_TRUE(view->has_cells());
  EXPECT_FALSE(view->walk(context, Walk::Right)) << "nothing is held yet";
  EXPECT_TRUE(view->walk(context, Walk::Enter));
  EXPECT_TRUE(view->is_walking());
  const DrawHash held = test::draw_view(screen, *view, stage.timeline, stage.selection);
  const auto lit = stage.selection.hover.step;
  ASSERT_TRUE(lit.has_value());
  view->walk(context, Walk::Down);
  EXPECT_NE(test::draw_view(screen, *view, stage.timeline, stage.selection).value, held.value);
  view->walk(context, Walk::FarUp);
  EXPECT_EQ(test::draw_view(screen, *view, stage.timeline, stage.selection).value, held.value)
      << "the first row is the end";
  view->walk(context, Walk::Enter);
  EXPECT_EQ(stage.timeline.cursor().step(), *lit);
  view->walk(context, Walk::Leave);
  EXPECT_FALSE(view->is_walking());
}

TEST(NeedleView, TheDifferenceIsAnotherPictureAndKeptAsASetting) {
  NullScreen screen;
  Stage stage;
  add_spark(stage);
  stage.timeline.drain_all();
  const auto view = test::make_view("needle");
  const DrawHash answers = test::draw_view(screen, *view, stage.timeline, stage.selection);
  view->set_settings({{"difference", true}, {"against_step", 50}});
  EXPECT_NE(test::draw_view(screen, *view, stage.timeline, stage.selection).value, answers.value);
  EXPECT_EQ(view->settings().at("against_step"), 50);
  EXPECT_EQ(view->settings().at("difference"), true);
  const std::optional<double> of_data = view->data_limit();
  ASSERT_TRUE(of_data.has_value());
  const DrawHash own = test::draw_view(screen, *view, stage.timeline, stage.selection);
  view->set_common_limit(10 * *of_data);
  EXPECT_NE(test::draw_view(screen, *view, stage.timeline, stage.selection).value, own.value);
  EXPECT_EQ(view->data_limit(), of_data);
  view->set_settings({{"limit", *of_data}});
  EXPECT_EQ(view->settings().at("limit"), *of_data);
  view->set_settings({{"against_step", -7}});
  EXPECT_EQ(view->settings().at("against_step"), -1);
}

}  // namespace
}  // namespace sparsescope::viz
