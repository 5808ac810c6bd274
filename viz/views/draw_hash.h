// A fingerprint of what ImGui is about to draw, equal for equal pictures on any machine: vertices to 1/64
// pixel, colours, indices, clip rectangles, commands; textures by order of first use, never by address;
// heatmaps and edge batches by the version of what they show. For tests and screenshots.
#pragma once

#include <cstdint>
#include <functional>

struct ImDrawData;
struct ImDrawList;

namespace sparsescope::viz {

struct DrawHash {
  std::uint64_t value = 0;
  int vertices = 0, indices = 0, commands = 0;
};

// `texture_version`, when given, maps an ImTextureID to a number that changes with its content.
DrawHash hash_draw_data(const ImDrawData& data,
                        const std::function<std::uint64_t(std::uint64_t texture)>& texture_version = {});
DrawHash hash_draw_list(const ImDrawList& list,
                        const std::function<std::uint64_t(std::uint64_t texture)>& texture_version = {});

}  // namespace sparsescope::viz
