// How one alarm (a detector at one place) moves between its states as values come in: smoothing, patience and
// hysteresis. Where values come from is signals.h.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/detect/detector.h"

namespace sparsescope::detect {

enum class State { Clear, Suspect, Active, Recovering, Latched };

// Consecutive probes beyond `on` until active, and inside `off` until clear.
inline constexpr int kProbesToActive = 3;
inline constexpr int kProbesToClear = 5;

// A signal at one probe. With Unmet the detector's extra condition does not hold: the value may let an alarm
// recover but not raise it.
enum class Condition { Met, Unmet };
struct Reading {
  double value = 0.0;
  Condition condition = Condition::Met;
};

struct Transition {
  std::int64_t step;
  State from;
  State to;
  double value;  // smoothed, as compared with the thresholds
  double on;
  double off;
};

class Alarm {
 public:
  // Throws Error on thresholds that contradict each other.
  Alarm(Detector detector, std::int64_t planned_steps);

  // The next probe, at a step above that of the last. A value that is not finite is no evidence and is passed
  // over (that it was not finite is what `numeric` reports), unless the detector is raw: then it counts as a
  // fault.
  std::optional<Transition> observe(std::int64_t step, const Reading& reading);

  // New thresholds from the next probe on; the state stays. Throws Error like the constructor.
  void set_thresholds(double on, double off);

  State state() const { return state_; }
  double value() const;  // the smoothed value; NaN before the first
  const Detector& detector() const { return detector_; }

 private:
  enum class Zone { Fault, Between, Inside };

  Zone zone_of(const Reading& reading, double value) const;
  State next_state(Zone zone);

  Detector detector_;
  std::int64_t first_step_;
  State state_ = State::Clear;
  double average_ = 0.0;         // not corrected
  double average_weight_ = 0.0;  // sum of the weights in average_: 1 - 0.7^n
  int consecutive_ = 0;          // probes in a row that speak for the state to come
};

const char* name_of(State state);

}  // namespace sparsescope::detect
