// Going to where a layer's density first passes a level: the key, the level's command, and what is said.
#include "tests/app/bench.h"
#include "viz/model/query.h"

namespace sparsescope::test {
namespace {

TEST(CrossingCommand, GoesFromOneLayersCrossingToTheNextAndSaysItInWords) {
  Bench bench;
  bench.draw(60);
  viz::DensitySettings settings;
  settings.level_percent = 1;
  bench.run("view.density.level_percent", "1");
  const std::vector<viz::LayerCrossing> crossings = viz::density_crossings(*bench.state().run(), settings);
  bench.timeline.cursor().seek(0);
  const viz::LayerCrossing* next = viz::next_crossing(crossings, 0, {});
  ASSERT_NE(next, nullptr) << "the synthetic run passes one percent";
  const std::uint64_t step = next->step;
  const std::string words = viz::crossing_in_words(viz::density_crossing_words(settings), *next);
  bench.press(viz::chord_from_text("X"));
  EXPECT_EQ(bench.frame->state().last_key_command, "timeline.next_crossing");
  EXPECT_EQ(bench.timeline.cursor().step(), step);
  ASSERT_FALSE(bench.state().toasts.empty());
  EXPECT_EQ(bench.state().toasts.back().text, words);
}

TEST(CrossingCommand, ALevelThatNothingPassesIsSaidAndTheCursorStays) {
  Bench bench;
  bench.draw(60);
  bench.run("view.density.level_percent", "99.9");
  bench.timeline.cursor().seek(5);
  bench.press(viz::chord_from_text("X"));
  EXPECT_EQ(bench.timeline.cursor().step(), 5u);
  ASSERT_FALSE(bench.state().toasts.empty());
  EXPECT_NE(bench.state().toasts.back().text.find("never above 99.9 %"), std::string::npos)
      << bench.state().toasts.back().text;
}

}  // namespace
}  // namespace sparsescope::test
