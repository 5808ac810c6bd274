// What happens to the bytes of a chunk on their way: byte shuffle, zlib, CRC32C. Knows no file and no HDF5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sparsescope::record {

struct Filters {
  bool shuffle = false;  // byte i of every element together
  bool deflate = false;  // zlib, level 1
};

struct EncodedChunk {
  std::vector<std::byte> bytes;
  std::uint32_t filter_mask = 0;  // one bit per filter that was skipped, all or none
};

// Filters a whole chunk of elements of `element` bytes; raw with every filter skipped when that is not
// larger.
EncodedChunk encode_chunk(std::span<const std::byte> raw, std::size_t element, Filters filters);

// The reverse. False when `stored` does not fill `raw` exactly or skips some filters only: the chunk is
// damaged.
bool decode_chunk(std::span<const std::byte> stored, std::uint32_t filter_mask, std::size_t element,
                  Filters filters, std::span<std::byte> raw);

// Stored bytes of a chunk of `raw_bytes` are at most this many.
std::size_t encoded_limit(std::size_t raw_bytes);

// CRC-32C (Castagnoli) of `bytes` continued from `before`; 0 begins.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace sparsescope::record
