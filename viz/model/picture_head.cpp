// How every picture begins: the state of its data in words.
#include "viz/model/picture_head.h"

#include <algorithm>

#include "viz/model/format.h"
#include "viz/model/query_frame.h"

namespace sparsescope::viz {
namespace {

std::string step_words(std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); }

// Sets state and words for a channel that the picture cannot do without.
void set_state(const Run& run, const std::string& channel, PictureHead& head) {
  if (run.schema() == nullptr) {
    head.state = run.end() != nullptr ? PictureState::Failed : PictureState::Loading;
    head.words = run.end() != nullptr ? run.end()->message : "Reading what this run records";
    return;
  }
  const Track* track = run.track(channel);
  if (track == nullptr) {
    head.state = PictureState::NotApplicable;
    head.words = why_missing(run, channel);
    return;
  }
  if (track->size() > 0) {
    head.state = PictureState::Ready;
    return;
  }
  if (head.loading.rows_total > 0) {
    head.state = PictureState::Loading;
    head.words = "Reading the recording";
  } else if (run.end() == nullptr) {
    head.state = PictureState::Waiting;
    head.words = why_missing(run, channel);
  } else if (run.end()->status == trace::RunStatus::Failed) {
    head.state = PictureState::Failed;
    head.words = run.end()->message;
  } else {
    head.state = PictureState::Empty;
    head.words = "No steps yet";
    head.action = {"Start training (T)", "train.toggle"};
  }
}

// How far the sample shown lies behind the cursor.
void set_behind(const QueryFrame& frame, const Track& track, PictureHead& head) {
  const Run& run = frame.run;
  const std::optional<std::size_t> sample = run.sample_at_or_before(track, head.cursor_step);
  const auto cadence =
      static_cast<std::uint64_t>(std::max<std::int64_t>(1, run.schema()->channels[track.channel].cadence));
  if (sample && head.cursor_step - run.step_of_sample(track, *sample) > cadence) {
    head.behind = "showing step " + step_words(run.step_of_sample(track, *sample)) + ", cursor at " +
                  step_words(head.cursor_step);
  } else if (const std::size_t pending = frame.timeline.pending(); pending > 0) {
    head.behind = "showing step " + step_words(run.newest_step()) + ", " + step_words(pending) +
                  (pending == 1 ? " frame" : " frames") + " waiting";
  }
}

}  // namespace

void begin_head(const QueryFrame& frame, const std::string& view, const std::string& channel,
                PictureHead& head) {
  const Run& run = frame.run;
  head.view = view;
  head.run = run.id();
  if (const Feed* feed = frame.timeline.feed(run.id()); feed != nullptr && feed->progress) {
    const LoadProgress progress = feed->progress();
    if (progress.rows_read < progress.rows_total) head.loading = progress;
  }
  head.is_following = frame.timeline.cursor().is_following();
  head.cursor_step = frame.cursor_step();
  set_state(run, channel, head);
  if (run.rows() == 0) return;
  head.problem = run.problem();
  if (head.problem.empty() && run.end() != nullptr && run.end()->status == trace::RunStatus::Failed)
    head.problem = run.end()->message;
  if (head.state == PictureState::Ready) set_behind(frame, *run.track(channel), head);
}

std::optional<HeavySample> heavy_sample(const QueryFrame& frame, const std::string& channel,
                                        PictureHead& head) {
  Run::Heavy found = frame.run.heavy(channel, head.cursor_step);
  switch (found.state) {
    case RowCache::State::Ready:
      return HeavySample{std::move(found.data), found.step};
    case RowCache::State::Loading:
      head.state = PictureState::Loading;
      head.words = "Reading step " + step_words(found.step);
      break;
    case RowCache::State::Missing:
      head.state = PictureState::Empty;
      head.words = found.message;
      if (const Track* track = frame.run.track(channel)) {
        if (const auto sample = frame.run.nearest_sample(*track, head.cursor_step))
          head.action = {"Go to the nearest sample", "", frame.run.step_of_sample(*track, *sample)};
      }
      break;
    case RowCache::State::Failed:
      head.state = PictureState::Failed;
      head.words = found.message;
      break;
  }
  return std::nullopt;
}

std::string why_missing(const Run& run, const std::string& channel) {
  const trace::Channel* found = run.schema() != nullptr ? run.schema()->find(channel) : nullptr;
  if (found == nullptr) return "This run does not record the channel '" + channel + "'";
  if (run.end() != nullptr) return "The run ended without a sample of '" + channel + "'";
  return "First sample expected at step " + step_words(run.first_due_step(*found));
}

Twin twin_of(const PictureHead& head) {
  Twin twin;
  twin.title = head.title + (head.detail.empty() ? "" : " " + head.detail);
  for (const std::string* line :
       {&head.words, &head.takeaway, &head.limits, &head.hidden, &head.behind, &head.problem}) {
    if (!line->empty()) twin.lines.push_back(*line);
  }
  return twin;
}

}  // namespace sparsescope::viz
