#include "tests/render/render_support.h"

#include <cmath>
#include <limits>

#include "engine/trace/error.h"
#include "viz/widgets/draw_payload.h"

namespace sparsescope::test {

Canvas::Canvas(int width, int height, Theme theme) : gui_(theme, 1) {
  try {
    surface_ = std::make_unique<render::Offscreen>(width, height);
  } catch (const Error& error) {
    problem_ = error.what();
  }
}

Canvas::~Canvas() { set_color_vision(ColorVision::Normal); }

render::Pixels Canvas::frame(const std::function<void()>& content) {
  surface_->begin_frame();
  ImGui::SetNextWindowPos({0, 0});
  ImGui::SetNextWindowSize(ImGui::GetIO().DisplaySize);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{0, 0});
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 0);
  ImGui::Begin("canvas", nullptr, ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoSavedSettings);
  ImGui::PopStyleVar(2);
  content();
  ImGui::End();
  surface_->end_frame();
  heatmaps.clear();
  edge_batches.clear();
  const ImDrawData& data = *ImGui::GetDrawData();
  vertices = data.TotalVtxCount;
  commands = 0;
  for (const ImDrawList* list : data.CmdLists) {
    commands += list->CmdBuffer.Size;
    for (const ImDrawCmd& command : list->CmdBuffer) {
      if (const HeatmapPayload* payload = heatmap_payload(*list, command)) heatmaps.push_back(*payload);
      if (const EdgesPayload* payload = edges_payload(*list, command)) edge_batches.push_back(*payload);
    }
  }
  return surface_->read_pixels();
}

std::uint32_t pixel(const render::Pixels& pixels, int x, int y) {
  const std::uint8_t* at =
      pixels.rgba.data() +
      (static_cast<std::size_t>(y) * static_cast<std::size_t>(pixels.width) + static_cast<std::size_t>(x)) *
          4;
  return static_cast<std::uint32_t>(at[0] | at[1] << 8 | at[2] << 16) | static_cast<std::uint32_t>(at[3])
                                                                            << 24;
}

int channel_distance(std::uint32_t a, std::uint32_t b) {
  int most = 0;
  for (int shift = 0; shift < 24; shift += 8)
    most = std::max(most, std::abs(static_cast<int>(a >> shift & 255) - static_cast<int>(b >> shift & 255)));
  return most;
}

viz::CellsPtr patterned_cells(int rows, int columns, viz::Fold fold, unsigned seed, bool with_gaps) {
  std::vector<float> values;
  unsigned state = seed * 2654435761u + 1;
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      state = state * 1664525u + 1013904223u;
      const unsigned dice = state >> 24;
      const float value =
          std::sin(0.37f * static_cast<float>(r) + 0.9f) * std::cos(0.21f * static_cast<float>(c)) +
          static_cast<float>(state >> 8 & 1023) / 4096.f - 0.125f;
      if (with_gaps && dice < 8) {
        values.push_back(viz::Cells::absent());
      } else if (with_gaps && dice < 12) {
        values.push_back(dice % 2 == 0 ? std::numeric_limits<float>::quiet_NaN()
                                       : std::numeric_limits<float>::infinity());
      } else {
        values.push_back(value);
      }
    }
  }
  return viz::Cells::make(rows, columns, std::move(values), fold);
}

}  // namespace sparsescope::test
