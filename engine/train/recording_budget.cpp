#include "engine/train/recording_budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sparsescope::train {
namespace {

// Kept back for what the estimates do not see, as events nobody planned.
constexpr double kMargin = 0.04;
// How far what is measured may lead the estimate of a sample that comes, and what it is taken for before the
// first was seen on the disk: text compresses as it likes.
constexpr double kLeastRatio = 0.1, kMostRatio = 4, kUnseenRatio = 2;
constexpr double kEdgesShare = 1.0 / 3;  // of the room

std::string megabytes(double bytes) { return fmt::format("{:.2f} MB", bytes / 1e6); }

std::string count(std::uint64_t number, const char* one, const char* many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}

}  // namespace

RecordingBudget::RecordingBudget(const std::vector<trace::Channel>& channels,
                                 const experiments::Experiment& experiment, std::int64_t vocabulary,
                                 std::uint64_t first_step, std::function<RecordedSoFar()> recorded)
    : experiment_(experiment),
      vocabulary_(vocabulary),
      first_step_(first_step),
      planned_steps_(std::max(static_cast<std::uint64_t>(experiment.train.steps), first_step)),
      recorded_(std::move(recorded)),
      budget_(experiment.probe.every > 0 ? experiment.recording.budget_bytes : 0) {
  if (!is_on()) return;
  channels_ = channels;
  for (const trace::Channel& channel : channels)
    shares_[channel.name] = stored_share(channel, experiment.model);
  size_ = recording_size(channels, experiment, vocabulary,
                         static_cast<std::int64_t>(planned_steps_ - first_step_));
  const double room = (1 - kMargin) * budget_ - size_.light;
  const bool has_edges = size_.edges > 0;
  probes_ = {.room = has_edges ? (1 - kEdgesShare) * room : room, .sample = size_.probe_sample};
  edges_ = {.room = has_edges ? kEdgesShare * room : 0, .sample = size_.edges_sample};
  if (recorded_) ratio_ = kUnseenRatio;
}

bool RecordingBudget::is_last(std::uint64_t step) const {
  return step + static_cast<std::uint64_t>(experiment_.probe.every) > planned_steps_;
}

double RecordingBudget::light_at(std::uint64_t step) const {
  const std::uint64_t steps = step > first_step_ ? step - first_step_ : 0;
  return recording_size(channels_, experiment_, vocabulary_, static_cast<std::int64_t>(steps)).light;
}

bool RecordingBudget::fits(const Kind& kind, std::uint64_t step) const {
  const double cost = ratio_ * kind.sample, left = kind.room - spent(kind);
  if (is_last(step)) return cost <= left;
  if (kind.taken == 0) return 2 * cost <= left;
  const auto every = static_cast<std::uint64_t>(experiment_.probe.every);
  const auto probes = [every](std::uint64_t steps) { return static_cast<double>(steps / every); };
  const double share =
      std::log(2 + probes(step - first_step_)) / std::log(2 + probes(planned_steps_ - first_step_));
  return spent(kind) + cost <= (kind.room - cost) * share;
}

void RecordingBudget::look() {
  if (!recorded_) return;
  const RecordedSoFar so_far = recorded_();
  if (so_far.frames == 0) return;
  for (; !pending_.empty() && pending_.front().step <= so_far.step; pending_.pop_front()) {
    committed_ += pending_.front().bytes;
    pending_bytes_ -= pending_.front().bytes;
  }
  measured_ = static_cast<double>(so_far.bytes) - light_at(so_far.step);
  if (committed_ > 0) ratio_ = std::clamp(measured_ / committed_, kLeastRatio, kMostRatio);
}

// Of what was measured, the share that was estimated.
double RecordingBudget::spent(const Kind& kind) const {
  const double all = std::max(measured_, kLeastRatio * committed_) + ratio_ * pending_bytes_;
  const double estimated = probes_.estimated + edges_.estimated;
  return estimated > 0 ? all * kind.estimated / estimated : 0;
}

RecordingBudget::Sample RecordingBudget::choose(std::uint64_t step, Edges edges) {
  if (!is_on()) return edges == Edges::Due ? Sample::WithEdges : Sample::WithoutEdges;
  look();
  ++probes_.due;
  if (!fits(probes_, step)) return Sample::Nothing;
  if (edges == Edges::Due) {
    ++edges_.due;
    are_edges_owed_ = true;
  }
  ++probes_.taken;
  const bool are_wanted = are_edges_owed_ || (is_last(step) && edges_.room > 0);
  return are_wanted && fits(edges_, step) ? Sample::WithEdges : Sample::WithoutEdges;
}

bool RecordingBudget::admits_edges(std::uint64_t step, std::size_t bytes) {
  if (!is_on()) return true;
  edges_.sample = static_cast<double>(bytes) * shares_.at("edges");
  if (!fits(edges_, step)) return false;
  ++edges_.taken;
  are_edges_owed_ = false;
  return true;
}

void RecordingBudget::recorded(std::uint64_t step, std::string_view channel, std::size_t bytes) {
  if (!is_on()) return;
  const auto share = shares_.find(channel);
  const double stored = static_cast<double>(bytes) * (share == shares_.end() ? 1 : share->second);
  (channel == "edges" ? edges_ : probes_).estimated += stored;
  pending_.push_back({step, stored});
  pending_bytes_ += stored;
}

std::string RecordingBudget::words() const {
  if (!is_on()) return "";
  if (leaves_no_room())
    return fmt::format(
        "recording.budget of {} leaves no room for probes: what is never left out takes about {}; raise it "
        "or "
        "train fewer steps",
        megabytes(budget_), megabytes(size_.light));
  const double probes = std::floor(static_cast<double>(planned_steps_ - first_step_) /
                                   static_cast<double>(experiment_.probe.every)) +
                        1;
  return fmt::format(
      "recording.budget of {}: what is never left out takes about {}, the rest holds about {:.0f} of {:.0f} "
      "probe "
      "samples, closer at the beginning; edge lists have a third of it",
      megabytes(budget_), megabytes(size_.light), std::min(probes, std::floor(probes_.room / probes_.sample)),
      probes);
}

std::string RecordingBudget::left_out_in_words() const {
  if (probes_left_out() + edges_left_out() == 0) return "";
  std::string words =
      fmt::format("{} of {}", probes_left_out(), count(probes_.due, "probe sample", "probe samples"));
  if (edges_left_out() > 0) words += " and " + count(edges_left_out(), "edge list", "edge lists");
  return words + " were left out to keep the recording below " + megabytes(budget_);
}

}  // namespace sparsescope::train
