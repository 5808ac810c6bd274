// How long a person waits: from starting to open a recording to the first whole window with data in it, to
// the last row, and the cost of a picture after a jump in time. Draws off screen as the window does, frame by
// frame while loading. usage: bench_first_picture FILE.h5
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <vector>

#include "app/desktop_session.h"
#include "viz/frame/frame.h"
#include "viz/render/offscreen.h"
#include "viz/widgets/gui_context.h"

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

int measure(const char* path) {
  using namespace sparsescope;
  const Clock::time_point start = Clock::now();
  viz::Timeline timeline;
  app::DesktopOptions options;
  options.files = {path};
  app::DesktopSession session(options, timeline, app::DesktopSession::Remember::No);
  GuiContext gui;
  render::Offscreen surface(1920, 1080);
  frame::Frame frame(session, timeline, {}, gui.font_notes());
  session.start();
  const auto draw = [&] {
    frame.prepare();
    surface.begin_frame();
    frame.draw(1.0 / 60);
    surface.end_frame();
  };
  double first_ms = 0, slowest_ms = 0;
  const viz::Run& run = *timeline.runs().front();
  while (run.end() == nullptr) {
    const Clock::time_point before = Clock::now();
    draw();
    slowest_ms = std::max(slowest_ms, milliseconds_since(before));
    if (first_ms == 0 && run.rows() > 0) {
      draw();  // the frame after the one that took the rows in
      first_ms = milliseconds_since(start);
    }
  }
  const double loaded_ms = milliseconds_since(start);
  std::vector<double> jumps;
  for (std::uint64_t i = 0; i < 40; ++i) {
    timeline.cursor().seek(run.first_step() + (i * 7919) % (run.newest_step() - run.first_step() + 1));
    const Clock::time_point before = Clock::now();
    draw();
    jumps.push_back(milliseconds_since(before));
  }
  std::sort(jumps.begin(), jumps.end());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("first picture with data %.0f ms, all %zu rows %.0f ms, slowest frame while loading %.0f ms\n",
              first_ms, static_cast<std::size_t>(run.rows()), loaded_ms, slowest_ms);
  std::printf("a picture after a jump: median %.1f ms, worst of 40 %.1f ms; peak resident memory %.0f MiB\n",
              jumps[20], jumps.back(), static_cast<double>(usage.ru_maxrss) / 1024);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_first_picture FILE.h5\n");
    return 2;
  }
  try {
    return measure(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_first_picture: %s\n", error.what());
    return 1;
  }
}
