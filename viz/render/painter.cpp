#include "viz/render/painter.h"

#include <algorithm>
#include <cmath>

#include "imgui.h"
#include "imgui_impl_opengl3.h"
#include "viz/widgets/draw_payload.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::render {
namespace {

Painter* in_force = nullptr;
const Target* target_in_force = nullptr;

}  // namespace

bool clip_to(const ImDrawCmd& command, const Target& target) {
  const float left = std::max(command.ClipRect.x * target.scale.x, 0.f);
  const float top = std::max(command.ClipRect.y * target.scale.y, 0.f);
  const float right = std::min(command.ClipRect.z * target.scale.x, target.width);
  const float bottom = std::min(command.ClipRect.w * target.scale.y, target.height);
  if (right <= left || bottom <= top) return false;
  glEnable(GL_SCISSOR_TEST);
  // As ImGui's renderer cuts: towards the top left.
  glScissor(static_cast<GLint>(left), static_cast<GLint>(target.height - bottom),
            static_cast<GLsizei>(right - left), static_cast<GLsizei>(bottom - top));
  return true;
}

Painter::Painter() {
  in_force = this;
  target_in_force = &target_;
  PayloadDrawers drawers;
  drawers.heatmap = [](const HeatmapPayload& payload, const ImDrawCmd& command) {
    in_force->heatmaps().draw(payload, command, *target_in_force);
  };
  drawers.edges = [](const EdgesPayload& payload, const ImDrawCmd& command) {
    in_force->edges().draw(payload, command, *target_in_force);
  };
  set_payload_drawers(drawers);
}

Painter::~Painter() {
  if (in_force != this) return;
  in_force = nullptr;
  target_in_force = nullptr;
  set_payload_drawers({});
}

HeatmapPainter& Painter::heatmaps() {
  if (!heatmaps_) {
    const StateGuard guard;
    heatmaps_ = std::make_unique<HeatmapPainter>();
  }
  return *heatmaps_;
}

EdgePainter& Painter::edges() {
  if (!edges_) edges_ = std::make_unique<EdgePainter>();
  return *edges_;
}

Painter* Painter::current() { return in_force; }

void Painter::draw(ImDrawData& data, GLuint target, int width, int height) {
  target_ = {static_cast<float>(width), static_cast<float>(height), data.FramebufferScale};
  // A figure goes to readers with eyes of their own.
  const ColorVision vision = current_purpose() == Purpose::Paper ? ColorVision::Normal : color_vision();
  if (vision != ColorVision::Normal && !vision_) vision_ = std::make_unique<VisionPass>();
  const GLuint into = vision == ColorVision::Normal ? target : vision_->framebuffer(width, height);
  glBindFramebuffer(GL_FRAMEBUFFER, into);
  glViewport(0, 0, width, height);
  glDisable(GL_SCISSOR_TEST);
  glClearColor(0, 0, 0, 1);
  glClear(GL_COLOR_BUFFER_BIT);
  ImGui_ImplOpenGL3_RenderDrawData(&data);
  if (vision != ColorVision::Normal) vision_->show(vision, target, width, height);
  if (heatmaps_) heatmaps_->end_frame();
  if (edges_) edges_->end_frame();
}

}  // namespace sparsescope::render
