// The safetensors layout: named little-endian tensors behind a JSON header, with a digest over the whole
// file. No torch and no meaning here: what a checkpoint holds is checkpoint.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sparsescope::train {

// A tensor of a file. `dtype` is the layout's name: F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL.
struct NamedTensor {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // row-major; owned by somebody else
};

// Bytes of one element, 0 for a name the layout does not know.
std::size_t tensor_type_bytes(std::string_view dtype);

// A whole file in memory; the tensors' bytes point into `storage`.
struct TensorFile {
  std::map<std::string, std::string> metadata;  // without "sha256"
  std::vector<NamedTensor> tensors;             // in the order of their bytes
  std::string sha256;                           // 64 hex digits, checked
  std::vector<std::byte> storage;

  TensorFile() = default;
  TensorFile(TensorFile&&) = default;  // moving a vector keeps its buffer, so the spans stay valid
  TensorFile& operator=(TensorFile&&) = default;
  TensorFile(const TensorFile&) = delete;
  TensorFile& operator=(const TensorFile&) = delete;

  const NamedTensor* find(std::string_view name) const;
};

// The file's bytes in pieces: header (with its length), then each tensor's own bytes.
struct EncodedTensors {
  std::string header;  // 8 bytes of length, then the JSON, padded with spaces to a multiple of 8
  std::string sha256;  // of the whole file with these 64 digits set to '0' in the header
};
// Throws std::logic_error for tensors whose bytes do not fit their shape, and for two of one name.
EncodedTensors encode_tensors(const std::map<std::string, std::string>& metadata,
                              std::span<const NamedTensor> tensors);

// Writes the file under a temporary name beside `path`, fsyncs, renames, fsyncs the folder: `path` is whole
// or absent. Returns the digest. Throws Error naming the path's file name and the system's reason.
std::string write_tensor_file(const std::string& path, const std::map<std::string, std::string>& metadata,
                              std::span<const NamedTensor> tensors);

// Parses and checks bytes that nobody vouches for: header at most 100 MB and three levels deep, no duplicate
// names, offsets ascending without gap or overlap up to the last byte, digest equal. Throws Error (Refused);
// `name` is for the sentence.
TensorFile parse_tensor_file(std::vector<std::byte> bytes, const std::string& name);

// Reads a file and parses it. Throws Error (Refused) for what is missing, unreadable, damaged or no tensor
// file.
TensorFile read_tensor_file(const std::string& path);

// SHA-256 of `parts` one after the other, 64 lower-case hex digits.
std::string sha256_hex(std::span<const std::span<const std::byte>> parts);

}  // namespace sparsescope::train
