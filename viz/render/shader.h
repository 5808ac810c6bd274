// Programs of vertex and fragment shader, and keeping ImGui's OpenGL state while ours is in force.
#pragma once

#include <map>
#include <string>

#include "viz/render/gl.h"

namespace sparsescope::render {

// The sources, from assets/shaders; the program carries them along.
namespace shaders {
extern const char* const k_heatmap_vert;
extern const char* const k_heatmap_frag;
extern const char* const k_edges_vert;
extern const char* const k_edges_frag;
extern const char* const k_screen_vert;
extern const char* const k_color_vision_frag;
}  // namespace shaders

// Lives as long as the context it was made in.
class Program {
 public:
  // Throws Error with the driver's words when it does not compile.
  Program(const char* name, const char* vertex, const char* fragment);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void use() const { glUseProgram(id_); }
  GLint operator[](const char* uniform) const;

 private:
  GLuint id_ = 0;
  mutable std::map<std::string, GLint> places_;
};

// Puts back, when it ends, what ImGui's renderer set up and ours changes.
class StateGuard {
 public:
  StateGuard();
  ~StateGuard();
  StateGuard(const StateGuard&) = delete;
  StateGuard& operator=(const StateGuard&) = delete;

 private:
  GLint program_ = 0, vertex_array_ = 0, array_buffer_ = 0, active_texture_ = 0, texture_ = 0;
  GLint scissor_[4] = {}, blend_[4] = {};
  GLboolean has_blend_ = 0, has_scissor_ = 0;
};

}  // namespace sparsescope::render
