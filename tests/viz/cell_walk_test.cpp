// Walking through cells by keys: the borders, and the routing graph.
#include "viz/model/cell_walk.h"

#include <gtest/gtest.h>

#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

using Place = CellWalk::Place;

TEST(CellWalk, StaysWithinRowsAndColumns) {
  CellWalk walk;
  walk.move(Walk::Right, 3, 30);
  EXPECT_FALSE(walk.is_walking()) << "nothing is held";
  walk.hold({1, 5});
  walk.move(Walk::FarRight, 3, 30);
  EXPECT_EQ(*walk.place(), (Place{1, 15}));
  walk.move(Walk::FarDown, 3, 30);
  EXPECT_EQ(*walk.place(), (Place{2, 15}));
  walk.move(Walk::Left, 3, 30);
  walk.move(Walk::Up, 3, 30);
  EXPECT_EQ(*walk.place(), (Place{1, 14}));
  for (int i = 0; i < 4; ++i) walk.move(Walk::FarLeft, 3, 30);
  EXPECT_EQ(*walk.place(), (Place{1, 0}));
}

TEST(CellWalk, GoesAlongWithASmallerPictureAndEndsWithNone) {
  CellWalk walk;
  walk.hold({7, 7});
  walk.keep_within(4, 5);
  EXPECT_EQ(*walk.place(), (Place{3, 4}));
  walk.keep_within(4, 0);
  EXPECT_FALSE(walk.is_walking());
}

TEST(CellWalk, InTheRoutingGraphMovesAlongTheTokensAndLocksOne) {
  test::NullScreen screen;
  test::SparkRun source;
  Timeline timeline;
  Selection selection;
  timeline.add_run({test::mailbox_with(source.schema, source.frames(61))});
  timeline.drain_all();
  const auto view = test::make_view("routing");
  const auto draw = [&] { return test::draw_view(screen, *view, timeline, selection, 4).value; };
  draw();
  ViewContext context{timeline, selection};
  ASSERT_TRUE(view->has_cells());
  ASSERT_TRUE(view->walk(context, Walk::Enter));
  const std::uint64_t first = draw();
  EXPECT_EQ(selection.hover.token, 0);
  view->walk(context, Walk::Right);
  view->walk(context, Walk::Right);
  EXPECT_NE(draw(), first);
  EXPECT_EQ(selection.hover.token, 2);
  EXPECT_FALSE(selection.locked.token);
  view->walk(context, Walk::Enter);
  EXPECT_EQ(selection.locked.token, 2);
  view->walk(context, Walk::Leave);
  EXPECT_FALSE(view->is_walking());
}

TEST(CellWalk, AViewOfLinesHasNoCells) {
  Timeline timeline;
  Selection selection;
  ViewContext context{timeline, selection};
  const auto view = test::make_view("loss");
  EXPECT_FALSE(view->has_cells());
  EXPECT_FALSE(view->walk(context, Walk::Enter));
}

}  // namespace
}  // namespace sparsescope::viz
