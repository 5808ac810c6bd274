// The same hands on the real thing: a tiny SPaRK model trains on the CPU behind the window, is recorded, and
// is replayed.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "app/desktop_session.h"
#include "app/desktop_training.h"
#include "tests/app/journey.h"
#include "tests/app/scripted_host.h"
#include "tests/support/process.h"

namespace sparsescope::test {
namespace {

using S = frame::TrainerStatus::State;

app::DesktopOptions tiny_run(const TemporaryFolder& folder) {
  std::string text;
  for (int i = 0; i < 3000; ++i)
    text += "int value_" + std::to_string(i % 37) + " = other_" + std::to_string(i % 11) + ";\n\n";
  app::DesktopOptions options;
  options.run.corpus = {folder.write("text.c", text)};
  options.run.device = "cpu";
  options.run.steps = 200000;  // the journey ends it
  options.run.out = folder / "run.h5";
  options.run.preset = "spark-collapse";
  options.run.sets = {"model.layers=2",
                      "model.width=16",
                      "model.heads=2",
                      "model.context=64",
                      "spark.rank=8",
                      "train.batch=2",
                      "train.threads=1",
                      "data.tokenizer=bytes",
                      "data.vocabulary=256",
                      "evaluation.every=0",
                      "evaluation.needle_every=0",
                      "evaluation.windows=2",
                      "evaluation.needle_trials=1",
                      "probe.every=0",
                      "train.pace=60"};
  return options;
}

void wait_until(ImGuiTestContext* ctx, const std::function<bool()>& done) {
  for (int i = 0; i < 8000 && !done(); ++i) ctx->Yield();
  IM_CHECK(done());
}

double control_of(const frame::TrainerStatus& status, const std::string& name) {
  for (const trace::Control& control : status.controls) {
    if (control.name == name) return control.value;
  }
  return -1;
}

bool has_event(const viz::Run& run, const std::string& words) {
  return std::any_of(run.events().begin(), run.events().end(),
                     [&](const viz::Event& event) { return event.json.find(words) != std::string::npos; });
}

TEST(RealRun, IsDrivenRecordedAndReplayedFromTheWindow) {
  TemporaryFolder folder;
  viz::Timeline timeline;
  std::uint64_t looked_at = 0;
  app::DesktopSession session(tiny_run(folder), timeline, app::DesktopSession::Remember::No);
  {
    Journey journey(session, timeline, 1920, 1080);
    const std::string trouble = journey.run("real run", [&](ImGuiTestContext* ctx) {
      ctx->ItemClick("//start/**/spark-collapse/card");
      IM_CHECK(session.trainer() != nullptr);
      const auto status = [&] { return session.trainer()->status(); };
      wait_until(ctx, [&] { return status().step > 40 || status().is_over(); });
      IM_CHECK_STR_EQ(status().message.c_str(), "");

      ctx->SetRef("//top");
      const ImRect box = ctx->ItemInfo("learning_rate_scale/slider").RectFull;
      ctx->MouseMoveToPos(box.GetCenter());
      ctx->MouseDown(0);
      ctx->MouseMoveToPos({box.Min.x + box.GetWidth() * 0.25f, box.GetCenter().y});
      ctx->Yield(2);
      ctx->MouseUp(0);
      wait_until(ctx, [&] { return control_of(status(), "learning_rate_scale") < 0.5; });

      ctx->ItemClick("###train");
      wait_until(ctx, [&] { return status().state == S::Paused; });
      const std::uint64_t paused_at = status().step;
      ctx->Yield(20);
      IM_CHECK_EQ(status().step, paused_at);
      ctx->ItemClick("###train");
      wait_until(ctx, [&] { return status().step > paused_at + 20; });

      ctx->SetRef("//time");
      const ImRect map = ctx->ItemInfo("minimap").RectFull;
      ctx->MouseMoveToPos({map.Min.x + map.GetWidth() * 0.5f, map.GetCenter().y});
      ctx->MouseDown(0);
      ctx->MouseMoveToPos({map.Min.x + 12, map.GetCenter().y});
      ctx->Yield(2);
      ctx->MouseUp(0);
      looked_at = timeline.cursor().step();
      IM_CHECK(!timeline.cursor().is_following() && looked_at < status().step);
      const std::uint64_t trained = status().step;
      wait_until(ctx, [&] { return status().step > trained + 20; });
      IM_CHECK_EQ(timeline.cursor().step(), looked_at);

      ctx->KeyPress(ImGuiKey_End);
      ctx->Yield(3);
      IM_CHECK(timeline.cursor().is_following() && timeline.cursor().step() > looked_at);
      ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_Q);
      ctx->Yield(2);
      IM_CHECK(!session.leaving());
      ctx->ItemClick("//Training is still running/###Stop and save");
      IM_CHECK(session.leaving() == frame::Leave::StopAndSave);
    });
    ASSERT_EQ(trouble, "");
  }
  app::TrainingRun& run = session.live_run()->run();
  run.post(trace::Stop{});
  EXPECT_EQ(run.wait().status, trace::RunStatus::Stopped);
  EXPECT_EQ(run.recorder_stats().failure, "");
  EXPECT_EQ(run.recorder_stats().frames_committed, run.recorder_stats().frames_received);
  timeline.drain_all();
  EXPECT_EQ(timeline.runs().front()->dropped(), 0u);
  EXPECT_TRUE(has_event(*timeline.runs().front(), "learning_rate_scale"));

  viz::Timeline replay;
  ScriptedHost replay_host(replay);
  replay_host.open_recording(folder / "run.h5");
  while (replay.runs().front()->end() == nullptr) {
    replay.drain_all();
    std::this_thread::yield();
  }
  EXPECT_TRUE(has_event(*replay.runs().front(), "learning_rate_scale"));
  looked_at = std::max<std::uint64_t>(looked_at, 5);
  for (const char* view : {"drift", "density", "loss"}) {
    EXPECT_EQ(picture_hash(session, timeline, view, looked_at),
              picture_hash(replay_host, replay, view, looked_at))
        << view;
  }
}

TEST(RealRun, WhatCannotStartIsSaidWhereItWasAskedFor) {
  TemporaryFolder folder;
  viz::Timeline timeline;
  app::DesktopOptions options = tiny_run(folder);
  options.run.sets.push_back("model.heads=5");  // does not divide the width
  app::DesktopSession session(options, timeline, app::DesktopSession::Remember::No);
  Journey journey(session, timeline);
  journey.frames(2);
  journey.frame().commands().run("train.preset.spark-collapse");
  journey.frames(2);
  EXPECT_NE(journey.frame().state().start_problem.find("heads"), std::string::npos)
      << journey.frame().state().start_problem;
  EXPECT_EQ(session.trainer(), nullptr);
}

}  // namespace
}  // namespace sparsescope::test
