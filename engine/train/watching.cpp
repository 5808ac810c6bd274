#include "engine/train/watching.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace sparsescope::train {
namespace {

constexpr std::int64_t kRowsWithoutProbes = 10;    // steps between rows when there is no probe schedule
constexpr std::uint64_t kWarmSteps = 2;            // the first steps pay for allocations
constexpr std::int64_t kProbesBeforeRelaxing = 3;  // so that one quick probe does not make cadences flap
constexpr double kRelaxBelow = 0.7;                // share of the budget
constexpr double kTextShare = 0.5;                 // of the budget, for texts: probes always have the rest

void mix(double& mean, double value, double share) {
  mean = std::isnan(mean) ? value : (1 - share) * mean + share * value;
}

double or_zero(double value) { return std::isnan(value) ? 0 : value; }

}  // namespace

const std::vector<std::string>& watching_names() {
  static const std::vector<std::string> names = {"budget_percent",
                                                 "estimated_percent",
                                                 "measured_percent",
                                                 "measured_spread_percent",
                                                 "measured_step",
                                                 "probes_percent",
                                                 "samples_percent",
                                                 "copies_percent",
                                                 "recording_percent",
                                                 "cadence",
                                                 "base_cadence",
                                                 "detail",
                                                 "drops",
                                                 "is_watching",
                                                 "probe_ms",
                                                 "copy_ms",
                                                 "step_ms",
                                                 "window_steps",
                                                 "text_cadence",
                                                 "base_text_cadence",
                                                 "text_drops"};
  return names;
}

void Watching::set_on(bool is_on) {
  if (is_on == is_on_) return;
  is_on_ = is_on;
  windows_.abort();
  is_row_wanted_ = true;
}

void Watching::set_budget(double percent) {
  budget_percent_ = percent;
  is_row_wanted_ = true;
  if (windows_.is_running()) return;
  probes_since_change_ = kProbesBeforeRelaxing;  // a person asked for it: no waiting
  adjust_texts();
  adjust();
}

Watching::Look Watching::look(std::uint64_t step) {
  if (settings_.probe_every <= 0) return Look::NotDue;
  if (step % static_cast<std::uint64_t>(settings_.probe_every) != 0) return Look::NotDue;
  const bool is_turn = step % static_cast<std::uint64_t>(cadence()) == 0;
  if (is_on_ && is_turn && !windows_.wants_quiet_step()) return Look::Take;
  ++left_out_;
  return Look::LeftOut;
}

Watching::Look Watching::look_for_text(std::uint64_t step) {
  if (settings_.sample_every <= 0) return Look::NotDue;
  if (step % static_cast<std::uint64_t>(settings_.sample_every) != 0) return Look::NotDue;
  if (is_on_ && step % static_cast<std::uint64_t>(text_cadence()) == 0) return Look::Take;
  ++texts_left_out_;
  return Look::LeftOut;
}

bool Watching::takes_edges() const {
  return detail_ == Detail::Full && settings_.edges_every > 0 &&
         probes_ % static_cast<std::uint64_t>(settings_.edges_every) == 0;
}

void Watching::probed(const ProbeCost& cost, double now_seconds) {
  ++probes_;
  ++probes_since_change_;
  is_probe_step_ = true;
  if (steps_seen_ == 0) return;  // the probe before the first step pays for first use
  if (!cost.has_edges) {
    mix(light_ms_, cost.probe_ms, 0.5);
  } else if (!std::isnan(light_ms_)) {
    edges_ms_ = std::max(0.0, cost.probe_ms - light_ms_);
  } else if (settings_.edges_every == 1) {
    edges_ms_ = cost.probe_ms;  // there is never one without: what edges add cannot be told apart
  }
  mix(copy_ms_, cost.copy_ms, 0.5);
  if (windows_.is_running()) return;
  const std::int64_t before = cadence();
  const Detail detail_before = detail_;
  adjust();
  const bool may_measure = settings_.measure_every_minutes > 0 && now_seconds >= next_measurement_seconds_ &&
                           steps_seen_ >= kWarmSteps && (before > 1 || budget_percent_ > 0);
  if (may_measure && cadence() == before && detail_ == detail_before) windows_.begin(cadence());
}

void Watching::sampled(double sample_ms) {
  if (steps_seen_ == 0) return;  // the text before the first step pays for first use
  mix(sample_ms_, sample_ms, 0.5);
  if (!windows_.is_running()) adjust_texts();
}

void Watching::stepped(std::uint64_t step, double step_ms, double whole_ms, double blocked_ms,
                       double now_seconds) {
  if (++steps_seen_ > 1) {
    mix(step_ms_, step_ms, 0.1);
    mix(whole_ms_, whole_ms, 0.1);
    mix(blocked_ms_, blocked_ms, 0.1);
  }
  // A recorder that is behind is a slot in use: what comes next has to come less often.
  if (std::exchange(is_probe_step_, false)) mix(held_up_ms_, blocked_ms, 0.5);
  const std::int64_t cadence_measured = cadence();
  const std::optional<AbWindows::Result> result = windows_.stepped(whole_ms);
  if (!result) return;
  measured_ = result;
  measured_cadence_ = cadence_measured;
  measured_step_ = step;
  next_measurement_seconds_ = now_seconds + 60 * settings_.measure_every_minutes;
  changed("measured",
          fmt::format("probes cost {:.2f} % of the training time, half the range of {} pairs of "
                      "{} steps is {:.2f} %",
                      result->percent, AbWindows::kPairs, result->window_steps, result->spread_percent));
  events_.back()["measured_percent"] = result->percent;
  events_.back()["spread_percent"] = result->spread_percent;
  events_.back()["window_steps"] = result->window_steps;
}

double Watching::estimate_percent(std::int64_t factor, Detail detail) const {
  if (settings_.probe_every <= 0) return 0;
  double probe_ms = light_ms_;
  if (detail == Detail::Full && settings_.edges_every > 0) {
    const double edges_ms = edges_ms_ / static_cast<double>(settings_.edges_every);
    probe_ms = std::isnan(probe_ms) && edges_ms > 0 ? edges_ms : probe_ms + edges_ms;
  }
  return 100 * (probe_ms + held_up_ms_) / (static_cast<double>(settings_.probe_every * factor) * step_ms_);
}

double Watching::samples_percent(std::int64_t factor) const {
  return settings_.sample_every > 0
             ? 100 * sample_ms_ / (static_cast<double>(settings_.sample_every * factor) * step_ms_)
             : 0;
}

double Watching::probe_budget() const {
  return budget_percent_ - std::min(or_zero(samples_percent()), kTextShare * budget_percent_);
}

// Texts keep within their share; what of it they do not use is the probes'.
void Watching::adjust_texts() {
  const std::int64_t before = text_factor_;
  const double share = kTextShare * budget_percent_;
  if (budget_percent_ <= 0) {
    text_factor_ = 1;
  } else {
    while (text_factor_ < kMostStretched && samples_percent(text_factor_) > share) text_factor_ *= 2;
    while (text_factor_ > 1 && samples_percent(text_factor_ / 2) < kRelaxBelow * share) text_factor_ /= 2;
  }
  if (text_factor_ == before) return;
  changed(
      "text_cadence",
      fmt::format("texts come every {} steps, asked for was every {}: every {} would cost {:.2f} % of the "
                  "training time, texts may take half of the budget of {:.2f} %",
                  text_cadence(), settings_.sample_every, settings_.sample_every * before,
                  or_zero(samples_percent(before)), budget_percent_));
}

// Over budget the cadence stretches first, then edges go; well below it they come back in the other order.
void Watching::adjust() {
  const std::int64_t before = factor_;
  const Detail detail_before = detail_;
  if (budget_percent_ <= 0) {
    factor_ = 1;
    detail_ = Detail::Full;
  } else if (estimate_percent(factor_, detail_) > probe_budget()) {
    while (factor_ < kMostStretched && estimate_percent(factor_, detail_) > probe_budget()) factor_ *= 2;
    if (estimate_percent(factor_, detail_) > probe_budget()) detail_ = Detail::WithoutEdges;
  } else if (probes_since_change_ >= kProbesBeforeRelaxing) {
    const double low = kRelaxBelow * probe_budget();
    if (detail_ == Detail::WithoutEdges && estimate_percent(factor_, Detail::Full) < low) {
      detail_ = Detail::Full;
    } else if (factor_ > 1 && estimate_percent(factor_ / 2, detail_) < low) {
      factor_ /= 2;
    }
  }
  if (factor_ != before) {
    changed("cadence",
            fmt::format("probes come every {} steps, asked for was every {}: every {} would cost {:.2f} % of "
                        "the training time, {:.2f} % of the budget of {:.2f} % is theirs",
                        cadence(), settings_.probe_every, settings_.probe_every * before,
                        or_zero(estimate_percent(before, detail_before)), probe_budget(), budget_percent_));
  }
  if (detail_ != detail_before) {
    changed("detail", detail_ == Detail::Full
                          ? "scheduled probes record edges again"
                          : "scheduled probes leave out edges, to stay within the budget");
  }
}

void Watching::changed(const char* what, const std::string& text) {
  events_.push_back({{"what", what},
                     {"text", text},
                     {"cadence", cadence()},
                     {"base_cadence", settings_.probe_every},
                     {"estimated_percent", or_zero(estimate_percent(factor_, detail_))},
                     {"budget_percent", budget_percent_}});
  probes_since_change_ = 0;
  is_row_wanted_ = true;
}

std::vector<nlohmann::ordered_json> Watching::take_events() { return std::exchange(events_, {}); }

bool Watching::is_row_due(std::uint64_t step) const {
  const std::int64_t every = settings_.probe_every > 0 ? settings_.probe_every : kRowsWithoutProbes;
  return is_row_wanted_ || (step % static_cast<std::uint64_t>(every) == 0 && step != last_row_step_);
}

double Watching::cost_percent() const {
  if (!is_on_) return 0;
  return (is_measured() ? measured_->percent : estimate_percent(factor_, detail_)) +
         or_zero(samples_percent());
}

std::vector<double> Watching::take_row(std::uint64_t step) {
  is_row_wanted_ = false;
  last_row_step_ = step;
  const double probes = is_on_ ? estimate_percent(factor_, detail_) : 0;
  const double samples = is_on_ ? samples_percent() : 0;
  const double cadence_ms = static_cast<double>(cadence()) * step_ms_;
  const double copies = !is_on_ || cadence() == 0 ? 0 : 100 * copy_ms_ / cadence_ms;
  return {budget_percent_,
          probes + or_zero(samples),
          measured_ ? measured_->percent : kUnknown,
          measured_ ? measured_->spread_percent : kUnknown,
          measured_ ? static_cast<double>(measured_step_) : kUnknown,
          probes,
          samples,
          copies,
          100 * blocked_ms_ / whole_ms_,
          static_cast<double>(cadence()),
          static_cast<double>(settings_.probe_every),
          detail_ == Detail::Full ? 1.0 : 0.0,
          static_cast<double>(left_out_),
          is_on_ ? 1.0 : 0.0,
          light_ms_,
          copy_ms_,
          step_ms_,
          measured_ ? static_cast<double>(measured_->window_steps) : kUnknown,
          static_cast<double>(text_cadence()),
          static_cast<double>(settings_.sample_every),
          static_cast<double>(texts_left_out_)};
}

}  // namespace sparsescope::train
