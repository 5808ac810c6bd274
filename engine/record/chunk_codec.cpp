// Shuffle, zlib through libdeflate, CRC32C in hardware where the processor has it.
#include "engine/record/chunk_codec.h"

#include <libdeflate.h>

#include <array>
#include <cstring>
#include <memory>
#include <new>

namespace sparsescope::record {
namespace {

// Level 6 buys 1 to 2 % on heat maps and 6 % on masks, for a quarter to two thirds of the speed.
constexpr int kLevel = 1;

libdeflate_compressor* compressor() {
  thread_local const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> owner(
      libdeflate_alloc_compressor(kLevel), libdeflate_free_compressor);
  if (!owner) throw std::bad_alloc();
  return owner.get();
}

libdeflate_decompressor* decompressor() {
  thread_local const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> owner(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!owner) throw std::bad_alloc();
  return owner.get();
}

// Bytes after the last whole element stay where they are, as in HDF5's own filter.
void shuffle(std::span<const std::byte> raw, std::size_t element, std::byte* out) {
  const std::size_t count = raw.size() / element;
  for (std::size_t byte = 0; byte < element; ++byte) {
    const std::byte* in = raw.data() + byte;
    for (std::size_t i = 0; i < count; ++i) *out++ = in[i * element];
  }
  std::memcpy(out, raw.data() + count * element, raw.size() - count * element);
}

void unshuffle(std::span<const std::byte> shuffled, std::size_t element, std::byte* out) {
  const std::size_t count = shuffled.size() / element;
  const std::byte* in = shuffled.data();
  for (std::size_t byte = 0; byte < element; ++byte) {
    for (std::size_t i = 0; i < count; ++i) out[i * element + byte] = *in++;
  }
  std::memcpy(out + count * element, in, shuffled.size() - count * element);
}

std::uint32_t skip_all(Filters filters) { return filters.shuffle ? 3 : filters.deflate ? 1 : 0; }

constexpr std::array<std::uint32_t, 256> kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78u : 0u);
    table[i] = value;
  }
  return table;
}();

std::uint32_t crc_portable(const std::byte* at, std::size_t size, std::uint32_t crc) {
  for (std::size_t i = 0; i < size; ++i)
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint32_t>(at[i])) & 0xff];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc_hardware(const std::byte* at, std::size_t size,
                                                             std::uint32_t crc) {
  std::uint64_t state = crc;
  for (; size >= 8; at += 8, size -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    state = __builtin_ia32_crc32di(state, word);
  }
  crc = static_cast<std::uint32_t>(state);
  for (; size > 0; ++at, --size) crc = __builtin_ia32_crc32qi(crc, static_cast<unsigned char>(*at));
  return crc;
}
#endif

}  // namespace

EncodedChunk encode_chunk(std::span<const std::byte> raw, std::size_t element, Filters filters) {
  EncodedChunk chunk;
  if (filters.deflate) {
    thread_local std::vector<std::byte> shuffled;
    std::span<const std::byte> input = raw;
    if (filters.shuffle) {
      shuffled.resize(raw.size());
      shuffle(raw, element, shuffled.data());
      input = shuffled;
    }
    chunk.bytes.resize(raw.size());
    const std::size_t size = libdeflate_zlib_compress(compressor(), input.data(), input.size(),
                                                      chunk.bytes.data(), chunk.bytes.size());
    if (size > 0 && size < raw.size()) {
      chunk.bytes.resize(size);
      chunk.bytes.shrink_to_fit();
      return chunk;
    }
  }
  chunk.bytes.assign(raw.begin(), raw.end());
  chunk.filter_mask = skip_all(filters);
  return chunk;
}

bool decode_chunk(std::span<const std::byte> stored, std::uint32_t filter_mask, std::size_t element,
                  Filters filters, std::span<std::byte> raw) {
  if (!filters.deflate || filter_mask == skip_all(filters)) {
    if (stored.size() != raw.size() || filter_mask != skip_all(filters)) return false;
    std::memcpy(raw.data(), stored.data(), raw.size());
    return true;
  }
  if (filter_mask != 0) return false;
  thread_local std::vector<std::byte> shuffled;
  if (filters.shuffle) shuffled.resize(raw.size());
  std::byte* out = filters.shuffle ? shuffled.data() : raw.data();
  std::size_t in_bytes = 0, out_bytes = 0;
  const libdeflate_result result = libdeflate_zlib_decompress_ex(decompressor(), stored.data(), stored.size(),
                                                                 out, raw.size(), &in_bytes, &out_bytes);
  if (result != LIBDEFLATE_SUCCESS || out_bytes != raw.size()) return false;
  if (filters.shuffle) unshuffle(shuffled, element, raw.data());
  return true;
}

std::size_t encoded_limit(std::size_t raw_bytes) { return raw_bytes + raw_bytes / 256 + 1024; }

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
  const std::uint32_t begin = ~before;
#if defined(__x86_64__)
  static const bool has_hardware = __builtin_cpu_supports("sse4.2") != 0;
  if (has_hardware) return ~crc_hardware(bytes.data(), bytes.size(), begin);
#endif
  return ~crc_portable(bytes.data(), bytes.size(), begin);
}

}  // namespace sparsescope::record
