// The bookmarks and notes of all runs of a window, by the run's uuid, so that a live run and its own
// recording share them. Loaded when a run is first known, saved when they change; both by the host.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "viz/model/annotations.h"

namespace sparsescope::frame {

struct AnnotationBook {
  struct Entry {
    viz::Annotations annotations;
    std::uint64_t saved_version = 0;
    std::string problem;  // why the last change could not be kept; empty: it was
  };
  std::map<std::string, Entry> by_run;

  // What is being typed, and where.
  bool asks_for_note = false;   // the note's field opens in this frame
  bool shows_list = false;      // the list opens in this frame
  std::uint64_t note_step = 0;  // of the note being written
  std::string text;             // of the note being written
  std::uint32_t renamed = 0;    // id of what is being renamed in the list; 0: nothing
  std::string new_name;
};

}  // namespace sparsescope::frame
