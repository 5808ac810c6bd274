// Which rows a routing graph is made of, and their roll-ups: read, known, summed now or summed aside.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "viz/model/routing_query.h"

namespace sparsescope::viz {

// The graph of a run at a step, as far as it is at hand.
struct RoutingSide {
  RowCache::State state = RowCache::State::Missing;
  std::string message;
  std::uint64_t step = 0;
  EdgeRollupPtr rollup;
  RoutingHeads heads;
  bool is_summing = false;  // Loading: everything was read, the sums are made aside
};

// The step of the latest sample at or before `step`.
std::optional<std::uint64_t> routing_sample_step(const Run& run, const char* channel, std::uint64_t step);

// What was begun aside, once it is made; work that is done here waits for it.
template <typename Result>
std::optional<Result> finished(Aside<Result>& aside, RoutingWork work) {
  return work == RoutingWork::Here ? aside.wait() : aside.take();
}

class RoutingReader {
 public:
  // Sides of `layers` layers and `tokens` tokens. `waiting` is kept busy while something is summed aside.
  RoutingReader(Run& waiting, RoutingMemory& memory, RoutingWork work, std::int64_t layers,
                std::int64_t tokens, std::optional<std::int64_t> head)
      : waiting_(waiting), memory_(memory), work_(work), layers_(layers), tokens_(tokens), head_(head) {}

  // Recorded edges, or the scopes of a later probe unless weights are asked for.
  RoutingSide latest(Run& run, std::uint64_t step, RoutingSource source);
  RoutingSide edges(Run& run, std::uint64_t step);
  RoutingSide declared(Run& run, std::uint64_t step);

 private:
  using Rolled = RoutingMemory::Rolled;
  // The roll-up that is wanted: known, made now by `deed`, or begun aside where there may be many pairs.
  RoutingSide roll(std::uint64_t step, Rolled wanted, std::int64_t most_pairs,
                   std::function<void(Rolled&)> deed);

  Run& waiting_;
  RoutingMemory& memory_;
  RoutingWork work_;
  std::int64_t layers_, tokens_;
  std::optional<std::int64_t> head_;
};

}  // namespace sparsescope::viz
