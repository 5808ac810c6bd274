// How often a run may be watched: the budget of its probes and scheduled texts, what they cost, what was left
// out. Training never depends on it. The loop tells it times; it has no clock, no torch and takes no probe.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/train/ab_windows.h"

namespace sparsescope::train {

struct WatchingSettings {
  std::int64_t probe_every = 0;      // steps; 0: no schedule
  std::int64_t edges_every = 0;      // probes; 0: on demand
  std::int64_t sample_every = 0;     // steps; 0: on demand
  double budget_percent = 0;         // of the training time; 0: none
  double measure_every_minutes = 0;  // 0: never
};

// Labels of the channel `watching`, in order.
const std::vector<std::string>& watching_names();

class Watching {
 public:
  static constexpr std::int64_t kMostStretched = 32;  // times the cadence of the experiment

  explicit Watching(const WatchingSettings& settings)
      : settings_(settings), budget_percent_(settings.budget_percent) {}

  bool is_on() const { return is_on_; }
  void set_on(bool is_on);
  void set_budget(double percent);

  // What the probes do at `step`. Without a budget, and while watching is on, every multiple of the cadence
  // is taken. What is left out is counted.
  enum class Look { NotDue, Take, LeftOut };
  Look look(std::uint64_t step);
  // The same for the text that the schedule writes at `step`: over budget it comes less often, as probes do.
  Look look_for_text(std::uint64_t step);
  // Whether the probe about to be taken records edges, too.
  bool takes_edges() const;
  // The probe about to be taken does not come after all: a measurement would take its step for a probe's.
  void left_out() { windows_.abort(); }

  struct ProbeCost {
    double probe_ms = 0, copy_ms = 0;  // copy_ms: the part of it that moves results to the host
    bool has_edges = false;
  };
  // A scheduled probe was taken; may change cadence and detail for the next.
  void probed(const ProbeCost& cost, double now_seconds);
  // A scheduled text was written; may change how often texts come.
  void sampled(double sample_ms);
  // A step is over: the training alone; everything from its begin to its end but evaluations, samples and
  // checkpoints; waiting for the recorder.
  void stepped(std::uint64_t step, double step_ms, double whole_ms, double blocked_ms, double now_seconds);

  // What changed since the last call, as fields of events of kind Watching.
  std::vector<nlohmann::ordered_json> take_events();
  // Whether a row of `watching` belongs into a frame of `step`: something changed since the last row, or it
  // is the cadence's turn and this step has none.
  bool is_row_due(std::uint64_t step) const;
  std::vector<double> take_row(std::uint64_t step);

  // In force.
  std::int64_t cadence() const { return settings_.probe_every * factor_; }
  std::int64_t text_cadence() const { return settings_.sample_every * text_factor_; }
  double budget_percent() const { return budget_percent_; }
  // Of the training time: probes as measured while that measurement is about the cadence in force, else as
  // estimated, and text samples. NaN before anything is known.
  double cost_percent() const;
  bool is_measured() const { return measured_ && measured_cadence_ == cadence() && is_on_; }

 private:
  enum class Detail { Full, WithoutEdges };

  double estimate_percent(std::int64_t factor, Detail detail) const;  // of the probes
  double samples_percent(std::int64_t factor) const;
  double samples_percent() const { return samples_percent(text_factor_); }
  double probe_budget() const;  // what texts leave of the budget
  void adjust();
  void adjust_texts();
  void changed(const char* what, const std::string& text);

  WatchingSettings settings_;
  double budget_percent_;
  bool is_on_ = true;
  std::int64_t factor_ = 1, text_factor_ = 1;
  Detail detail_ = Detail::Full;
  std::uint64_t probes_ = 0;    // taken
  std::uint64_t left_out_ = 0;  // due and not taken
  std::uint64_t texts_left_out_ = 0;
  std::int64_t probes_since_change_ = 0;
  std::uint64_t steps_seen_ = 0;

  // Running means; NaN before the first value.
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  double step_ms_ = kUnknown, whole_ms_ = kUnknown, blocked_ms_ = kUnknown;
  double light_ms_ = kUnknown;  // of a probe without edges
  double edges_ms_ = 0;         // what edges add to the probe that records them
  double held_up_ms_ = 0;       // waiting for a recorder that could not take a probe's frame
  bool is_probe_step_ = false;  // the step under way took a probe
  double copy_ms_ = kUnknown, sample_ms_ = kUnknown;

  AbWindows windows_;
  double next_measurement_seconds_ = 0;
  std::optional<AbWindows::Result> measured_;
  std::int64_t measured_cadence_ = 0;
  std::uint64_t measured_step_ = 0;

  std::vector<nlohmann::ordered_json> events_;
  bool is_row_wanted_ = true;
  std::uint64_t last_row_step_ = ~std::uint64_t{0};
};

}  // namespace sparsescope::train
