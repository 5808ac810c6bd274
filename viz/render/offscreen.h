// Draws frames without any display: EGL on a device or surfaceless, into a framebuffer object.
#pragma once

#include <memory>

#include "viz/render/surface.h"

namespace sparsescope::render {

class Offscreen final : public Surface {
 public:
  // Needs a current ImGui context. Throws Error when this machine has no OpenGL 3.3 that draws without a
  // display.
  Offscreen(int width, int height);
  ~Offscreen() override;
  void begin_frame() override;  // time advances by exactly 1/60 s a frame
  void end_frame() override;
  Pixels read_pixels() override;
  float monitor_scale() const override { return 1; }
  std::string description() const override;
  void resize(int width, int height);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sparsescope::render
