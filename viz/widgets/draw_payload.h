// What a draw-list callback of ours carries, and the slots that viz/render fills to draw it. Plain data: a
// payload lives inside the draw list, so it holds no owner; keep_for_frame() holds what it points at.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "imgui.h"

namespace sparsescope {

struct HeatmapPayload;
struct EdgesPayload;

// Filled by the surface in force; empty where nothing is drawn (tests, text).
struct PayloadDrawers {
  void (*heatmap)(const HeatmapPayload& payload, const ImDrawCmd& command) = nullptr;
  void (*edges)(const EdgesPayload& payload, const ImDrawCmd& command) = nullptr;
};
void set_payload_drawers(const PayloadDrawers& drawers);

// Adds a callback command that carries `payload` (copied).
void add_payload(ImDrawList* list, const HeatmapPayload& payload);
void add_payload(ImDrawList* list, const EdgesPayload& payload);
// The payload of a command, or null when it is another callback. Works before and after ImGui::Render().
const HeatmapPayload* heatmap_payload(const ImDrawList& list, const ImDrawCmd& command);
const EdgesPayload* edges_payload(const ImDrawList& list, const ImDrawCmd& command);

// Keeps `shared` alive until the frame after this one begins to draw.
void keep_for_frame(std::shared_ptr<const void> shared);

// Hands the words that say what a payload shows to `add`: equal for equal pictures, on any machine; places
// to 1/64 pixel, content by version, never addresses.
void hash_payload(const HeatmapPayload& payload, const std::function<void(std::uint64_t)>& add);
void hash_payload(const EdgesPayload& payload, const std::function<void(std::uint64_t)>& add);

}  // namespace sparsescope
