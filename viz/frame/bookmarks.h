// What the timeline, the commands and the frame need of bookmarks and notes.
#pragma once

#include "viz/frame/state.h"

namespace sparsescope::frame {

// Loads what belongs to runs that came, saves what changed; once a frame.
void keep_annotations(State& state);
// Of a run whose schema came; else nullptr.
viz::Annotations* annotations_of(State& state, const viz::Run& run);
// The popover with all of them, its lower left corner at `above`; drawn while it is open.
void draw_annotation_list(State& state, ImVec2 above);
// The field in which a note is written, centred over `above`; drawn while it is open.
void draw_note_field(State& state, ImVec2 above);

}  // namespace sparsescope::frame
