// The state machine of one alarm.
#include "engine/detect/alarm.h"

#include <cmath>
#include <limits>
#include <utility>

#include "engine/trace/error.h"

namespace sparsescope::detect {
namespace {

constexpr double kKept = 0.7;  // of the average at each probe

}  // namespace

Alarm::Alarm(Detector detector, std::int64_t planned_steps)
    : detector_(std::move(detector)), first_step_(first_alarm_step(planned_steps)) {
  check_thresholds(detector_);
}

void Alarm::set_thresholds(double on, double off) {
  Detector changed = detector_;
  changed.on = on;
  changed.off = off;
  check_thresholds(changed);
  detector_ = std::move(changed);
}

double Alarm::value() const {
  return average_weight_ > 0.0 ? average_ / average_weight_ : std::numeric_limits<double>::quiet_NaN();
}

std::optional<Transition> Alarm::observe(std::int64_t step, const Reading& reading) {
  const bool raw = detector_.smoothing == Smoothing::Raw;
  if (!raw && !std::isfinite(reading.value)) return std::nullopt;
  const double kept = raw ? 0.0 : kKept;
  average_ = (raw ? 0.0 : kept * average_) + (1.0 - kept) * reading.value;
  average_weight_ = kept * average_weight_ + (1.0 - kept);
  if (!raw && step < first_step_) return std::nullopt;

  const State before = state_;
  state_ = next_state(zone_of(reading, value()));
  if (state_ == before) return std::nullopt;
  return Transition{step, before, state_, value(), detector_.on, detector_.off};
}

Alarm::Zone Alarm::zone_of(const Reading& reading, double value) const {
  if (!std::isfinite(value)) return Zone::Fault;
  if (beyond_on(detector_, value)) return reading.condition == Condition::Met ? Zone::Fault : Zone::Between;
  return inside_off(detector_, value) ? Zone::Inside : Zone::Between;
}

State Alarm::next_state(Zone zone) {
  if (state_ == State::Latched) return State::Latched;
  if (detector_.ending == Ending::Latches) return zone == Zone::Fault ? State::Latched : State::Clear;

  const bool raised = state_ == State::Active || state_ == State::Recovering;
  const Zone awaited = raised ? Zone::Inside : Zone::Fault;
  consecutive_ = zone == awaited ? consecutive_ + 1 : 0;
  if (raised) {
    if (zone == Zone::Fault) return State::Active;
    if (consecutive_ < kProbesToClear) return consecutive_ > 0 ? State::Recovering : state_;
    consecutive_ = 0;
    return State::Clear;
  }
  if (zone == Zone::Inside) return State::Clear;
  if (consecutive_ < kProbesToActive) return consecutive_ > 0 ? State::Suspect : state_;
  consecutive_ = 0;
  return State::Active;
}

const char* name_of(State state) {
  switch (state) {
    case State::Clear:
      return "clear";
    case State::Suspect:
      return "suspect";
    case State::Active:
      return "active";
    case State::Recovering:
      return "recovering";
    case State::Latched:
      return "latched";
  }
  check(false, "an alarm state without a name");
  return "";
}

}  // namespace sparsescope::detect
