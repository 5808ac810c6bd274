// A small run with every channel of a SPaRK run, made of formulas: what a map, a graph or an inspector should
// show of it can be counted by brute force from score() and theta().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/trace/frame.h"

namespace sparsescope::test {

enum class SparkWords { Recorded, Missing };

struct SparkOptions {
  std::int64_t layers = 2, heads = 2;
  std::int64_t positions = 24;   // of the probe sequence
  std::int64_t vocabulary = 40;  // pieces; the sequence uses the first ones often, the last ones seldom
  std::uint64_t planned = 200;
  std::uint64_t probe_every = 10, edges_every = 20, evaluate_every = 50;  // steps
  std::uint64_t seed = 1;
  bool inheritance = true, fallback = true;
  std::int64_t window = 4;  // of the fallback, in keys with the query itself
  SparkWords words = SparkWords::Recorded;
  bool displacement = false;  // recorded with the threshold
};

// As bits, as recorded in `edges`.
enum SparkReason : std::uint8_t { kSparkDirect = 1, kSparkInherited = 2, kSparkFallback = 4, kSparkSelf = 8 };

class SparkRun {
 public:
  explicit SparkRun(SparkOptions options = {});

  trace::SchemaPtr schema;
  const SparkOptions& options() const { return options_; }
  const std::vector<std::int32_t>& ids() const { return ids_; }                // probe sequence 0
  const std::vector<std::int64_t>& distinct_ids() const { return distinct_; }  // rising; the axis `id`
  std::string piece(std::int64_t id) const;                                    // " mabe"

  // The next frame, at `step`: every channel that is due there; the first one also carries what is written
  // once. `events`: JSON texts.
  std::shared_ptr<trace::Frame> frame(std::uint64_t step, const std::vector<std::string>& events = {});
  // The same with `edges` of every pair of every layer, where edges are due; `turn` turns their reasons.
  std::shared_ptr<trace::Frame> dense_frame(std::uint64_t step, std::uint64_t turn = 0);
  // frame(0) to frame(count - 1).
  std::vector<trace::FramePtr> frames(std::uint64_t count);

  // What is true at a step. Scores and thresholds are the recorded floats.
  float theta(std::uint64_t step, std::int64_t layer) const;
  float score(std::uint64_t step, std::int64_t layer, std::int64_t position, std::int64_t id) const;
  bool declares(std::uint64_t step, std::int64_t layer, std::int64_t position, std::int64_t id) const {
    return score(step, layer, position, id) > theta(step, layer);
  }
  // Reasons of every pair, row = query, [T,T]; 0: not in scope.
  std::vector<std::uint8_t> reasons(std::uint64_t step, std::int64_t layer) const;
  // Attention weights of every pair, [T,T]; every row sums to 1.
  std::vector<float> weights(std::uint64_t step, std::int64_t layer) const;

 private:
  void add_step(trace::Frame& frame) const;
  void add_evaluation(trace::Frame& frame) const;
  void add_probe(trace::Frame& frame) const;
  void add_edges(trace::Frame& frame) const;
  void add_once(trace::Frame& frame) const;

  SparkOptions options_;
  std::vector<std::int32_t> ids_;
  std::vector<std::int64_t> distinct_;
  std::uint64_t next_row_ = 0;
};

}  // namespace sparsescope::test
