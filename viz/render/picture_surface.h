// Draws frames into a picture of its own within the OpenGL context that is current: beside a window, without
// touching what it shows.
#pragma once

#include <memory>

#include "viz/render/surface.h"

namespace sparsescope::render {

class PictureSurface final : public Surface {
 public:
  // Needs a current OpenGL context and a current ImGui context that no surface belongs to. Throws Error when
  // a picture of this size cannot be drawn.
  PictureSurface(int width, int height);
  ~PictureSurface() override;
  void begin_frame() override;  // time advances by exactly 1/60 s a frame
  void end_frame() override;
  Pixels read_pixels() override;
  float monitor_scale() const override { return 1; }
  std::string description() const override { return "a picture"; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sparsescope::render
