// sparsescope: the desktop program. Chooses between window and pictures; says failures in one sentence.
#include <fmt/format.h>

#include <cstdio>

#include "app/cpu_manners.h"
#include "app/desktop_options.h"
#include "app/desktop_pictures.h"
#include "app/desktop_window.h"
#include "engine/trace/error.h"
#include "viz/render/window.h"

int main(int argc, char** argv) {
  using namespace sparsescope;
#ifdef SPARSESCOPE_WITH_TRAINING
  app::mind_cpu_manners(argv);
#endif
  try {
    int exit_code = -1;
    app::DesktopOptions options = app::desktop_options(argc, argv, exit_code);
    if (exit_code >= 0) return exit_code;
    std::string no_display;
    if (!options.is_offscreen && !render::Window::display_available(&no_display)) {
      // A run to train needs no eyes; anything else would have nothing to show.
      if (!options.wants_training()) throw Error(no_display);
      fmt::print(stderr, "no display here: training off screen, pictures follow\n");
      options.is_offscreen = true;
    }
    return options.is_offscreen ? app::run_offscreen(options) : app::run_window(options);
  } catch (const Error& error) {
    fmt::print(stderr, "sparsescope: {}\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    fmt::print(stderr, "sparsescope: this should not have happened: {}\n", error.what());
    return static_cast<int>(ExitCode::Failed);
  }
}
