// Where a frame is drawn: a window, or a picture off screen. One frame code runs on both.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sparsescope::render {

struct Pixels {
  int width = 0, height = 0;
  std::vector<std::uint8_t> rgba;  // rows from the top, width * height * 4 bytes
};

// Between begin_frame() and end_frame() ImGui may be called; the surface owns ImGui's platform and renderer
// back ends, the caller owns the contexts (widgets/gui_context.h) and keeps them alive longer.
class Surface {
 public:
  virtual ~Surface() = default;
  virtual void begin_frame() = 0;
  virtual void end_frame() = 0;
  // What the last frame drew.
  virtual Pixels read_pixels() = 0;
  // Framebuffer pixels per 96-dpi pixel, as the monitor says; 1 off screen.
  virtual float monitor_scale() const = 0;
  // "Mesa llvmpipe, OpenGL 4.5".
  virtual std::string description() const = 0;
};

// The bytes of a PNG file: the same pixels give the same bytes.
std::string encode_png(const Pixels& pixels);
// Writes a PNG whole or not at all. Throws Error.
void write_png(const std::string& path, const Pixels& pixels);

}  // namespace sparsescope::render
