// A 64-bit fingerprint of bytes, the same on any little-endian machine. For versions, not against an
// adversary.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sparsescope::viz {

// Four lanes of multiply and rotate: the bytes of a map are many, and the fingerprint must not be what takes
// long.
inline std::uint64_t fingerprint(std::uint64_t seed, const void* data, std::size_t bytes) {
  constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15ull;
  std::uint64_t lanes[4] = {seed, seed ^ 0x243f6a8885a308d3ull, seed ^ 0x13198a2e03707344ull,
                            seed ^ 0xa4093822299f31d0ull};
  const auto mix = [&](const unsigned char* from) {
    for (int lane = 0; lane < 4; ++lane) {
      std::uint64_t word = 0;
      std::memcpy(&word, from + 8 * lane, 8);
      lanes[lane] = std::rotl((lanes[lane] ^ word) * kFactor, 29);
    }
  };
  const auto* from = static_cast<const unsigned char*>(data);
  for (; bytes >= 32; bytes -= 32, from += 32) mix(from);
  unsigned char rest[32] = {};
  if (bytes > 0) std::memcpy(rest, from, bytes);
  mix(rest);
  std::uint64_t whole = bytes;
  for (const std::uint64_t lane : lanes) whole = (whole ^ lane ^ (lane >> 31)) * kFactor;
  return whole ^ (whole >> 29);
}

}  // namespace sparsescope::viz
