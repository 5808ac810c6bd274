// A panel over the whole window that a click beside it closes: palette, keys, settings.
#pragma once

namespace sparsescope::frame {

// Call ImGui::End() afterwards, whatever it returns. Lengths at scale 1. `show` becomes false on a click
// beside.
bool begin_overlay(const char* name, float width, float height, bool& show);

}  // namespace sparsescope::frame
