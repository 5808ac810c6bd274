// All runs on one time axis with one cursor: what every view reads. It drains mailboxes once a frame within a
// time budget and never asks whether a run is live.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/trace/mailbox.h"
#include "engine/trace/row_source.h"
#include "viz/model/cursor.h"
#include "viz/model/format.h"
#include "viz/model/run.h"

namespace sparsescope::viz {

inline constexpr std::size_t kMostClosedRuns = 8;

struct TimelineBudget {
  std::size_t heavy_bytes = std::size_t{512} << 20;  // of heavy rows kept, per run
  std::size_t history_bytes = std::size_t{1}
                              << 30;     // of light histories, per run; beyond it old samples are thinned
  std::int64_t drain_nanos = 4'000'000;  // of one update
};

// What a source says about its reading, shown as a bar with Cancel. rows_total 0: nothing is being read.
struct LoadProgress {
  std::uint64_t rows_read = 0, rows_total = 0, bytes_read = 0;
};

// Where a run comes from. Trainer, recording and growing file fill in the same fields.
struct Feed {
  std::shared_ptr<trace::Mailbox> mailbox;  // required
  std::shared_ptr<trace::RowSource> rows;   // heavy rows on request; may be null
  std::function<LoadProgress()> progress;   // may be empty
  std::function<void()> cancel_loading;     // may be empty
  std::string name;                         // shown until the schema came, e.g. the file's name
  std::string path;                         // of the recording behind it; may be empty
  std::uint64_t bytes = 0;                  // of that file when it was opened
};

// The part of the time axis that views show; shared by all of them.
class TimeWindow {
 public:
  TimeAxis axis() const { return axis_; }
  // Changing the axis gives up a chosen range: its numbers mean something else now.
  void set_axis(TimeAxis axis);
  // The range a person chose, else nothing: then views show everything. New data never moves a chosen range.
  const std::optional<Range>& chosen() const { return chosen_; }
  void choose(Range range);
  void fit() { chosen_.reset(); }

 private:
  TimeAxis axis_ = TimeAxis::Step;
  std::optional<Range> chosen_;
};

class Timeline {
 public:
  explicit Timeline(TimelineBudget budget = {}) : budget_(budget) {}

  // Adds a run; its id is Run::id(). The reference stays valid until remove_run.
  Run& add_run(Feed feed);
  void remove_run(std::uint32_t id);
  // Takes a run out of sight; it goes on taking in what comes, so that it can be reopened where it was. The
  // oldest of more than kMostClosedRuns are removed.
  void close_run(std::uint32_t id);
  // False: no such run was closed, or it was removed since.
  bool reopen_run(std::uint32_t id);
  // Ids of the runs that can be reopened, the one closed last at the end.
  std::vector<std::uint32_t> closed_runs() const;
  const std::vector<std::unique_ptr<Run>>& runs() const { return runs_; }
  // nullptr: no such run.
  Run* find(std::uint32_t id) const;
  // The first run called `uuid`: a live run and its own recording share one. nullptr: none, or `uuid` is
  // empty.
  Run* find(std::string_view uuid) const;
  // Run `id`, or the first one, or nullptr when there is none: what single-run views show.
  Run* current(std::optional<std::uint32_t> id) const;
  const Feed* feed(std::uint32_t id) const;
  // What the mailboxes of runs added from now on ring, on the sender's thread, when something comes in: a
  // window that sleeps is woken by it.
  void set_bell(std::function<void()> bell) { bell_ = std::move(bell); }

  // Once a frame: takes in what waits in the mailboxes and from row sources, for at most the budget, then
  // moves the cursor by `seconds` of real time along current(`id`). True when any picture may have
  // changed.
  bool update(double seconds, std::optional<std::uint32_t> id = {});
  // Takes in everything that waits now, whatever it costs (off-screen pictures, tests).
  void drain_all();
  // Messages taken from a mailbox but not yet looked at: the screen trails by these.
  std::size_t pending() const;
  // Something still comes in or trails: draw another frame soon.
  bool is_busy() const;
  // Something is still being read or trails, whether or not the replay plays: what a picture of this moment
  // waits for.
  bool is_reading() const;

  Cursor& cursor() { return cursor_; }
  const Cursor& cursor() const { return cursor_; }
  TimeWindow& window() { return window_; }
  const TimeWindow& window() const { return window_; }
  // What views show: the chosen range, else the whole.
  Range visible() const;
  // From the first frame of any run to the last, or to the planned end of one that goes on.
  Range whole() const;
  // Bytes kept of the runs that are open, and what each of them may keep.
  struct Memory {
    std::size_t history_bytes = 0, heavy_bytes = 0;
  };
  Memory memory() const;
  const TimelineBudget& budget() const { return budget_; }
  // Grows with every change of runs, cursor or window.
  std::uint64_t version() const { return version_; }

 private:
  struct Source {
    Feed feed;
    std::deque<trace::Message> pending;
  };
  struct Closed {
    std::unique_ptr<Run> run;
    Source source;
    std::size_t place;  // among the runs
  };
  // Takes messages of one run until `deadline_nanos` (steady clock); true when something came.
  bool drain(Run& run, Source& source, std::int64_t deadline_nanos) const;

  TimelineBudget budget_;
  std::vector<std::unique_ptr<Run>> runs_;
  std::vector<Source> sources_;  // one per run, same order
  std::deque<Closed> closed_;    // the oldest first
  std::uint32_t next_id_ = 0;
  Cursor cursor_;
  TimeWindow window_;
  std::uint64_t version_ = 1;
  std::function<void()> bell_;
};

}  // namespace sparsescope::viz
