// Undo and redo of what the window shows.
#include "tests/app/bench.h"

namespace sparsescope::test {
namespace {

// A run that is over, so that nothing but a person changes the picture.
struct Still : Bench {
  Still() : Bench(false) {
    host.start_training("spark-collapse");
    host.scripted->advance(300);
    host.scripted->close();
    draw(20);
    run("timeline.go_to", "120");
    draw(20);
  }
};

TEST(Undo, GoesBackToThePictureOfTheStartAndForthAgain) {
  Still bench;
  const std::uint64_t start = bench.hash();
  std::vector<std::uint64_t> seen = {start};
  const std::vector<std::pair<std::string, std::string>> deeds = {{"selection.next_layer", ""},
                                                                  {"timeline.zoom_in", ""},
                                                                  {"timeline.by_tokens", ""},
                                                                  {"view.drift.loss", ""},
                                                                  {"view.close", ""},
                                                                  {"window.side_panels", ""},
                                                                  {"setting.appearance.scale", "120"},
                                                                  {"layout.stock.talk", ""},
                                                                  {"window.hide_interface", ""},
                                                                  {"setting.appearance.theme", "light"}};
  for (const auto& [id, value] : deeds) {
    value.empty() ? bench.run(id) : bench.run(id, value);
    seen.push_back(bench.hash());
    EXPECT_NE(seen.back(), seen[seen.size() - 2]) << id << " changed nothing";
  }
  for (std::size_t i = deeds.size(); i-- > 0;) {
    bench.run("window.undo");
    EXPECT_EQ(bench.hash(), seen[i]) << "undo of " << deeds[i].first;
  }
  EXPECT_EQ(bench.commands().why_disabled("window.undo"), "nothing was changed");
  for (std::size_t i = 0; i < deeds.size(); ++i) {
    bench.run("window.redo");
    EXPECT_EQ(bench.hash(), seen[i + 1]) << "redo of " << deeds[i].first;
  }
  EXPECT_EQ(bench.commands().why_disabled("window.redo"), "nothing was undone");
}

TEST(Undo, OfWhatHappenedBeforeANewChangeIsGoneForRedo) {
  Still bench;
  bench.run("selection.next_layer");
  bench.run("window.undo");
  bench.run("window.side_panels");
  EXPECT_EQ(bench.commands().why_disabled("window.redo"), "nothing was undone");
}

TEST(Undo, NeverTouchesTraining) {
  Bench bench;
  bench.draw(20);
  bench.run("control.learning_rate_scale.set", "0.5");
  bench.run("train.toggle");
  bench.run("selection.next_layer");
  const std::size_t posted = bench.host.scripted->posted.size();
  bench.run("window.undo");
  EXPECT_EQ(bench.host.scripted->posted.size(), posted);
  EXPECT_FALSE(bench.frame->selection().locked.layer);
  EXPECT_EQ(bench.host.scripted->status().state, frame::TrainerStatus::State::Paused);
}

TEST(Undo, TakesAHeldButtonAsOneStep) {
  Still bench;
  bench.draw(10);
  const std::size_t before = bench.state().undo.steps();
  ImGui::GetIO().AddMouseButtonEvent(0, true);
  for (int i = 0; i < 6; ++i) {
    bench.frame->selection().locked.layer = i % 3;
    bench.draw(5);
  }
  EXPECT_EQ(bench.state().undo.steps(), before);
  ImGui::GetIO().AddMouseButtonEvent(0, false);
  bench.draw(8);
  EXPECT_EQ(bench.state().undo.steps(), before + 1);
}

TEST(Undo, OfARunningRunHasNoStepsOfItsOwn) {
  Bench bench;
  bench.draw(200);
  EXPECT_EQ(bench.state().undo.steps(), 0u);
  bench.run("timeline.back");
  bench.draw(50);
  EXPECT_EQ(bench.state().undo.steps(), 0u) << "moving in time is no change of the view";
}

}  // namespace
}  // namespace sparsescope::test
