// What hands do to a declaration map: pointer, settings, and how much it draws at most.
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/viz/allocations.h"
#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

using test::NullScreen;
using test::SparkRun;
using Json = nlohmann::json;

constexpr const char* kView = "declarations";

struct Stage {
  Timeline timeline;
  Selection selection;
};

void add(Stage& stage, trace::SchemaPtr schema, const std::vector<trace::FramePtr>& frames) {
  stage.timeline.add_run({test::mailbox_with(std::move(schema), frames)});
  stage.timeline.drain_all();
}

void add_whole(Stage& stage) {
  SparkRun source;
  add(stage, source.schema, source.frames(60));
}

// A frame with the pointer somewhere, then what the selection says.
struct Pointer {
  NullScreen screen{{1100, 700}};
  Stage stage;
  std::unique_ptr<View> view = test::make_view(kView);
  Pointer() {
    add_whole(stage);
    test::draw_view(screen, *view, stage.timeline, stage.selection);
  }
  void move(ImVec2 to) {
    screen.io().AddMousePosEvent(to.x, to.y);
    test::draw_view(screen, *view, stage.timeline, stage.selection, 2);
  }
  void click(bool with_shift = false) {
    screen.io().AddKeyEvent(ImGuiMod_Shift, with_shift);
    screen.io().AddMouseButtonEvent(ImGuiMouseButton_Left, true);
    test::draw_view(screen, *view, stage.timeline, stage.selection, 1);
    screen.io().AddMouseButtonEvent(ImGuiMouseButton_Left, false);
    test::draw_view(screen, *view, stage.timeline, stage.selection, 1);
    screen.io().AddKeyEvent(ImGuiMod_Shift, false);
    // Long enough that the next click is no second half of a double click.
    test::draw_view(screen, *view, stage.timeline, stage.selection, 40);
  }
};

TEST(DeclarationView, HoverShowsTheCellEverywhereAndAClickLocksIt) {
  Pointer pointer;
  pointer.move({500, 400});
  const Marks hover = pointer.stage.selection.hover;
  ASSERT_TRUE(hover.token && hover.vocabulary_id);
  EXPECT_FALSE(pointer.stage.selection.locked.token);
  pointer.click();
  EXPECT_EQ(pointer.stage.selection.locked.token, hover.token);
  EXPECT_EQ(pointer.stage.selection.locked.vocabulary_id, hover.vocabulary_id);
  pointer.click();
  EXPECT_FALSE(pointer.stage.selection.locked.token);
  EXPECT_FALSE(pointer.stage.selection.locked.vocabulary_id);
}

TEST(DeclarationView, KeysWalkTheCellsAndEnterLocksWhatIsHeld) {
  Pointer pointer;
  Stage& stage = pointer.stage;
  pointer.screen.io().AddMousePosEvent(-1, -1);
  const auto draw = [&] {
    test::draw_view(pointer.screen, *pointer.view, stage.timeline, stage.selection, 2);
  };
  ViewContext context{stage.timeline, stage.selection};
  draw();
  ASSERT_TRUE(pointer.view->walk(context, Walk::Enter));
  draw();
  const Marks first = stage.selection.hover;
  ASSERT_TRUE(first.token && first.vocabulary_id) << "a held cell is hovered everywhere";
  pointer.view->walk(context, Walk::Down);
  draw();
  EXPECT_EQ(stage.selection.hover.token, *first.token + 1);
  EXPECT_EQ(stage.selection.hover.vocabulary_id, first.vocabulary_id);
  pointer.view->walk(context, Walk::Right);
  draw();
  EXPECT_NE(stage.selection.hover.vocabulary_id, first.vocabulary_id);
  const Marks held = stage.selection.hover;
  EXPECT_FALSE(stage.selection.locked.token);
  pointer.view->walk(context, Walk::Enter);
  EXPECT_EQ(stage.selection.locked.token, held.token);
  EXPECT_EQ(stage.selection.locked.vocabulary_id, held.vocabulary_id);
  pointer.view->walk(context, Walk::FarUp);
  pointer.view->walk(context, Walk::FarLeft);
  draw();
  EXPECT_EQ(stage.selection.hover.token, first.token) << "the walk ends at the borders";
  pointer.view->walk(context, Walk::Leave);
  draw();
  EXPECT_FALSE(stage.selection.hover.token);
  EXPECT_EQ(stage.selection.locked.token, held.token) << "leaving is not releasing";
}

TEST(DeclarationView, APointerThatMovesTakesTheHeldCellAlong) {
  Pointer pointer;
  Stage& stage = pointer.stage;
  ViewContext context{stage.timeline, stage.selection};
  pointer.view->walk(context, Walk::Enter);
  pointer.move({500, 400});
  const Marks pointed = stage.selection.hover;
  ASSERT_TRUE(pointed.token);
  pointer.view->walk(context, Walk::Down);
  test::draw_view(pointer.screen, *pointer.view, stage.timeline, stage.selection, 2);
  EXPECT_EQ(stage.selection.hover.token, *pointed.token + 1);
}

TEST(DeclarationView, ShiftClickPutsASecondTokenBesideTheFirst) {
  Pointer pointer;
  pointer.move({500, 300});
  pointer.click();
  const auto first = pointer.stage.selection.locked.token;
  pointer.move({500, 500});
  pointer.click(true);
  EXPECT_EQ(pointer.stage.selection.locked.token, first);
  EXPECT_TRUE(pointer.stage.selection.locked.second_token.has_value());
}

TEST(DeclarationView, AnIdHoveredElsewhereLightsUpItsColumn) {
  NullScreen screen;
  Stage stage;
  add_whole(stage);
  auto view = test::make_view(kView);
  const auto draw = [&](std::optional<std::int64_t> id, std::optional<std::int64_t> token) {
    std::uint64_t hash = 0;
    for (int i = 0; i < 3; ++i) {
      stage.selection.hover = {};
      stage.selection.hover.vocabulary_id = id;
      stage.selection.hover.token = token;
      hash = test::draw_view(screen, *view, stage.timeline, stage.selection, 1).value;
    }
    return hash;
  };
  const auto id = std::optional<std::int64_t>(SparkRun().ids()[4]);
  EXPECT_NE(draw({}, {}), draw(id, {}));
  EXPECT_NE(draw({}, {}), draw({}, 4));
  EXPECT_EQ(draw({}, {}), draw(100'000, {})) << "an id that does not exist here changes nothing";
}

TEST(DeclarationView, SettingsComeBackAsTheyWere) {
  const Json given = {{"value", 2},
                      {"rows", 1},
                      {"order", 3},
                      {"ids", 1},
                      {"layer", 1},
                      {"window", 8},
                      {"against", 1},
                      {"change", 1},
                      {"against_step", 7},
                      {"limit", 2.5},
                      {"search", "the"},
                      {"camera_ids", {1.5, 9.5}},
                      {"camera_rows", {2.0, 4.0}}};
  auto view = test::make_view(kView);
  view->set_settings(given);
  EXPECT_EQ(test::own_settings(*view), given);
  view->set_settings({{"value", 99}, {"order", "no"}, {"search", 3}, {"window", -1}, {"camera_ids", {5, 1}}});
  Json expected = given;
  expected.erase("camera_ids");
  expected.erase("camera_rows");
  EXPECT_EQ(test::own_settings(*view), expected);
  view->set_settings(Json::array());
  EXPECT_EQ(test::own_settings(*view), expected);
}

// 4,096 positions and as many ids, every fifth pair declared.
trace::FramePtr large_frame(const trace::Schema& schema, std::int64_t size) {
  auto frame = std::make_shared<trace::Frame>();
  std::vector<std::uint8_t> bits(static_cast<std::size_t>(size * size / 8));
  std::uint64_t state = 1;
  for (std::uint8_t& byte : bits) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<std::uint8_t>((state >> 40) & (state >> 48));
  }
  std::vector<std::int32_t> ids(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * 7 % ids.size());
  trace::add_values<std::uint8_t>(*frame, schema.find("declared")->id, bits);
  trace::add_values<std::int32_t>(*frame, schema.find("probe_ids")->id, ids);
  return frame;
}

TEST(DeclarationView, FourThousandRowsAndColumnsStayWithinTheDrawBudget) {
  constexpr std::int64_t kSize = 4096;
  trace::Schema made;
  std::vector<std::string> labels;
  for (std::int64_t i = 0; i < kSize; ++i) labels.push_back(std::to_string(i));
  trace::Channel declared, probe;
  declared.name = "declared";
  declared.dtype = trace::DType::Bits;
  declared.axes = {{"layer", 1, {}}, {"id", kSize, labels}, {"position", kSize, {}}};
  probe.name = "probe_ids";
  probe.dtype = trace::DType::I32;
  probe.axes = {{"sequence", 1, {}}, {"position", kSize, {}}};
  made.channels = {declared, probe};
  const auto schema = std::make_shared<const trace::Schema>(trace::finish_schema(std::move(made)));
  for (const Json& settings : {Json{{"value", 1}}, Json{{"value", 1}, {"camera_rows", {100, 130}}},
                               Json{{"value", 3}, {"order", 3}}}) {
    NullScreen screen({1920, 1080});
    Stage stage;
    add(stage, schema, {large_frame(*schema, kSize)});
    auto view = test::make_view(kView);
    view->set_settings(settings);
    const DrawHash reading = test::draw_view(screen, *view, stage.timeline, stage.selection, 1);
    EXPECT_TRUE(stage.timeline.is_busy()) << "it is put together aside: the window does not wait";
    DrawHash hash = reading;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (stage.timeline.is_busy() && std::chrono::steady_clock::now() < deadline) {
      stage.timeline.update(0);
      hash = test::draw_view(screen, *view, stage.timeline, stage.selection, 1);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_NE(hash.value, reading.value);
    EXPECT_GT(hash.vertices, 1000);
    EXPECT_LE(hash.vertices, 200'000);
    EXPECT_LE(hash.commands, 100);
    const test::Allocations steady;
    test::draw_view(screen, *view, stage.timeline, stage.selection, 1);
    EXPECT_LE(steady.count(), 60) << settings << ": a frame in which nothing changes";
  }
}

}  // namespace
}  // namespace sparsescope::viz
