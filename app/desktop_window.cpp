// Waits for events, draws when something changed, leaves training running when it was asked to.
#include "app/desktop_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include "app/desktop_session.h"
#include "app/frame_pacer.h"
#include "app/stop_signals.h"
#include "engine/trace/error.h"
#include "viz/frame/frame.h"
#include "viz/frame/memory.h"
#include "viz/model/comparison.h"
#include "viz/render/window.h"
#include "viz/widgets/gui_context.h"
#ifdef SPARSESCOPE_WITH_TRAINING
#include "app/desktop_training.h"
#include "app/live_display.h"
#endif

namespace sparsescope::app {
namespace {

using Clock = std::chrono::steady_clock;

bool something_comes_in(const viz::Timeline& timeline) {
  return std::any_of(timeline.runs().begin(), timeline.runs().end(),
                     [](const auto& run) { return run->end() == nullptr; });
}

// A file is being read, so more than a tick of a trainer comes in.
bool is_loading(const viz::Timeline& timeline) {
  return std::any_of(timeline.runs().begin(), timeline.runs().end(), [&](const auto& run) {
    const viz::Feed* feed = timeline.feed(run->id());
    if (run->end() != nullptr || feed == nullptr || !feed->progress) return false;
    const viz::LoadProgress progress = feed->progress();
    return progress.rows_read < progress.rows_total || progress.rows_total == 0;
  });
}

Activity activity_of(const frame::Frame& frame, const viz::Timeline& timeline) {
  const frame::State& state = frame.state();
  if (timeline.cursor().is_playing() || timeline.pending() > 0 || state.appearance_changed ||
      state.layouts.is_settling())
    return Activity::Moves;
  if (timeline.is_busy() || is_loading(timeline)) return Activity::Reads;
  // Whatever else the frame is busy with (messages that go away) changes no faster than numbers do.
  if (frame.is_busy() || frame.is_training() || something_comes_in(timeline)) return Activity::Ticks;
  return Activity::Still;
}

double seconds_of(Clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// Processor time of this thread so far, in seconds.
double busy_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void loop(render::Window& window, frame::Frame& frame, DesktopSession& session, viz::Timeline& timeline) {
  FramePacer pacer;
  Clock::time_point before = Clock::now();
  double seen = seconds_of(before), busy = busy_seconds();
  while (!session.leaving()) {
    const double seen_now = seconds_of(Clock::now()), busy_now = busy_seconds();
    frame.spent(seen_now - std::exchange(seen, seen_now), busy_now - std::exchange(busy, busy_now));
    const double wait =
        pacer.wait_seconds(activity_of(frame, timeline), window.is_hidden(), seconds_of(Clock::now()));
    if (window.wait_events(wait)) pacer.input();
    if (stop_signal_seen()) session.quit(frame::Leave::StopAndSave);
    if (window.close_requested()) {
      window.cancel_close();
      frame.ask_to_quit();
      pacer.input();
    }
    const Clock::time_point now = Clock::now();
    if (!pacer.draws(activity_of(frame, timeline), window.is_hidden(), seconds_of(now))) {
      if (window.is_hidden()) {
        timeline.update(0);  // frames that wait for a picture would be dropped
        before = now;
      }
      continue;
    }
    const double seconds = std::min(0.5, std::chrono::duration<double>(now - before).count());
    before = now;
    frame.set_monitor_scale(window.monitor_scale());
    frame.prepare();
    window.begin_frame();
    frame.draw(seconds);
    window.end_frame();
  }
}

// Stops the run, or follows it on the terminal until it is over; either way the recording is whole
// afterwards.
void finish_training(DesktopSession& session) {
#ifdef SPARSESCOPE_WITH_TRAINING
  LiveRun* live = session.live_run();
  if (live == nullptr) return;
  if (session.leaving() == frame::Leave::KeepTraining) {
    fmt::print(stderr, "training goes on without the window; Ctrl-C stops it and closes the recording\n");
    live->post(trace::PauseAt{0});
    live->post(trace::Resume{});
    follow_run(live->run());
  } else {
    live->post(trace::Stop{});
  }
  trace::RunEnd end;
  try {
    end = live->run().wait();
  } catch (const Error&) {
    if (live->status().state == frame::TrainerStatus::State::Stopped)
      return;  // stopped before it began, as asked
    throw;
  }
  const record::WriterStats stats = live->run().recorder_stats();
  if (!stats.failure.empty()) throw Error(stats.failure);
  fmt::print("recording {}\n", live->recording_path());
  if (end.status == trace::RunStatus::Failed) throw Error(end.message);
#else
  (void)session;
#endif
}

}  // namespace

int run_window(const DesktopOptions& options) {
  catch_stop_signals();
  viz::Timeline timeline;
  timeline.set_bell(&render::Window::wake);  // data threads end the window's sleep
  DesktopSession session(options, timeline, DesktopSession::Remember::Yes);
  GuiContext gui;
  std::vector<std::string> notes = gui.font_notes();
  if (!session.settings_note().empty()) notes.push_back(session.settings_note());
  {
    render::Window window("Sparsescope", 1600, 960);
    if (const auto size = frame::window_size_in(session.memory_text())) window.resize(*size);
    frame::Appearance appearance;
    appearance.monitor_scale = window.monitor_scale();
    frame::Frame frame(session, timeline, appearance, std::move(notes));
    // What the command line says goes over what was kept.
    if (!options.theme.empty()) frame.commands().run("setting.appearance.theme", options.theme);
    if (options.scale > 0)
      frame.commands().run("setting.appearance.scale", fmt::format("{}", options.scale * 100));
    session.on_full_screen([&window] { window.toggle_full_screen(); });
    window.on_drop([&frame](const std::vector<std::string>& paths) { frame.open_all(paths); });
    if (const std::string words = session.start(); !words.empty()) frame.notify(words, ui::Tone::Neutral);
    if (timeline.runs().size() > 1) frame.selection().comparison = viz::all_beside(timeline);
    loop(window, frame, session, timeline);
    frame.remember_window_size(window.size());
  }
  finish_training(session);
  return 0;
}

}  // namespace sparsescope::app
