// How many samples fit into a recording of a given size (recording.md 2.10): probes come closer at the
// beginning and ever more seldom, edge lists are left out first, everything else is always recorded. It
// decides, counts and has no clock; what probes cost in time is watching.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "engine/train/recording_size.h"
#include "engine/train/trainer.h"

namespace sparsescope::train {

class RecordingBudget {
 public:
  // `channels` of the run's schema; `recorded` may be empty: then estimates stand for what lies on the disk.
  RecordingBudget(const std::vector<trace::Channel>& channels, const experiments::Experiment& experiment,
                  std::int64_t vocabulary, std::uint64_t first_step, std::function<RecordedSoFar()> recorded);

  bool is_on() const { return budget_ > 0; }
  // What the probe that is due at `step` records; what is left out is counted. Samples are admitted while
  // they stay below a share of their room that grows with the logarithm of the probes gone by: dense at the
  // beginning, evenly spread over a logarithmic axis of steps. The first is taken if it and one more fit, and
  // room for one is kept for the last. Edge lists have a third of the room; one that is due and does not fit
  // comes with a later probe, and the last probe has one if it fits. Without a budget everything is taken.
  enum class Sample { Nothing, WithoutEdges, WithEdges };
  enum class Edges { NotDue, Due };
  Sample choose(std::uint64_t step, Edges edges);
  // Whether the edge list that was chosen fits now that its bytes are known; else it is left out after all.
  bool admits_edges(std::uint64_t step, std::size_t bytes);
  // A row of a probe's channel was recorded at `step`, also on demand: it takes its share of the room.
  void recorded(std::uint64_t step, std::string_view channel, std::size_t bytes);

  // One sentence for the start: what the budget leaves room for; empty without one.
  std::string words() const;
  bool leaves_no_room() const { return is_on() && probes_.room < size_.probe_sample; }
  std::uint64_t probes_left_out() const { return probes_.due - probes_.taken; }
  std::uint64_t edges_left_out() const { return edges_.due - std::min(edges_.due, edges_.taken); }
  // "62 of 83 probe samples and 3 edge lists were left out to keep the recording below 3.0 MB"; empty:
  // nothing.
  std::string left_out_in_words() const;

 private:
  // Samples of one kind.
  struct Kind {
    double room = 0;       // bytes, of the whole run
    double sample = 0;     // estimated bytes of the next
    double estimated = 0;  // of all recorded
    std::uint64_t due = 0, taken = 0;
  };

  bool is_last(std::uint64_t step) const;
  double light_at(std::uint64_t step) const;  // bytes of what is never left out, up to there
  bool fits(const Kind& kind, std::uint64_t step) const;
  // Takes in what lies on the disk.
  void look();
  double spent(const Kind& kind) const;

  std::vector<trace::Channel> channels_;
  experiments::Experiment experiment_;
  std::int64_t vocabulary_;
  std::uint64_t first_step_, planned_steps_;
  std::function<RecordedSoFar()> recorded_;
  double budget_ = 0;
  RecordingSize size_;
  Kind probes_, edges_;
  bool are_edges_owed_ = false;
  std::map<std::string, double, std::less<>> shares_;

  struct Pending {
    std::uint64_t step;
    double bytes;  // estimated
  };
  std::deque<Pending> pending_;  // recorded, not yet seen on the disk
  double pending_bytes_ = 0;
  double committed_ = 0;  // estimated bytes of what is on the disk, and what was measured of it
  double measured_ = 0;
  double ratio_ = 1;  // measured to estimated
};

}  // namespace sparsescope::train
