// Waits for events, draws when something changed, leaves training running when it was asked to.
#include "app/desktop_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "app/desktop_session.h"
#include "engine/trace/error.h"
#include "viz/frame/frame.h"
#include "viz/render/window.h"
#include "viz/widgets/gui_context.h"
#ifdef SPARSESCOPE_WITH_TRAINING
#include "app/desktop_training.h"
#include "app/live_display.h"
#endif

namespace sparsescope::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kFramesAfterInput = 3;       // ImGui settles within this many
constexpr double kTelemetrySeconds = 0.2;  // five pictures a second while only numbers move
constexpr double kIdleSeconds = 0.5;       // how often an idle window looks for a stop signal

bool something_comes_in(const viz::Timeline& timeline) {
  return std::any_of(timeline.runs().begin(), timeline.runs().end(),
                     [](const auto& run) { return run->end() == nullptr; });
}

// How long to sleep before the next picture.
double wait_seconds(const render::Window& window, const frame::Frame& frame, const viz::Timeline& timeline,
                    int frames_left) {
  if (window.is_hidden()) return kIdleSeconds;
  if (frames_left > 0 || frame.is_busy()) return 0;
  return something_comes_in(timeline) || frame.is_training() ? kTelemetrySeconds : kIdleSeconds;
}

void loop(render::Window& window, frame::Frame& frame, DesktopSession& session, viz::Timeline& timeline) {
  int frames_left = kFramesAfterInput;
  Clock::time_point before = Clock::now();
  while (!session.leaving()) {
    const bool acted = window.wait_events(wait_seconds(window, frame, timeline, frames_left));
    if (acted) frames_left = kFramesAfterInput;
#ifdef SPARSESCOPE_WITH_TRAINING
    if (stop_signal_seen()) session.quit(frame::Leave::StopAndSave);
#endif
    if (window.close_requested()) {
      window.cancel_close();
      frame.ask_to_quit();
      frames_left = kFramesAfterInput;
    }
    const bool moves = frame.is_busy() || frame.is_training() || something_comes_in(timeline);
    if (window.is_hidden() || (frames_left == 0 && !moves)) {
      if (window.is_hidden()) timeline.update(0);  // frames that wait for a picture would be dropped
      before = Clock::now();
      continue;
    }
    const Clock::time_point now = Clock::now();
    const double seconds = std::min(0.5, std::chrono::duration<double>(now - before).count());
    before = now;
    frame.set_monitor_scale(window.monitor_scale());
    frame.prepare();
    window.begin_frame();
    frame.draw(seconds);
    window.end_frame();
    if (frames_left > 0) --frames_left;
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
#ifdef SPARSESCOPE_WITH_TRAINING
  catch_stop_signals();
#endif
  viz::Timeline timeline;
  DesktopSession session(options, timeline, DesktopSession::Remember::Yes);
  GuiContext gui;
  std::vector<std::string> notes = gui.font_notes();
  if (!session.settings_note().empty()) notes.push_back(session.settings_note());
  {
    render::Window window("Sparsescope", 1600, 960);
    frame::Appearance appearance;
    appearance.theme = theme_from_name(options.theme.empty() ? session.settings().theme : options.theme)
                           .value_or(Theme::Dark);
    appearance.scale = static_cast<float>(options.scale > 0 ? options.scale : session.settings().scale);
    appearance.monitor_scale = window.monitor_scale();
    frame::Frame frame(session, timeline, appearance, std::move(notes));
    session.on_full_screen([&window] { window.toggle_full_screen(); });
    window.on_drop([&frame](const std::vector<std::string>& paths) {
      for (const std::string& path : paths) frame.open(path);
    });
    session.start();
    loop(window, frame, session, timeline);
  }
  finish_training(session);
  return 0;
}

}  // namespace sparsescope::app
