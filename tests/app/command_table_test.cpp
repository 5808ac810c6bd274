// Laws of the command table, on a window that nobody sees.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "imgui.h"
#include "tests/app/bench.h"
#include "tests/support/process.h"

namespace sparsescope::test {
namespace {

// A view with a grid in front, one of its cells held by keys.
void hold_a_cell(Bench& bench) {
  bench.draw(8);  // until the layout has come to rest
  bench.run("view.needle");
  bench.run("cells.enter");
}

TEST(CommandTable, IdsAndKeysAreUnique) {
  Bench bench;
  std::set<std::string> ids, keys, owned;
  for (const viz::UiCommand& command : bench.frame->commands().all()) {
    EXPECT_TRUE(ids.insert(command.id).second) << command.id;
    EXPECT_FALSE(command.words.empty());
    EXPECT_FALSE(command.category.empty());
    // What a view owns at times may be the window's at other times.
    std::set<std::string>& taken = command.owns_keys ? owned : keys;
    for (const viz::KeyChord& chord : command.keys)
      EXPECT_TRUE(taken.insert(viz::text_from_chord(chord)).second) << viz::text_from_chord(chord);
  }
  EXPECT_GE(ids.size(), 100u);
  EXPECT_GE(keys.size(), 80u);
}

// Views, bars and pictures name commands by their ids; a name that leads nowhere would be a dead button.
TEST(CommandTable, EveryIdThatTheSourcesNameExists) {
  namespace fs = std::filesystem;
  Bench bench;
  bench.draw(20);
  std::set<std::string> groups;
  for (const viz::UiCommand& command : bench.commands().all())
    groups.insert(command.id.substr(0, command.id.find('.')));
  int named = 0;
  const std::regex literal("\"([a-z]+)\\.([a-z_]+)\"");
  for (const char* folder : {"viz/views", "viz/model", "viz/frame"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(SPARSESCOPE_SOURCES) / folder)) {
      if (entry.path().extension() != ".cpp") continue;
      std::ifstream file(entry.path());
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      for (std::sregex_iterator it(text.begin(), text.end(), literal), end; it != end; ++it) {
        const std::string id = (*it)[1].str() + "." + (*it)[2].str();
        // Settings and the experiment's keys are named like commands; settings have commands of their own.
        if (id == "train.seed" || id == "train.steps" || !groups.contains((*it)[1].str()) ||
            bench.state().settings.find(id) != nullptr)
          continue;
        EXPECT_NE(bench.commands().find(id), nullptr) << id << " in " << entry.path().filename();
        ++named;
      }
    }
  }
  EXPECT_GT(named, 80);
}

TEST(CommandTable, EveryShownKeyFiresItsCommand) {
  Bench bench;
  std::vector<std::pair<std::string, viz::KeyChord>> shown;
  for (const viz::UiCommand& command : bench.frame->commands().all()) {
    for (const viz::KeyChord& chord : command.keys) shown.emplace_back(command.id, chord);
  }
  // Keys that a held cell owns come first: later ones close what it stands in.
  const auto is_owner = [&](const auto& one) {
    return static_cast<bool>(bench.frame->commands().find(one.first)->owns_keys);
  };
  // Before the run is closed: the start page is walked through with named keys.
  std::stable_partition(shown.begin(), shown.end(), [](const auto& one) {
    return one.second.key.size() > 1 && !one.second.control && !one.second.alt;
  });
  std::stable_partition(shown.begin(), shown.end(), is_owner);
  bench.draw(40);
  for (const auto& one : shown) {
    const auto& [id, chord] = one;
    bench.reset();
    if (is_owner(one)) hold_a_cell(bench);
    bench.press(chord);
    EXPECT_EQ(bench.frame->state().last_key_command, id) << viz::text_from_chord(chord);
  }
}

TEST(CommandTable, ArrowsAreTimesUntilAViewHoldsACellAndAgainAfterEscape) {
  Bench bench;
  bench.draw(40);
  bench.press(viz::chord_from_text("Left"));
  EXPECT_EQ(bench.frame->state().last_key_command, "timeline.back");
  EXPECT_FALSE(bench.commands().why_disabled("cells.left").empty());
  hold_a_cell(bench);
  const std::uint64_t step = bench.timeline.cursor().step();
  bench.press(viz::chord_from_text("Right"));
  EXPECT_EQ(bench.frame->state().last_key_command, "cells.right");
  EXPECT_EQ(bench.timeline.cursor().step(), step);
  bench.press(viz::chord_from_text("Ctrl+Left"));
  EXPECT_EQ(bench.frame->state().last_key_command, "timeline.back_one") << "single steps stay time's";
  bench.press(viz::chord_from_text("Escape"));
  EXPECT_EQ(bench.frame->state().last_key_command, "cells.leave");
  bench.press(viz::chord_from_text("Right"));
  EXPECT_EQ(bench.frame->state().last_key_command, "timeline.forward");
  bench.press(viz::chord_from_text("Escape"));
  EXPECT_EQ(bench.frame->state().last_key_command, "selection.release");
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
    if (id == "view.export_again" || id == "view.copy_svg")
      continue;  // pictures need a surface; figures_test
    bench.reset();
    if (!bench.frame->commands().why_disabled(id).empty()) continue;
    EXPECT_EQ(bench.frame->commands().run(id), "") << id;
    EXPECT_NO_THROW(bench.draw(3)) << id;
  }
}

// A long frame takes in the whole chord, its modifier let go before its key.
TEST(CommandTable, AModifierLetGoInTheFrameOfItsKeyStillCounts) {
  Bench bench;
  bench.draw(20);
  ImGuiIO& io = ImGui::GetIO();
  const auto press_early = [&](ImGuiKey modifier, ImGuiKey key) {
    io.AddKeyEvent(modifier, true);
    bench.draw(1);
    io.AddKeyEvent(key, true);
    io.AddKeyEvent(modifier, false);
    bench.draw(1);
    io.AddKeyEvent(key, false);
    bench.draw(2);
    return bench.state().last_key_command;
  };
  EXPECT_EQ(press_early(ImGuiMod_Ctrl, ImGuiKey_Comma), "window.settings");
  bench.reset();
  EXPECT_EQ(press_early(ImGuiMod_Shift, ImGuiKey_E), "train.evaluate_long");
  bench.press(viz::chord_from_text("T"));
  EXPECT_EQ(bench.state().last_key_command, "train.toggle") << "no modifier stays behind";
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

TEST(CommandTable, ATextFieldKeepsItsClipboardItsUndoAndItsMoves) {
  Bench bench;
  bench.draw(20);
  bench.run("selection.next_layer");
  bench.run("window.palette");
  ASSERT_TRUE(ImGui::GetIO().WantTextInput);
  const std::uint64_t step = bench.timeline.cursor().step();
  for (const char* chord : {"Ctrl+Z", "Ctrl+Shift+Z", "Ctrl+C", "Ctrl+Left", "Ctrl+Y"}) {
    bench.press(viz::chord_from_text(chord));
    EXPECT_EQ(bench.frame->state().last_key_command, "") << chord;
  }
  EXPECT_TRUE(bench.frame->selection().locked.layer);
  EXPECT_GE(bench.timeline.cursor().step(), step);
  bench.press(viz::chord_from_text("Ctrl+Shift+C"));
  EXPECT_EQ(bench.frame->state().last_key_command, "view.copy_table") << "no field has a use for it";
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

TEST(CommandTable, TheTrainKeyStartsTheSamePresetAgainWhenARunIsOver) {
  Bench bench;
  bench.frame->commands().run("train.stop");
  bench.draw(2);
  bench.frame->commands().run("train.preset.dense-alibi");
  bench.draw(2);
  bench.frame->commands().run("train.stop");
  bench.draw(2);
  bench.press(viz::chord_from_text("T"));
  EXPECT_EQ(bench.timeline.runs().size(), 3u);
  EXPECT_EQ(bench.frame->state().last_preset, "dense-alibi");
  EXPECT_EQ(bench.host.scripted->status().state, frame::TrainerStatus::State::Training);
}

TEST(CommandTable, TheStartPageComesBackAndGoesByEscapeOrChoosing) {
  Bench bench;
  bench.frame->commands().run("train.stop");
  bench.press(viz::chord_from_text("Ctrl+H"));
  EXPECT_TRUE(bench.frame->state().show_start_page);
  bench.press(viz::chord_from_text("Escape"));
  EXPECT_FALSE(bench.frame->state().show_start_page);
  bench.frame->commands().run("file.start_page");
  bench.frame->commands().run("train.preset.spark-collapse");
  EXPECT_FALSE(bench.frame->state().show_start_page);
  EXPECT_EQ(bench.timeline.runs().size(), 2u);
}

TEST(CommandTable, TheStartPageIsWalkedWithTheKeyboardAndEnterOpensTheCardThatIsReached) {
  Bench bench(false);
  EXPECT_TRUE(bench.timeline.runs().empty());
  bench.press(viz::chord_from_text("Tab"));
  bench.press(viz::chord_from_text("Enter"));
  ASSERT_EQ(bench.timeline.runs().size(), 1u);
  EXPECT_EQ(bench.state().last_preset, bench.state().presets.front().name);
  bench.draw(4);
  EXPECT_FALSE(ImGui::GetIO().ConfigFlags & ImGuiConfigFlags_NavEnableKeyboard);  // keys are commands again
}

TEST(CommandTable, LeavingIsPossibleFromADialogAndAskedForOnceWhileARunGoesOn) {
  Bench bench;
  bench.run("file.open");
  ASSERT_EQ(bench.state().dialog, frame::Dialog::Open);
  bench.press(viz::chord_from_text("Ctrl+Q"));
  EXPECT_EQ(bench.state().dialog, frame::Dialog::Quit);
  bench.press(viz::chord_from_text("Ctrl+Q"));
  EXPECT_EQ(bench.state().dialog, frame::Dialog::Quit);
  EXPECT_FALSE(bench.host.leave.has_value());
  bench.press(viz::chord_from_text("Escape"));
  EXPECT_EQ(bench.state().dialog, frame::Dialog::None);
  bench.run("train.stop");
  bench.run("file.open");
  bench.press(viz::chord_from_text("Ctrl+Q"));
  EXPECT_TRUE(bench.host.leave.has_value());
}

// Opening makes a new list while the page draws the old one.
TEST(CommandTable, AClickOnARecentRecordingOpensIt) {
  Bench bench(false);
  const std::string path = std::string(SPARSESCOPE_SOURCES) + "/recordings/small.h5";
  bench.host.recent = {
      {path, "small.h5", "first"}, {path, "small.h5", "second"}, {path, "small.h5", "third"}};
  bench.reset();
  ImGuiIO& io = ImGui::GetIO();
  // Nothing stands below the list, so the first that answers from below is its last.
  for (float y = 860; y > 300 && bench.timeline.runs().empty(); y -= 20) {
    io.AddMousePosEvent(1000, y);
    bench.draw(2);
    io.AddMouseButtonEvent(ImGuiMouseButton_Left, true);
    bench.draw(1);
    io.AddMouseButtonEvent(ImGuiMouseButton_Left, false);
    bench.draw(1);
  }
  ASSERT_EQ(bench.timeline.runs().size(), 1u);
  EXPECT_EQ(bench.host.notes_beside, path);
  EXPECT_EQ(bench.state().recent.size(), 3u);
}

TEST(CommandTable, CopyingSaysWhatWasCopiedAndOpeningBeginsWhereTheShownRecordingLies) {
  Bench bench(false);
  const std::string folder = std::string(SPARSESCOPE_SOURCES) + "/recordings";
  bench.run("file.open");
  EXPECT_EQ(bench.state().dialog_text, "/nowhere/");
  bench.state().dialog = frame::Dialog::None;
  bench.frame->open(folder + "/small.h5");
  bench.timeline.drain_all();
  bench.draw(8);
  bench.run("view.copy_table");
  ASSERT_FALSE(bench.state().toasts.empty());
  EXPECT_EQ(bench.state().toasts.back().text.find("Copied "), 0u) << bench.state().toasts.back().text;
  bench.run("file.open");
  EXPECT_EQ(bench.state().dialog_text, folder + "/");
}

TEST(CommandTable, EnterExportsAFigureNamedByItsStep) {
  Bench bench;
  TemporaryFolder folder;
  bench.host.figures = folder / "";
  bench.draw(20);
  bench.timeline.cursor().seek(12);
  bench.draw(8);
  bench.run("view.drift");
  bench.state().figure.formats = {frame::ExportFormat::Csv};
  bench.run("view.export");
  EXPECT_TRUE(bench.state().figure.stem.ends_with(".drift.step-12")) << bench.state().figure.stem;
  bench.press(viz::chord_from_text("Enter"));
  bench.draw(4);
  EXPECT_EQ(bench.state().dialog, frame::Dialog::None) << bench.state().dialog_problem;
  EXPECT_TRUE(std::filesystem::exists(bench.state().figure.stem + ".csv"));
}

TEST(CommandTable, AHeldKeyRepeatsMovesButFiresASwitchOnce) {
  Bench bench;
  bench.draw(100);
  const auto hold = [&](ImGuiKey key) {
    ImGui::GetIO().AddKeyEvent(key, true);
    bench.draw(90);
    ImGui::GetIO().AddKeyEvent(key, false);
    bench.draw(2);
  };
  hold(ImGuiKey_T);
  EXPECT_EQ(bench.host.scripted->posted.size(), 1u);
  const viz::Run& run = *bench.timeline.runs()[0];
  const std::size_t before = *run.row_at_or_before(bench.timeline.cursor().step());
  hold(ImGuiKey_LeftArrow);
  EXPECT_GT(before, 5 + *run.row_at_or_before(bench.timeline.cursor().step()));
}

TEST(CommandTable, GoingToTheNewestStepShowsItInAChosenRangeToo) {
  Bench bench;
  bench.draw(50);
  bench.timeline.window().choose({0, 10});
  EXPECT_EQ(bench.frame->commands().run("timeline.newest"), "");
  const viz::Range shown = bench.timeline.visible();
  EXPECT_DOUBLE_EQ(shown.width(), 10);
  EXPECT_DOUBLE_EQ(shown.maximum, static_cast<double>(bench.timeline.runs()[0]->newest_step()));
}

TEST(CommandTable, TheTrainerSpeaksOnlyForItsOwnRunAtItsNewestStep) {
  Bench bench;
  bench.frame->commands().run("train.stop");
  bench.draw(2);
  bench.frame->commands().run("train.preset.dense-alibi");
  bench.draw(5);
  frame::State& state = const_cast<frame::State&>(bench.frame->state());
  EXPECT_TRUE(state.shows_trainer());
  bench.frame->commands().run("timeline.back");
  EXPECT_FALSE(state.shows_trainer()) << "the cursor is elsewhere";
  EXPECT_EQ(frame::state_words(state).words, "Training");
  bench.frame->commands().run("timeline.newest");
  bench.frame->selection().run = bench.timeline.runs()[0]->id();
  bench.draw(1);
  EXPECT_FALSE(state.shows_trainer()) << "another run is looked at";
  EXPECT_EQ(frame::state_words(state).words, "Ready");
}

TEST(CommandTable, ARecorderThatFailsIsSaidOnce) {
  Bench bench;
  bench.host.scripted->recorder_failure = "the disk is full; free some space";
  bench.draw(10);
  ASSERT_EQ(bench.frame->state().toasts.size(), 1u);
  EXPECT_EQ(bench.frame->state().toasts[0].text, "the disk is full; free some space");
}

TEST(CommandTable, AFileDroppedBehindADialogIsRefusedInWords) {
  Bench bench;
  bench.frame->commands().run("file.open");
  bench.draw(2);
  bench.frame->open("/nowhere/missing.h5");
  EXPECT_EQ(bench.frame->state().toasts.size(), 1u);
}

TEST(CommandTable, TheViewInFrontIsCopiedAsATableOrAsValuesAtTheCursor) {
  Bench bench;
  bench.draw(20);
  EXPECT_EQ(bench.frame->commands().run("view.copy_value"), "");
  EXPECT_NE(std::string(ImGui::GetClipboardText()).find("layer 0\t"), std::string::npos)
      << ImGui::GetClipboardText();
  EXPECT_EQ(bench.frame->commands().run("view.copy_table"), "");
  EXPECT_NE(std::string(ImGui::GetClipboardText()).find('\t'), std::string::npos);
}

}  // namespace
}  // namespace sparsescope::test
