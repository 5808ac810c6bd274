#include "viz/render/picture_surface.h"

#include "engine/trace/error.h"
#include "imgui.h"
#include "imgui_impl_opengl3.h"
#include "viz/render/framebuffer.h"
#include "viz/render/painter.h"

namespace sparsescope::render {

struct PictureSurface::Impl {
  Impl(int width, int height) : framebuffer(width, height) {}
  Framebuffer framebuffer;
};

PictureSurface::PictureSurface(int width, int height) {
  check(Painter::current() != nullptr, "a picture is drawn beside a surface, and there is none");
  impl_ = std::make_unique<Impl>(width, height);
  ImGui_ImplOpenGL3_Init("#version 330");
}

PictureSurface::~PictureSurface() { ImGui_ImplOpenGL3_Shutdown(); }

void PictureSurface::begin_frame() {
  ImGuiIO& io = ImGui::GetIO();
  io.DisplaySize = {static_cast<float>(impl_->framebuffer.width()),
                    static_cast<float>(impl_->framebuffer.height())};
  io.DisplayFramebufferScale = {1, 1};
  io.DeltaTime = 1.f / 60.f;
  ImGui_ImplOpenGL3_NewFrame();
  ImGui::NewFrame();
}

void PictureSurface::end_frame() {
  ImGui::Render();
  GLint before = 0;
  glGetIntegerv(GL_FRAMEBUFFER_BINDING, &before);
  Painter::current()->draw(*ImGui::GetDrawData(), impl_->framebuffer.id(), impl_->framebuffer.width(),
                           impl_->framebuffer.height());
  glBindFramebuffer(GL_FRAMEBUFFER, static_cast<GLuint>(before));
}

Pixels PictureSurface::read_pixels() { return impl_->framebuffer.read(); }

}  // namespace sparsescope::render
