// Surfaces for tests: one that draws nothing, and a choice between off screen and a window by the
// environment.
#pragma once

#include <memory>

#include "viz/render/surface.h"

namespace sparsescope::test {

// Builds ImGui's draw data at a fixed size and 1/60 s a frame, and gives it to nobody.
class NullSurface final : public render::Surface {
 public:
  NullSurface(int width, int height);
  ~NullSurface() override;
  void begin_frame() override;
  void end_frame() override;
  render::Pixels read_pixels() override { return {}; }
  float monitor_scale() const override { return 1; }
  std::string description() const override { return "nothing"; }

 private:
  int width_, height_;
};

// Off screen, but only the frames that are asked for are painted: what most frames of a long test need is
// their draw data and their textures.
class SometimesPainted final : public render::Surface {
 public:
  SometimesPainted(int width, int height);
  ~SometimesPainted() override;
  void begin_frame() override;
  void end_frame() override;
  // The picture of the next frame is wanted.
  void paint_next() { paints_ = true; }
  render::Pixels read_pixels() override;
  float monitor_scale() const override { return 1; }
  std::string description() const override;

 private:
  std::unique_ptr<render::Surface> screen_;
  bool paints_ = false;
};

// EGL off screen; a GLFW window when SPARSESCOPE_TEST_SURFACE is "window" (then a display is needed, such as
// Xvfb's).
std::unique_ptr<render::Surface> make_surface(int width, int height);

}  // namespace sparsescope::test
