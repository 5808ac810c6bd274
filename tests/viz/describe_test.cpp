// The command line says what the window says: every view has a description, made from the same picture.
#include "viz/model/describe.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/trace/error.h"
#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"
#include "viz/views/view.h"

namespace sparsescope::viz {
namespace {

std::vector<std::string> ids_of_views() {
  std::vector<std::string> ids;
  for (const auto& view : make_views()) ids.emplace_back(view->id());
  return ids;
}

TEST(Describe, KnowsEveryViewInTheOrderOfTheirTable) { EXPECT_EQ(described_views(), ids_of_views()); }

TEST(Describe, NamesTheViewsThereAre) {
  Timeline timeline;
  test::SparkRun source;
  viz::Run& run = timeline.add_run({test::mailbox_with(source.schema, {source.frame(0)})});
  timeline.drain_all();
  try {
    describe("nothing", {timeline, run});
    FAIL() << "described a view that is not there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Usage);
    for (const std::string& id : ids_of_views())
      EXPECT_NE(std::string(error.what()).find(id), std::string::npos) << id;
  }
}

class DescribedView : public testing::TestWithParam<std::string> {};

TEST_P(DescribedView, SaysWhatTheWindowSays) {
  Timeline timeline;
  test::SparkRun source;
  std::vector<trace::FramePtr> frames;
  for (std::uint64_t step = 0; step <= 40; ++step) frames.push_back(source.frame(step));
  viz::Run& run = timeline.add_run({test::mailbox_with(source.schema, frames)});
  timeline.drain_all();
  Selection selection;
  ViewContext context{timeline, selection};
  const auto view = test::make_view(GetParam());
  std::string in_window, described;
  // What is read or walked through piece by piece comes to rest first.
  for (int i = 0; i < 200; ++i) {
    timeline.update(0);
    in_window = view->text_twin(context);
    described = text_of(describe(GetParam(), {timeline, run}).twin);
  }
  EXPECT_EQ(in_window, described);
  EXPECT_GT(described.size(), 40u);
}

TEST_P(DescribedView, OfAPairSaysWhatTheWindowSaysOfIt) {
  Timeline timeline;
  for (const bool inherits : {false, true}) {
    test::SparkRun source({.inheritance = inherits});
    timeline.add_run({test::mailbox_with(source.schema, source.frames(41))});
  }
  timeline.drain_all();
  Selection selection;
  selection.run = 1;
  selection.comparison = {.baseline = 0, .beside = {1}};
  ViewContext context{timeline, selection};
  const auto view = test::make_view(GetParam());
  if (GetParam() == "needle") view->set_settings({{"difference", true}});
  if (GetParam() == "declarations" || GetParam() == "routing") view->set_settings({{"against", 2}});
  QueryFrame frame{timeline, *timeline.find(1)};
  frame.comparison = selection.comparison;
  std::string in_window, described;
  for (int i = 0; i < 200; ++i) {
    timeline.update(0);
    in_window = view->text_twin(context);
    described = text_of(describe(GetParam(), frame).twin);
  }
  EXPECT_EQ(in_window, described);
  const std::string alone = text_of(describe(GetParam(), {timeline, *timeline.find(1)}).twin);
  const bool compares = GetParam() != "tokens" && GetParam() != "samples";
  EXPECT_EQ(described != alone, compares) << described.substr(0, 600);
}

INSTANTIATE_TEST_SUITE_P(Views, DescribedView, testing::ValuesIn(ids_of_views()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace sparsescope::viz
