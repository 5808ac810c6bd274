// Heatmaps by shader: tiles of pyramid levels as textures, the least recently drawn given back first.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "viz/render/shader.h"
#include "viz/render/target.h"
#include "viz/widgets/heatmap.h"

namespace sparsescope::render {

inline constexpr int kTileSide = 2048;  // less where the driver takes less

class HeatmapPainter {
 public:
  HeatmapPainter();
  ~HeatmapPainter();
  HeatmapPainter(const HeatmapPainter&) = delete;
  HeatmapPainter& operator=(const HeatmapPainter&) = delete;

  void draw(const HeatmapPayload& payload, const ImDrawCmd& command, const Target& target);
  // Once a frame, after drawing: gives tiles back until they fit the budget. What this frame drew stays.
  void end_frame();

  void set_budget(std::size_t bytes) { budget_ = bytes; }
  struct Statistics {
    std::size_t tiles = 0, bytes = 0;
    std::uint64_t uploads = 0, draws = 0;
  };
  Statistics statistics() const;

 private:
  // version, mean, level down, level across, tile row, tile column
  using Key = std::array<std::uint64_t, 6>;
  struct Tile {
    GLuint values = 0, invalid = 0;
    int rows = 0, columns = 0;
    std::size_t bytes = 0;
    std::uint64_t used = 0;  // frame
  };
  const Tile& tile(const HeatmapPayload& payload, const viz::Cells::Level& level, int row, int column);
  void set_scale(const HeatmapPayload& payload);

  Program program_;
  int side_ = kTileSide;
  GLuint vertices_ = 0, colors_ = 0, quantiles_ = 0, nothing_ = 0;
  std::map<Key, Tile> tiles_;
  std::size_t bytes_ = 0, budget_ = std::size_t{256} << 20;
  std::uint64_t frame_ = 1, uploads_ = 0, draws_ = 0;
};

}  // namespace sparsescope::render
