// PNG files through libpng's simplified interface.
#include <png.h>

#include "engine/trace/error.h"
#include "engine/trace/write_file.h"
#include "viz/render/surface.h"

namespace sparsescope::render {

std::string encode_png(const Pixels& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(pixels.width);
  image.height = static_cast<png_uint_32>(pixels.height);
  image.format = PNG_FORMAT_RGBA;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string encoded(bytes, '\0');
  check(png_image_write_to_memory(&image, encoded.data(), &bytes, 0, pixels.rgba.data(), 0, nullptr) != 0,
        std::string("a picture could not be encoded: ") + image.message);
  encoded.resize(bytes);
  return encoded;
}

void write_png(const std::string& path, const Pixels& pixels) { trace::write_file(path, encode_png(pixels)); }

}  // namespace sparsescope::render
