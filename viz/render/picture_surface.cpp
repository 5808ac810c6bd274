#define GL_GLEXT_PROTOTYPES
#include "viz/render/picture_surface.h"

#include <GL/gl.h>
#include <GL/glext.h>

#include <cstring>

#include "engine/trace/error.h"
#include "imgui.h"
#include "imgui_impl_opengl3.h"

namespace sparsescope::render {

struct PictureSurface::Impl {
  GLuint framebuffer = 0, color = 0;
  int width, height;
};

PictureSurface::PictureSurface(int width, int height)
    : impl_(std::make_unique<Impl>(Impl{0, 0, width, height})) {
  GLint largest = 0, before = 0;
  glGetIntegerv(GL_MAX_RENDERBUFFER_SIZE, &largest);
  glGetIntegerv(GL_FRAMEBUFFER_BINDING, &before);
  if (width < 1 || height < 1 || width > largest || height > largest) {
    throw Error("a picture of " + std::to_string(width) + " x " + std::to_string(height) +
                    " pixels is outside 1 to " + std::to_string(largest) +
                    "; choose a smaller size or factor",
                ExitCode::Usage);
  }
  glGenFramebuffers(1, &impl_->framebuffer);
  glGenRenderbuffers(1, &impl_->color);
  glBindRenderbuffer(GL_RENDERBUFFER, impl_->color);
  glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, width, height);
  glBindFramebuffer(GL_FRAMEBUFFER, impl_->framebuffer);
  glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, impl_->color);
  const bool is_complete = glCheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE;
  glBindFramebuffer(GL_FRAMEBUFFER, static_cast<GLuint>(before));
  if (!is_complete)
    throw Error("a picture of " + std::to_string(width) + " x " + std::to_string(height) +
                " pixels cannot be drawn here; choose a smaller size or factor");
  ImGui_ImplOpenGL3_Init("#version 330");
}

PictureSurface::~PictureSurface() {
  ImGui_ImplOpenGL3_Shutdown();
  glDeleteFramebuffers(1, &impl_->framebuffer);
  glDeleteRenderbuffers(1, &impl_->color);
}

void PictureSurface::begin_frame() {
  ImGuiIO& io = ImGui::GetIO();
  io.DisplaySize = {static_cast<float>(impl_->width), static_cast<float>(impl_->height)};
  io.DisplayFramebufferScale = {1, 1};
  io.DeltaTime = 1.f / 60.f;
  ImGui_ImplOpenGL3_NewFrame();
  ImGui::NewFrame();
}

void PictureSurface::end_frame() {
  ImGui::Render();
  GLint before = 0;
  glGetIntegerv(GL_FRAMEBUFFER_BINDING, &before);
  glBindFramebuffer(GL_FRAMEBUFFER, impl_->framebuffer);
  glViewport(0, 0, impl_->width, impl_->height);
  glDisable(GL_SCISSOR_TEST);
  glClearColor(0, 0, 0, 1);
  glClear(GL_COLOR_BUFFER_BIT);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
  glBindFramebuffer(GL_FRAMEBUFFER, static_cast<GLuint>(before));
}

Pixels PictureSurface::read_pixels() {
  Pixels pixels{impl_->width, impl_->height, {}};
  const std::size_t row = static_cast<std::size_t>(impl_->width) * 4;
  std::vector<std::uint8_t> upside_down(row * static_cast<std::size_t>(impl_->height));
  GLint before = 0;
  glGetIntegerv(GL_FRAMEBUFFER_BINDING, &before);
  glBindFramebuffer(GL_FRAMEBUFFER, impl_->framebuffer);
  glPixelStorei(GL_PACK_ALIGNMENT, 1);
  glReadPixels(0, 0, impl_->width, impl_->height, GL_RGBA, GL_UNSIGNED_BYTE, upside_down.data());
  glBindFramebuffer(GL_FRAMEBUFFER, static_cast<GLuint>(before));
  pixels.rgba.resize(upside_down.size());
  for (int y = 0; y < impl_->height; ++y) {
    const std::uint8_t* from = upside_down.data() + row * static_cast<std::size_t>(impl_->height - 1 - y);
    std::uint8_t* to = pixels.rgba.data() + row * static_cast<std::size_t>(y);
    std::memcpy(to, from, row);
    for (std::size_t x = 3; x < row; x += 4) to[x] = 255;
  }
  return pixels;
}

}  // namespace sparsescope::render
