// What a person says about the runs of a window (bookmarks, notes, names, tags), by the run's uuid, so that a
// live run and its own recording share it. Loaded when a run is first known, saved when it changes, both by
// the host; every state it was in is kept for undo.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "viz/model/annotations.h"

namespace sparsescope::frame {

struct AnnotationBook {
  struct Entry {
    viz::Annotations annotations;
    std::uint64_t first_version = 0;  // as it was loaded
    std::uint64_t saved_version = 0;
    std::map<std::uint64_t, viz::Annotations> states;  // by version
    std::string problem;                               // why the last change could not be kept; empty: it was
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
