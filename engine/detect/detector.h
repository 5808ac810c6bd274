// The table of collapse detectors: what each looks for, where, and its two lines. How an alarm moves between
// its states is alarm.h; how a signal is computed is signals.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sparsescope::detect {

enum class Family { EveryModel, Spark };
enum class Place { WholeModel, EachLayer };
enum class Side { Above, Below };         // where of `on` the fault lies
enum class Smoothing { Average, Raw };    // Raw: each value counts as it is, from the first step
enum class Ending { Recovers, Latches };  // Latches: fatal, never clears
enum class Severity { Info, Warn, Fatal };

struct Detector {
  std::string mode;  // its name in recordings, settings and words
  Family family;
  Place place;
  Side side;
  double on;   // beyond it: a fault
  double off;  // inside it: recovered; never more extreme than on
  Smoothing smoothing;
  Ending ending;
  Severity severity;
  std::string signal;  // what the value is, for people
};

// Every detector with its default thresholds, in the order in which they are shown.
const std::vector<Detector>& detector_table();

// The detector of that name. Throws Error naming the ones that exist.
const Detector& detector_named(const std::string& mode);

// Throws Error unless both thresholds are finite and `off` is not more extreme than `on`.
void check_thresholds(const Detector& detector);

// Strictly beyond `on`.
bool beyond_on(const Detector& detector, double value);
// Strictly inside `off`.
bool inside_off(const Detector& detector, double value);

// Steps between two detector probes: max(10, steps / 100). Counted in steps only, so that alarms do not
// depend on how fast the machine is.
std::int64_t probe_interval_steps(std::int64_t planned_steps);
// The first step at which a detector that is not raw may leave `clear`: 15 % of the planned steps.
std::int64_t first_alarm_step(std::int64_t planned_steps);
// A span to look back over: min(stated, steps / 4), at least 1.
std::int64_t look_back_steps(std::int64_t stated_steps, std::int64_t planned_steps);

const char* name_of(Severity severity);

}  // namespace sparsescope::detect
