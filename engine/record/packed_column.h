// One growing dataset of small rows without filters (/index, step, spans, packed values): rows gather here
// and are written as whole chunks at each commit, the last chunk again and again until it is full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/record/h5.h"

namespace sparsescope::record {

class PackedColumn {
 public:
  // `inner`: dimensions of one row as HDF5 sees them; `set` outlives the column.
  PackedColumn(const h5::Handle& set, std::vector<std::uint64_t> inner, std::size_t row_bytes,
               std::uint64_t chunk_rows);

  // A whole number of rows.
  void append(std::span<const std::byte> bytes);
  std::uint64_t rows() const { return first_ + buffer_.size() / row_bytes_; }
  bool is_dirty() const { return rows() != written_; }
  // Grows the dataset and writes what is new. Bytes of rows written before stay as they are. Throws
  // h5::Failure.
  void write();

 private:
  const h5::Handle& set_;
  std::vector<hsize_t> extent_;  // of the dataset; the first entry grows
  std::size_t row_bytes_;
  std::uint64_t chunk_rows_;
  std::uint64_t first_ = 0;    // row at the start of the buffer, on a chunk border
  std::uint64_t written_ = 0;  // rows that are in the file
  std::vector<std::byte> buffer_;
};

}  // namespace sparsescope::record
