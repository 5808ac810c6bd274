// What a person does with the window, from the start page to the replay, with a scripted trainer behind it.
#include <gtest/gtest.h>

#include <thread>

#include "tests/app/journey.h"
#include "tests/app/scripted_host.h"
#include "tests/support/process.h"

namespace sparsescope::test {
namespace {

using S = frame::TrainerStatus::State;

// Lets frames pass until `done`, at most a thousand.
void wait_until(ImGuiTestContext* ctx, const std::function<bool()>& done) {
  for (int i = 0; i < 1000 && !done(); ++i) ctx->Yield();
  IM_CHECK(done());
}

void drag_cursor_to(ImGuiTestContext* ctx, float share) {
  ctx->SetRef("//time");
  const ImGuiTestItemInfo minimap = ctx->ItemInfo("minimap");
  const ImRect& box = minimap.RectFull;
  ctx->MouseMoveToPos({box.Min.x + box.GetWidth() * 0.9f, box.GetCenter().y});
  ctx->MouseDown(0);
  ctx->MouseMoveToPos({box.Min.x + box.GetWidth() * share, box.GetCenter().y});
  ctx->Yield(2);
  ctx->MouseUp(0);
}

TEST(Journey, StartsChangesPausesScrubsFollowsAndQuits) {
  TemporaryFolder folder;
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  host.recording = folder / "run.h5";
  std::uint64_t held_step = 0;
  {
    Journey journey(host, timeline);
    journey.between_frames([&] { host.advance(3); });
    const std::string trouble = journey.run("live", [&](ImGuiTestContext* ctx) {
      ctx->ItemClick("//start/**/spark-collapse/card");
      IM_CHECK(host.scripted != nullptr);
      wait_until(ctx, [&] { return host.scripted->status().step > 300; });
      viz::Cursor& cursor = timeline.cursor();
      IM_CHECK(cursor.is_following());

      // The learning rate, by its handle.
      ctx->SetRef("//top");
      const ImRect box = ctx->ItemInfo("learning_rate_scale/slider").RectFull;
      ctx->MouseMoveToPos(box.GetCenter());
      ctx->MouseDown(0);
      ctx->MouseMoveToPos({box.Min.x + box.GetWidth() * 0.25f, box.GetCenter().y});
      ctx->Yield(2);
      ctx->MouseUp(0);
      const frame::TrainerStatus changed = host.scripted->status();
      IM_CHECK(changed.controls[2].name == "learning_rate_scale");
      IM_CHECK(changed.controls[2].value < 0.5 && changed.controls[2].value > 0.01);

      // Pause and go on, by the big button.
      ctx->ItemClick("###train");
      IM_CHECK(host.scripted->status().state == S::Paused);
      const std::uint64_t paused_at = host.scripted->status().step;
      ctx->Yield(5);
      IM_CHECK_EQ(host.scripted->status().step, paused_at);
      ctx->ItemClick("###train");
      IM_CHECK(host.scripted->status().state == S::Training);

      // Back in time while training goes on.
      drag_cursor_to(ctx, 0.02f);
      IM_CHECK(!cursor.is_following());
      const std::uint64_t looked_at = cursor.step(), trained = host.scripted->status().step;
      IM_CHECK(looked_at < trained);
      ctx->Yield(20);
      IM_CHECK_EQ(cursor.step(), looked_at);
      IM_CHECK(host.scripted->status().step > trained);
      held_step = looked_at;

      // And back to now.
      ctx->ItemClick("//time/###live");
      ctx->Yield(3);
      IM_CHECK(cursor.is_following());
      IM_CHECK(cursor.step() > looked_at);

      // Leaving asks once; Escape is no answer but staying.
      ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_Q);
      ctx->Yield(2);
      IM_CHECK(journey.frame().state().dialog == frame::Dialog::Quit);
      IM_CHECK(!host.leave);
      ctx->ItemClick("//Training is still running/###Cancel");
      ctx->Yield(2);
      IM_CHECK(!host.leave && journey.frame().state().dialog == frame::Dialog::None);
      ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_Q);
      ctx->Yield(2);
      ctx->ItemClick("//Training is still running/###Stop and save");
      IM_CHECK(host.leave == frame::Leave::StopAndSave);
    });
    ASSERT_EQ(trouble, "");
  }
  const record::WriterStats stats = host.scripted->close();
  EXPECT_EQ(stats.failure, "");
  EXPECT_EQ(stats.frames_committed, stats.frames_received);

  // The recording shows the picture that the live run showed, at the same step.
  viz::Timeline replay;
  ScriptedHost replay_host(replay);
  replay_host.open_recording(folder / "run.h5");
  while (replay.runs().front()->end() == nullptr) {
    replay.drain_all();
    std::this_thread::yield();
  }
  timeline.drain_all();
  timeline.window().fit();  // leaving live froze it
  host.scripted.reset();
  for (const char* view : {"drift", "density", "loss"}) {
    const std::uint64_t live = picture_hash(host, timeline, view, held_step);
    EXPECT_EQ(live, picture_hash(replay_host, replay, view, held_step)) << view;
    EXPECT_NE(live, picture_hash(replay_host, replay, view, held_step + 40))
        << view << " draws the same at another step";
  }
}

TEST(Journey, AFileThatIsNoneIsRefusedWhereItWasAskedFor) {
  TemporaryFolder folder;
  const std::string text = folder.write("notes.h5", "this is no recording\n");
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  Journey journey(host, timeline);
  const std::string trouble = journey.run("refused", [&](ImGuiTestContext* ctx) {
    for (const std::string& path : {folder / "missing.h5", text}) {
      ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_O);
      ctx->Yield(3);
      ctx->SetRef("//Open a recording");
      ctx->ItemInputValue("##path", path.c_str());
      ctx->Yield(2);
      const frame::State& state = journey.frame().state();
      IM_CHECK(state.dialog == frame::Dialog::Open);
      IM_CHECK(state.dialog_problem.find(path) != std::string::npos ||
               state.dialog_problem.find("notes.h5") != std::string::npos);
      ctx->ItemClick("###Cancel");
      ctx->Yield(2);
    }
    IM_CHECK(timeline.runs().empty());
  });
  EXPECT_EQ(trouble, "");
}

TEST(Journey, EveryDialogAndOverlayOpensAndClosesByKey) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  host.start_training("spark-collapse");
  Journey journey(host, timeline);
  journey.between_frames([&] { host.advance(1); });
  const std::string trouble = journey.run("overlays", [&](ImGuiTestContext* ctx) {
    ctx->Yield(30);
    ctx->KeyPress(ImGuiKey_F1);
    ctx->Yield(2);
    IM_CHECK(journey.frame().state().show_cheat_sheet);
    ctx->KeyPress(ImGuiKey_Escape);
    ctx->Yield(2);
    IM_CHECK(!journey.frame().state().show_cheat_sheet);

    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_K);
    ctx->Yield(3);
    ctx->KeyChars("first step");
    ctx->Yield(2);
    ctx->KeyPress(ImGuiKey_Enter);
    ctx->Yield(2);
    IM_CHECK(!journey.frame().state().palette.is_open);
    IM_CHECK_EQ(timeline.cursor().step(), timeline.runs()[0]->first_step());

    const frame::PaletteState& palette = journey.frame().state().palette;
    const auto answer = [&](const char* value) {
      ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_A);
      ctx->KeyChars(value);
      ctx->Yield(2);
      ctx->KeyPress(ImGuiKey_Enter);
      ctx->Yield(2);
    };
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_G);
    ctx->Yield(3);
    IM_CHECK_EQ(palette.asks_for, "timeline.go_to");
    answer("999,999");
    IM_CHECK(palette.is_open && palette.problem.find("step goes from 0 to") == 0);
    answer("12");
    IM_CHECK(!palette.is_open);
    IM_CHECK_EQ(timeline.cursor().step(), 12u);

    journey.frame().commands().run("train.pause_at");
    ctx->Yield(3);
    answer("999,999");
    IM_CHECK(palette.problem.find("3,000") != std::string::npos);
    answer("2,500");
    IM_CHECK(!palette.is_open);
    IM_CHECK_EQ(host.scripted->status().pause_at, 2500u);

    // Anything by its first letter.
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_K);
    ctx->Yield(3);
    answer("#7");
    IM_CHECK_EQ(timeline.cursor().step(), 7u);
  });
  EXPECT_EQ(trouble, "");
}

TEST(Journey, FindsLocksUndoesSavesAndHidesByKeysAlone) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  host.start_training("spark-collapse");
  host.scripted->advance(200);
  Journey journey(host, timeline);
  const std::string trouble = journey.run("keys", [&](ImGuiTestContext* ctx) {
    const frame::State& state = journey.frame().state();
    ctx->Yield(20);
    // Find.
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_F);
    ctx->Yield(3);
    ctx->KeyChars("threshold");
    ctx->Yield(2);
    ctx->KeyPress(ImGuiKey_Enter);
    ctx->Yield(3);
    IM_CHECK(!state.palette.is_open);
    IM_CHECK_EQ(state.run_list.channels.filter, "threshold");
    // Lock, undo, redo, release.
    ctx->KeyPress(ImGuiKey_RightBracket);
    ctx->Yield(8);
    IM_CHECK(state.selection.locked.layer.has_value());
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_Z);
    ctx->Yield(8);
    IM_CHECK(!state.selection.locked.layer.has_value());
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_Z);
    ctx->Yield(8);
    IM_CHECK(state.selection.locked.layer.has_value());
    ctx->KeyPress(ImGuiKey_Escape);
    ctx->Yield(8);
    IM_CHECK(!state.selection.locked.layer.has_value());
    // Save the layout.
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_S);
    ctx->Yield(3);
    ctx->KeyChars("Mine");
    ctx->Yield(2);
    ctx->KeyPress(ImGuiKey_Enter);
    ctx->Yield(3);
    IM_CHECK_EQ(host.own_layouts.size(), 1u);
    IM_CHECK_EQ(host.own_layouts[0].name, "Mine");
    // Hide everything but the views, and bring it back.
    ctx->KeyPress(ImGuiKey_Tab);
    ctx->Yield(3);
    IM_CHECK(state.hide_interface);
    ctx->KeyPress(ImGuiKey_Escape);
    ctx->Yield(3);
    IM_CHECK(!state.hide_interface);
  });
  EXPECT_EQ(trouble, "");
}

TEST(Journey, LettersPlayTheTimeAxis) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  host.start_training("spark-collapse");
  host.scripted->advance(500);
  Journey journey(host, timeline);
  const std::string trouble = journey.run("time keys", [&](ImGuiTestContext* ctx) {
    ctx->Yield(5);
    const viz::Range whole = timeline.visible();
    ctx->KeyPress(ImGuiKey_W);
    ctx->Yield();
    IM_CHECK(timeline.visible().width() < whole.width());
    ctx->KeyPress(ImGuiKey_F);
    ctx->Yield();
    IM_CHECK(timeline.visible() == whole);
    ctx->KeyPress(ImGuiKey_Home);
    ctx->Yield();
    IM_CHECK_EQ(timeline.cursor().step(), 0u);
    ctx->KeyPress(ImGuiKey_Space);
    ctx->Yield(30);
    IM_CHECK(timeline.cursor().is_playing());
    IM_CHECK(timeline.cursor().step() > 0u);
    ctx->KeyPress(ImGuiKey_Space);
    ctx->Yield();
    IM_CHECK(!timeline.cursor().is_playing());
    ctx->KeyPress(ImGuiKey_End);
    ctx->Yield(2);
    IM_CHECK(timeline.cursor().is_following());
  });
  EXPECT_EQ(trouble, "");
}

TEST(Journey, TheWindowDrawsAtEveryScaleAndTheme) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  host.start_training("spark-collapse");
  host.scripted->advance(400);
  Journey journey(host, timeline, 1280, 720);
  for (const float scale : {0.5f, 1.f, 1.5f, 2.f, 3.f}) {
    journey.frame().set_monitor_scale(scale);
    journey.frames(4);
    EXPECT_GT(ImGui::GetDrawData()->TotalVtxCount, 500) << scale;
    EXPECT_LT(ImGui::GetDrawData()->TotalVtxCount, 200000) << scale;
    journey.frame().commands().run("window.theme");
  }
}

}  // namespace
}  // namespace sparsescope::test
