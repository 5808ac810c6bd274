// What the pointer does to a view, and how much a view may draw.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/viz/allocations.h"
#include "tests/viz/viz_support.h"
#include "viz/views/loss_view.h"

namespace sparsescope::viz {
namespace {

using test::NullScreen;
using test::SmallRun;

constexpr int kVertexBudget = 200'000;

// A drift view over a run of three layers whose thetas lie far apart.
struct Stage {
  Stage() : view(test::make_view("drift")) {
    std::vector<trace::FramePtr> frames;
    for (std::uint64_t step = 0; step <= 400; ++step)
      frames.push_back(source.frame(step, 5, {1.f, 2.f, 3.f}));
    mailbox = test::mailbox_with(source.schema, frames);
    mailbox->on_end(test::finished());
    timeline.add_run({mailbox});
    timeline.drain_all();
    draw();
  }
  DrawHash draw() { return test::draw_view(screen, *view, timeline, selection, 1); }
  // The place of step and theta in the top plot, found by asking what the view itself reports under the
  // pointer.
  void move_to(ImVec2 at) {
    screen.io().AddMousePosEvent(at.x, at.y);
    draw();
    draw();
  }
  void click(ImGuiMouseButton button = ImGuiMouseButton_Left) {
    screen.io().AddMouseButtonEvent(button, true);
    draw();
    screen.io().AddMouseButtonEvent(button, false);
    draw();
    draw();
  }
  // Lets the time pass after which a second click is no double click.
  void rest() {
    for (int i = 0; i < 40; ++i) draw();
  }

  SmallRun source;
  std::shared_ptr<trace::Mailbox> mailbox;
  NullScreen screen{{1000, 700}};
  Timeline timeline;
  Selection selection;
  std::unique_ptr<View> view;
};

TEST(ViewPointer, HoverReportsStepAndLayerAndLightsThemUp) {
  Stage stage;
  const DrawHash quiet = stage.draw();
  std::optional<float> on_line;
  for (float y = 60; y < 260 && !on_line; y += 2) {
    stage.move_to({500, y});
    if (stage.selection.hover.layer) on_line = y;
  }
  ASSERT_TRUE(on_line.has_value());
  ASSERT_TRUE(stage.selection.hover.step.has_value());
  EXPECT_GT(*stage.selection.hover.step, 100u);
  EXPECT_LT(*stage.selection.hover.step, 300u);
  EXPECT_NE(stage.draw().value, quiet.value);
  stage.move_to({-100, -100});
  EXPECT_FALSE(stage.selection.hover.step.has_value());
  EXPECT_EQ(stage.draw().value, quiet.value) << "hovering leaves nothing behind";
}

TEST(ViewPointer, AClickOnALineLocksItsLayerAndASecondReleasesIt) {
  Stage stage;
  for (float y = 60; y < 260 && !stage.selection.hover.layer; y += 2) stage.move_to({500, y});
  ASSERT_TRUE(stage.selection.hover.layer.has_value());
  const std::int64_t layer = *stage.selection.hover.layer;
  stage.click();
  EXPECT_EQ(stage.selection.locked.layer, layer);
  stage.rest();
  stage.click();
  EXPECT_FALSE(stage.selection.locked.layer.has_value());
}

TEST(ViewPointer, AClickBesideTheLinesPinsTheStep) {
  Stage stage;
  float y = 60;
  do {
    stage.move_to({500, y += 2});
  } while ((!stage.selection.hover.step || stage.selection.hover.layer) && y < 300);
  ASSERT_TRUE(stage.selection.hover.step.has_value());
  stage.click();
  EXPECT_EQ(stage.selection.locked.step, stage.selection.hover.step);
  stage.selection.release();
  EXPECT_FALSE(stage.selection.locked.step.has_value());
}

TEST(ViewPointer, TheWheelZoomsTimeForAllViewsAndADoubleClickFitsAgain) {
  Stage stage;
  stage.move_to({500, 120});
  for (int i = 0; i < 5; ++i) {
    stage.screen.io().AddMouseWheelEvent(0, 1);
    stage.draw();
  }
  stage.draw();
  ASSERT_TRUE(stage.timeline.window().chosen().has_value());
  const Range chosen = *stage.timeline.window().chosen();
  EXPECT_LT(chosen.width(), 300);
  EXPECT_GT(chosen.width(), 0);
  stage.draw();
  EXPECT_EQ(stage.timeline.visible(), chosen) << "a chosen range stays";
  stage.rest();
  stage.screen.io().AddMouseButtonEvent(0, true);
  stage.draw();
  stage.screen.io().AddMouseButtonEvent(0, false);
  stage.draw();
  stage.screen.io().AddMouseButtonEvent(0, true);
  stage.draw();
  stage.screen.io().AddMouseButtonEvent(0, false);
  stage.draw();
  stage.draw();
  EXPECT_FALSE(stage.timeline.window().chosen().has_value());
  EXPECT_FALSE(stage.selection.locked.step.has_value());
}

TEST(ViewPointer, CtrlMakesTheWheelFineShiftMakesItFastAndTheMiddleButtonZoomsToARange) {
  std::vector<double> widths;
  for (const ImGuiKey modifier : {ImGuiKey_None, ImGuiKey(ImGuiMod_Ctrl), ImGuiKey(ImGuiMod_Shift)}) {
    Stage stage;
    stage.move_to({500, 120});
    if (modifier != ImGuiKey_None) stage.screen.io().AddKeyEvent(modifier, true);
    stage.draw();
    stage.screen.io().AddMouseWheelEvent(0, 1);
    stage.draw();
    stage.draw();
    ASSERT_TRUE(stage.timeline.window().chosen().has_value()) << widths.size();
    widths.push_back(stage.timeline.window().chosen()->width());
  }
  EXPECT_GT(widths[1], widths[0]);
  EXPECT_LT(widths[1], 400);
  EXPECT_LT(widths[2], widths[0]);

  Stage stage;
  stage.move_to({300, 120});
  const std::uint64_t from = *stage.selection.hover.step;
  stage.screen.io().AddMouseButtonEvent(2, true);
  stage.draw();
  for (float x = 340; x <= 500; x += 40) stage.move_to({x, 120});
  EXPECT_FALSE(stage.timeline.window().chosen().has_value()) << "only once it is let go";
  const std::uint64_t to = *stage.selection.hover.step;
  stage.screen.io().AddMouseButtonEvent(2, false);
  stage.draw();
  stage.draw();
  ASSERT_TRUE(stage.timeline.window().chosen().has_value());
  EXPECT_NEAR(stage.timeline.window().chosen()->minimum, static_cast<double>(from), 2);
  EXPECT_NEAR(stage.timeline.window().chosen()->maximum, static_cast<double>(to), 2);
}

TEST(ViewPointer, CtrlDragBrushesASpan) {
  Stage stage;
  stage.move_to({300, 120});
  stage.screen.io().AddKeyEvent(ImGuiMod_Ctrl, true);
  stage.draw();
  stage.screen.io().AddMouseButtonEvent(0, true);
  stage.draw();
  for (float x = 320; x <= 600; x += 40) stage.move_to({x, 120});
  ASSERT_TRUE(stage.selection.brush.has_value());
  EXPECT_GT(stage.selection.brush->width(), 80);
  EXPECT_FALSE(stage.timeline.window().chosen().has_value()) << "the axis does not move meanwhile";
  stage.screen.io().AddMouseButtonEvent(0, false);
  stage.draw();
}

TEST(ViewPointer, TheContextMenuCopiesTheTableThatTheTwinHolds) {
  Stage stage;
  static std::string clipboard;
  clipboard.clear();
  ImGui::GetPlatformIO().Platform_SetClipboardTextFn = [](ImGuiContext*, const char* text) {
    clipboard = text;
  };
  stage.move_to({500, 120});
  stage.click(ImGuiMouseButton_Right);
  // The menu opened at the pointer; its second entry copies the table.
  for (float y = 124; y < 260 && clipboard.find('\t') == std::string::npos; y += 8) {
    stage.move_to({520, y});
    stage.click();
    if (clipboard.find("track\tunit") != std::string::npos) break;
    stage.move_to({500, 120});
    stage.click(ImGuiMouseButton_Right);
  }
  ViewContext context{stage.timeline, stage.selection};
  EXPECT_NE(clipboard.find("track\tunit"), std::string::npos);
  EXPECT_EQ(clipboard, stage.view->text_twin(context));
}

TEST(ViewBudget, TenMillionStepsStayBelowTheVertexBudget) {
  trace::Schema schema;
  schema.channels = {SmallRun().schema->channels[0]};
  schema.channels[0].axes[0] = {"name", 1, {"cross_entropy"}};
  const auto finished = std::make_shared<const trace::Schema>(trace::finish_schema(schema));
  Timeline timeline;
  auto mailbox = std::make_shared<trace::Mailbox>(1 << 20, trace::Overflow::DropOldest);
  viz::Run& run = timeline.add_run({mailbox});
  run.take(finished);
  // One frame, changed and taken again: a light run keeps the numbers, not the frames.
  auto frame = std::make_shared<trace::Frame>();
  trace::add_values<double>(*frame, 0, std::vector<double>{0});
  std::uint64_t state = 7;
  for (std::uint64_t step = 0; step < 10'000'000; ++step) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    const double loss = 3 + static_cast<double>(state >> 54) * 1e-3;
    std::memcpy(frame->data[0].bytes.data(), &loss, sizeof(loss));
    frame->row = frame->step = step;
    run.take(trace::FramePtr(frame));
  }
  run.take(test::finished());
  Selection selection;
  NullScreen screen({3840, 2160});
  auto view = test::make_view("loss");
  DrawHash drawn;
  for (int frame = 0; frame < 60; ++frame) {
    timeline.update(1.0 / 60);
    drawn = test::draw_view(screen, *view, timeline, selection, 1);
  }
  EXPECT_FALSE(timeline.is_busy()) << "the moving average has caught up";
  EXPECT_LE(drawn.vertices, kVertexBudget);
  EXPECT_GT(drawn.vertices, 5000);
  const test::Allocations steady;
  test::draw_view(screen, *view, timeline, selection, 1);
  EXPECT_LE(steady.count(), 200) << "a frame in which nothing changes asks for no memory by point";
  timeline.window().choose({1'000'000.5, 9'000'000});
  drawn = test::draw_view(screen, *view, timeline, selection);
  EXPECT_LE(drawn.vertices, kVertexBudget);
}

TEST(ViewBudget, TwentyFourLayersStayBelowTheVertexBudget) {
  SmallRun source(24, 20'000);
  Timeline timeline;
  auto mailbox = std::make_shared<trace::Mailbox>(1 << 30, trace::Overflow::DropOldest);
  viz::Run& run = timeline.add_run({mailbox});
  run.take(source.schema);
  std::vector<float> theta(24);
  for (std::uint64_t step = 0; step < 20'000; ++step) {
    for (std::size_t layer = 0; layer < 24; ++layer)
      theta[layer] = static_cast<float>(layer) + 0.3f * std::sin(static_cast<float>(step * (layer + 1)));
    run.take(trace::FramePtr(source.frame(step, 3 + std::sin(static_cast<double>(step)), theta)));
  }
  Selection selection;
  NullScreen screen({3840, 2160}, Theme::Dark, 2);
  for (const char* id : {"drift", "density"}) {
    auto view = test::make_view(id);
    const DrawHash drawn = test::draw_view(screen, *view, timeline, selection);
    EXPECT_LE(drawn.vertices, kVertexBudget) << id;
  }
}

TEST(Views, SmoothingChangedInOneViewIsSeenInTheOthers) {
  Stage stage;
  const auto shared = std::make_shared<SharedSettings>();
  LossView view(shared);
  const auto draw = [&] {
    return test::draw_view(stage.screen, view, stage.timeline, stage.selection, 2).value;
  };
  const std::uint64_t smoothed = draw();
  shared->smoothing.is_on = false;
  EXPECT_NE(draw(), smoothed);
  shared->smoothing.is_on = true;
  EXPECT_EQ(draw(), smoothed);
}

TEST(ViewBudget, AnUnchangedPictureIsNotMadeAgain) {
  Stage stage;
  const std::uint64_t first = stage.draw().value;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(stage.draw().value, first);
}

}  // namespace
}  // namespace sparsescope::viz
