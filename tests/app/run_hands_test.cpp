// What a person does with a run of the list: recover its recording, name it for good; and that menus do what
// the palette does.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/record/recording_writer.h"
#include "imgui_internal.h"
#include "tests/app/bench.h"
#include "tests/app/journey.h"
#include "tests/support/process.h"
#include "viz/widgets/theme.h"

namespace sparsescope::test {
namespace {

void draw_until(Bench& bench, const std::function<bool()>& is_so) {
  for (int i = 0; i < 3000 && !is_so(); ++i) {
    bench.draw(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(is_so());
}

// A copy of a recording that is being written is what a killed program leaves.
void leave_unclosed(const std::string& live, const std::string& as) {
  const trace::SyntheticSource source({trace::SyntheticOptions::Kind::Spark, 60, 5});
  record::WriterOptions options;
  options.path = live;
  options.commit_nanos = 1;
  options.free_bytes_at_start = 0;
  record::RecordingWriter writer(options);
  writer.on_schema(source.schema());
  for (std::uint64_t i = 0; i < 60; ++i) writer.on_frame(source.frame(i));
  while (writer.stats().frames_committed < 60) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  std::filesystem::copy_file(live, as);
}

TEST(RunHands, AnUnclosedRecordingIsRecoveredIntoANewFileThatOpens) {
  TemporaryFolder folder;
  leave_unclosed(folder / "live.h5", folder / "run.h5");
  Bench bench(false);
  EXPECT_NE(bench.commands().why_disabled("run.recover"), "");
  bench.host.open_recording(folder / "run.h5");
  draw_until(bench, [&] { return bench.timeline.runs()[0]->end() != nullptr; });
  ASSERT_EQ(bench.timeline.runs()[0]->end()->status, trace::RunStatus::Unclosed);
  bench.run("run.recover");
  draw_until(bench, [&] { return bench.timeline.runs().size() == 2; });
  draw_until(bench, [&] { return bench.timeline.runs()[1]->end() != nullptr; });
  EXPECT_EQ(bench.timeline.runs()[1]->end()->status, trace::RunStatus::Finished);
  EXPECT_EQ(bench.timeline.runs()[1]->rows(), 60u);
  EXPECT_TRUE(std::filesystem::exists(folder / "run.recovered.h5"));
  bool said = false;
  for (const frame::Toast& toast : bench.state().toasts)
    said |= toast.text.find("recovered 60 of 60 frames") != std::string::npos;
  EXPECT_TRUE(said);
  bench.run("run.select", frame::run_title(bench.state(), *bench.timeline.runs()[1]));
  EXPECT_EQ(bench.commands().why_disabled("run.recover"), "its recording is whole");
}

TEST(RunHands, ANameAndTagsComeBackWithTheRecording) {
  TemporaryFolder folder;
  const std::string recording = folder / "run.h5";
  {
    Bench bench(false);
    bench.host.recording = recording;
    bench.host.start_training("spark-collapse");
    bench.host.scripted->advance(200);
    bench.host.scripted->close();
    bench.draw(10);
    bench.run("run.set_name", "the good one");
    bench.run("run.tag", "collapse, #seed 2");
    EXPECT_NE(bench.commands().run("run.tag", std::string(60, 'x')), "");
  }
  Bench bench(false);
  bench.host.open_recording(recording);
  draw_until(bench, [&] { return bench.timeline.runs()[0]->end() != nullptr; });
  bench.draw(2);
  const viz::RunListSettings& list = bench.state().run_list.settings;
  const std::uint32_t id = bench.timeline.runs()[0]->id();
  EXPECT_EQ(bench.timeline.find(id)->name(), "the good one");
  EXPECT_EQ(list.tags.at(id), (std::vector<std::string>{"collapse", "seed 2"}));
  bench.run("run.set_name", bench.timeline.runs()[0]->title());
  EXPECT_FALSE(bench.timeline.find(id)->is_named()) << "the recorded title is no name of its own";
}

TEST(RunHands, TheContextMenuOfAViewDoesWhatTheKeysDo) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  host.start_training("spark-collapse");
  host.advance(300);
  Journey journey(host, timeline);
  const frame::State& state = journey.frame().state();
  const std::string trouble = journey.run("context menu", [&](ImGuiTestContext* ctx) {
    ctx->Yield(10);
    timeline.cursor().seek(100);
    timeline.window().choose({50, 150});
    journey.frame().selection().locked.layer = 1;
    ctx->Yield(8);
    const auto choose = [&](const char* item) {
      ctx->MouseMoveToPos(ImGui::FindWindowByName("Threshold drift###view drift")->Rect().GetCenter());
      ctx->MouseClick(1);
      ctx->Yield(3);
      ctx->ItemClick((popup_path() + "/" + item).c_str());
      ctx->Yield(4);
    };
    choose("Add bookmark");
    IM_CHECK_EQ(state.book.by_run.begin()->second.annotations.bookmarks().size(), 1u);
    choose("Fit the time axis");
    IM_CHECK(!timeline.window().chosen());
    choose("Release selection");
    IM_CHECK(!journey.frame().selection().locked.layer);
    choose("Annotate…");
    ctx->KeyChars("from the menu");
    ctx->KeyPress(ImGuiKey_Enter);
    ctx->Yield(3);
    IM_CHECK_EQ(state.book.by_run.begin()->second.annotations.notes().size(), 1u);
  });
  EXPECT_EQ(trouble, "");
}

// One path for each action: without its command the switch does nothing.
TEST(RunHands, ASwitchInAPopoverIsTheCommandOfThePaletteAndOneStepOfUndo) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  host.start_training("spark-collapse");
  host.advance(300);
  host.scripted->close();
  Journey journey(host, timeline);
  auto& state = const_cast<frame::State&>(journey.frame().state());
  const auto setting = [&](const char* key) {
    for (const frame::ViewSlot& slot : state.slots) {
      if (slot.view->id() == "loss") return slot.view->settings()[key];
    }
    return nlohmann::json();
  };
  const std::string trouble = journey.run("popover", [&](ImGuiTestContext* ctx) {
    ctx->Yield(12);  // the layout of the run settles
    timeline.cursor().seek(100);
    IM_CHECK(state.commands.run("view.loss") == "");
    ctx->Yield(12);
    const std::size_t steps = state.undo.steps();
    const bool was = setting("perplexity").get<bool>();
    // The first of the two buttons at the right end of the view's header.
    const ImGuiWindow& window = *ImGui::FindWindowByName("Loss and throughput###view loss");
    ctx->MouseMoveToPos({window.InnerRect.Max.x - window.WindowPadding.x - px(2 * 28 - 13),
                         window.InnerRect.Min.y + window.WindowPadding.y + px(10)});
    ctx->MouseClick(0);
    ctx->Yield(3);
    ctx->ItemClick((popup_path() + "/Perplexity").c_str());
    ctx->Yield(8);
    IM_CHECK_EQ(setting("perplexity").get<bool>(), !was);
    IM_CHECK_EQ(state.undo.steps(), steps + 1);
    ctx->ItemClick((popup_path() + "/time axis/tokens").c_str());
    ctx->Yield(8);
    IM_CHECK(timeline.window().axis() == viz::TimeAxis::Tokens);
    state.commands.remove("view.loss.perplexity");
    ctx->ItemClick((popup_path() + "/Perplexity").c_str());
    ctx->Yield(8);
    IM_CHECK_EQ(setting("perplexity").get<bool>(), !was);
  });
  EXPECT_EQ(trouble, "");
}

TEST(RunHands, WhatTheRecorderNotesStandsInTheStatusBar) {
  TemporaryFolder folder;
  Bench bench(false);
  bench.host.recording = folder / "run.h5";
  bench.host.start_training("spark-collapse");
  bench.host.scripted->advance(300);
  bench.draw(20);
  bench.run("timeline.go_to", "100");
  bench.host.scripted->close();
  const std::uint64_t without = bench.hash();
  EXPECT_EQ(bench.hash(), without);
  bench.host.scripted->recorder_note = "recorded in /tmp first, because the folder is on a network";
  EXPECT_NE(bench.hash(), without);
}

}  // namespace
}  // namespace sparsescope::test
