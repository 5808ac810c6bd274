// What an evaluation needs of a model: ids in, logits out. So that an oracle can stand in for a model in
// tests.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace sparsescope::evaluate {

struct LogitsSource {
  std::function<at::Tensor(const at::Tensor& ids)> logits;  // ids [B,T] i64 -> [B,T,V], no gradient
  at::Device device = at::kCPU;                             // where ids are expected
  // The same for positions first .. last-1 alone, [B,last-first,V], for a source that can save the others.
  std::function<at::Tensor(const at::Tensor& ids, std::int64_t first, std::int64_t last)> part;

  at::Tensor logits_at(const at::Tensor& ids, std::int64_t first, std::int64_t last) const {
    return part ? part(ids, first, last) : logits(ids).slice(1, first, last);
  }
};

// Host ids as [rows, columns] i64 on `device`.
at::Tensor ids_tensor(const std::vector<std::int32_t>& ids, std::int64_t rows, std::int64_t columns,
                      at::Device device);

// -ln P(target) for each row: logits [R,V], targets [R] i64 -> [R] fp64 on the CPU, the log-softmax in fp32
// or wider.
at::Tensor token_nll(const at::Tensor& logits, const at::Tensor& targets);

}  // namespace sparsescope::evaluate
