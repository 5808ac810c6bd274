// Chunk grids of a row.
#include "engine/record/chunk_plan.h"

#include <algorithm>
#include <cstring>

#include "engine/trace/error.h"

namespace sparsescope::record {
namespace {

std::uint64_t product(const Extents& extents) {
  std::uint64_t result = 1;
  for (const std::uint64_t extent : extents) result *= extent;
  return result;
}

// Walks the intersection of the row and one chunk as runs of whole elements along the last axis.
template <typename Copy>
void for_each_run(std::size_t element, const Extents& dims, const Extents& chunk, const Extents& origin,
                  Copy copy) {
  if (dims.empty()) return copy(0, 0, element);
  Extents extent(dims.size());
  for (std::size_t axis = 0; axis < dims.size(); ++axis)
    extent[axis] = std::min(chunk[axis], dims[axis] - origin[axis]);
  const std::size_t last = dims.size() - 1;
  Extents place(dims.size(), 0);
  while (true) {
    std::uint64_t in_row = 0, in_chunk = 0;
    for (std::size_t axis = 0; axis <= last; ++axis) {
      in_row = in_row * dims[axis] + origin[axis] + place[axis];
      in_chunk = in_chunk * chunk[axis] + place[axis];
    }
    copy(in_row * element, in_chunk * element, extent[last] * element);
    std::size_t axis = last;
    while (axis > 0 && ++place[axis - 1] == extent[axis - 1]) place[--axis] = 0;
    if (axis == 0) return;
  }
}

}  // namespace

std::size_t stored_element_bytes(const trace::Channel& channel) {
  return channel.dtype == trace::DType::Record ? channel.record_bytes : trace::dtype_bytes(channel.dtype);
}

Extents stored_dims(const trace::Channel& channel) {
  Extents dims;
  for (const trace::Axis& axis : channel.axes) dims.push_back(static_cast<std::uint64_t>(axis.size));
  if (channel.dtype == trace::DType::Bits) dims.back() = (dims.back() + 7) / 8;
  return dims;
}

Extents inner_chunk(const trace::Channel& channel) {
  return Extents(channel.chunk.begin() + 1, channel.chunk.end());
}

std::size_t chunk_bytes(const trace::Channel& channel) {
  std::size_t bytes = stored_element_bytes(channel);
  for (const std::int64_t extent : channel.chunk) bytes *= static_cast<std::size_t>(extent);
  return bytes;
}

void check_chunk_plan(const trace::Channel& channel) {
  const auto refuse = [&](const std::string& why) {
    throw Error("channel '" + channel.name + "' cannot be recorded: " + why, ExitCode::Refused);
  };
  const Extents dims = stored_dims(channel);
  if (channel.chunk.size() != dims.size() + 1) refuse("its chunk has another rank than its rows");
  unsigned __int128 bytes = stored_element_bytes(channel);
  for (const std::int64_t extent : channel.chunk) {
    if (extent < 1) refuse("its chunk is empty");
    bytes *= static_cast<unsigned __int128>(extent);
    if (bytes > kMaxChunkBytes) refuse("its chunk is larger than 64 MiB");
  }
  const bool is_row_of_chunks =
      channel.kind == trace::ChannelKind::Dense && channel.storage == trace::StorageClass::Once;
  const Extents inner = inner_chunk(channel);
  if (is_row_of_chunks && channel.chunk.front() != 1) refuse("a chunk holds more than one row");
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    if (is_row_of_chunks ? inner[axis] > dims[axis] : inner[axis] != dims[axis])
      refuse("its chunk does not fit its rows");
  }
  if (channel.shuffle && !channel.deflate) refuse("shuffle without deflate is not in the format");
  if (channel.deflate && channel.storage == trace::StorageClass::Packed)
    refuse("packed channels have no filters");
  if (product(dims) * stored_element_bytes(channel) != channel.unit_bytes())
    refuse("its row size does not add up");
}

void for_each_chunk(const Extents& dims, const Extents& chunk,
                    const std::function<void(const Extents& origin)>& visit) {
  Extents origin(dims.size(), 0);
  while (true) {
    visit(origin);
    std::size_t axis = dims.size();
    while (axis > 0 && (origin[axis - 1] += chunk[axis - 1]) >= dims[axis - 1]) origin[--axis] = 0;
    if (axis == 0) return;
  }
}

void gather_chunk(std::span<const std::byte> row, std::size_t element, const Extents& dims,
                  const Extents& chunk, const Extents& origin, std::span<std::byte> out) {
  std::fill(out.begin(), out.end(), std::byte{0});
  for_each_run(element, dims, chunk, origin,
               [&](std::size_t in_row, std::size_t in_chunk, std::size_t bytes) {
                 std::memcpy(out.data() + in_chunk, row.data() + in_row, bytes);
               });
}

void scatter_chunk(std::span<const std::byte> in, std::size_t element, const Extents& dims,
                   const Extents& chunk, const Extents& origin, std::span<std::byte> row) {
  for_each_run(element, dims, chunk, origin,
               [&](std::size_t in_row, std::size_t in_chunk, std::size_t bytes) {
                 std::memcpy(row.data() + in_row, in.data() + in_chunk, bytes);
               });
}

}  // namespace sparsescope::record
