#include "viz/render/vision_pass.h"

#include <string>

#include "engine/trace/error.h"

namespace sparsescope::render {

VisionPass::VisionPass() : program_("colour vision", shaders::k_screen_vert, shaders::k_color_vision_frag) {
  glGenVertexArrays(1, &vertices_);
  glGenFramebuffers(1, &framebuffer_);
  glGenTextures(1, &picture_);
}

VisionPass::~VisionPass() {
  glDeleteFramebuffers(1, &framebuffer_);
  glDeleteTextures(1, &picture_);
  glDeleteVertexArrays(1, &vertices_);
}

GLuint VisionPass::framebuffer(int width, int height) {
  if (width == width_ && height == height_) return framebuffer_;
  width_ = width;
  height_ = height;
  glActiveTexture(GL_TEXTURE0);
  glBindTexture(GL_TEXTURE_2D, picture_);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
  glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, width, height, 0, GL_RGBA, GL_UNSIGNED_BYTE, nullptr);
  glBindFramebuffer(GL_FRAMEBUFFER, framebuffer_);
  glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, picture_, 0);
  if (glCheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE) {
    throw Error("the graphics driver cannot simulate colour vision at " + std::to_string(width) + " x " +
                std::to_string(height) + " pixels; make the window smaller or turn the simulation off");
  }
  return framebuffer_;
}

void VisionPass::show(ColorVision vision, GLuint target, int width, int height) {
  glBindFramebuffer(GL_FRAMEBUFFER, target);
  glViewport(0, 0, width, height);
  glDisable(GL_SCISSOR_TEST);
  glDisable(GL_BLEND);
  program_.use();
  glBindVertexArray(vertices_);
  glActiveTexture(GL_TEXTURE0);
  glBindTexture(GL_TEXTURE_2D, picture_);
  glUniform1i(program_["picture"], 0);
  glUniformMatrix3fv(program_["seen"], 1, GL_TRUE, color_vision_matrix(vision).data());
  glDrawArrays(GL_TRIANGLES, 0, 3);
}

}  // namespace sparsescope::render
