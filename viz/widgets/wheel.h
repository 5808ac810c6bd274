// How far the wheel zooms: the same everywhere.
#pragma once

#include "imgui.h"

namespace sparsescope::ui {

// Of a notch of the wheel: finer with Ctrl, faster with Shift.
inline float wheel_speed() {
  const ImGuiIO& io = ImGui::GetIO();
  return io.KeyCtrl ? 0.25f : io.KeyShift ? 2.5f : 1.f;
}

}  // namespace sparsescope::ui
