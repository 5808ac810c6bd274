// The finished picture once more through the eyes of a colour-vision deficiency, before it is shown.
#pragma once

#include "viz/render/shader.h"
#include "viz/widgets/color_vision.h"

namespace sparsescope::render {

class VisionPass {
 public:
  VisionPass();
  ~VisionPass();
  VisionPass(const VisionPass&) = delete;
  VisionPass& operator=(const VisionPass&) = delete;

  // The framebuffer to draw a picture of that size into.
  GLuint framebuffer(int width, int height);
  // Draws that picture, as seen, into `target`.
  void show(ColorVision vision, GLuint target, int width, int height);

 private:
  Program program_;
  GLuint vertices_ = 0, framebuffer_ = 0, picture_ = 0;
  int width_ = 0, height_ = 0;
};

}  // namespace sparsescope::render
