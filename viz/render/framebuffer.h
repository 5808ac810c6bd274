// A picture in the memory of the graphics card that frames are drawn into and read back from.
#pragma once

#include "viz/render/gl.h"
#include "viz/render/surface.h"

namespace sparsescope::render {

class Framebuffer {
 public:
  // Needs a current OpenGL context, also when it ends. Throws Error (Usage) for a size that this machine
  // cannot draw.
  Framebuffer(int width, int height);
  ~Framebuffer();
  Framebuffer(const Framebuffer&) = delete;
  Framebuffer& operator=(const Framebuffer&) = delete;

  GLuint id() const { return framebuffer_; }
  int width() const { return width_; }
  int height() const { return height_; }
  // Rows from the top, opaque. What was bound stays bound.
  Pixels read() const;

 private:
  GLuint framebuffer_ = 0, color_ = 0;
  int width_, height_;
};

}  // namespace sparsescope::render
