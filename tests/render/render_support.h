// What tests of drawing share: a surface off screen, maps to draw, and the payloads a frame carried.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "viz/render/offscreen.h"
#include "viz/render/painter.h"
#include "viz/widgets/edges.h"
#include "viz/widgets/gui_context.h"
#include "viz/widgets/heatmap.h"

namespace sparsescope::test {

// Frames of one window that fills a surface, read back. Tests skip with `problem` when there is no OpenGL.
class Canvas {
 public:
  Canvas(int width, int height, Theme theme = Theme::Dark);
  ~Canvas();

  // Empty when this machine draws.
  const std::string& problem() const { return problem_; }
  // Draws `content` into a window without padding over the whole surface.
  render::Pixels frame(const std::function<void()>& content);
  // Of the last frame: every heatmap and edge batch, in order.
  std::vector<HeatmapPayload> heatmaps;
  std::vector<EdgesPayload> edge_batches;
  int vertices = 0, commands = 0;
  render::Painter& painter() { return *render::Painter::current(); }

 private:
  GuiContext gui_;
  std::unique_ptr<render::Offscreen> surface_;
  std::string problem_;
};

// The pixel as ImU32.
std::uint32_t pixel(const render::Pixels& pixels, int x, int y);
// The largest difference of a channel.
int channel_distance(std::uint32_t a, std::uint32_t b);

// Values from -1 to 1 with a pattern, some absent, some invalid; the same for the same seed.
viz::CellsPtr patterned_cells(int rows, int columns, viz::Fold fold, unsigned seed = 1,
                              bool with_gaps = true);

}  // namespace sparsescope::test

#define SPARSESCOPE_NEEDS_DRAWING(canvas) \
  if (!(canvas).problem().empty()) GTEST_SKIP() << (canvas).problem()
