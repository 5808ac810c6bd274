// What the timeline, the commands, undo and the frame need of bookmarks, notes, names and tags.
#pragma once

#include <nlohmann/json.hpp>

#include "viz/frame/state.h"

namespace sparsescope::frame {

// Loads what belongs to runs that came, saves what changed; once a frame.
void keep_annotations(State& state);
// Of a run whose schema came; else nullptr.
viz::Annotations* annotations_of(State& state, const viz::Run& run);
// In which state they are, for undo: versions by the runs' uuids, of those that changed in this window. The
// way back brings every run to the state that is named there, or to the one in which it was loaded.
nlohmann::json annotations_now(const State& state);
void restore_annotations(State& state, const nlohmann::json& versions);
// The popover with all of them, its lower left corner at `above`; drawn while it is open.
void draw_annotation_list(State& state, ImVec2 above);
// The field in which a note is written, centred over `above`; drawn while it is open.
void draw_note_field(State& state, ImVec2 above);

}  // namespace sparsescope::frame
