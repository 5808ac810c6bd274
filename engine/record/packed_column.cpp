// Packed chunks.
#include "engine/record/packed_column.h"

#include <algorithm>
#include <cstring>

namespace sparsescope::record {

PackedColumn::PackedColumn(const h5::Handle& set, std::vector<std::uint64_t> inner, std::size_t row_bytes,
                           std::uint64_t chunk_rows)
    : set_(set), extent_(inner.begin(), inner.end()), row_bytes_(row_bytes), chunk_rows_(chunk_rows) {
  extent_.insert(extent_.begin(), 0);
}

void PackedColumn::append(std::span<const std::byte> bytes) {
  check(bytes.size() % row_bytes_ == 0, "not a whole number of rows");
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void PackedColumn::write() {
  if (!is_dirty()) return;
  extent_.front() = rows();
  h5::set_extent(set_, extent_);
  const std::size_t chunk_bytes = chunk_rows_ * row_bytes_;
  std::vector<std::byte> padded;
  std::vector<hsize_t> offset(extent_.size(), 0);
  for (std::size_t at = 0; at < buffer_.size(); at += chunk_bytes) {
    std::span<const std::byte> chunk =
        std::span(buffer_).subspan(at, std::min(chunk_bytes, buffer_.size() - at));
    if (chunk.size() < chunk_bytes) {
      padded.assign(chunk_bytes, std::byte{0});
      std::memcpy(padded.data(), chunk.data(), chunk.size());
      chunk = padded;
    }
    offset.front() = first_ + at / row_bytes_;
    h5::write_chunk(set_, offset, chunk, 0, "writing a chunk");
  }
  written_ = rows();
  const std::size_t full = buffer_.size() / chunk_bytes * chunk_bytes;
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(full));
  first_ += full / row_bytes_;
}

}  // namespace sparsescope::record
