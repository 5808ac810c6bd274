// Drives a whole window through the ImGui Test Engine: a person's hands, frame by frame, until the journey is
// over.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "imgui.h"
#include "imgui_test_engine/imgui_te_context.h"
#include "imgui_test_engine/imgui_te_engine.h"
#include "tests/app/surfaces.h"
#include "viz/frame/frame.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::test {

class Journey {
 public:
  Journey(frame::Host& host, viz::Timeline& timeline, int width = 1600, int height = 900,
          frame::Appearance appearance = {});
  ~Journey();

  // Before each frame: what goes on beside the window.
  void between_frames(std::function<void()> work) { work_ = std::move(work); }
  // Runs `steps` on the engine's thread while frames are drawn here. Returns what went wrong, warnings
  // included; "" is good.
  std::string run(const char* name, std::function<void(ImGuiTestContext*)> steps);
  // Draws frames without hands.
  void frames(int count);

  frame::Frame& frame() { return *frame_; }
  render::Surface& surface() { return *surface_; }

 private:
  void one_frame();

  ImGuiTestEngine* engine_ = nullptr;  // ends after ImGui's context
  std::unique_ptr<GuiContext> gui_;
  std::unique_ptr<render::Surface> surface_;
  std::unique_ptr<frame::Frame> frame_;
  std::function<void()> work_;
};

// The path of the popup that is in front: "//##Combo_01/…" is popup_path() + "/…".
std::string popup_path();

// The picture of one view at `step`, in fresh contexts: equal for equal pictures, whoever drew before.
std::uint64_t picture_hash(frame::Host& host, viz::Timeline& timeline, std::string_view view,
                           std::uint64_t step);

}  // namespace sparsescope::test
