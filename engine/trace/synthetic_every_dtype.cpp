// The synthetic run that visits every corner of the format.
#include <limits>

#include "engine/trace/half.h"
#include "engine/trace/synthetic_runs.h"
#include "engine/trace/text.h"

namespace sparsescope::trace::synthetic {
namespace {

constexpr DType kEveryDType[] = {DType::F16, DType::F32, DType::F64,  DType::U8,     DType::U16, DType::I32,
                                 DType::U32, DType::U64, DType::Bits, DType::Record, DType::Text};

void give_fields(Channel& made) {
  if (made.dtype != DType::Record) return;
  made.record_bytes = 20;  // three bytes of padding at the end, as in the edges of a routing graph
  made.fields = {{"score", DType::F32, 0}, {"weight", DType::F32, 4}, {"t", DType::U16, 8},
                 {"p", DType::U16, 10},    {"via", DType::U16, 12},   {"layer", DType::U8, 14},
                 {"head", DType::U8, 15},  {"kind", DType::U8, 16}};
}

Channel every_channel(DType dtype, ChannelKind kind, StorageClass storage) {
  const bool dense = kind == ChannelKind::Dense, once = storage == StorageClass::Once;
  std::vector<Axis> axes;
  if (dense && once) {
    axes = {axis("layer", 3), axis("query", 50), axis("key", 120)};
    if (dtype == DType::F32)
      axes = {axis("layer", 3), axis("query", 300), axis("key", 256)};  // a row of several chunks
    if (dtype == DType::Bits) axes.back().size = 997;
    if (dtype == DType::Text) axes = {axis("slot", 18)};
  } else if (dense) {
    axes = dtype == DType::Text ? std::vector{axis("slot", 2)}
                                : std::vector{labelled("side", {"left", "right", "both"}), axis("place", 5)};
    if (dtype == DType::Bits) axes.back().size = 37;
  } else if (dtype == DType::Bits) {
    axes = {axis("place", 37)};
  } else if (dtype == DType::U16) {
    axes = {axis("pair", 2)};
  }
  Channel made = channel(std::string(dense ? "dense_" : "ragged_") + (once ? "once_" : "packed_") +
                             std::string(dtype_name(dtype)),
                         dtype, std::move(axes), 0, "1", "synthetic values");
  made.kind = kind;
  made.storage = storage;
  give_fields(made);
  return made;
}

template <typename T>
void put(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof(T));
}

// One element: mostly a slow ramp, now and then a special value.
void put_element(const Channel& made, std::byte* at, std::uint64_t key, std::uint64_t index) {
  const std::uint64_t random = mixed(key, index);
  const double ramp = static_cast<double>(index % 512) / 64.0 - 2.0;
  const double specials[] = {std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(),
                             -0.0,
                             1e-7,
                             65504.0};
  const double real = random % 97 == 0 ? specials[random / 97 % 6] : ramp;
  switch (made.dtype) {
    case DType::F16:
      return put(at, half_from_float(static_cast<float>(real)));
    case DType::F32:
      return put(at, static_cast<float>(real));
    case DType::F64:
      return put(at, real);
    case DType::U8:
      return put(at, static_cast<std::uint8_t>(index / 7));
    case DType::U16:
      return put(at, static_cast<std::uint16_t>(index * 3 + key));
    case DType::I32:
      return put(at, static_cast<std::int32_t>(index) - 40000 * static_cast<std::int32_t>(random % 2));
    case DType::U32:
      return put(at, static_cast<std::uint32_t>(0xfffffff0u + index));
    case DType::U64:
      return put(at, std::numeric_limits<std::uint64_t>::max() - index);
    case DType::Bits:
      return put(at, static_cast<std::uint8_t>(random % 5 == 0 ? random >> 8 : 0));
    case DType::Record:
      put(at, static_cast<float>(real));
      put(at + 4, static_cast<float>(index));
      put(at + 8, static_cast<std::uint16_t>(index));
      put(at + 10, static_cast<std::uint16_t>(index / 2));
      put(at + 12, std::uint16_t{65535});
      put(at + 14, static_cast<std::uint8_t>(index % 6));
      put(at + 15, std::uint8_t{255});
      return put(at + 16, static_cast<std::uint8_t>(1u << (random % 4)));
    case DType::Text: {
      std::string text =
          "{\"step\":" + std::to_string(index) + ",\"text\":\"\xCE\xB8 = " + std::to_string(ramp) + "\"}";
      if (random % 7 == 0) text = std::string(kTextBytes, 'x');  // fills the element to its last byte
      std::memcpy(at, text.data(), text.size());
      return;
    }
  }
}

// Bits beyond the last axis' size are zero.
void clear_padding(const Channel& made, std::vector<std::byte>& bytes) {
  if (made.dtype != DType::Bits || made.axes.back().size % 8 == 0) return;
  const auto row = static_cast<std::size_t>(made.axes.back().size + 7) / 8;
  for (std::size_t at = row - 1; at < bytes.size(); at += row)
    bytes[at] &= static_cast<std::byte>((1u << (made.axes.back().size % 8)) - 1);
}

std::size_t ragged_count(const Channel& made, std::uint64_t key) {
  if (made.storage == StorageClass::Packed) return key % 6;
  const auto chunk = static_cast<std::size_t>(made.chunk.front());
  const std::size_t counts[] = {0, 1, chunk / 3, chunk, chunk + 3};
  return counts[key % 5];
}

}  // namespace

Schema every_dtype_schema(const SyntheticOptions& options) {
  Schema schema = head(options, "every dtype \xE2\x9C\x93");
  for (ChannelKind kind : {ChannelKind::Dense, ChannelKind::Ragged}) {
    for (StorageClass storage : {StorageClass::Packed, StorageClass::Once}) {
      for (DType dtype : kEveryDType) schema.channels.push_back(every_channel(dtype, kind, storage));
    }
  }
  schema.channels.push_back(
      channel("noise", DType::U8, {axis("place", 20000)}, 0, "1", "bytes that no method compresses"));
  return finish_schema(std::move(schema));
}

void fill_every_dtype(const SyntheticOptions& options, const Schema& schema, Frame& frame) {
  frame.step = frame.row - frame.row / 7;
  frame.mono_nanos = static_cast<std::int64_t>(frame.row) * kStepNanos;
  frame.unix_nanos = kEpochNanos + frame.mono_nanos - (frame.row % 11 == 5 ? 3'600'000'000'000 : 0);
  if (frame.row % 11 == 5) frame.flags |= kFlagWallClockJumped;
  if (frame.row % 13 == 6) frame.flags |= kFlagProbeDropped;
  for (const Channel& made : schema.channels) {
    const std::uint64_t key = mixed(options.seed, frame.row, made.id);
    if (key % (made.storage == StorageClass::Once ? 5 : 3) != 0) continue;
    ChannelData part{made.id, {}};
    const std::size_t count = made.kind == ChannelKind::Dense ? 1 : ragged_count(made, key >> 8);
    part.bytes.resize(count * made.unit_bytes());
    const std::size_t element = made.dtype == DType::Record ? made.record_bytes : dtype_bytes(made.dtype);
    for (std::size_t i = 0; i * element < part.bytes.size(); ++i) {
      if (made.name == "noise") {
        part.bytes[i] = static_cast<std::byte>(mixed(key, i));
      } else {
        put_element(made, part.bytes.data() + i * element, key, i);
      }
    }
    clear_padding(made, part.bytes);
    if (made.dtype == DType::F64 && !part.bytes.empty()) frame.flags |= kFlagNonFinite;
    frame.present.add(made.id);
    frame.data.push_back(std::move(part));
  }
}

}  // namespace sparsescope::trace::synthetic
