// How many pictures an hour costs, counted on a clock of our own.
#include "app/frame_pacer.h"

#include <gtest/gtest.h>

namespace sparsescope::app {
namespace {

// Runs the window's loop for `seconds`; every wait ends after at most `interruption` (events that mean
// nothing).
// Time goes on from call to call.
int pictures(FramePacer& pacer, Activity activity, double seconds, bool is_hidden = false,
             double interruption = 1e9) {
  int drawn = 0, turns = 0;
  static double now = 1000;
  const double end = now + seconds;
  while (now < end) {
    EXPECT_LT(++turns, 2'000'000) << "the loop spins";
    now += std::min(interruption, std::max(pacer.wait_seconds(activity, is_hidden, now), 1e-9));
    if (!pacer.draws(activity, is_hidden, now)) continue;
    ++drawn;
    now += 0.004;  // drawing takes time
  }
  return drawn;
}

FramePacer settled() {
  FramePacer pacer;
  pictures(pacer, Activity::Still, 1);
  return pacer;
}

TEST(FramePacer, AnIdleHourDrawsNothing) {
  FramePacer pacer = settled();
  EXPECT_EQ(pictures(pacer, Activity::Still, 3600), 0);
}

TEST(FramePacer, OneInputDrawsThreePictures) {
  FramePacer pacer = settled();
  pacer.input();
  EXPECT_EQ(pictures(pacer, Activity::Still, 60), 3);
}

TEST(FramePacer, TelemetryAloneDrawsFiveASecond) {
  FramePacer pacer = settled();
  EXPECT_NEAR(pictures(pacer, Activity::Ticks, 60), 300, 10);
}

TEST(FramePacer, WakingTheLoopForEveryFrameDrawsNoMore) {
  FramePacer pacer = settled();
  EXPECT_NEAR(pictures(pacer, Activity::Ticks, 60, false, 0.003), 300, 10);
}

TEST(FramePacer, InputWhileTrainingIsDrawnAtOnce) {
  FramePacer pacer = settled();
  const double now = 1e6;
  EXPECT_TRUE(pacer.draws(Activity::Ticks, false, now));
  EXPECT_FALSE(pacer.draws(Activity::Ticks, false, now + 0.01));
  pacer.input();
  EXPECT_EQ(pacer.wait_seconds(Activity::Ticks, false, now + 0.02), 0);
  EXPECT_TRUE(pacer.draws(Activity::Ticks, false, now + 0.02));
}

TEST(FramePacer, AHiddenWindowDrawsNothingWhateverMoves) {
  FramePacer pacer = settled();
  for (const Activity activity : {Activity::Still, Activity::Ticks, Activity::Reads, Activity::Moves})
    EXPECT_EQ(pictures(pacer, activity, 600, true), 0);
}

TEST(FramePacer, WhatStopsMovingIsSettled) {
  FramePacer pacer = settled();
  pictures(pacer, Activity::Moves, 0.1);
  EXPECT_EQ(pictures(pacer, Activity::Still, 60), 3);
}

TEST(FramePacer, WaitingForAFileDoesNotSpin) {
  FramePacer pacer = settled();
  EXPECT_NEAR(pictures(pacer, Activity::Reads, 10), 600, 30);
}

TEST(FramePacer, AnimationsAreDrawnAsOftenAsTheScreenTakesThem) {
  FramePacer pacer = settled();
  EXPECT_GT(pictures(pacer, Activity::Moves, 1), 200);
}

}  // namespace
}  // namespace sparsescope::app
