// SHA-256 (FIPS 180-4): names corpora and cache entries, and tells a damaged cache file from a whole one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sparsescope::data {

class Sha256 {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  Sha256& add(std::string_view bytes);
  // A number as eight little-endian bytes.
  Sha256& add(std::uint64_t number);
  // Ends the message; the object is used up.
  Digest digest();
  std::string hex();

 private:
  void compress(const std::uint8_t* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> pending_{};
  std::size_t pending_bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
};

inline std::string sha256_hex(std::string_view bytes) { return Sha256().add(bytes).hex(); }

}  // namespace sparsescope::data
