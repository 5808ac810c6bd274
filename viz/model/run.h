// One run as the views read it: schema, row index, the full history of light channels, events, gaps, and its
// end. It is the same thing whether the frames come from a trainer, a recording or a file that is still
// growing.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/trace/frame.h"
#include "viz/model/chunked.h"
#include "viz/model/events.h"
#include "viz/model/format.h"
#include "viz/model/row_cache.h"
#include "viz/model/series.h"

namespace sparsescope::viz {

enum class TimeAxis { Step, Tokens, WallTime, RelativeStep };

// The row index: one entry a frame, in the order they came.
struct Row {
  std::uint64_t row = 0;  // trace::Frame::row
  std::uint64_t step = 0;
  std::int64_t mono_nanos = 0;
  double tokens = 0;           // seen in training up to here
  std::uint32_t presence = 0;  // which set of channels (an index, few sets exist)
  std::uint32_t flags = 0;
};

// The samples of one channel: which rows carry it and, for light channels, one Series per element of a row.
struct Track {
  std::uint32_t channel = 0;
  bool is_light = false;
  Chunked<std::uint32_t> samples;  // positions in the row index
  std::vector<Series> elements;    // light only; row-major as in the channel's axes

  std::size_t size() const { return samples.size(); }
};

// Frames that never reached the screen, between two that did.
struct Gap {
  std::size_t after = 0;                        // position in the row index of the last frame before it
  std::uint64_t first_step = 0, last_step = 0;  // steps of the frames around it
  std::uint64_t frames = 0;  // how many are missing; 0: the recording says that some are, not how many
};

class Run {
 public:
  Run(std::uint32_t id, std::shared_ptr<trace::RowSource> source, std::size_t heavy_bytes);

  // --- where it comes from ---
  std::uint32_t id() const { return id_; }  // 0, 1, 2, ... in the order runs were added; never reused
  const trace::Schema* schema() const { return schema_.get(); }  // nullptr until it came
  trace::SchemaPtr shared_schema() const { return schema_; }     // for work that may outlast the run
  const trace::RunEnd* end() const { return end_ ? &*end_ : nullptr; }
  const std::string& uuid() const;  // empty until the schema came
  std::string title() const;        // as recorded: "spark-collapse, seed 1"
  // What a person calls it, else its title: the name by which pictures, twins and lists speak of it.
  std::string name() const { return name_.empty() ? title() : name_; }
  bool is_named() const { return !name_.empty(); }
  std::uint64_t planned_steps() const { return planned_steps_; }  // 0: the experiment does not say
  double tokens_per_step() const { return tokens_per_step_; }     // 0: the experiment does not say

  // --- rows ---
  std::size_t rows() const { return rows_.size(); }
  const Row& row(std::size_t position) const { return rows_[position]; }
  std::uint64_t first_step() const { return rows_.empty() ? 0 : rows_[0].step; }
  std::uint64_t newest_step() const { return rows_.empty() ? 0 : rows_.back().step; }
  // Position of the last row at or before `step`, or nothing.
  std::optional<std::size_t> row_at_or_before(std::uint64_t step) const;
  // Where the row stands on an axis: step, tokens, seconds since the start of the run, or steps since its
  // first.
  double x(std::size_t position, TimeAxis axis) const;
  // The last step at or before `x` on an axis (the first step when there is none).
  std::uint64_t step_at(double x, TimeAxis axis) const;
  // Where `step` stands on an axis, between rows by straight line.
  double x_of_step(std::uint64_t step, TimeAxis axis) const;

  // --- channels ---
  // nullptr: the schema has no such channel.
  const Track* track(std::string_view channel) const;
  const Track* track(std::uint32_t channel) const;
  // One element of a light channel by its axis labels or numbers: series("scalars", {"train_loss"}),
  // series("threshold",
  // {"3", "theta"}). nullptr: no such channel, label, or not light.
  const Series* series(std::string_view channel, const std::vector<std::string>& labels) const;
  const Series* series(const Track& track, std::size_t element) const;
  // Sample of `track` that is the latest at or before `step`, or nothing; nearest in either direction.
  std::optional<std::size_t> sample_at_or_before(const Track& track, std::uint64_t step) const;
  std::optional<std::size_t> nearest_sample(const Track& track, std::uint64_t step) const;
  std::uint64_t step_of_sample(const Track& track, std::size_t sample) const;
  double x_of_sample(const Track& track, std::size_t sample, TimeAxis axis) const;
  // First sample whose place on the axis is not before `x`.
  std::size_t first_sample_from(const Track& track, double x, TimeAxis axis) const;
  // Step at which the first sample of a channel is due (cadence), for "First sample expected at step N".
  std::uint64_t first_due_step(const trace::Channel& channel) const;

  // Debiased moving average of a series over `window` samples, kept up as samples come; at most 200,000 are
  // added a call, so it may trail for a few frames: then is_busy() is true. The reference holds for this
  // frame; the last three windows of a series are kept.
  const Series& smoothed(const Track& track, std::size_t element, double window);
  // Something asked for is still on its way: a smoothed series trails, or a heavy row is being read.
  bool is_busy() const { return smoothing_trails_ || picture_trails_ || cache_.is_waiting(); }
  // A picture of this run is not finished although all it needs is at hand: another frame goes on with it.
  void keep_busy() {
    picture_trails_ = true;
    ++version_;
  }

  // --- whole rows: the latest sample of `channel` at or before `step`; a light channel's is at hand ---
  struct Heavy {
    RowCache::State state = RowCache::State::Missing;
    ChannelDataPtr data;
    std::uint64_t step = 0;  // of the sample found, when there is one
    std::string message;
  };
  Heavy heavy(std::string_view channel, std::uint64_t step);
  RowCache& cache() { return cache_; }

  // --- what happened ---
  const std::vector<Event>& events() const { return events_; }  // rising steps
  const std::vector<Gap>& gaps() const { return gaps_; }
  const std::string& problem() const {
    return problem_;
  }  // the source broke its promise: one sentence, else empty
  std::uint64_t dropped() const { return dropped_; }  // frames the mailbox overwrote: sent - kept
  std::size_t history_bytes() const;
  std::uint64_t version() const { return version_; }  // grows whenever a picture of this run may change

  // Another name, or its title again when it is empty.
  void call(const std::string& name) {
    if (name == name_) return;
    name_ = name;
    ++version_;
  }

  // --- fed by the timeline ---
  void take(trace::SchemaPtr schema);
  void take(const trace::FramePtr& frame);
  void take(const trace::RunEnd& end);
  void set_dropped(std::uint64_t frames);
  // Once a frame: takes in heavy rows that were read; true when there were some.
  bool poll();
  // Thins raw samples of the oldest half until the history is below `byte_budget`, as far as summaries allow.
  void thin_history(std::size_t byte_budget);

 private:
  // Adds one row of a light channel to its series; false when it has another size than the schema says.
  bool take_light(const trace::ChannelData& data, Track& track);
  void take_events(const trace::ChannelData& data, const trace::Frame& frame);
  void read_experiment();
  std::uint32_t presence_index(const trace::Presence& presence);

  struct Smoothed {
    const Series* of;
    double window;
    Smoother smoother;
    Series series;
  };
  static constexpr std::size_t kWindowsKept = 3;  // per series

  std::string name_;
  std::uint32_t id_;
  trace::SchemaPtr schema_;
  std::optional<trace::RunEnd> end_;
  std::uint64_t planned_steps_ = 0;
  double tokens_per_step_ = 0;
  Chunked<Row> rows_;
  std::vector<trace::Presence> presences_;
  std::vector<Track> tracks_;  // one per channel of the schema
  std::int64_t events_channel_ = -1, tokens_element_ = -1, scalars_channel_ = -1;
  std::list<Smoothed> smoothed_;  // newest use first
  bool smoothing_trails_ = false, picture_trails_ = false;
  RowCache cache_;
  std::vector<Event> events_;
  std::vector<Gap> gaps_;
  std::string problem_;
  std::uint64_t dropped_ = 0, version_ = 1;
};

}  // namespace sparsescope::viz
