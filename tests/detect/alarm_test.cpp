// The table and the state machine: patience, hysteresis, smoothing, the quiet start.
#include "engine/detect/alarm.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "engine/trace/error.h"

namespace sparsescope::detect {
namespace {

constexpr std::int64_t kPlanned = 1000;
constexpr std::int64_t kEvery = 10;

// An alarm past its quiet start, whose average has settled at `value`.
struct Fixture {
  explicit Fixture(const char* mode, double value) : alarm(detector_named(mode), kPlanned) {
    for (; step < first_alarm_step(kPlanned); step += kEvery) alarm.observe(step, {value});
  }
  // The same value until the average is it, to within rounding.
  std::optional<Transition> feed(double value, int probes = 1) {
    std::optional<Transition> last;
    for (int i = 0; i < probes; ++i, step += kEvery) {
      if (auto transition = alarm.observe(step, {value})) last = transition;
    }
    return last;
  }
  Alarm alarm;
  std::int64_t step = 0;
};

TEST(DetectorTable, NamesAreDistinctAndThresholdsAreInOrder) {
  std::set<std::string> names;
  for (const Detector& detector : detector_table()) {
    EXPECT_TRUE(names.insert(detector.mode).second) << detector.mode;
    EXPECT_NO_THROW(check_thresholds(detector));
    EXPECT_EQ(detector.severity == Severity::Fatal, detector.ending == Ending::Latches) << detector.mode;
    EXPECT_EQ(detector.on != detector.off, detector.ending == Ending::Recovers) << detector.mode;
  }
  EXPECT_EQ(names.size(), 15u);
}

TEST(DetectorTable, AnUnknownNameIsRefusedWithTheKnownOnes) {
  try {
    detector_named("densfy");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("densify"), std::string::npos);
  }
}

TEST(DetectorTable, SpansFollowFromThePlannedSteps) {
  EXPECT_EQ(probe_interval_steps(200), 10);
  EXPECT_EQ(probe_interval_steps(5000), 50);
  EXPECT_EQ(first_alarm_step(1000), 150);
  EXPECT_EQ(first_alarm_step(101), 16);
  EXPECT_EQ(look_back_steps(500, 10000), 500);
  EXPECT_EQ(look_back_steps(500, 400), 100);
  EXPECT_EQ(look_back_steps(500, 0), 1);
}

TEST(Alarm, BecomesActiveAtTheThirdProbeBeyondOn) {
  Fixture f("densify", 0.9);
  const auto suspect = f.feed(0.9);
  ASSERT_TRUE(suspect);
  EXPECT_EQ(suspect->to, State::Suspect);
  EXPECT_FALSE(f.feed(0.9));
  const auto active = f.feed(0.9);
  ASSERT_TRUE(active);
  EXPECT_EQ(active->from, State::Suspect);
  EXPECT_EQ(active->to, State::Active);
  EXPECT_EQ(active->step, 170);
  EXPECT_NEAR(active->value, 0.9, 1e-9);
  EXPECT_EQ(active->on, 0.6);
  EXPECT_EQ(active->off, 0.5);
}

TEST(Alarm, StaysClearBeforeFifteenPercentOfThePlannedSteps) {
  Alarm alarm(detector_named("starvation"), kPlanned);
  for (std::int64_t step = 0; step < 150; step += kEvery) EXPECT_FALSE(alarm.observe(step, {1.0})) << step;
  EXPECT_EQ(alarm.state(), State::Clear);
  EXPECT_TRUE(alarm.observe(150, {1.0}));
}

TEST(Alarm, ASuspicionInsideOffIsDropped) {
  Fixture f("densify", 0.61);
  f.feed(0.61, 2);
  EXPECT_EQ(f.alarm.state(), State::Suspect);
  const auto dropped = f.feed(0.0);
  ASSERT_TRUE(dropped);
  EXPECT_EQ(dropped->to, State::Clear);
}

TEST(Alarm, BetweenTheLinesNothingChangesAndPatienceStartsAgain) {
  Fixture f("densify", 0.61);
  f.feed(0.61, 2);
  f.feed(0.55);  // average 0.592: between
  EXPECT_EQ(f.alarm.state(), State::Suspect);
  f.feed(0.70, 2);
  EXPECT_EQ(f.alarm.state(), State::Suspect) << "two probes beyond on are not three";
  f.feed(0.70);
  EXPECT_EQ(f.alarm.state(), State::Active);
}

TEST(Alarm, HysteresisKeepsAnActiveAlarmBetweenTheLines) {
  Fixture f("densify", 0.61);
  f.feed(0.61, 3);
  ASSERT_EQ(f.alarm.state(), State::Active);
  f.feed(0.55, 40);
  EXPECT_EQ(f.alarm.state(), State::Active);
}

TEST(Alarm, ClearsAtTheFifthProbeInsideOff) {
  Fixture f("densify", 0.61);
  f.feed(0.61, 3);
  const auto recovering = f.feed(0.1);  // average 0.457
  ASSERT_TRUE(recovering);
  EXPECT_EQ(recovering->to, State::Recovering);
  EXPECT_FALSE(f.feed(0.1, 3));
  const auto clear = f.feed(0.1);
  ASSERT_TRUE(clear);
  EXPECT_EQ(clear->from, State::Recovering);
  EXPECT_EQ(clear->to, State::Clear);
}

TEST(Alarm, ARelapseWhileRecoveringIsActiveAgainAtOnce) {
  Fixture f("densify", 0.61);
  f.feed(0.61, 3);
  f.feed(0.1, 2);
  ASSERT_EQ(f.alarm.state(), State::Recovering);
  f.feed(2.0);
  EXPECT_EQ(f.alarm.state(), State::Active);
}

TEST(Alarm, OneOutlierIsSmoothedAway) {
  Fixture f("densify", 0.2);
  EXPECT_FALSE(f.feed(1.0));  // average 0.44
}

TEST(Alarm, TheAverageIsCorrectedForItsStart) {
  Alarm alarm(detector_named("densify"), kPlanned);
  alarm.observe(0, {0.4});
  EXPECT_NEAR(alarm.value(), 0.4, 1e-12);
  alarm.observe(10, {0.8});
  EXPECT_NEAR(alarm.value(), (0.7 * 0.3 * 0.4 + 0.3 * 0.8) / (1.0 - 0.49), 1e-12);
}

TEST(Alarm, AFaultBelowOnIsSeenWhereLowValuesAreTheFault) {
  Fixture f("loop", 0.9);
  f.feed(0.0, 30);
  EXPECT_EQ(f.alarm.state(), State::Active);
  f.feed(0.9, 30);
  EXPECT_EQ(f.alarm.state(), State::Clear);
}

TEST(Alarm, FatalModesLatchAtTheFirstValueFromTheFirstStep) {
  for (const char* mode : {"numeric", "leak"}) {
    Alarm alarm(detector_named(mode), kPlanned);
    EXPECT_FALSE(alarm.observe(0, {0.0}));
    const auto latched = alarm.observe(1, {1.0});
    ASSERT_TRUE(latched) << mode;
    EXPECT_EQ(latched->to, State::Latched);
    for (std::int64_t step = 2; step < 20; ++step) EXPECT_FALSE(alarm.observe(step, {0.0}));
    EXPECT_EQ(alarm.state(), State::Latched);
  }
}

TEST(Alarm, AValueThatIsNotFiniteIsNoEvidenceExceptForRawModes) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Fixture f("densify", 0.2);
  f.feed(nan, 10);
  EXPECT_EQ(f.alarm.state(), State::Clear);
  EXPECT_NEAR(f.alarm.value(), 0.2, 1e-9);
  Alarm numeric(detector_named("numeric"), kPlanned);
  EXPECT_TRUE(numeric.observe(0, {nan}));
}

TEST(Alarm, WithoutItsConditionAnAlarmIsNotRaisedButMayRecover) {
  Alarm alarm(detector_named("memorisation"), kPlanned);
  std::int64_t step = 200;
  for (int i = 0; i < 10; ++i) alarm.observe(step += kEvery, {2.0, Condition::Unmet});
  EXPECT_EQ(alarm.state(), State::Clear);
  for (int i = 0; i < 3; ++i) alarm.observe(step += kEvery, {2.0, Condition::Met});
  EXPECT_EQ(alarm.state(), State::Active);
  for (int i = 0; i < 20; ++i) alarm.observe(step += kEvery, {0.0, Condition::Unmet});
  EXPECT_EQ(alarm.state(), State::Clear);
}

TEST(Alarm, ThresholdsAreEditedInPlaceAndContradictionsRefused) {
  Fixture f("densify", 0.55);
  f.feed(0.55, 10);
  EXPECT_EQ(f.alarm.state(), State::Clear);
  EXPECT_THROW(f.alarm.set_thresholds(0.4, 0.5), Error);
  f.alarm.set_thresholds(0.5, 0.4);
  f.feed(0.55, 3);
  EXPECT_EQ(f.alarm.state(), State::Active);
}

}  // namespace
}  // namespace sparsescope::detect
