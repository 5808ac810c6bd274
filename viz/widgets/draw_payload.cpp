#include "viz/widgets/draw_payload.h"

#include <bit>
#include <cmath>
#include <vector>

#include "viz/widgets/edges.h"
#include "viz/widgets/heatmap.h"

namespace sparsescope {
namespace {

PayloadDrawers drawers;

// ImGui copies payloads behind each other, so each must keep the next one aligned.
static_assert(sizeof(HeatmapPayload) % 8 == 0 && sizeof(EdgesPayload) % 8 == 0);

void draw_heatmap(const ImDrawList* list, const ImDrawCmd* command) {
  if (drawers.heatmap != nullptr) drawers.heatmap(*heatmap_payload(*list, *command), *command);
}

void draw_edge_batch(const ImDrawList* list, const ImDrawCmd* command) {
  if (drawers.edges != nullptr) drawers.edges(*edges_payload(*list, *command), *command);
}

const void* stored(const ImDrawList& list, const ImDrawCmd& command) {
  return list._CallbacksDataBuf.Data + command.UserCallbackDataOffset;
}

}  // namespace

void set_payload_drawers(const PayloadDrawers& chosen) { drawers = chosen; }

void add_payload(ImDrawList* list, const HeatmapPayload& payload) {
  list->AddCallback(draw_heatmap, const_cast<HeatmapPayload*>(&payload), sizeof payload);
}

void add_payload(ImDrawList* list, const EdgesPayload& payload) {
  list->AddCallback(draw_edge_batch, const_cast<EdgesPayload*>(&payload), sizeof payload);
}

const HeatmapPayload* heatmap_payload(const ImDrawList& list, const ImDrawCmd& command) {
  if (command.UserCallback != draw_heatmap) return nullptr;
  return static_cast<const HeatmapPayload*>(stored(list, command));
}

const EdgesPayload* edges_payload(const ImDrawList& list, const ImDrawCmd& command) {
  if (command.UserCallback != draw_edge_batch) return nullptr;
  return static_cast<const EdgesPayload*>(stored(list, command));
}

void keep_for_frame(std::shared_ptr<const void> shared) {
  static std::vector<std::shared_ptr<const void>> kept;
  static int frame = -1;
  if (frame != ImGui::GetFrameCount()) {
    frame = ImGui::GetFrameCount();
    kept.clear();
  }
  kept.push_back(std::move(shared));
}

namespace {

std::uint64_t word(double length) { return static_cast<std::uint64_t>(std::llround(length * 64)); }
std::uint64_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }
std::uint64_t pair(std::int32_t a, std::int32_t b) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(a)) << 32 | static_cast<std::uint32_t>(b);
}

}  // namespace

void hash_payload(const HeatmapPayload& payload, const std::function<void(std::uint64_t)>& add) {
  add(payload.version);
  add(pair(payload.rows, payload.columns));
  for (const double edge : {payload.left, payload.right, payload.top, payload.bottom}) add(word(edge));
  add(pair(payload.level_down, payload.level_across));
  add(pair(static_cast<int>(payload.map), static_cast<int>(payload.kind)));
  for (const float limit : {payload.low, payload.high, payload.linear}) add(bits(limit));
  add(pair(static_cast<int>(payload.has_mean), payload.hatch_pixels));
  add(static_cast<std::uint64_t>(payload.invalid_ink) << 32 | payload.invalid_paper);
  add(static_cast<std::uint64_t>(payload.absent_ink) << 32 | payload.absent_paper);
  if (payload.kind == ColorScaleKind::Rank) {
    for (const float value : payload.quantiles) add(bits(value));
  }
}

void hash_payload(const EdgesPayload& payload, const std::function<void(std::uint64_t)>& add) {
  add(payload.version);
  add(pair(static_cast<int>(payload.nodes), static_cast<int>(payload.edges)));
  for (const float length : {payload.view.origin.x, payload.view.origin.y, payload.view.scale.x,
                             payload.view.scale.y, payload.view.width_factor, payload.view.arc_height})
    add(word(static_cast<double>(length)));
  add(bits(payload.view.opacity));
}

}  // namespace sparsescope
