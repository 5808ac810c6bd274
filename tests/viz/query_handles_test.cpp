// Clamps of the threshold: drawn where they were in force, dragged while a trainer is attached.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/viz/viz_support.h"
#include "viz/model/query.h"

namespace sparsescope::viz {
namespace {

using test::SmallRun;

const char* kControls =
    R"({"kind":"note","text":"live controls","controls":{"threshold_min":-1000.0,"threshold_max":1000.0}})";
const char* kClamp = R"({"kind":"command","command":"set","name":"threshold_min","old":-1000.0,"new":1.25})";

// A run whose θ is 1.5 in all layers and whose lowest θ is clamped at step 50.
struct Stage {
  Stage() : view(test::make_view("drift")) {
    std::vector<trace::FramePtr> frames;
    for (std::uint64_t step = 0; step < 100; ++step) {
      auto frame = source.frame(step);
      if (step == 0) source.add_event(*frame, kControls);
      if (step == 50) source.add_event(*frame, kClamp);
      frames.push_back(frame);
    }
    timeline.add_run({test::mailbox_with(source.schema, frames)});
    timeline.drain_all();
    // The track of θ alone, so that its place is easy to find.
    view->set_settings({{"theta", true}, {"density", false}, {"empty_rows", false}, {"loss", false}});
    trainer.controls = {{"threshold_min", 1.25, -1000, 1000, false, false, "1", ""},
                        {"threshold_max", 1000, -1000, 1000, false, false, "1", ""},
                        {"threshold_freeze", 0, 0, 1, true, false, "1", ""},
                        {"sparsity_weight", 0.02, 0, 10, false, true, "1", ""}};
  }
  DrawHash draw() {
    selection.begin_frame();
    return screen.frame([&] {
      ViewContext context{timeline, selection};
      context.size = ImGui::GetContentRegionAvail();
      context.motion = Motion::Reduced;
      if (is_attached) {
        context.post = [&](const trace::Command& command) { posted.push_back(command); };
        context.trainer = &trainer;
      }
      view->draw(context);
    });
  }
  void move_to(ImVec2 at) {
    screen.io().AddMousePosEvent(at.x, at.y);
    draw();
    draw();
  }
  void drag(ImVec2 from, ImVec2 to) {
    move_to(from);
    screen.io().AddMouseButtonEvent(0, true);
    draw();
    move_to(to);
    screen.io().AddMouseButtonEvent(0, false);
    draw();
    draw();
  }
  TrackPicture theta_at(std::uint64_t step) {
    timeline.cursor().seek(step);
    DriftSettings settings;
    settings.show_theta = true;
    const Picture picture = drift_query({timeline, *timeline.runs().front()}, settings);
    return *std::ranges::find(picture.tracks, std::string("theta"), &TrackPicture::id);
  }

  SmallRun source;
  test::NullScreen screen{{900, 700}};
  Timeline timeline;
  Selection selection;
  std::unique_ptr<View> view;
  AttachedTrainer trainer;
  bool is_attached = true;
  std::vector<trace::Command> posted;
};

TEST(ThresholdClamps, AreWhatWasInForceAtTheCursor) {
  Stage stage;
  const TrackPicture before = stage.theta_at(20), after = stage.theta_at(60);
  ASSERT_EQ(before.levels.size(), 2u);
  EXPECT_TRUE(std::isnan(before.levels[0].y)) << "no clamp: nothing to draw";
  EXPECT_EQ(after.levels.at(0).y, 1.25);
  EXPECT_LE(after.y.minimum, 1.25) << "the clamp is in sight";
  EXPECT_TRUE(std::isnan(after.levels.at(1).y));
}

TEST(ThresholdClamps, AreDraggedWhileATrainerIsAttachedOnePostAMove) {
  Stage stage;
  for (int i = 0; i < 3; ++i) stage.draw();
  std::optional<double> moved;
  for (float y = 340; y < 690 && !moved; y += 3) {
    stage.posted.clear();
    stage.drag({400, y}, {400, y - 40});
    for (const trace::Command& command : stage.posted) {
      const auto* set = std::get_if<trace::SetControl>(&command);
      if (set != nullptr && set->name == "threshold_min") moved = set->value;
    }
  }
  ASSERT_TRUE(moved.has_value()) << "no line could be grabbed";
  EXPECT_EQ(stage.posted.size(), 1u);
  EXPECT_GT(*moved, 1.25);
  EXPECT_LT(*moved, 3);
}

TEST(ThresholdClamps, WithoutATrainerTheyAreLinesAndNothingIsPosted) {
  Stage stage;
  const DrawHash with = stage.draw();
  stage.is_attached = false;
  const DrawHash without = stage.draw();
  EXPECT_LT(without.vertices, with.vertices) << "no handles, no switches";
  for (float y = 100; y < 690; y += 12) stage.drag({400, y}, {400, y - 40});
  EXPECT_TRUE(stage.posted.empty());
}

TEST(DriftControls, TheFreezeSwitchPostsItsControl) {
  Stage stage;
  for (int i = 0; i < 3; ++i) stage.draw();
  for (float x = 20; x < 120 && stage.posted.empty(); x += 12) {
    stage.move_to({x, 66});
    for (bool down : {true, false}) {
      stage.screen.io().AddMouseButtonEvent(0, down);
      stage.draw();
    }
    stage.draw();
  }
  ASSERT_EQ(stage.posted.size(), 1u);
  const auto* set = std::get_if<trace::SetControl>(&stage.posted[0]);
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(set->name, "threshold_freeze");
  EXPECT_EQ(set->value, 1);
}

TEST(DriftControls, TheSparsityHandlePostsOnceWhenItIsLetGo) {
  Stage stage;
  for (int i = 0; i < 3; ++i) stage.draw();
  for (float x = 120; x < 300 && stage.posted.empty(); x += 10) stage.drag({x, 66}, {x + 30, 66});
  ASSERT_EQ(stage.posted.size(), 1u);
  EXPECT_EQ(std::get<trace::SetControl>(stage.posted[0]).name, "sparsity_weight");
}

}  // namespace
}  // namespace sparsescope::viz
