#include "engine/probes/edges.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/stack.h>

#include <bit>
#include <cstring>

#include "engine/probes/probe.h"
#include "kernels/spark_scope/spark_scope.h"

namespace sparsescope::probes {
namespace {

constexpr std::int64_t kWordBits = 64;

// Rows of [T,T] direct pairs as bits.
class DirectRows {
 public:
  DirectRows(std::span<const std::uint8_t> reasons, std::int64_t tokens)
      : words_((tokens + kWordBits - 1) / kWordBits), bits_(static_cast<std::size_t>(tokens * words_)) {
    for (std::int64_t t = 0; t < tokens; ++t) {
      for (std::int64_t p = 0; p < t; ++p) {
        if ((reasons[static_cast<std::size_t>(t * tokens + p)] & kernels::kDirect) != 0)
          bits_[static_cast<std::size_t>(t * words_ + p / kWordBits)] |= std::uint64_t{1} << (p % kWordBits);
      }
    }
  }
  std::int64_t words() const { return words_; }
  const std::uint64_t* row(std::int64_t t) const { return bits_.data() + t * words_; }

 private:
  std::int64_t words_;
  std::vector<std::uint64_t> bits_;
};

// Calls `take` with each set bit's place, ascending.
template <typename Take>
void for_each_bit(std::uint64_t word, std::int64_t first, const Take& take) {
  for (; word != 0; word &= word - 1) take(first + std::countr_zero(word));
}

// via[p]: the smallest q with direct[t,q] and direct[q,p]. Going through the direct keys of t upwards, the
// first that reaches a pair is its smallest heir.
void smallest_heirs(const DirectRows& direct, std::int64_t t, std::vector<std::uint64_t>& reached,
                    std::vector<std::uint16_t>& via) {
  std::fill(reached.begin(), reached.end(), 0);
  std::fill(via.begin(), via.end(), kNoHeir);
  for (std::int64_t word = 0; word < direct.words(); ++word) {
    for_each_bit(direct.row(t)[word], word * kWordBits, [&](std::int64_t q) {
      for (std::int64_t w = 0; w <= q / kWordBits; ++w) {
        const std::uint64_t fresh = direct.row(q)[w] & ~reached[static_cast<std::size_t>(w)];
        reached[static_cast<std::size_t>(w)] |= fresh;
        for_each_bit(fresh, w * kWordBits, [&](std::int64_t p) {
          via[static_cast<std::size_t>(p)] = static_cast<std::uint16_t>(q);
        });
      }
    });
  }
}

}  // namespace

void append_edges(std::vector<Edge>& edges, std::uint8_t layer, std::int64_t tokens,
                  std::span<const std::uint8_t> reasons, std::span<const float> scores,
                  std::span<const float> weights) {
  const DirectRows direct(reasons, tokens);
  std::vector<std::uint64_t> reached(static_cast<std::size_t>(direct.words()));
  std::vector<std::uint16_t> via(static_cast<std::size_t>(tokens));
  for (std::int64_t t = 0; t < tokens; ++t) {
    smallest_heirs(direct, t, reached, via);
    for (std::int64_t p = 0; p <= t; ++p) {
      const auto place = static_cast<std::size_t>(t * tokens + p);
      const std::uint8_t kind = reasons[place];
      if (kind == 0) continue;
      Edge edge;
      edge.score = scores[place];
      edge.weight = weights[place];
      edge.t = static_cast<std::uint16_t>(t);
      edge.p = static_cast<std::uint16_t>(p);
      if ((kind & kernels::kInherited) != 0) edge.via = via[static_cast<std::size_t>(p)];
      edge.layer = layer;
      edge.kind = kind;
      edges.push_back(edge);
    }
  }
}

at::Tensor edges_of_layer(const LayerInput& input) {
  const auto seen = [&](model::Observation what) { return input.seen.get(what, input.layer)[0]; };
  return at::stack({seen(model::Observation::Scope).to(at::kFloat),
                    seen(model::Observation::Scores).to(at::kFloat),
                    seen(model::Observation::AttentionWeights).to(at::kFloat).mean(0)});
}

ProbeBytes pack_edges(const at::Tensor& pairs) {
  const std::int64_t layers = pairs.size(0), T = pairs.size(2);
  const auto count = static_cast<std::size_t>(T * T);
  std::vector<Edge> edges;
  std::vector<std::uint8_t> reasons(count);
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const std::span<const float> rows(pairs.const_data_ptr<float>() + layer * 3 * T * T, 3 * count);
    for (std::size_t i = 0; i < count; ++i) reasons[i] = static_cast<std::uint8_t>(rows[i]);
    append_edges(edges, static_cast<std::uint8_t>(layer), T, reasons, rows.subspan(count, count),
                 rows.subspan(2 * count));
  }
  ProbeBytes bytes(edges.size() * sizeof(Edge));
  if (!edges.empty()) std::memcpy(bytes.data(), edges.data(), bytes.size());
  return bytes;
}

}  // namespace sparsescope::probes
