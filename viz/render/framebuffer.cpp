#include "viz/render/framebuffer.h"

#include <cstring>

#include "engine/trace/error.h"

namespace sparsescope::render {
namespace {

// Binds a framebuffer for as long as it lives.
class Bound {
 public:
  explicit Bound(GLuint framebuffer) {
    glGetIntegerv(GL_FRAMEBUFFER_BINDING, &before_);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
  }
  ~Bound() { glBindFramebuffer(GL_FRAMEBUFFER, static_cast<GLuint>(before_)); }
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;

 private:
  GLint before_ = 0;
};

std::string size_words(int width, int height) {
  return "a picture of " + std::to_string(width) + " x " + std::to_string(height) + " pixels";
}

}  // namespace

Framebuffer::Framebuffer(int width, int height) : width_(width), height_(height) {
  GLint largest = 0;
  glGetIntegerv(GL_MAX_RENDERBUFFER_SIZE, &largest);
  if (width < 1 || height < 1 || width > largest || height > largest)
    throw Error(
        size_words(width, height) + " is outside 1 to " + std::to_string(largest) + "; choose another size",
        ExitCode::Usage);
  glGenFramebuffers(1, &framebuffer_);
  glGenRenderbuffers(1, &color_);
  glBindRenderbuffer(GL_RENDERBUFFER, color_);
  glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, width, height);
  const Bound bound(framebuffer_);
  glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, color_);
  if (glCheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE) return;
  glDeleteFramebuffers(1, &framebuffer_);
  glDeleteRenderbuffers(1, &color_);
  throw Error(size_words(width, height) + " cannot be drawn here; choose a smaller size", ExitCode::Usage);
}

Framebuffer::~Framebuffer() {
  glDeleteFramebuffers(1, &framebuffer_);
  glDeleteRenderbuffers(1, &color_);
}

Pixels Framebuffer::read() const {
  Pixels pixels{width_, height_, {}};
  const std::size_t row = static_cast<std::size_t>(width_) * 4;
  std::vector<std::uint8_t> upside_down(row * static_cast<std::size_t>(height_));
  const Bound bound(framebuffer_);
  glPixelStorei(GL_PACK_ALIGNMENT, 1);
  glReadPixels(0, 0, width_, height_, GL_RGBA, GL_UNSIGNED_BYTE, upside_down.data());
  pixels.rgba.resize(upside_down.size());
  for (int y = 0; y < height_; ++y) {
    const std::uint8_t* from = upside_down.data() + row * static_cast<std::size_t>(height_ - 1 - y);
    std::uint8_t* to = pixels.rgba.data() + row * static_cast<std::size_t>(y);
    std::memcpy(to, from, row);
    for (std::size_t x = 3; x < row; x += 4) to[x] = 255;
  }
  return pixels;
}

}  // namespace sparsescope::render
