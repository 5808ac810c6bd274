#include "engine/train/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "engine/data/sha256.h"
#include "engine/trace/error.h"

namespace sparsescope::train {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are stored as they lie in memory");

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr int kMaxHeaderDepth = 3;
constexpr std::string_view kDigestKey = "sha256";

struct TypeRow {
  std::string_view name;
  std::size_t bytes;
};
constexpr std::array kTypes = {TypeRow{"F64", 8}, TypeRow{"F32", 4}, TypeRow{"F16", 2}, TypeRow{"BF16", 2},
                               TypeRow{"I64", 8}, TypeRow{"I32", 4}, TypeRow{"I16", 2}, TypeRow{"I8", 1},
                               TypeRow{"U8", 1},  TypeRow{"BOOL", 1}};

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(name + " is not a usable checkpoint: " + why, ExitCode::Refused);
}

// Parses the header, refusing duplicate keys and deep nesting, which the JSON library would accept in
// silence.
nlohmann::json parse_header(std::string_view text, const std::string& name) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > kMaxHeaderDepth) refuse(name, "its header is nested too deeply");
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second) {
      refuse(name, "its header names '" + parsed.get<std::string>() + "' twice");
    }
    return true;
  };
  try {
    nlohmann::json header = nlohmann::json::parse(text, watch);
    if (!header.is_object()) refuse(name, "its header is no JSON object");
    return header;
  } catch (const nlohmann::json::exception&) {
    refuse(name, "its header is no valid JSON");
  }
}

std::uint64_t unsigned_from(const nlohmann::json& value, const std::string& name) {
  if (!value.is_number_unsigned()) refuse(name, "its header has something else where a size belongs");
  return value.get<std::uint64_t>();
}

struct Entry {
  std::string name, dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;
};

Entry entry_from(const std::string& key, const nlohmann::json& value, const std::string& name) {
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets") || !value["dtype"].is_string() || !value["shape"].is_array() ||
      !value["data_offsets"].is_array() || value["data_offsets"].size() != 2 || value["shape"].size() > 8) {
    refuse(name, "the header entry of tensor '" + key + "' is malformed");
  }
  Entry entry{key, value["dtype"].get<std::string>(), {}, 0, 0};
  entry.begin = unsigned_from(value["data_offsets"][0], name);
  entry.end = unsigned_from(value["data_offsets"][1], name);
  std::uint64_t bytes = tensor_type_bytes(entry.dtype);
  if (bytes == 0) refuse(name, "tensor '" + key + "' has the unknown type '" + entry.dtype + "'");
  for (const nlohmann::json& size : value["shape"]) {
    const std::uint64_t extent = unsigned_from(size, name);
    if (extent > (std::uint64_t{1} << 40) || __builtin_mul_overflow(bytes, extent, &bytes)) {
      refuse(name, "tensor '" + key + "' claims an impossible shape");
    }
    entry.shape.push_back(static_cast<std::int64_t>(extent));
  }
  if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
    refuse(name, "the bytes of tensor '" + key + "' do not fit its shape");
  }
  return entry;
}

std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace

std::size_t tensor_type_bytes(std::string_view dtype) {
  for (const TypeRow& row : kTypes) {
    if (row.name == dtype) return row.bytes;
  }
  return 0;
}

const NamedTensor* TensorFile::find(std::string_view name) const {
  for (const NamedTensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

std::string sha256_hex(std::span<const std::span<const std::byte>> parts) {
  data::Sha256 digest;
  for (std::span<const std::byte> part : parts)
    digest.add(std::string_view(reinterpret_cast<const char*>(part.data()), part.size()));
  return digest.hex();
}

EncodedTensors encode_tensors(const std::map<std::string, std::string>& metadata,
                              std::span<const NamedTensor> tensors) {
  nlohmann::ordered_json header;
  header["__metadata__"] = metadata;
  header["__metadata__"][std::string(kDigestKey)] = std::string(64, '0');
  std::uint64_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    std::uint64_t bytes = tensor_type_bytes(tensor.dtype);
    for (std::int64_t extent : tensor.shape) bytes *= static_cast<std::uint64_t>(extent);
    check(bytes == tensor.bytes.size() && tensor_type_bytes(tensor.dtype) > 0,
          "tensor '" + tensor.name + "' does not fit its shape");
    check(!header.contains(tensor.name), "two tensors are called '" + tensor.name + "'");
    header[tensor.name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  EncodedTensors encoded;
  encoded.header.assign(reinterpret_cast<const char*>(&length), sizeof length);
  encoded.header += text;

  std::vector<std::span<const std::byte>> parts = {as_bytes(encoded.header)};
  for (const NamedTensor& tensor : tensors) parts.push_back(tensor.bytes);
  encoded.sha256 = sha256_hex(parts);
  const std::string marker = "\"" + std::string(kDigestKey) + "\":\"" + std::string(64, '0');
  const std::size_t place = encoded.header.find(marker);
  check(place != std::string::npos, "the digest's place in the header was not found");
  encoded.header.replace(place + marker.size() - 64, 64, encoded.sha256);
  return encoded;
}

TensorFile parse_tensor_file(std::vector<std::byte> bytes, const std::string& name) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) refuse(name, "it is shorter than a header");
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kMaxHeaderBytes || length > bytes.size() - sizeof length) {
    refuse(name, "its header claims " + std::to_string(length) + " bytes, the file has " +
                     std::to_string(bytes.size()));
  }
  TensorFile file;
  file.storage = std::move(bytes);
  const std::string_view text(reinterpret_cast<const char*>(file.storage.data()) + sizeof length, length);
  const nlohmann::json header = parse_header(text, name);

  // Metadata first: without a digest nothing else is worth reading.
  if (!header.contains("__metadata__") || !header["__metadata__"].is_object())
    refuse(name, "it carries no metadata");
  for (const auto& [key, value] : header["__metadata__"].items()) {
    if (!value.is_string()) refuse(name, "its metadata '" + key + "' is no text");
    file.metadata[key] = value.get<std::string>();
  }
  const auto digest = file.metadata.find(std::string(kDigestKey));
  if (digest == file.metadata.end() || digest->second.size() != 64) refuse(name, "it carries no digest");
  file.sha256 = digest->second;
  file.metadata.erase(digest);
  const std::size_t place = text.find(file.sha256);
  if (place == std::string_view::npos) refuse(name, "its digest is written in an unusual way");
  const std::span<const std::byte> all(file.storage);
  const std::size_t digest_begin = sizeof length + place;
  const std::string zeros(64, '0');
  const std::array parts = {all.first(digest_begin), as_bytes(zeros), all.subspan(digest_begin + 64)};
  if (sha256_hex(parts) != file.sha256)
    refuse(name, "its digest does not match its content; it was damaged or changed");

  std::vector<Entry> entries;
  for (const auto& [key, value] : header.items()) {
    if (key != "__metadata__") entries.push_back(entry_from(key, value, name));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  const std::span<const std::byte> data = all.subspan(sizeof length + length);
  std::uint64_t expected = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != expected) refuse(name, "tensor '" + entry.name + "' overlaps another or leaves a gap");
    if (entry.end > data.size()) refuse(name, "tensor '" + entry.name + "' ends behind the end of the file");
    file.tensors.push_back(
        {entry.name, entry.dtype, entry.shape, data.subspan(entry.begin, entry.end - entry.begin)});
    expected = entry.end;
  }
  if (expected != data.size())
    refuse(name, std::to_string(data.size() - expected) + " bytes at its end belong to no tensor");
  return file;
}

}  // namespace sparsescope::train
