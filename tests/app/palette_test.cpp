// The palette: everything by name, and never an empty list.
#include <algorithm>

#include "tests/app/bench.h"
#include "viz/frame/memory.h"

namespace sparsescope::test {
namespace {

std::vector<frame::PaletteItem> offered(Bench& bench, const std::string& query) {
  frame::open_palette(bench.state(), query);
  std::vector<frame::PaletteItem> items = frame::palette_list(bench.state()).items;
  bench.state().palette = {};
  return items;
}

TEST(Palette, FindsCommandsByTheirLettersAndSaysTheirKeysAndReasons) {
  Bench bench;
  bench.draw(20);
  const auto items = offered(bench, "first step");
  ASSERT_FALSE(items.empty());
  EXPECT_EQ(items[0].command, "timeline.first");
  EXPECT_EQ(items[0].key, "Home");
  EXPECT_EQ(offered(bench, "dnsty")[0].command, "view.density");
  const auto cancel = offered(bench, "cancel the evaluation");
  EXPECT_EQ(cancel[0].reason, "nothing is being evaluated");
}

TEST(Palette, OffersTheThreeNearestWhenNothingFits) {
  Bench bench;
  frame::open_palette(bench.state(), "xqzzqx");
  const frame::PaletteList list = frame::palette_list(bench.state());
  EXPECT_EQ(list.items.size(), 3u);
  EXPECT_FALSE(list.remark.empty());
}

TEST(Palette, NeverEmptyWhateverIsTyped) {
  for (const bool with_run : {false, true}) {
    Bench bench(with_run);
    bench.draw(10);
    for (const char* query : {"", "@", ":", "#", ",", "@zzz", ":zzz", "#zzz", ",zzz", "zzz", " "})
      EXPECT_FALSE(offered(bench, query).empty()) << query << (with_run ? "" : " without a run");
  }
}

TEST(Palette, FindsRunsStepsSettingsAndChannelsByTheFirstLetter) {
  Bench bench;
  bench.draw(20);
  const auto runs = offered(bench, "@");
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].command, "run.select");
  EXPECT_EQ(offered(bench, "#12")[0].value, "12");
  EXPECT_EQ(offered(bench, "#99999")[0].reason.find("step goes from 0 to"), 0u);
  EXPECT_EQ(offered(bench, ",theme")[0].command, "setting.appearance.theme");
  EXPECT_EQ(offered(bench, ":density")[0].command, "selection.show_channel");
  frame::choose(bench.state(), offered(bench, "#12")[0]);
  EXPECT_EQ(bench.timeline.cursor().step(), 12u);
}

TEST(Palette, OpenedAgainWhileItIsOpenAsksTheNewQuestion) {
  Bench bench;
  bench.draw(20);
  bench.run("window.palette");
  ASSERT_TRUE(ImGui::GetIO().WantTextInput);
  bench.run("selection.find");
  EXPECT_EQ(bench.state().palette.query, ":");
  EXPECT_TRUE(ImGui::GetIO().WantTextInput);
  ImGui::GetIO().AddInputCharacter('d');
  bench.draw(3);
  EXPECT_EQ(bench.state().palette.query, ":d") << "what stands there is typed on, not over";
}

TEST(Palette, OffersWhatMayRunBeforeWhatMayNotWhenNothingIsTyped) {
  Bench bench(false);
  bench.host.no_training = "this is the replay-only program";
  const auto items = offered(bench, "");
  const auto may_run = [](const frame::PaletteItem& item) { return item.reason.empty(); };
  EXPECT_TRUE(may_run(items.front()));
  EXPECT_FALSE(may_run(items.back()));
  EXPECT_TRUE(std::is_partitioned(items.begin(), items.end(), may_run));
}

TEST(Palette, PutsWhatWasChosenLatelyFirst) {
  Bench bench;
  bench.draw(20);
  frame::choose(bench.state(), offered(bench, "next layer")[0]);
  EXPECT_EQ(offered(bench, "")[0].command, "selection.next_layer");
}

TEST(Palette, RemembersWhatWasChosenLatelyAtTheNextStart) {
  Bench bench;
  bench.draw(20);
  EXPECT_EQ(bench.host.memory, "") << "nothing was chosen";
  frame::choose(bench.state(), offered(bench, "next layer")[0]);
  frame::choose(bench.state(), offered(bench, "show or hide side")[0]);
  bench.draw(3);
  bench.reset();
  EXPECT_EQ(offered(bench, "")[0].command, "window.side_panels");
  EXPECT_EQ(offered(bench, "")[1].command, "selection.next_layer");
  for (const char* nonsense :
       {"{", "7", R"({"recent_commands": 3})", R"({"recent_commands": [1, "no.such"]})"}) {
    bench.host.memory = nonsense;
    bench.reset();
    EXPECT_FALSE(offered(bench, "").empty()) << nonsense;
    EXPECT_EQ(bench.host.memory, nonsense) << "nothing is written before something is chosen";
  }
}

TEST(Palette, RemembersTheSizeOfTheWindowBesideWhatWasChosen) {
  Bench bench;
  frame::choose(bench.state(), offered(bench, "next layer")[0]);
  bench.frame->remember_window_size({1920, 1080});
  EXPECT_EQ(frame::window_size_in(bench.host.memory), (std::array{1920, 1080}));
  bench.reset();
  EXPECT_EQ(offered(bench, "")[0].command, "selection.next_layer");
  frame::choose(bench.state(), offered(bench, "show or hide side")[0]);
  bench.draw(3);
  EXPECT_EQ(frame::window_size_in(bench.host.memory), (std::array{1920, 1080}))
      << "kept with what came later";
  for (const char* nonsense : {"", "{", "[1920, 1080]", R"({"window": [1920]})", R"({"window": [0, 0]})",
                               R"({"window": ["a", "b"]})", R"({"window": [1e9, 1080]})"})
    EXPECT_EQ(frame::window_size_in(nonsense), std::nullopt) << nonsense;
}

TEST(Palette, SaysOnceThatWhatWasChosenCannotBeKept) {
  Bench bench;
  bench.draw(20);
  bench.host.no_memory = "The commands chosen last could not be kept: the disk is full";
  frame::choose(bench.state(), offered(bench, "next layer")[0]);
  bench.draw(5);
  ASSERT_EQ(bench.state().toasts.size(), 1u);
  EXPECT_EQ(bench.state().toasts[0].text, bench.host.no_memory);
}

TEST(Palette, AsksForAValueAndKeepsAskingUntilItWillDo) {
  Bench bench;
  bench.draw(20);
  bench.run("train.pause_at");
  frame::State& state = bench.state();
  ASSERT_EQ(state.palette.asks_for, "train.pause_at");
  state.palette.query = "99999";
  frame::choose(state, frame::palette_list(state).items[0]);
  EXPECT_TRUE(state.palette.is_open);
  EXPECT_FALSE(state.palette.problem.empty());
  state.palette.query = "2,500";
  frame::choose(state, frame::palette_list(state).items[0]);
  EXPECT_FALSE(state.palette.is_open);
  EXPECT_EQ(bench.host.scripted->status().pause_at, 2500u);
}

TEST(Palette, EveryQuestionHasAnAnswerThatItTakes) {
  Bench bench;
  bench.draw(20);
  for (const viz::UiCommand& command : bench.commands().all()) {
    if (!command.argument) continue;
    const viz::CommandArgument& argument = *command.argument;
    std::string value = argument.current ? argument.current() : "";
    if (argument.kind == viz::CommandArgument::Kind::Choice && value.empty()) {
      const std::vector<std::string> choices = argument.choices();
      if (choices.empty()) {
        EXPECT_NE(bench.commands().why_disabled(command.id), "") << command.id << " has nothing to choose";
        continue;
      }
      value = choices.front();
    }
    if (value.empty() && argument.range) value = std::to_string(static_cast<long>(argument.range().minimum));
    EXPECT_EQ(viz::problem_with(argument, value), "") << command.id << " with '" << value << "'";
  }
}

}  // namespace
}  // namespace sparsescope::test
