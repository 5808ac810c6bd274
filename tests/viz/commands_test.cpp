#include "viz/model/commands.h"

#include <gtest/gtest.h>

#include <stdexcept>

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
  EXPECT_TRUE(table.search("zebra").empty());
}

}  // namespace
}  // namespace sparsescope::viz
