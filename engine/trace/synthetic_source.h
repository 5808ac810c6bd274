// A run without a trainer: a schema and frames computed from a seed and the row alone. For tests, benches and
// demos of views.
#pragma once

#include <cstdint>

#include "engine/trace/frame.h"

namespace sparsescope::trace {

struct SyntheticOptions {
  enum class Kind {
    Spark,       // the channels, axes and labels of a SPaRK run; thresholds fall and density rises as in a
                 // collapse
    EveryDtype,  // every dtype, dense and ragged, once and packed, an incompressible chunk, NaN and
                 // infinities, empty rows
  };
  Kind kind = Kind::Spark;
  std::uint64_t frames = 400;  // rows in all; Spark: every `evaluation_every` steps one step carries two rows
  std::uint64_t seed = 1;
  // Spark only:
  std::int64_t layers = 4;
  std::int64_t probe_every = 10;       // steps between rows of `declared` and `scope_pooled`
  std::int64_t evaluation_every = 50;  // steps between rows of `evaluation`, `needle` and `events`
  std::int64_t pooled = 32;            // query and key blocks of `scope_pooled`; 128 in a real run
  std::int64_t declared_ids = 96;      // distinct ids of the probe sequence
  std::int64_t positions = 256;        // positions of the probe sequence
};

class SyntheticSource {
 public:
  explicit SyntheticSource(SyntheticOptions options = {});

  SchemaPtr schema() const { return schema_; }
  std::uint64_t frames() const { return options_.frames; }
  // Row `row` of the run; equal bytes for equal options and row, in any order, from any thread.
  FramePtr frame(std::uint64_t row) const;
  // Schema, every frame, then RunEnd{Finished}.
  void run(FrameSink& sink) const;

 private:
  SyntheticOptions options_;
  SchemaPtr schema_;
};

}  // namespace sparsescope::trace
