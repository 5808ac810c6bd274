// What the command line of `sparsescope` says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#ifdef SPARSESCOPE_WITH_TRAINING
#include "app/run_arguments.h"
#endif

namespace sparsescope::app {

struct DesktopOptions {
  std::vector<std::string> files;  // recordings to open
#ifdef SPARSESCOPE_WITH_TRAINING
  RunArguments run;  // run.preset empty: nothing to train
#endif
  bool is_offscreen = false;
  int width = 1920, height = 1080;    // of the off-screen picture
  std::string view;                   // "", "all", "window" or a view's id
  std::int64_t step = -1;             // negative: the newest
  std::string theme;                  // a theme_name(); empty: what was used last
  double scale = 0;                   // 0: what was used last
  std::vector<std::string> commands;  // of the window, done before its picture: "ID" or "ID=VALUE"
  std::string screenshot;     // path; its ending says the kind: png, svg, csv, json; empty: a name made from
                              // the recording
  std::string frames_folder;  // where a sequence of pictures goes; empty: none
  struct StepSequence {
    std::uint64_t first = 0, last = 0, every = 1;
  };
  std::optional<StepSequence> steps;  // nothing: one picture
  bool has_own_colors = false;        // each of them ends its colours where its own data do

  bool is_safe_mode = false;  // the user's settings and layouts are ignored

  bool wants_training() const;
  std::string preset() const;
};

// Parses; prints help and leaves through `exit_code` when it was asked for. Throws Error (Usage).
DesktopOptions desktop_options(int argc, char** argv, int& exit_code);

}  // namespace sparsescope::app
