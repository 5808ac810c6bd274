// A batch of token ids inside longer rows: what embedding and cross-entropy read. Inputs are the first T ids
// of each row of T + 1, targets the last T.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define SPARSESCOPE_HOST_DEVICE __host__ __device__
#else
#define SPARSESCOPE_HOST_DEVICE
#endif

namespace sparsescope::kernels {

struct TokenIds {
  const std::int64_t* data = nullptr;  // first id of the first row
  std::int64_t rows = 0;               // B
  std::int64_t length = 0;             // T, ids used of each row
  std::int64_t stride = 0;             // >= length, from one row to the next

  SPARSESCOPE_HOST_DEVICE std::int64_t count() const { return rows * length; }
  // Id of token n = b * T + t, n < 2^32: a GPU divides 32 bits much faster than 64.
  SPARSESCOPE_HOST_DEVICE std::int64_t operator[](std::int64_t n) const {
    const std::uint32_t place = std::uint32_t(n), width = std::uint32_t(length);
    return data[std::int64_t(place / width) * stride + place % width];
  }
};

}  // namespace sparsescope::kernels
