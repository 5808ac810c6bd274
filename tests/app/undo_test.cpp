// Undo and redo of what the window shows.
#include <fstream>

#include "app/sidecar.h"
#include "tests/app/bench.h"
#include "tests/support/process.h"
#include "viz/frame/time_choices.h"

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

TEST(Undo, CoversWhatIsWrittenBesideARun) {
  Still bench;
  const std::string uuid = bench.timeline.runs()[0]->uuid();
  const auto book = [&]() -> const viz::Annotations& {
    return bench.state().book.by_run.at(uuid).annotations;
  };
  const auto words = [&] { return viz::json_from_annotations(book(), uuid); };
  std::vector<std::string> seen = {words()};
  const std::vector<std::pair<std::string, std::string>> deeds = {{"annotation.bookmark", ""},
                                                                  {"annotation.save_4", ""},
                                                                  {"run.set_name", "the good one"},
                                                                  {"run.tag", "seed 2, collapse"},
                                                                  {"annotation.bookmark", ""}};
  for (const auto& [id, value] : deeds) {
    value.empty() ? bench.run(id) : bench.run(id, value);
    seen.push_back(words());
    EXPECT_NE(seen.back(), seen[seen.size() - 2]) << id;
  }
  EXPECT_EQ(frame::run_title(bench.state(), *bench.timeline.runs()[0]), "the good one");
  for (std::size_t i = deeds.size(); i-- > 0;) {
    bench.run("window.undo");
    EXPECT_EQ(words(), seen[i]) << "undo of " << deeds[i].first;
  }
  EXPECT_EQ(bench.commands().why_disabled("window.undo"), "nothing was changed");
  EXPECT_NE(frame::run_title(bench.state(), *bench.timeline.runs()[0]), "the good one");
  for (std::size_t i = 0; i < deeds.size(); ++i) {
    bench.run("window.redo");
    EXPECT_EQ(words(), seen[i + 1]) << "redo of " << deeds[i].first;
  }
  bench.run("window.undo");
  bench.run("annotation.save_7");
  EXPECT_EQ(bench.commands().why_disabled("window.redo"), "nothing was undone");
  bench.run("window.undo");
  EXPECT_EQ(words(), seen[deeds.size() - 1]);
}

TEST(Undo, CoversTheChartsOfTheTimeline) {
  Still bench;
  const nlohmann::json start = frame::time_bar_now(bench.state());
  bench.run("timeline.chart", "gradient norm");
  ASSERT_TRUE(bench.state().time_bar.charts);
  EXPECT_EQ(bench.state().time_bar.charts->back().labels, std::vector<std::string>{"gradient_norm"});
  bench.run("timeline.lane.evaluations");
  bench.run("timeline.tracks");
  const nlohmann::json end = frame::time_bar_now(bench.state());
  for (int i = 0; i < 3; ++i) bench.run("window.undo");
  EXPECT_EQ(frame::time_bar_now(bench.state()), start);
  for (int i = 0; i < 3; ++i) bench.run("window.redo");
  EXPECT_EQ(frame::time_bar_now(bench.state()), end);
}

TEST(Undo, ReopensAClosedRunWhereItWasAndListsAHiddenOneAgain) {
  Still bench;
  for (int i = 0; i < 2; ++i) {
    bench.host.start_training("spark-collapse");
    bench.host.scripted->advance(60);
    bench.host.scripted->close();
    bench.draw(10);
  }
  const auto ids = [&] {
    std::vector<std::uint32_t> open;
    for (const auto& run : bench.timeline.runs()) open.push_back(run->id());
    return open;
  };
  const std::vector<std::uint32_t> all = ids();
  ASSERT_EQ(all.size(), 3u);
  bench.frame->selection().run = all[1];
  bench.frame->selection().comparison.baseline = all[1];
  bench.draw(12);
  bench.run("run.close");
  EXPECT_EQ(ids(), (std::vector<std::uint32_t>{all[0], all[2]}));
  EXPECT_FALSE(bench.frame->selection().comparison.baseline.has_value());
  bench.run("window.undo");
  EXPECT_EQ(ids(), all);
  EXPECT_EQ(bench.state().run()->id(), all[1]);
  EXPECT_EQ(bench.frame->selection().comparison.baseline, all[1]);
  bench.run("window.redo");
  EXPECT_EQ(ids().size(), 2u);
  bench.run("window.undo");
  bench.run("run.hide");
  EXPECT_TRUE(bench.state().run_list.settings.hidden.contains(all[1]));
  bench.run("window.undo");
  EXPECT_TRUE(bench.state().run_list.settings.hidden.empty());
  EXPECT_EQ(bench.state().run()->id(), all[1]);
}

// Two windows on one run: what the other one wrote is not undone here.
TEST(Undo, LeavesAloneWhatAnotherProgramWroteBesideTheRun) {
  TemporaryFolder folder;
  Bench bench(false);
  bench.host.recording = folder / "run.h5";
  bench.host.start_training("spark-collapse");
  bench.host.scripted->advance(300);
  bench.host.scripted->close();
  bench.draw(20);
  const std::string uuid = bench.timeline.runs()[0]->uuid();
  const auto book = [&]() -> const viz::Annotations& {
    return bench.state().book.by_run.at(uuid).annotations;
  };
  bench.run("annotation.save_1");
  viz::Annotations other = book();
  other.write_note(33, "from the other window");
  std::ofstream(app::sidecar_path(bench.host.recording)) << viz::json_from_annotations(other, uuid);
  bench.run("annotation.save_2");
  ASSERT_EQ(book().notes().size(), 1u);
  for (int i = 0; i < 2; ++i) {
    bench.run("window.undo");
    EXPECT_EQ(book().notes().size(), 1u) << i;
  }
  EXPECT_TRUE(book().bookmarks().empty());
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
