// The rows of the detector table and what follows from a row alone.
#include "engine/detect/detector.h"

#include <algorithm>
#include <cmath>

#include "engine/trace/error.h"

namespace sparsescope::detect {

const std::vector<Detector>& detector_table() {
  using enum Family;
  using enum Place;
  using enum Side;
  using enum Smoothing;
  using enum Ending;
  using enum Severity;
  static const std::vector<Detector> table = {
      {"numeric", EveryModel, WholeModel, Above, 0.0, 0.0, Raw, Latches, Fatal, "non-finite values"},
      {"leak", EveryModel, WholeModel, Above, 0.0, 0.0, Raw, Latches, Fatal,
       "influence of later tokens, or nats below the entropy floor"},
      {"divergence", EveryModel, WholeModel, Above, 1.0, 0.5, Average, Recovers, Warn,
       "training loss above its minimum, nats"},
      {"memorisation", EveryModel, WholeModel, Above, 0.7, 0.5, Average, Recovers, Warn,
       "held-out minus training loss, nats"},
      {"loop", EveryModel, WholeModel, Below, 0.3, 0.5, Average, Recovers, Info,
       "distinct share of 4-grams in sampled text"},
      {"entropy-collapse", EveryModel, WholeModel, Above, 0.5, 0.3, Average, Recovers, Info,
       "drop of normalised attention entropy"},
      {"sink", EveryModel, WholeModel, Above, 0.5, 0.4, Average, Recovers, Info,
       "sink rate of the first token"},
      {"densify", Spark, EachLayer, Above, 0.6, 0.5, Average, Recovers, Warn,
       "scope density of rows t >= 2W"},
      {"threshold-drift", Spark, EachLayer, Above, 0.5, 0.3, Average, Recovers, Info,
       "threshold travelled / reach of the optimizer"},
      {"starvation", Spark, EachLayer, Above, 0.9, 0.8, Average, Recovers, Warn,
       "share of rows without a direct declaration"},
      {"prune-spiral", Spark, EachLayer, Below, 0.25, 0.4, Average, Recovers, Info,
       "direct density / its maximum"},
      {"hub", Spark, EachLayer, Above, 0.5, 0.4, Average, Recovers, Info,
       "share of edges into the most attended 1 % of keys"},
      {"constant-declaration", Spark, EachLayer, Above, 0.9, 0.8, Average, Recovers, Info,
       "mean Jaccard of declared sets"},
      {"churn", Spark, EachLayer, Above, 0.2, 0.1, Average, Recovers, Info,
       "share of scope bits changed per step"},
      {"absorption", Spark, WholeModel, Below, 2.0, 3.0, Average, Recovers, Warn,
       "loss of random routing above learned routing, standard errors"},
  };
  return table;
}

const Detector& detector_named(const std::string& mode) {
  std::string known;
  for (const Detector& detector : detector_table()) {
    if (detector.mode == mode) return detector;
    known += (known.empty() ? "" : ", ") + detector.mode;
  }
  throw Error("There is no collapse detector '" + mode + "'; there are " + known + ".");
}

void check_thresholds(const Detector& detector) {
  const bool finite = std::isfinite(detector.on) && std::isfinite(detector.off);
  const bool ordered =
      detector.side == Side::Above ? detector.off <= detector.on : detector.off >= detector.on;
  if (finite && ordered) return;
  throw Error("The detector '" + detector.mode + "' cannot have on = " + std::to_string(detector.on) +
              " and off = " + std::to_string(detector.off) + "; choose finite numbers with off " +
              (detector.side == Side::Above ? "at most" : "at least") + " on.");
}

bool beyond_on(const Detector& detector, double value) {
  return detector.side == Side::Above ? value > detector.on : value < detector.on;
}

bool inside_off(const Detector& detector, double value) {
  return detector.side == Side::Above ? value < detector.off : value > detector.off;
}

std::int64_t probe_interval_steps(std::int64_t planned_steps) {
  return std::max<std::int64_t>(10, planned_steps / 100);
}

std::int64_t first_alarm_step(std::int64_t planned_steps) { return (planned_steps * 15 + 99) / 100; }

std::int64_t look_back_steps(std::int64_t stated_steps, std::int64_t planned_steps) {
  return std::max<std::int64_t>(1, std::min(stated_steps, planned_steps / 4));
}

const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::Info:
      return "info";
    case Severity::Warn:
      return "warn";
    case Severity::Fatal:
      return "fatal";
  }
  check(false, "a severity without a name");
  return "";
}

}  // namespace sparsescope::detect
