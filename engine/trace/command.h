// What a person may ask of a running trainer, as plain values. Applied between steps, recorded as events.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace sparsescope::trace {

struct Resume {};
struct Pause {};
struct StepOnce {};  // one step, then paused again
struct PauseAt {
  std::uint64_t step = 0;
};  // 0 removes it
struct SetControl {
  std::string name;
  double value = 0;
};  // a scalar of the control block, e.g. "sparsity_weight"
struct EvaluateNow {
  std::vector<int> context_multiples;
};  // empty: what the experiment says
struct CancelEvaluation {};
struct RecordEdges {};  // all pairs of probe sequence 0, now
struct InjectNeedle {
  double depth = 0.5;
};  // hides a needle in probe sequence 0 at this share of its length; negative: removes it
struct GenerateText {
  std::string prompt;      // empty: from the start of a document
  int tokens = 64;         // to sample
  double temperature = 1;  // 0: always the likeliest
  std::uint64_t seed = 0;  // of its own random stream
};  // CancelEvaluation ends it early
struct SaveCheckpoint {};
struct Stop {};  // ends the run cleanly

using Command = std::variant<Resume, Pause, StepOnce, PauseAt, SetControl, EvaluateNow, CancelEvaluation,
                             RecordEdges, InjectNeedle, GenerateText, SaveCheckpoint, Stop>;

// A live scalar: members of the model and the trainer register theirs, commands and schedules write them.
struct Control {
  std::string name;  // "learning_rate_scale", "threshold_min", "pace", "sparsity_weight"
  double value = 0;
  double minimum = 0, maximum = 0;
  bool is_switch = false;  // 0 or 1
  bool is_logarithmic = false;
  std::string unit;
  std::string text;  // one sentence for the tooltip
};

}  // namespace sparsescope::trace
