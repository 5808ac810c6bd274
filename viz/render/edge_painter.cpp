#include "viz/render/edge_painter.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "engine/trace/error.h"

namespace sparsescope::render {
namespace {

constexpr std::size_t kBudgetBytes = std::size_t{64} << 20;

const void* offset(std::size_t bytes) { return reinterpret_cast<const void*>(bytes); }

}  // namespace

EdgePainter::EdgePainter() : program_("edges", shaders::k_edges_vert, shaders::k_edges_frag) {}

EdgePainter::~EdgePainter() {
  for (auto& [version, batch] : batches_) drop(batch);
}

void EdgePainter::drop(Batch& batch) {
  glDeleteTextures(1, &batch.node_texture);
  const GLuint buffers[] = {batch.edges, batch.nodes};
  glDeleteBuffers(2, buffers);
  glDeleteVertexArrays(1, &batch.vertices);
}

const EdgePainter::Batch& EdgePainter::batch(const EdgesPayload& payload) {
  const auto known = batches_.find(payload.version);
  if (known != batches_.end()) {
    known->second.used = frame_;
    return known->second;
  }
  const auto& nodes = payload.batch->nodes();
  const auto& edges = payload.batch->edges();
  GLint most = 0;
  glGetIntegerv(GL_MAX_TEXTURE_BUFFER_SIZE, &most);
  if (nodes.size() > static_cast<std::size_t>(most)) {
    throw Error("a graph of " + std::to_string(nodes.size()) +
                " nodes is more than this graphics driver takes (" + std::to_string(most) +
                "); zoom in or aggregate");
  }
  Batch& made = batches_[payload.version];
  made.used = frame_;
  glGenVertexArrays(1, &made.vertices);
  glBindVertexArray(made.vertices);
  glGenBuffers(1, &made.edges);
  glBindBuffer(GL_ARRAY_BUFFER, made.edges);
  glBufferData(GL_ARRAY_BUFFER, static_cast<GLsizeiptr>(edges.size() * sizeof(EdgeInstance)), edges.data(),
               GL_STATIC_DRAW);
  constexpr GLsizei kStride = sizeof(EdgeInstance);
  glVertexAttribIPointer(0, 2, GL_UNSIGNED_INT, kStride, offset(offsetof(EdgeInstance, from)));
  glVertexAttribPointer(1, 4, GL_UNSIGNED_BYTE, GL_TRUE, kStride, offset(offsetof(EdgeInstance, ink)));
  glVertexAttribPointer(2, 1, GL_FLOAT, GL_FALSE, kStride, offset(offsetof(EdgeInstance, width)));
  glVertexAttribIPointer(3, 2, GL_UNSIGNED_BYTE, kStride, offset(offsetof(EdgeInstance, kind)));
  for (GLuint i = 0; i < 4; ++i) {
    glEnableVertexAttribArray(i);
    glVertexAttribDivisor(i, 1);
  }
  glGenBuffers(1, &made.nodes);
  glBindBuffer(GL_TEXTURE_BUFFER, made.nodes);
  glBufferData(GL_TEXTURE_BUFFER, static_cast<GLsizeiptr>(nodes.size() * sizeof(ImVec2)), nodes.data(),
               GL_STATIC_DRAW);
  glGenTextures(1, &made.node_texture);
  glBindTexture(GL_TEXTURE_BUFFER, made.node_texture);
  glTexBuffer(GL_TEXTURE_BUFFER, GL_RG32F, made.nodes);
  made.bytes = edges.size() * sizeof(EdgeInstance) + nodes.size() * sizeof(ImVec2);
  bytes_ += made.bytes;
  ++uploads_;
  return made;
}

void EdgePainter::draw(const EdgesPayload& payload, const ImDrawCmd& command, const Target& target) {
  const StateGuard guard;
  if (!clip_to(command, target)) return;
  glActiveTexture(GL_TEXTURE0);
  const Batch& ready = batch(payload);
  program_.use();
  glBindVertexArray(ready.vertices);
  glBindTexture(GL_TEXTURE_BUFFER, ready.node_texture);
  glUniform1i(program_["nodes"], 0);
  glUniform2f(program_["surface"], target.width, target.height);
  glUniform2f(program_["pixels"], target.scale.x, target.scale.y);
  glUniform2f(program_["origin"], payload.view.origin.x, payload.view.origin.y);
  glUniform2f(program_["zoom"], payload.view.scale.x, payload.view.scale.y);
  glUniform1f(program_["unit"], payload.view.width_factor);
  glUniform1f(program_["arc_height"], payload.view.arc_height);
  glUniform1f(program_["opacity"], payload.view.opacity);
  const plot::DashLengths dashed = plot::dash_lengths(plot::Dash::Dashed),
                          dotted = plot::dash_lengths(plot::Dash::Dotted);
  const float unit = payload.view.width_factor;
  glUniform4f(program_["dashes"], dashed.on * unit, dashed.off * unit, dotted.on * unit, dotted.off * unit);
  glEnable(GL_BLEND);
  glBlendFuncSeparate(GL_ONE, GL_ONE_MINUS_SRC_ALPHA, GL_ONE, GL_ONE_MINUS_SRC_ALPHA);
  glDrawArraysInstanced(GL_TRIANGLE_STRIP, 0, 2 * (kEdgeSegments + 1), static_cast<GLsizei>(payload.edges));
  ++draws_;
}

void EdgePainter::end_frame() {
  while (bytes_ > kBudgetBytes) {
    const auto oldest = std::min_element(batches_.begin(), batches_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    });
    if (oldest == batches_.end() || oldest->second.used == frame_) break;
    bytes_ -= oldest->second.bytes;
    drop(oldest->second);
    batches_.erase(oldest);
  }
  ++frame_;
}

}  // namespace sparsescope::render
