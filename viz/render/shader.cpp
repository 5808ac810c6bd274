#include "viz/render/shader.h"

#include <array>

#include "engine/trace/error.h"

namespace sparsescope::render {
namespace {

GLuint compiled(const char* name, GLenum kind, const char* source) {
  const GLuint shader = glCreateShader(kind);
  glShaderSource(shader, 1, &source, nullptr);
  glCompileShader(shader);
  GLint fine = 0;
  glGetShaderiv(shader, GL_COMPILE_STATUS, &fine);
  if (fine == GL_TRUE) return shader;
  std::array<char, 2048> words{};
  glGetShaderInfoLog(shader, static_cast<GLsizei>(words.size()), nullptr, words.data());
  glDeleteShader(shader);
  throw Error(std::string("the graphics driver refuses the ") +
              (kind == GL_VERTEX_SHADER ? "vertex" : "fragment") + " shader of the " + name + ": " +
              words.data() + "; another driver or LIBGL_ALWAYS_SOFTWARE=1 may draw it");
}

}  // namespace

Program::Program(const char* name, const char* vertex, const char* fragment) {
  const GLuint first = compiled(name, GL_VERTEX_SHADER, vertex);
  GLuint second = 0;
  try {
    second = compiled(name, GL_FRAGMENT_SHADER, fragment);
  } catch (...) {
    glDeleteShader(first);
    throw;
  }
  id_ = glCreateProgram();
  glAttachShader(id_, first);
  glAttachShader(id_, second);
  glLinkProgram(id_);
  glDeleteShader(first);
  glDeleteShader(second);
  GLint fine = 0;
  glGetProgramiv(id_, GL_LINK_STATUS, &fine);
  if (fine == GL_TRUE) return;
  std::array<char, 2048> words{};
  glGetProgramInfoLog(id_, static_cast<GLsizei>(words.size()), nullptr, words.data());
  glDeleteProgram(id_);
  throw Error(std::string("the graphics driver cannot link the shaders of the ") + name + ": " +
              words.data() + "; another driver or LIBGL_ALWAYS_SOFTWARE=1 may draw it");
}

Program::~Program() { glDeleteProgram(id_); }

GLint Program::operator[](const char* uniform) const {
  const auto found = places_.find(uniform);
  if (found != places_.end()) return found->second;
  const GLint place = glGetUniformLocation(id_, uniform);
  check(place >= 0, std::string("a shader has no uniform ") + uniform);
  return places_.emplace(uniform, place).first->second;
}

StateGuard::StateGuard() {
  glGetIntegerv(GL_CURRENT_PROGRAM, &program_);
  glGetIntegerv(GL_VERTEX_ARRAY_BINDING, &vertex_array_);
  glGetIntegerv(GL_ARRAY_BUFFER_BINDING, &array_buffer_);
  glGetIntegerv(GL_ACTIVE_TEXTURE, &active_texture_);
  glActiveTexture(GL_TEXTURE0);
  glGetIntegerv(GL_TEXTURE_BINDING_2D, &texture_);
  glGetIntegerv(GL_SCISSOR_BOX, scissor_);
  glGetIntegerv(GL_BLEND_SRC_RGB, &blend_[0]);
  glGetIntegerv(GL_BLEND_DST_RGB, &blend_[1]);
  glGetIntegerv(GL_BLEND_SRC_ALPHA, &blend_[2]);
  glGetIntegerv(GL_BLEND_DST_ALPHA, &blend_[3]);
  has_blend_ = glIsEnabled(GL_BLEND);
  has_scissor_ = glIsEnabled(GL_SCISSOR_TEST);
}

StateGuard::~StateGuard() {
  glUseProgram(static_cast<GLuint>(program_));
  glActiveTexture(GL_TEXTURE0);
  glBindTexture(GL_TEXTURE_2D, static_cast<GLuint>(texture_));
  glActiveTexture(static_cast<GLenum>(active_texture_));
  glBindVertexArray(static_cast<GLuint>(vertex_array_));
  glBindBuffer(GL_ARRAY_BUFFER, static_cast<GLuint>(array_buffer_));
  glScissor(scissor_[0], scissor_[1], scissor_[2], scissor_[3]);
  glBlendFuncSeparate(static_cast<GLenum>(blend_[0]), static_cast<GLenum>(blend_[1]),
                      static_cast<GLenum>(blend_[2]), static_cast<GLenum>(blend_[3]));
  (has_blend_ != 0 ? glEnable : glDisable)(GL_BLEND);
  (has_scissor_ != 0 ? glEnable : glDisable)(GL_SCISSOR_TEST);
}

}  // namespace sparsescope::render
