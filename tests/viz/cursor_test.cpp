#include "viz/model/cursor.h"

#include <gtest/gtest.h>

#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

// 100 steps, 10 ms apart.
viz::Run hundred_steps(test::SmallRun& source) {
  viz::Run run(0, nullptr, 1 << 20);
  run.take(source.schema);
  for (std::uint64_t step = 0; step < 100; ++step) run.take(source.frame(step));
  return run;
}

TEST(Cursor, FollowsTheNewestUntilItIsPutSomewhere) {
  test::SmallRun source;
  viz::Run run = hundred_steps(source);
  Cursor cursor;
  EXPECT_TRUE(cursor.advance(run, 0));
  EXPECT_EQ(cursor.step(), 99u);
  cursor.seek(40);
  EXPECT_FALSE(cursor.is_following());
  run.take(source.frame(100));
  EXPECT_FALSE(cursor.advance(run, 10));
  EXPECT_EQ(cursor.step(), 40u) << "a run that goes on does not move a held cursor";
  cursor.follow();
  cursor.advance(run, 0);
  EXPECT_EQ(cursor.step(), 100u);
}

TEST(Cursor, PlaysRecordedTimeAtItsSpeed) {
  test::SmallRun source;
  viz::Run run = hundred_steps(source);
  run.take(test::finished());
  for (double speed : {0.25, 1.0, 4.0}) {
    Cursor cursor;
    cursor.seek(0);
    cursor.set_speed(speed);
    cursor.play();
    for (int frame = 0; frame < 60; ++frame) cursor.advance(run, 0.2 / 60);
    EXPECT_NEAR(static_cast<double>(cursor.step()), 20 * speed, 1) << speed;
    EXPECT_TRUE(cursor.is_playing());
  }
}

TEST(Cursor, StopsAtTheEndAndStartsOverWhenPlayedAgain) {
  test::SmallRun source;
  viz::Run run = hundred_steps(source);
  run.take(test::finished());
  Cursor cursor;
  cursor.seek(95);
  cursor.play();
  cursor.advance(run, 60);
  EXPECT_EQ(cursor.step(), 99u);
  EXPECT_FALSE(cursor.is_playing());
  cursor.play();
  cursor.advance(run, 0.055);
  EXPECT_EQ(cursor.step(), 5u);
}

TEST(Cursor, LoopsWithinItsRange) {
  test::SmallRun source;
  viz::Run run = hundred_steps(source);
  Cursor cursor;
  cursor.set_loop(Cursor::Loop{50, 40});
  cursor.seek(40);
  cursor.play();
  for (int frame = 0; frame < 200; ++frame) {
    cursor.advance(run, 0.02);
    ASSERT_GE(cursor.step(), 40u);
    ASSERT_LE(cursor.step(), 50u);
  }
  EXPECT_TRUE(cursor.is_playing());
}

TEST(Cursor, LongPausesInTheRecordingAreCutToASecond) {
  test::SmallRun source;
  viz::Run run(0, nullptr, 1 << 20);
  run.take(source.schema);
  run.take(source.frame(0));
  auto late = source.frame(1);
  late->mono_nanos = 3'600'000'000'000;
  run.take(trace::FramePtr(late));
  Cursor cursor;
  cursor.seek(0);
  cursor.play();
  cursor.advance(run, 0.9);
  EXPECT_EQ(cursor.step(), 0u);
  cursor.advance(run, 0.2);
  EXPECT_EQ(cursor.step(), 1u);
}

TEST(Cursor, MovesByStepsWhateverFramesCarryThem) {
  test::SmallRun source;
  viz::Run run(0, nullptr, 1 << 20);
  run.take(source.schema);
  for (std::uint64_t step : {0, 10, 10, 10, 20, 30}) run.take(source.frame(step));
  Cursor cursor;
  cursor.seek(0);
  cursor.move(run, 2);
  EXPECT_EQ(cursor.step(), 20u);
  cursor.move(run, -1);
  EXPECT_EQ(cursor.step(), 10u);
  cursor.move(run, -100);
  EXPECT_EQ(cursor.step(), 0u);
  cursor.move(run, 100);
  EXPECT_EQ(cursor.step(), 30u);
}

TEST(Cursor, SpeedsAreTheStepsOfTheScale) {
  Cursor cursor;
  cursor.set_speed(3);
  EXPECT_EQ(cursor.speed(), 4);
  for (int i = 0; i < 10; ++i) cursor.faster();
  EXPECT_EQ(cursor.speed(), 64);
  for (int i = 0; i < 20; ++i) cursor.slower();
  EXPECT_EQ(cursor.speed(), 0.25);
}

TEST(Cursor, AnEmptyRunMovesNothing) {
  viz::Run run(0, nullptr, 1 << 20);
  Cursor cursor;
  EXPECT_FALSE(cursor.advance(run, 1));
  cursor.play();
  EXPECT_FALSE(cursor.advance(run, 1));
  cursor.move(run, 5);
  EXPECT_EQ(cursor.step(), 0u);
}

}  // namespace
}  // namespace sparsescope::viz
