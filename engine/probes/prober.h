// Taking probes: queued on the device behind what it is doing, fetched later, so that the next training step
// can run while the host packs what they saw.
#pragma once

#include <c10/core/Event.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/model/device_graph.h"
#include "engine/probes/probe.h"

namespace sparsescope::probes {

// Milliseconds of one call.
struct ProbeTimes {
  double device_ms = 0;  // in which the device of the model (the thread, on a CPU) did nothing else
  double copy_ms = 0;    // the part of it that moved results to the host
  double host_ms = 0;    // packing afterwards; beside a training step that was queued in between
};
struct Measured {
  std::string_view channel;
  ProbeBytes bytes;
};
struct Probed {
  std::vector<Measured> measured;
  ProbeTimes times;
};

class Prober {
 public:
  // Sequences above are probed operation by operation: a graph would hold their T x T matrices for good.
  static constexpr std::int64_t kLongestCaptured = 1024;  // tokens

  // `model` outlives the prober. With a pool, on a GPU: every set of channels is one graph in it.
  Prober(const model::LanguageModel& model, ProbeBatch batch, std::optional<model::GraphPool> pool);

  const ProbeBatch& batch() const { return batch_; }
  // Puts another text in the place of probe sequence 0, [T] i64.
  void set_sequence(const at::Tensor& ids);

  // Makes ready what begin() would make ready at first use.
  void prepare(std::span<const std::string_view> channels) { set_of(channels); }
  // Queues one pass over the texts, without gradient, for those of the channels that apply to the model. On a
  // GPU the call returns before it has run; what is queued afterwards may change the model. One at a time:
  // finish() first.
  void begin(std::span<const std::string_view> channels);
  bool is_begun() const { return begun_ != nullptr; }
  // Waits for it and packs.
  Probed finish();

 private:
  // What belongs to a set of channels. Results are fetched into pinned memory of its own: one block is
  // enough, as finish() empties it before the next begin().
  struct Set {
    std::vector<const Probe*> probes;
    std::vector<at::Tensor> results;  // on the device
    std::vector<at::Tensor> fetched;  // on the host
    std::unique_ptr<model::DeviceGraph> graph;
  };
  // Points of the stream whose times can be asked for.
  struct Marks {
    c10::Event begun, computed, fetched;
  };

  Set& set_of(std::span<const std::string_view> channels);
  std::vector<at::Tensor> measure(const std::vector<const Probe*>& probes) const;
  std::vector<at::Tensor> induction() const;

  const model::LanguageModel& model_;
  ProbeBatch batch_;
  std::optional<model::GraphPool> pool_;
  std::map<std::vector<std::string_view>, Set> sets_;
  std::optional<Marks> marks_;  // on a GPU
  double thread_ms_ = 0;        // on a CPU
  Set* begun_ = nullptr;
};

}  // namespace sparsescope::probes
