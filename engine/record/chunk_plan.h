// How the rows of a channel are cut into chunks: grids, and copies between a row and its chunks. No HDF5, no
// compression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/trace/schema.h"

namespace sparsescope::record {

inline constexpr std::size_t kMaxChunkBytes = 64 << 20;
inline constexpr std::size_t kMaxFrameBytes = 256u << 20;
inline constexpr std::uint64_t kMaxRows = 1u << 24;
inline constexpr std::uint64_t kIndexChunkRows = 256, kStepChunkRows = 512, kSpansChunkRows = 256;

using Extents = std::vector<std::uint64_t>;

// Bytes of one stored element: a number, a byte of eight bits, a record, a text.
std::size_t stored_element_bytes(const trace::Channel& channel);
// Inner dimensions of `values`: the axes' sizes, the last one of bits in bytes.
Extents stored_dims(const trace::Channel& channel);
// The chunk without its first entry.
Extents inner_chunk(const trace::Channel& channel);
std::size_t chunk_bytes(const trace::Channel& channel);

// Throws Error (Refused) unless chunk and filters are what the storage class allows.
void check_chunk_plan(const trace::Channel& channel);

// Calls `visit` with the origin of every chunk of a row with dimensions `dims`, row-major.
void for_each_chunk(const Extents& dims, const Extents& chunk,
                    const std::function<void(const Extents& origin)>& visit);
// Copies the part of `row` that lies in the chunk at `origin` into `out` (a whole chunk, zero where outside
// the row).
void gather_chunk(std::span<const std::byte> row, std::size_t element, const Extents& dims,
                  const Extents& chunk, const Extents& origin, std::span<std::byte> out);
// The reverse: puts the chunk's elements into the row.
void scatter_chunk(std::span<const std::byte> in, std::size_t element, const Extents& dims,
                   const Extents& chunk, const Extents& origin, std::span<std::byte> row);

}  // namespace sparsescope::record
