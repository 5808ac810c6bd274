// Several runs beside one another and the commands of needle retrieval, by keys and by name.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "engine/trace/synthetic_source.h"
#include "tests/app/journey.h"
#include "tests/app/scripted_host.h"
#include "tests/support/process.h"

namespace sparsescope::test {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void add_run(viz::Timeline& timeline, std::uint64_t seed, std::uint64_t frames) {
  trace::SyntheticOptions options;
  options.frames = frames;
  options.seed = seed;
  auto mailbox = std::make_shared<trace::Mailbox>(std::size_t{1} << 28, trace::Overflow::DropOldest);
  trace::SyntheticSource(options).run(*mailbox);
  viz::Feed feed;
  feed.mailbox = mailbox;
  feed.name = "run " + std::to_string(seed);
  timeline.add_run(std::move(feed));
}

std::string twin_of(Journey& journey, viz::Timeline& timeline, const std::string& view) {
  for (const frame::State::Slot& slot : journey.frame().state().slots) {
    if (slot.view->id() != view) continue;
    viz::ViewContext context{timeline, journey.frame().selection()};
    return slot.view->text_twin(context);
  }
  return "";
}

TEST(ComparisonJourney, AKeyLaysRunsOverOneAnotherAndAnotherTakesThemApart) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  add_run(timeline, 1, 300);
  add_run(timeline, 2, 200);
  add_run(timeline, 3, 250);
  timeline.drain_all();
  Journey journey(host, timeline);
  const viz::Comparison& comparison = journey.frame().selection().comparison;
  const std::string trouble = journey.run("compare", [&](ImGuiTestContext* ctx) {
    ctx->Yield(4);
    ctx->KeyPress(ImGuiKey_C);
    IM_CHECK(comparison.beside == std::vector<std::uint32_t>({1}));
    ctx->KeyPress(ImGuiKey_C);
    IM_CHECK(comparison.beside == std::vector<std::uint32_t>({1, 2}));
    for (const char* view : {"loss", "drift", "density", "needle"}) {
      const std::string text = twin_of(journey, timeline, view);
      IM_CHECK(text.find("B: ") != std::string::npos);
      IM_CHECK(text.find("\tC ") != std::string::npos || text.find("\tC\t") != std::string::npos);
    }
    ctx->KeyPress(ImGuiKey_C);
    IM_CHECK(comparison.beside.empty());
    // Pinned, it is A wherever one looks.
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_A);
    IM_CHECK(comparison.baseline == 0u);
    ctx->KeyPress(ImGuiMod_Alt | ImGuiKey_DownArrow);
    journey.frame().selection().run = 2;
    ctx->Yield(2);
    IM_CHECK(twin_of(journey, timeline, "loss").find(", baseline") != std::string::npos);
    ctx->KeyPress(ImGuiMod_Shift | ImGuiKey_C);
    IM_CHECK(!comparison.baseline.has_value());
  });
  EXPECT_EQ(trouble, "");
}

TEST(ComparisonJourney, ARunIsComparedByItsNameAndNoMoreThanMayBeShown) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) add_run(timeline, seed, 60);
  timeline.drain_all();
  Journey journey(host, timeline);
  journey.frames(3);
  const viz::CommandTable& commands = journey.frame().commands();
  const viz::UiCommand* compare = commands.find("run.compare_with");
  ASSERT_NE(compare, nullptr);
  const std::vector<std::string> names = compare->argument->choices();
  ASSERT_EQ(names.size(), 4u) << "every run but the selected one";
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(commands.run("run.compare_with", names[i]), "");
  EXPECT_EQ(commands.run("run.compare_with", names[3]), "4 runs are shown already; take one out first");
  EXPECT_EQ(commands.run("run.compare_with", names[0]), "") << "the same again takes it out";
  EXPECT_EQ(journey.frame().selection().comparison.beside.size(), 2u);
}

TEST(ComparisonJourney, AloneThereIsNothingToCompareWith) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  add_run(timeline, 1, 60);
  timeline.drain_all();
  Journey journey(host, timeline);
  journey.frames(2);
  EXPECT_EQ(journey.frame().commands().run("run.compare"), "only one run is open");
  EXPECT_EQ(journey.frame().commands().run("run.clear_comparison"), "no run is compared");
}

TEST(ComparisonJourney, TwoRunsStandSideBySideAndUndoTakesThemApart) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  add_run(timeline, 1, 120);
  add_run(timeline, 2, 120);
  timeline.drain_all();
  Journey journey(host, timeline);
  journey.frames(12);
  const viz::CommandTable& commands = journey.frame().commands();
  const auto do_it = [&](const std::string& id, const std::string& value = "") {
    EXPECT_EQ(value.empty() ? commands.run(id) : commands.run(id, value), "") << id;
    journey.frames(8);
  };
  const auto is_paired = [&](const char* setting = "side_by_side") {
    for (const frame::State::Slot& slot : journey.frame().state().slots) {
      if (slot.view->id() == "routing") return slot.view->settings().value(setting, false);
    }
    return false;
  };
  do_it("view.routing");
  EXPECT_NE(commands.why_disabled("compare.link_cameras"), "");
  do_it("compare.side_by_side");
  EXPECT_TRUE(is_paired());
  EXPECT_NE(twin_of(journey, timeline, "routing").find("Pick a second run"), std::string::npos);
  do_it("compare.pick", commands.find("compare.pick")->argument->choices().at(0));
  EXPECT_EQ(journey.frame().selection().comparison.baseline, 1u);
  EXPECT_EQ(twin_of(journey, timeline, "routing").find("Pick a second run"), std::string::npos);
  do_it("compare.link_cameras");
  EXPECT_FALSE(is_paired("link_cameras"));
  do_it("window.undo");
  EXPECT_TRUE(is_paired("link_cameras"));
  do_it("window.undo");
  EXPECT_FALSE(journey.frame().selection().comparison.baseline.has_value());
  do_it("window.undo");
  EXPECT_FALSE(is_paired());
  for (int i = 0; i < 3; ++i) do_it("window.redo");
  EXPECT_TRUE(is_paired());
  EXPECT_FALSE(is_paired("link_cameras"));
  // A layout keeps it.
  do_it("layout.save", "two runs");
  do_it("compare.side_by_side");
  EXPECT_FALSE(is_paired());
  do_it("layout.mine.two runs");
  EXPECT_TRUE(is_paired());
}

TEST(ComparisonJourney, SidesBecomeOneFigureOrOneEach) {
  TemporaryFolder folder;
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  add_run(timeline, 1, 60);
  add_run(timeline, 2, 60);
  timeline.drain_all();
  Journey journey(host, timeline);
  journey.frame().selection().comparison.beside = {1};
  journey.frames(12);
  auto& state = const_cast<frame::State&>(journey.frame().state());
  state.figure.formats = {frame::ExportFormat::Csv};
  for (const bool apart : {false, true}) {
    const viz::CommandTable& commands = journey.frame().commands();
    if (!apart) {
      ASSERT_EQ(commands.run("view.loss"), "");
      journey.frames(6);
      ASSERT_EQ(commands.run("compare.side_by_side"), "");
      journey.frames(6);
    }
    frame::ExportRequest request;
    request.view = "loss";
    request.formats = {frame::ExportFormat::Csv};
    request.selection = journey.frame().selection();
    for (const frame::State::Slot& slot : state.slots) {
      if (slot.view->id() == "loss") request.settings = slot.view->settings().dump();
    }
    request.panes_apart = apart;
    request.stem = folder / "loss";
    state.wanted_figure = request;
    journey.frames(2);
  }
  const auto text = [&](const char* name) { return read_text(folder / name); };
  EXPECT_NE(text("loss.csv").find("\nA,"), std::string::npos);
  EXPECT_NE(text("loss.csv").find("\nB,"), std::string::npos);
  EXPECT_NE(text("loss.A.csv").find("\nA,"), std::string::npos);
  EXPECT_EQ(text("loss.A.csv").find("\nB,"), std::string::npos);
  EXPECT_EQ(text("loss.B.csv").find("\nA,"), std::string::npos);
}

TEST(NeedleJourney, AnEvaluationIsAskedForByItsContext) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  Journey journey(host, timeline);
  const viz::CommandTable& commands = journey.frame().commands();
  journey.frames(2);
  EXPECT_NE(commands.run("needle.evaluate", "4x"), "") << "without a trainer there is a reason";
  journey.between_frames([&] { host.advance(3); });
  ASSERT_EQ(commands.run("train.preset.spark-collapse"), "");
  journey.frames(8);
  ASSERT_NE(host.scripted, nullptr);
  EXPECT_EQ(commands.run("needle.evaluate", "4x"), "");
  const auto* asked = std::get_if<trace::EvaluateNow>(&host.scripted->posted.back());
  ASSERT_NE(asked, nullptr);
  EXPECT_EQ(asked->context_multiples, std::vector<int>{4});
  EXPECT_NE(commands.run("needle.evaluate", "5x"), "") << "a context that the run cannot evaluate";
  EXPECT_EQ(commands.run("needle.inject", "0.3"), "this run has no probe text");
  EXPECT_EQ(commands.why_disabled("needle.remove"), "this run has no probe text");
}

}  // namespace
}  // namespace sparsescope::test
