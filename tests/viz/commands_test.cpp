#include "viz/model/commands.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "viz/model/fuzzy.h"

namespace sparsescope::viz {
namespace {

UiCommand command(const std::string& id, const std::string& words,
                  const std::vector<std::string>& keys = {}) {
  UiCommand made{id, words, "Timeline", {}, [] {}, {}, {}};
  for (const std::string& key : keys) made.keys.push_back(chord_from_text(key));
  return made;
}

TEST(KeyChord, IsReadAndWrittenAlike) {
  for (const char* text : {"A", "5", "Space", "Ctrl+Space", "Ctrl+Shift+P", "Shift+Left", "F11", "[", ",",
                           "Ctrl+,", "Ctrl++", "Ctrl+-", "Alt+Enter", "?"}) {
    EXPECT_EQ(text_from_chord(chord_from_text(text)), text);
  }
  EXPECT_EQ(chord_from_text("Shift+Ctrl+Z"), chord_from_text("Ctrl+Shift+Z"));
}

TEST(KeyChord, WhatIsNoKeyIsABugOfOurs) {
  for (const char* text : {"", "Ctrl+", "Hyper+A", "a", "F13", "Spacebar"})
    EXPECT_THROW(chord_from_text(text), std::logic_error) << text;
}

TEST(CommandTable, RefusesASecondCommandOfTheSameNameOrKey) {
  CommandTable table;
  table.add(command("timeline.play", "Play", {"Space"}));
  EXPECT_THROW(table.add(command("timeline.play", "Play again")), std::logic_error);
  EXPECT_THROW(table.add(command("timeline.stop", "Stop", {"Space"})), std::logic_error);
  UiCommand without_words = command("timeline.go", "");
  EXPECT_THROW(table.add(without_words), std::logic_error);
  UiCommand without_deed = command("timeline.go", "Go");
  without_deed.run = {};
  EXPECT_THROW(table.add(without_deed), std::logic_error);
  EXPECT_EQ(table.all().size(), 1u);
}

TEST(CommandTable, RunsWhatIsEnabledAndSaysWhyNotOtherwise) {
  CommandTable table;
  int ran = 0;
  std::string reason = "No run is open";
  UiCommand play = command("timeline.play", "Play", {"Space"});
  play.run = [&] { ++ran; };
  play.why_disabled = [&] { return reason; };
  table.add(play);
  EXPECT_EQ(table.run("timeline.play"), "No run is open");
  EXPECT_EQ(ran, 0);
  reason.clear();
  EXPECT_EQ(table.run("timeline.play"), "");
  EXPECT_EQ(ran, 1);
  EXPECT_NE(table.run("timeline.fly"), "");
  EXPECT_EQ(table.find(chord_from_text("Space"))->id, "timeline.play");
  EXPECT_EQ(table.find(chord_from_text("Ctrl+Space")), nullptr);
}

TEST(CommandTable, FindsCommandsByAnyOfTheirWordsBestFirst) {
  CommandTable table;
  table.add(command("file.replay", "Open a replay"));
  table.add(command("timeline.play", "Play or hold the replay"));
  table.add(command("window.theme", "Dark or light theme"));
  const auto found = table.search("PLAY");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]->id, "timeline.play");
  EXPECT_EQ(table.search("theme dark").front()->id, "window.theme");
  EXPECT_EQ(table.search("").size(), 3u);
  EXPECT_EQ(table.search("dlt").front()->id, "window.theme") << "letters in their order";
  EXPECT_TRUE(table.search("zebra").empty());
  EXPECT_EQ(table.nearest("lihgt teme", 2).front()->id, "window.theme");
  EXPECT_EQ(table.nearest("zebra", 2).size(), 2u);
}

TEST(CommandTable, AmongEqualMatchesThoseThatMayRunComeFirst) {
  CommandTable table;
  UiCommand pause = command("train.pause", "Play at once");
  pause.why_disabled = [] { return std::string("No run is open"); };
  table.add(pause);
  table.add(command("timeline.play", "Play the replay"));
  ASSERT_EQ(table.search("").size(), 2u);
  EXPECT_EQ(table.search("")[0]->id, "timeline.play");
  EXPECT_EQ(table.search("play at once")[0]->id, "train.pause") << "a better match keeps its place";
}

TEST(CommandTable, TwoViewsMayUseTheSameKeyButNoViewAndTheWindow) {
  CommandTable table;
  UiCommand first = command("graph.next", "Next head", {"."}), second = command("map.next", "Next", {"."});
  first.view = "graph";
  second.view = "map";
  table.add(first);
  table.add(second);
  EXPECT_THROW(table.add(command("timeline.next", "Next step", {"."})), std::logic_error);
}

TEST(CommandTable, ForgetsTheCommandsOfThingsThatAreGone) {
  CommandTable table;
  table.add(command("control.pace.set", "Set the pace"));
  table.add(command("timeline.play", "Play"));
  table.remove("control.");
  EXPECT_EQ(table.all().size(), 1u);
  EXPECT_EQ(table.find("control.pace.set"), nullptr);
}

UiCommand asking(CommandArgument argument, std::string& got) {
  UiCommand made = command("ask", "Ask");
  made.argument = std::move(argument);
  made.run_with = [&got](const std::string& value) { got = value; };
  return made;
}

TEST(CommandTable, AValueIsCheckedBeforeTheCommandRuns) {
  CommandTable table;
  std::string got;
  CommandArgument step{CommandArgument::Kind::WholeNumber, "step"};
  step.range = [] { return Range{0, 3000}; };
  table.add(asking(step, got));
  EXPECT_EQ(table.run("ask", "3,001"), "step goes from 0 to 3,000");
  EXPECT_EQ(table.run("ask", "1.5"), "step is a whole number, such as 12");
  EXPECT_EQ(table.run("ask", "soon"), "step is a whole number, such as 12");
  EXPECT_EQ(table.run("ask", ""), "step is a whole number, such as 12");
  EXPECT_EQ(got, "");
  EXPECT_EQ(table.run("ask", "1,200"), "");
  EXPECT_EQ(got, "1,200");
  EXPECT_NE(table.run("missing", "1"), "");
}

TEST(CommandTable, AChoiceIsOneOfItsNamesAndARuleOfItsOwnHasTheLastWord) {
  CommandTable table;
  std::string got;
  CommandArgument axis{CommandArgument::Kind::Choice, "axis"};
  axis.choices = [] { return std::vector<std::string>{"step", "tokens"}; };
  axis.why_not = [](const std::string& value) {
    return value == "tokens" ? "this run counts no tokens" : std::string();
  };
  table.add(asking(axis, got));
  EXPECT_EQ(table.run("ask", "day"), "axis is one of: step, tokens");
  EXPECT_EQ(table.run("ask", "tokens"), "this run counts no tokens");
  EXPECT_EQ(table.run("ask", "step"), "");
  EXPECT_EQ(got, "step");
}

TEST(Fuzzy, BeginningsBeatInsidesWhichBeatScatteredLetters) {
  EXPECT_GT(fuzzy_score("play", "Play or hold"), fuzzy_score("play", "Hold or play"));
  EXPECT_GT(fuzzy_score("play", "Hold or play"), fuzzy_score("play", "Replay"));
  EXPECT_GT(fuzzy_score("play", "Replay"), fuzzy_score("play", "Put layers away"));
  EXPECT_GT(fuzzy_score("play", "Put layers away"), 0);
  EXPECT_EQ(fuzzy_score("play", "Plot"), 0);
  EXPECT_GT(fuzzy_score("", "anything"), 0);
  EXPECT_GT(fuzzy_score("axis time", "Time axis"), 0);
}

}  // namespace
}  // namespace sparsescope::viz
