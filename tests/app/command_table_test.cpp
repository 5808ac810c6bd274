// Laws of the command table, on a window that nobody sees.
#include <gtest/gtest.h>

#include <set>

#include "imgui.h"
#include "tests/app/scripted_host.h"
#include "tests/app/surfaces.h"
#include "viz/frame/frame.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::test {
namespace {

// A window with a running, scripted trainer, so that most commands may run.
struct Bench {
  GuiContext gui;
  NullSurface surface{1600, 900};
  viz::Timeline timeline;
  ScriptedHost host{timeline};
  std::unique_ptr<frame::Frame> frame;

  explicit Bench(bool with_run = true) {
    if (with_run) host.start_training("spark-collapse");
    reset();
  }
  void reset() {
    ImGui::GetIO().ClearInputKeys();
    frame = std::make_unique<frame::Frame>(host, timeline, frame::Appearance{});
    draw(3);
  }
  void draw(int count) {
    for (int i = 0; i < count; ++i) {
      host.advance(2);
      frame->prepare();
      surface.begin_frame();
      frame->draw(1.0 / 60);
      surface.end_frame();
    }
  }
  void press(const viz::KeyChord& chord) {
    ImGuiIO& io = ImGui::GetIO();
    if (chord.key == "?") {
      io.AddInputCharacter('?');
      return draw(1);
    }
    const auto modifiers = [&](bool down) {
      if (chord.control) io.AddKeyEvent(ImGuiMod_Ctrl, down);
      if (chord.shift) io.AddKeyEvent(ImGuiMod_Shift, down);
      if (chord.alt) io.AddKeyEvent(ImGuiMod_Alt, down);
    };
    modifiers(true);
    io.AddKeyEvent(frame::imgui_key(chord), true);
    draw(1);
    io.AddKeyEvent(frame::imgui_key(chord), false);
    modifiers(false);
    draw(2);
  }
};

TEST(CommandTable, IdsAndKeysAreUnique) {
  Bench bench;
  std::set<std::string> ids, keys;
  for (const viz::UiCommand& command : bench.frame->commands().all()) {
    EXPECT_TRUE(ids.insert(command.id).second) << command.id;
    EXPECT_FALSE(command.words.empty());
    EXPECT_FALSE(command.category.empty());
    for (const viz::KeyChord& chord : command.keys)
      EXPECT_TRUE(keys.insert(viz::text_from_chord(chord)).second) << viz::text_from_chord(chord);
  }
  EXPECT_GE(ids.size(), 35u);
  EXPECT_GE(keys.size(), 28u);
}

TEST(CommandTable, EveryShownKeyFiresItsCommand) {
  Bench bench;
  std::vector<std::pair<std::string, viz::KeyChord>> shown;
  for (const viz::UiCommand& command : bench.frame->commands().all()) {
    for (const viz::KeyChord& chord : command.keys) shown.emplace_back(command.id, chord);
  }
  for (const auto& [id, chord] : shown) {
    bench.reset();
    bench.press(chord);
    EXPECT_EQ(bench.frame->state().last_key_command, id) << viz::text_from_chord(chord);
  }
}

TEST(CommandTable, WhatMayNotRunSaysWhyAndDoesNothing) {
  Bench bench(false);  // no run, no trainer
  bench.host.no_training = "this is the replay-only program";
  int disabled = 0;
  for (const viz::UiCommand& command : bench.frame->commands().all()) {
    const std::string reason = bench.frame->commands().why_disabled(command.id);
    if (reason.empty()) continue;
    ++disabled;
    EXPECT_GT(reason.size(), 8u) << command.id;
    EXPECT_EQ(bench.frame->commands().run(command.id), reason);
  }
  EXPECT_GE(disabled, 20);
  EXPECT_FALSE(bench.host.leave);
  EXPECT_EQ(bench.frame->state().dialog, frame::Dialog::None);
}

TEST(CommandTable, EveryCommandThatMayRunSurvivesBeingRun) {
  Bench bench;
  std::vector<std::string> ids;
  for (const viz::UiCommand& command : bench.frame->commands().all()) ids.push_back(command.id);
  for (const std::string& id : ids) {
    bench.reset();
    if (!bench.frame->commands().why_disabled(id).empty()) continue;
    EXPECT_EQ(bench.frame->commands().run(id), "") << id;
    EXPECT_NO_THROW(bench.draw(3)) << id;
  }
}

TEST(CommandTable, LettersInATextFieldAreText) {
  Bench bench;
  bench.frame->commands().run("window.palette");
  bench.draw(3);
  ASSERT_TRUE(ImGui::GetIO().WantTextInput);
  bench.press(viz::chord_from_text("T"));
  EXPECT_EQ(bench.frame->state().last_key_command, "");
  EXPECT_TRUE(bench.host.scripted->posted.empty());
}

TEST(CommandTable, TheRunThatWasStartedLastIsTheOneShown) {
  Bench bench;
  bench.frame->commands().run("train.stop");
  bench.draw(2);
  EXPECT_EQ(bench.frame->commands().run("train.preset.dense-alibi"), "");
  bench.draw(2);
  ASSERT_EQ(bench.timeline.runs().size(), 2u);
  ASSERT_EQ(bench.timeline.runs()[0]->uuid(), bench.timeline.runs()[1]->uuid()) << "the harder case";
  EXPECT_EQ(bench.frame->selection().run, bench.timeline.runs()[1]->id());
  bench.timeline.remove_run(bench.timeline.runs()[1]->id());
  bench.draw(1);
  EXPECT_EQ(bench.timeline.current(bench.frame->selection().run), bench.timeline.runs()[0].get());
}

TEST(CommandTable, TheTrainKeyPausesAndGoesOn) {
  Bench bench;
  bench.press(viz::chord_from_text("T"));
  EXPECT_EQ(bench.host.scripted->status().state, frame::TrainerStatus::State::Paused);
  bench.press(viz::chord_from_text("T"));
  EXPECT_EQ(bench.host.scripted->status().state, frame::TrainerStatus::State::Training);
}

}  // namespace
}  // namespace sparsescope::test
