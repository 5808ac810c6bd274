// Edge batches by instancing: one draw a batch; what was uploaded stays while it is drawn.
#pragma once

#include <cstdint>
#include <map>

#include "viz/render/shader.h"
#include "viz/render/target.h"
#include "viz/widgets/edges.h"

namespace sparsescope::render {

class EdgePainter {
 public:
  EdgePainter();
  ~EdgePainter();
  EdgePainter(const EdgePainter&) = delete;
  EdgePainter& operator=(const EdgePainter&) = delete;

  void draw(const EdgesPayload& payload, const ImDrawCmd& command, const Target& target);
  void end_frame();

  struct Statistics {
    std::size_t batches = 0, bytes = 0;
    std::uint64_t uploads = 0, draws = 0;
  };
  Statistics statistics() const { return {batches_.size(), bytes_, uploads_, draws_}; }

 private:
  struct Batch {
    GLuint vertices = 0, edges = 0, nodes = 0, node_texture = 0;
    std::size_t bytes = 0;
    std::uint64_t used = 0;  // frame
  };
  const Batch& batch(const EdgesPayload& payload);
  static void drop(Batch& batch);

  Program program_;
  std::map<std::uint64_t, Batch> batches_;  // by version
  std::size_t bytes_ = 0;
  std::uint64_t frame_ = 1, uploads_ = 0, draws_ = 0;
};

}  // namespace sparsescope::render
