// The list of runs as plain data: which ones are listed, and what a row says of one. Rows are asked for one
// by one, so that ten thousand runs cost what is in sight.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "viz/model/selection.h"
#include "viz/model/timeline.h"
#include "viz/model/twin.h"

namespace sparsescope::viz {

// Preparing to Evaluating only of a run that is trained in this window.
enum class RunState {
  Loading,
  Preparing,
  Training,
  Paused,
  Evaluating,
  Following,
  Finished,
  Stopped,
  Failed,
  NotClosed
};

// What a person chose about the list. Tags are kept beside the recordings, what is hidden and the
// filter last as long as the window; nothing is written into a recording.
struct RunListSettings {
  std::string filter;
  std::map<std::uint32_t, std::vector<std::string>> tags;  // by run
  std::set<std::uint32_t> hidden;
  bool shows_hidden = false;
  bool operator==(const RunListSettings&) const = default;
};

// What only the window knows of the run it trains.
struct TrainedRun {
  std::uint32_t run = 0;
  RunState state = RunState::Training;
  std::string path;         // of its recording; empty: none
  std::uint64_t bytes = 0;  // of it so far
};

struct ConfigChange {
  std::string key, from, to;  // "spark.tau", "0.5", "0.25"; "—": the key is absent there
};

struct RunEntry {
  std::uint32_t run = 0;
  std::string name, title;  // the person's name for it, else the title; the title as recorded
  std::string preset;       // name of the experiment
  RunState state = RunState::Loading;
  std::string words;    // "training", "finished", "not closed; 1,200 steps kept"
  std::string problem;  // why it failed or what is wrong with it; empty: nothing
  std::uint64_t steps = 0, planned = 0;
  double loading = -1;              // share read so far; negative: nothing is being read
  std::optional<double> best_loss;  // lowest held-out loss, nats per token
  std::uint64_t best_step = 0;
  double seconds = 0;       // from first to last frame
  std::uint64_t bytes = 0;  // of the recording; 0: not known
  std::string path;
  std::vector<std::string> tags;
  std::vector<ConfigChange> changes;  // against the pinned baseline
  bool is_selected = false, is_baseline = false, is_compared = false, is_hidden = false;
};

// Ids of the runs that the filter (of names, tags as "#good", uuids) and hiding leave, in the order in which
// they were opened.
std::vector<std::uint32_t> listed_runs(const Timeline& timeline, const RunListSettings& settings);
// The name by which a run is listed: that of its file until its schema came.
std::string run_name(const Timeline& timeline, const Run& run);
// One row. `trained`: the run this window trains, if any.
RunEntry run_entry(const Timeline& timeline, const Run& run, const Selection& selection,
                   const RunListSettings& settings, const std::optional<TrainedRun>& trained);
// "finished · #good · 4.159 nats · 45 s · 950 KiB", "training at 120 of 300 · 12 s": what a row says below
// its name.
std::string numbers_in_words(const RunEntry& entry);
// "spark.tau 0.5 → 0.25, 3 more": at most `most` changes, the others counted.
std::string changes_in_words(const std::vector<ConfigChange>& changes, std::size_t most);
// Keys whose values differ between two experiments (JSON), names and texts left out, in the order of keys.
std::vector<ConfigChange> config_changes(const std::string& baseline_json, const std::string& json);
// The whole list, one row a run, what is hidden counted.
Twin run_list_twin(const Timeline& timeline, const Selection& selection, const RunListSettings& settings,
                   const std::optional<TrainedRun>& trained);

// Whether `text` contains `filter`, letter case ignored; an empty filter matches all.
bool matches_filter(std::string_view text, std::string_view filter);

}  // namespace sparsescope::viz
