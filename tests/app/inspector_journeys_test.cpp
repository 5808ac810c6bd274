// What a person does with runs, channels, tokens and the cost of watching, on a real recording.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/app/journey.h"
#include "tests/app/scripted_host.h"
#include "tests/support/process.h"
#include "viz/views/text_sample_view.h"

namespace sparsescope::test {
namespace {

const std::string kDemo = std::string(SPARSESCOPE_SOURCE_DIR) + "/recordings/small.h5";

// A window over the demo recording, everything read.
struct Window {
  Window() : host(timeline), journey(host, timeline) {
    host.no_training = "this is the replay-only program";
    open_demo();
    for (int i = 0; i < 3000 && (timeline.runs().front()->end() == nullptr || timeline.is_busy()); ++i)
      journey.frames(1);
  }
  // Its notes are kept elsewhere: the demo is the program's own.
  void open_demo() {
    journey.frame().open(kDemo);
    host.notes_beside = notes / "small.h5";
  }
  const frame::State& state() { return journey.frame().state(); }
  viz::Selection& selection() { return journey.frame().selection(); }
  // "" when it ran.
  std::string command(const char* id) { return journey.frame().commands().run(id); }
  TemporaryFolder notes;
  viz::Timeline timeline;
  ScriptedHost host;
  Journey journey;
};

TEST(InspectorJourney, AClickLocksATokenANumberCopiesAndShiftTogglesIt) {
  Window window;
  window.timeline.cursor().seek(150);  // edges were recorded here
  const std::string trouble = window.journey.run("tokens", [&](ImGuiTestContext* ctx) {
    const std::optional<std::int64_t>& locked = window.selection().locked.token;
    ctx->ItemClick("//inspector/**/token");
    IM_CHECK(locked.has_value());
    ctx->Yield(30);
    ImGui::SetClipboardText("");
    ctx->ItemClick("//inspector/**/weight");
    const double weight = std::atof(ImGui::GetClipboardText());
    IM_CHECK(weight > 0 && weight <= 1);
    ctx->KeyDown(ImGuiMod_Shift);
    ctx->ItemClick("//inspector/**/token");
    ctx->KeyUp(ImGuiMod_Shift);
    IM_CHECK(!locked.has_value());
    ctx->ItemClick("//inspector/**/token");
    IM_CHECK(locked.has_value());
    IM_CHECK(window.command("selection.release") == "");
    IM_CHECK(!locked.has_value());
  });
  EXPECT_EQ(trouble, "");
}

TEST(InspectorJourney, RunsAreRenamedHiddenFilteredAndClosed) {
  Window window;
  window.open_demo();
  for (int i = 0; i < 3000 && window.timeline.runs().back()->end() == nullptr; ++i) window.journey.frames(1);
  ASSERT_EQ(window.timeline.runs().size(), 2u);
  const std::uint32_t second = window.timeline.runs().back()->id();
  const std::string trouble = window.journey.run("runs", [&](ImGuiTestContext* ctx) {
    IM_CHECK_EQ(window.state().selection.run.value_or(99), second);
    ctx->KeyPress(ImGuiKey_F2);
    ctx->Yield(3);
    ctx->KeyCharsReplaceEnter("the one to keep");
    ctx->Yield(3);
    IM_CHECK(window.timeline.find(second)->name() == "the one to keep");
    ctx->ItemInputValue("//side/##filter", "to keep");
    ctx->Yield(2);
    // One recording opened twice is one run, and a name is the run's.
    IM_CHECK_EQ(viz::listed_runs(window.timeline, window.state().run_list.settings).size(), 2u);
    ctx->ItemInputValue("//side/##filter", "another name");
    ctx->Yield(2);
    IM_CHECK(viz::listed_runs(window.timeline, window.state().run_list.settings).empty());
    ctx->ItemInputValue("//side/##filter", "");
    ctx->Yield(2);
    IM_CHECK(window.command("run.hide") == "");
    ctx->Yield(2);
    IM_CHECK_EQ(viz::listed_runs(window.timeline, window.state().run_list.settings).size(), 1u);
    IM_CHECK(*window.selection().run != second);  // what is hidden is not looked at
    IM_CHECK(window.command("run.copy_path") == "");
    IM_CHECK(std::string(ImGui::GetClipboardText()) == kDemo);
    IM_CHECK(window.command("run.copy_table") == "");
    IM_CHECK(std::string(ImGui::GetClipboardText()).find("1 of 2 runs are not listed") != std::string::npos);
    IM_CHECK(window.command("run.close") == "");
    ctx->Yield(2);
    IM_CHECK_EQ(window.timeline.runs().size(), 1u);
  });
  EXPECT_EQ(trouble, "");
}

TEST(InspectorJourney, AnElementOfAChannelBecomesATrackOfTheTimeline) {
  Window window;
  const std::string trouble = window.journey.run("channels", [&](ImGuiTestContext* ctx) {
    ctx->ItemInputValue("//side/##filter", "gradient norm");
    ctx->Yield(3);
    const auto shows = [&] {
      if (!window.state().time_bar.charts) return false;
      return std::ranges::any_of(*window.state().time_bar.charts, [](const viz::ChartChoice& chart) {
        return chart.labels == std::vector<std::string>{"gradient_norm"};
      });
    };
    IM_CHECK(!shows());
    const std::string element =
        "//side/**/$$(int)" +
        std::to_string(
            window.timeline.runs().front()->schema()->find("scalars")->label_index("name", "gradient_norm")) +
        "/row";
    ctx->ItemClick(element.c_str());
    ctx->Yield(2);
    IM_CHECK(shows());
    ctx->ItemClick(element.c_str());
    ctx->Yield(2);
    IM_CHECK(!shows());
  });
  EXPECT_EQ(trouble, "");
}

TEST(InspectorJourney, TheMeterUnfoldsAndCopiesWhatTheRecordingSays) {
  Window window;
  const std::string trouble = window.journey.run("watching", [&](ImGuiTestContext* ctx) {
    ctx->ItemClick("//top/overhead/meter");
    ctx->Yield(3);
    ImGui::SetClipboardText("");
    ctx->ItemClick("//$FOCUSED/Copy as a table");
    const std::string copied = ImGui::GetClipboardText();
    IM_CHECK(copied.find("%") != std::string::npos);
    IM_CHECK(copied.find("Not recorded by this run") == std::string::npos);
  });
  EXPECT_EQ(trouble, "");
}

TEST(InspectorJourney, AReplayDoesNotWriteTextAndSaysWhy) {
  Window window;
  EXPECT_EQ(window.command("samples.generate"),
            "only a run that is trained in this window can write; a replay shows what was recorded");
  EXPECT_EQ(window.command("watching.show"), "");
}

TEST(InspectorJourney, ARunInTrainingCannotBeClosed) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  Journey journey(host, timeline);
  journey.between_frames([&] { host.advance(3); });
  host.start_training("spark-collapse");
  journey.frames(10);
  EXPECT_EQ(journey.frame().commands().run("run.close"), "it is being trained: stop training first");
  EXPECT_EQ(journey.frame().commands().run("run.hide"), "it is the only run in the list");
  EXPECT_EQ(journey.frame().commands().run("samples.generate"), "this run records no text samples");
}

}  // namespace
}  // namespace sparsescope::test
