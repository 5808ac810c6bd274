#include "viz/render/heatmap_painter.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <vector>

namespace sparsescope::render {
namespace {

GLuint new_texture() {
  GLuint texture = 0;
  glGenTextures(1, &texture);
  glBindTexture(GL_TEXTURE_2D, texture);
  // texelFetch asks for neither, but a texture without mipmaps is incomplete unless it says so.
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, 0);
  return texture;
}

GLuint texture_of_maps() {
  constexpr int kWidth = kColorMapEntries + 2;
  std::vector<std::uint32_t> entries;
  for (int map = 0; map < kColorMaps; ++map) {
    const auto which = static_cast<ColorMap>(map);
    entries.insert(entries.end(), color_map(which).begin(), color_map(which).end());
    entries.push_back(under_color(which));
    entries.push_back(over_color(which));
  }
  const GLuint texture = new_texture();
  glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
  glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, kWidth, kColorMaps, 0, GL_RGBA, GL_UNSIGNED_BYTE, entries.data());
  return texture;
}

void set_color(GLint place, std::uint32_t color) {
  glUniform4f(place, static_cast<float>(color & 255) / 255.f, static_cast<float>(color >> 8 & 255) / 255.f,
              static_cast<float>(color >> 16 & 255) / 255.f, static_cast<float>(color >> 24) / 255.f);
}

// Interface pixels of the part [first, last) of the level's cells along one axis, and what the shader needs
// to find the cell of a pixel. Rebased to the first visible cell, because floats end at seven digits.
struct AxisPlace {
  double low, high;  // pixels, low < high, clipped
  float origin, per_pixel;
  int base;
};

AxisPlace place_axis(double from, double to, int cells, int halved, int first, int last, double clip_low,
                     double clip_high) {
  const double cell_pixels = (to - from) / cells;  // of a cell of the data; negative when reversed
  const double wide = cell_pixels * static_cast<double>(1 << halved);
  const double begin = from + wide * first;
  const double end = from + cell_pixels * std::min<double>(cells, static_cast<double>(last) * (1 << halved));
  AxisPlace place{};
  place.low = std::clamp(std::min(begin, end), clip_low, clip_high);
  place.high = std::clamp(std::max(begin, end), clip_low, clip_high);
  const double at = wide > 0 ? place.low : place.high;
  place.base =
      static_cast<int>(std::clamp(std::floor((at - begin) / wide), 0.0, static_cast<double>(last - first)));
  place.origin = static_cast<float>(begin + wide * place.base);
  place.per_pixel = static_cast<float>(1 / wide);
  return place;
}

}  // namespace

HeatmapPainter::HeatmapPainter() : program_("heatmap", shaders::k_heatmap_vert, shaders::k_heatmap_frag) {
  GLint most = 0;
  glGetIntegerv(GL_MAX_TEXTURE_SIZE, &most);
  side_ = std::min(kTileSide, static_cast<int>(most));
  glGenVertexArrays(1, &vertices_);
  colors_ = texture_of_maps();
  quantiles_ = new_texture();
  const std::array<float, kQuantiles> none{};
  glTexImage2D(GL_TEXTURE_2D, 0, GL_R32F, kQuantiles, 1, 0, GL_RED, GL_FLOAT, none.data());
  nothing_ = new_texture();
  const std::uint8_t zero = 0;
  glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
  glTexImage2D(GL_TEXTURE_2D, 0, GL_R8, 1, 1, 0, GL_RED, GL_UNSIGNED_BYTE, &zero);
  glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
}

HeatmapPainter::~HeatmapPainter() {
  for (auto& [key, tile] : tiles_) {
    glDeleteTextures(1, &tile.values);
    if (tile.invalid != 0) glDeleteTextures(1, &tile.invalid);
  }
  const GLuint textures[] = {colors_, quantiles_, nothing_};
  glDeleteTextures(3, textures);
  glDeleteVertexArrays(1, &vertices_);
}

const HeatmapPainter::Tile& HeatmapPainter::tile(const HeatmapPayload& payload,
                                                 const viz::Cells::Level& level, int row, int column) {
  const Key key{payload.version,
                payload.has_mean,
                static_cast<std::uint64_t>(level.down),
                static_cast<std::uint64_t>(level.across),
                static_cast<std::uint64_t>(row),
                static_cast<std::uint64_t>(column)};
  Tile& found = tiles_[key];
  found.used = frame_;
  if (found.values != 0) return found;
  const int top = row * side_, left = column * side_;
  found.rows = std::min(side_, level.rows - top);
  found.columns = std::min(side_, level.columns - left);
  const std::size_t count = static_cast<std::size_t>(found.rows) * static_cast<std::size_t>(found.columns);
  // Drivers may lose what a NaN means, so "no value" travels as the smallest finite number.
  std::vector<float> values(count);
  for (int r = 0; r < found.rows; ++r) {
    const float* from = level.values.data() + level.index(top + r, left);
    float* to = values.data() + static_cast<std::size_t>(r) * static_cast<std::size_t>(found.columns);
    for (int c = 0; c < found.columns; ++c)
      to[c] = from[c] == from[c] ? std::max(from[c], -3.4e38f) : -FLT_MAX;
  }
  found.values = new_texture();
  glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
  glTexImage2D(GL_TEXTURE_2D, 0, GL_R32F, found.columns, found.rows, 0, GL_RED, GL_FLOAT, values.data());
  found.bytes = count * sizeof(float);
  if (!level.invalid.empty()) {
    std::vector<std::uint8_t> flags(count);
    for (int r = 0; r < found.rows; ++r) {
      const std::uint8_t* from = level.invalid.data() + level.index(top + r, left);
      std::uint8_t* to = flags.data() + static_cast<std::size_t>(r) * static_cast<std::size_t>(found.columns);
      for (int c = 0; c < found.columns; ++c) to[c] = from[c] != 0 ? 255 : 0;
    }
    found.invalid = new_texture();
    glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_R8, found.columns, found.rows, 0, GL_RED, GL_UNSIGNED_BYTE,
                 flags.data());
    glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
    found.bytes += count;
  }
  bytes_ += found.bytes;
  ++uploads_;
  return found;
}

void HeatmapPainter::set_scale(const HeatmapPayload& payload) {
  const ColorScale scale = scale_of(payload);
  const ColorScale::Affine affine = scale.affine();
  glUniform1i(program_["map"], static_cast<int>(payload.map));
  glUniform1i(program_["scale"], static_cast<int>(payload.kind));
  glUniform2f(program_["limits"], payload.low, payload.high);
  glUniform2f(program_["affine"], affine.from, affine.factor);
  glUniform1f(program_["linear_width"], payload.linear);
  glUniform1i(program_["hatch"], payload.hatch_pixels);
  set_color(program_["invalid_ink"], payload.invalid_ink);
  set_color(program_["invalid_paper"], payload.invalid_paper);
  set_color(program_["absent_ink"], payload.absent_ink);
  set_color(program_["absent_paper"], payload.absent_paper);
  const char* samplers[] = {"values", "invalid", "colors", "quantiles"};
  for (int unit = 0; unit < 4; ++unit) glUniform1i(program_[samplers[unit]], unit);
  glActiveTexture(GL_TEXTURE2);
  glBindTexture(GL_TEXTURE_2D, colors_);
  glActiveTexture(GL_TEXTURE3);
  glBindTexture(GL_TEXTURE_2D, quantiles_);
  if (payload.kind == ColorScaleKind::Rank)
    glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, kQuantiles, 1, GL_RED, GL_FLOAT, payload.quantiles);
}

void HeatmapPainter::draw(const HeatmapPayload& payload, const ImDrawCmd& command, const Target& target) {
  const StateGuard guard;
  if (!clip_to(command, target)) return;
  const viz::Cells::Level& level = level_of(payload);
  program_.use();
  glBindVertexArray(vertices_);
  glDisable(GL_BLEND);
  glUniform2f(program_["surface"], target.width, target.height);
  glUniform2f(program_["pixels"], target.scale.x, target.scale.y);
  set_scale(payload);
  for (int row = 0; row * side_ < level.rows; ++row) {
    const AxisPlace y =
        place_axis(payload.top, payload.bottom, payload.rows, level.down, row * side_,
                   std::min(level.rows, (row + 1) * side_), static_cast<double>(command.ClipRect.y),
                   static_cast<double>(command.ClipRect.w));
    if (y.high <= y.low) continue;
    for (int column = 0; column * side_ < level.columns; ++column) {
      const AxisPlace x =
          place_axis(payload.left, payload.right, payload.columns, level.across, column * side_,
                     std::min(level.columns, (column + 1) * side_), static_cast<double>(command.ClipRect.x),
                     static_cast<double>(command.ClipRect.z));
      if (x.high <= x.low) continue;
      glActiveTexture(GL_TEXTURE0);
      const Tile& part = tile(payload, level, row, column);
      glBindTexture(GL_TEXTURE_2D, part.values);
      glActiveTexture(GL_TEXTURE1);
      glBindTexture(GL_TEXTURE_2D, part.invalid != 0 ? part.invalid : nothing_);
      glUniform1i(program_["has_invalid"], part.invalid != 0 ? 1 : 0);
      glUniform4f(program_["rectangle"], static_cast<float>(x.low) * target.scale.x,
                  static_cast<float>(y.low) * target.scale.y, static_cast<float>(x.high) * target.scale.x,
                  static_cast<float>(y.high) * target.scale.y);
      glUniform2f(program_["origin"], x.origin, y.origin);
      glUniform2f(program_["per_pixel"], x.per_pixel, y.per_pixel);
      glUniform2i(program_["base"], x.base, y.base);
      glUniform2i(program_["size"], part.columns, part.rows);
      glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
      ++draws_;
    }
  }
}

void HeatmapPainter::end_frame() {
  while (bytes_ > budget_) {
    const auto oldest = std::min_element(tiles_.begin(), tiles_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    });
    if (oldest == tiles_.end() || oldest->second.used == frame_) break;
    glDeleteTextures(1, &oldest->second.values);
    if (oldest->second.invalid != 0) glDeleteTextures(1, &oldest->second.invalid);
    bytes_ -= oldest->second.bytes;
    tiles_.erase(oldest);
  }
  ++frame_;
}

HeatmapPainter::Statistics HeatmapPainter::statistics() const {
  return {tiles_.size(), bytes_, uploads_, draws_};
}

}  // namespace sparsescope::render
