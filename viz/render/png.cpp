// PNG files through libpng's simplified interface.
#include <png.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/trace/error.h"
#include "viz/render/surface.h"

namespace sparsescope::render {

void write_png(const std::string& path, const Pixels& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(pixels.width);
  image.height = static_cast<png_uint_32>(pixels.height);
  image.format = PNG_FORMAT_RGBA;
  const std::string part = path + "." + std::to_string(getpid()) + ".part";
  if (png_image_write_to_file(&image, part.c_str(), 0, pixels.rgba.data(), 0, nullptr) == 0) {
    const std::string reason = errno != 0 ? std::strerror(errno) : image.message;
    std::remove(part.c_str());
    throw Error("the picture " + path + " could not be written: " + reason +
                "; choose another place with --screenshot");
  }
  if (std::rename(part.c_str(), path.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    std::remove(part.c_str());
    throw Error("the picture " + path + " could not be put in place: " + reason);
  }
}

}  // namespace sparsescope::render
