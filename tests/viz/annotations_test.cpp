// Bookmarks and notes as values: order, numbers, removing and bringing back, and their file format.
#include "viz/model/annotations.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/trace/error.h"

namespace sparsescope::viz {
namespace {

constexpr const char* kRun = "11111111-2222-3333-4444-555555555555";

TEST(Annotations, StandByRisingStepWhateverTheOrderOfMarking) {
  Annotations annotations;
  for (const std::uint64_t step : {500u, 20u, 300u}) annotations.mark(step);
  ASSERT_EQ(annotations.bookmarks().size(), 3u);
  EXPECT_EQ(annotations.bookmarks()[0].step, 20u);
  EXPECT_EQ(annotations.bookmarks()[2].step, 500u);
  EXPECT_EQ(annotations.next(20)->step, 300u);
  EXPECT_EQ(annotations.previous(300)->step, 20u);
  EXPECT_EQ(annotations.previous(20), nullptr);
  EXPECT_EQ(annotations.next(500), nullptr);
}

TEST(Annotations, ANumberBelongsToOneBookmarkOnly) {
  Annotations annotations;
  annotations.mark(10, 3);
  annotations.mark(20, 3);
  EXPECT_EQ(annotations.numbered(3)->step, 20u);
  EXPECT_EQ(annotations.at(10)->number, 0);
  EXPECT_EQ(annotations.bookmarks().size(), 2u);
}

TEST(Annotations, AStepHasOneBookmarkAndKeepsItsTitleWhenItIsNumberedAgain) {
  Annotations annotations;
  const std::uint32_t id = annotations.mark(10, 1, "before the collapse");
  EXPECT_EQ(annotations.mark(10, 2), id);
  ASSERT_EQ(annotations.bookmarks().size(), 1u);
  EXPECT_EQ(annotations.bookmarks()[0].title, "before the collapse");
  EXPECT_EQ(annotations.bookmarks()[0].number, 2);
}

TEST(Annotations, FreeNumbersAreGivenFromOneToNine) {
  Annotations annotations;
  for (int i = 1; i <= 9; ++i) {
    EXPECT_EQ(annotations.free_number(), i);
    annotations.mark(static_cast<std::uint64_t>(i), annotations.free_number());
  }
  EXPECT_EQ(annotations.free_number(), 0);
  annotations.remove(annotations.numbered(4)->id);
  EXPECT_EQ(annotations.free_number(), 4);
}

TEST(Annotations, GoBackToAnEarlierStateAndGoOnFromThereUnderNewVersions) {
  Annotations annotations;
  annotations.mark(1200, 2, "peak");
  annotations.name_run("the good one");
  const Annotations earlier = annotations;
  annotations.remove(annotations.numbered(2)->id);
  annotations.set_tags({"seed 2"});
  annotations.name_run("");
  EXPECT_FALSE(annotations.empty());
  const std::uint64_t later = annotations.version();
  annotations.go_back_to(earlier, earlier.version());
  EXPECT_EQ(annotations.version(), earlier.version());
  EXPECT_EQ(annotations.numbered(2)->title, "peak");
  EXPECT_EQ(annotations.run_name(), "the good one");
  EXPECT_TRUE(annotations.tags().empty());
  annotations.write_note(5, "another way");
  EXPECT_GT(annotations.version(), later) << "a version never names two states";
}

TEST(Annotations, TagsAreReadFromWhatIsTyped) {
  EXPECT_EQ(tags_from_text(" a, #b b ,,a, "), (std::vector<std::string>{"a", "b b"}));
  EXPECT_TRUE(tags_from_text(" , ").empty());
  EXPECT_EQ(text_from_tags({"a", "b b"}), "a, b b");
}

TEST(Annotations, ANameAndTagsStandInTheFileAndAreMerged) {
  Annotations base;
  base.set_tags({"old", "kept"});
  Annotations ours = base, theirs = annotations_from_json(json_from_annotations(base, "u"), "u");
  EXPECT_EQ(theirs.tags(), base.tags());
  theirs.name_run("theirs");
  theirs.set_tags({"kept", "new"});
  ours.set_tags({"old", "kept", "mine"});
  merge(ours, base, annotations_from_json(json_from_annotations(theirs, "u"), "u"));
  EXPECT_EQ(ours.run_name(), "theirs");
  EXPECT_EQ(ours.tags(), (std::vector<std::string>{"kept", "mine", "new"}));
  ours.name_run("mine");
  merge(ours, base, theirs);
  EXPECT_EQ(ours.run_name(), "mine") << "what both gave stays ours";
}

TEST(Annotations, EveryChangeAndNothingElseRaisesTheVersion) {
  Annotations annotations;
  const std::uint64_t fresh = annotations.version();
  EXPECT_FALSE(annotations.remove(99));
  EXPECT_FALSE(annotations.rename(99, "x"));
  annotations.name_run("");
  annotations.set_tags({});
  EXPECT_EQ(annotations.version(), fresh);
  const std::uint32_t id = annotations.mark(1);
  EXPECT_GT(annotations.version(), fresh);
  const std::uint64_t marked = annotations.version();
  EXPECT_TRUE(annotations.rename(id, "x"));
  EXPECT_GT(annotations.version(), marked);
}

// What stands in the file, without the ids that only live in memory.
std::vector<std::string> contents(const Annotations& annotations) {
  std::vector<std::string> all;
  for (const Bookmark& b : annotations.bookmarks())
    all.push_back(std::to_string(b.step) + "#" + std::to_string(b.number) + ":" + b.title);
  for (const Note& n : annotations.notes()) all.push_back(std::to_string(n.step) + ">" + n.text);
  return all;
}

TEST(Annotations, ComeBackFromTheirFileWhateverIsInThem) {
  std::mt19937 random(5);
  const std::vector<std::string> texts = {"", "plain", "\"quoted\"\nlines\t", "θ fällt, 减少",
                                          std::string(2000, 'x')};
  for (int round = 0; round < 50; ++round) {
    Annotations annotations;
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t step = random() % 30 * 0x1000000000ull;
      const std::string& text = texts[random() % texts.size()];
      if (random() % 2 == 0) {
        annotations.mark(step, static_cast<int>(random() % 10), text);
      } else {
        annotations.write_note(step, text);
      }
    }
    const std::string file = json_from_annotations(annotations, kRun);
    const Annotations read = annotations_from_json(file, kRun);
    EXPECT_EQ(contents(read), contents(annotations));
    EXPECT_EQ(json_from_annotations(read, kRun), file);
  }
}

TEST(Annotations, TwoWindowsOnOneRunLoseNothingOfEachOther) {
  Annotations base;
  base.mark(10, 1, "first");
  base.mark(20, 2);
  base.write_note(30, "old");
  Annotations ours = annotations_from_json(json_from_annotations(base, kRun), kRun), theirs = ours;
  ours.remove(ours.numbered(2)->id);
  ours.mark(50, 5, "ours");
  ours.mark(60, 7, "ours too");
  theirs.remove(theirs.notes()[0].id);
  theirs.mark(40, 4, "theirs");
  theirs.mark(70, 7, "the same number");
  theirs.write_note(80, "new");
  merge(ours, base, theirs);
  EXPECT_EQ(contents(ours), (std::vector<std::string>{"10#1:first", "40#4:theirs", "50#5:ours",
                                                      "60#7:ours too", "70#0:the same number", "80>new"}));
  // Once more changes nothing.
  const std::vector<std::string> merged = contents(ours);
  merge(ours, theirs, theirs);
  EXPECT_EQ(contents(ours), merged);
}

TEST(Annotations, AFileThatCannotBeUsedIsRefusedInOneSentence) {
  Annotations one;
  one.mark(1);
  const std::string good = json_from_annotations(one, kRun);
  for (const std::string& bad :
       {std::string(""), std::string("{"), std::string("[]"), std::string("{}"),
        good.substr(0, good.size() / 2), json_from_annotations(one, "another"),
        std::string(R"({"format":"sparsescope notes","version":2,"run":")") + kRun + R"("})",
        std::string(R"({"format":"sparsescope notes","version":1,"run":")") + kRun + R"(","bookmarks":{}})",
        std::string(R"({"format":"sparsescope notes","version":1,"run":")") + kRun +
            R"(","bookmarks":[{"step":-1}],"notes":[]})",
        std::string(R"({"format":"sparsescope notes","version":1,"run":")") + kRun +
            R"(","bookmarks":[{"step":1,"number":12}],"notes":[]})",
        std::string(R"({"format":"sparsescope notes","version":1,"run":")") + kRun +
            R"(","bookmarks":[],"notes":[{"step":1,"text":7}]})",
        std::string(R"({"format":"sparsescope notes","version":1,"run":")") + kRun +
            R"(","bookmarks":[7],"notes":[]})"}) {
    EXPECT_THROW(annotations_from_json(bad, kRun), Error) << bad;
  }
}

}  // namespace
}  // namespace sparsescope::viz
