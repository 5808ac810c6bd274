#include "engine/trace/schema.h"

#include <algorithm>
#include <array>
#include <set>

#include "engine/trace/error.h"

namespace sparsescope::trace {
namespace {

struct DTypeRow {
  DType dtype;
  std::string_view name;
  std::size_t bytes;
};
constexpr std::array kDTypes = {
    DTypeRow{DType::F16, "f16", 2},      DTypeRow{DType::F32, "f32", 4},
    DTypeRow{DType::F64, "f64", 8},      DTypeRow{DType::U8, "u8", 1},
    DTypeRow{DType::U16, "u16", 2},      DTypeRow{DType::I32, "i32", 4},
    DTypeRow{DType::U32, "u32", 4},      DTypeRow{DType::U64, "u64", 8},
    DTypeRow{DType::Bits, "bits", 1},    DTypeRow{DType::Record, "record", 0},
    DTypeRow{DType::Text, "text", 1024},
};

constexpr std::size_t kOnceBytes = 16 << 10;  // rows from this size on are stored once, compressed
constexpr std::size_t kOnceChunkBytes = 512 << 10;
constexpr std::size_t kRaggedChunkBytes = 64 << 10;
constexpr std::size_t kPackedChunkBytes = 16 << 10;
constexpr std::size_t kMaxRowBytes = 64 << 20;

bool valid_name(std::string_view name) {
  if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

void validate_channel(const Channel& channel) {
  const auto refuse = [&](const std::string& why) {
    throw Error("channel '" + channel.name + "' cannot be recorded: " + why, ExitCode::Refused);
  };
  if (!valid_name(channel.name)) refuse("a name is [a-z][a-z0-9_]*, at most 63 characters");
  if (channel.axes.size() > 7) refuse("it has more than 7 axes");
  std::set<std::string> axis_names;
  for (const Axis& axis : channel.axes) {
    if (!valid_name(axis.name) || axis.name == "values" || axis.name == "step" || axis.name == "spans") {
      refuse("axis name '" + axis.name + "' is not allowed");
    }
    if (!axis_names.insert(axis.name).second) refuse("two axes are called '" + axis.name + "'");
    if (axis.size < 1 || axis.size > (std::int64_t{1} << 32))
      refuse("axis '" + axis.name + "' has size " + std::to_string(axis.size));
    if (!axis.labels.empty() && static_cast<std::int64_t>(axis.labels.size()) != axis.size) {
      refuse("axis '" + axis.name + "' has labels for another size");
    }
  }
  if (channel.dtype == DType::Bits && channel.axes.empty()) refuse("bits need an axis");
  if ((channel.dtype == DType::Record) != !channel.fields.empty())
    refuse("records, and only they, list fields");
  if (channel.dtype == DType::Record) {
    if (channel.record_bytes == 0 || channel.record_bytes > 4096) refuse("a record has 1 to 4096 bytes");
    for (const RecordField& field : channel.fields) {
      if (!valid_name(field.name)) refuse("field name '" + field.name + "' is not allowed");
      const std::size_t bytes = dtype_bytes(field.dtype);
      if (bytes == 0 || bytes > 8 || field.dtype == DType::Bits)
        refuse("field '" + field.name + "' is not a number");
      if (field.offset + bytes > channel.record_bytes)
        refuse("field '" + field.name + "' lies outside the record");
    }
  }
  unsigned __int128 bytes =
      channel.dtype == DType::Record ? channel.record_bytes : dtype_bytes(channel.dtype);
  for (const Axis& axis : channel.axes) {
    bytes *= static_cast<unsigned __int128>(axis.size);
    if (bytes > (unsigned __int128){kMaxRowBytes} * 8) refuse("one row is larger than 64 MiB");
  }
  if (channel.unit_bytes() > kMaxRowBytes) refuse("one row is larger than 64 MiB");
  if (channel.cadence < 0) refuse("its cadence is negative");
}

// Chunk of a dense row stored once: one row, cut along leading axes until it is small enough.
std::vector<std::int64_t> dense_once_chunk(const Channel& channel) {
  std::vector<std::int64_t> chunk = {1};
  for (const Axis& axis : channel.axes) chunk.push_back(axis.size);
  if (channel.dtype == DType::Bits) chunk.back() = (chunk.back() + 7) / 8;
  const auto bytes = [&] {
    std::size_t product = channel.dtype == DType::Record ? channel.record_bytes : dtype_bytes(channel.dtype);
    for (std::int64_t size : chunk) product *= static_cast<std::size_t>(size);
    return product;
  };
  for (std::size_t axis = 1; axis < chunk.size() && bytes() > kOnceChunkBytes; ++axis) {
    const std::size_t rest = bytes() / static_cast<std::size_t>(chunk[axis]);
    chunk[axis] = std::max<std::int64_t>(
        1, static_cast<std::int64_t>(kOnceChunkBytes / std::max<std::size_t>(rest, 1)));
  }
  return chunk;
}

void plan_storage(Channel& channel) {
  const std::size_t unit = channel.unit_bytes();
  if (channel.kind == ChannelKind::Dense) {
    channel.storage = unit >= kOnceBytes ? StorageClass::Once : StorageClass::Packed;
    if (channel.storage == StorageClass::Once) {
      channel.chunk = dense_once_chunk(channel);
    } else {
      channel.chunk = {std::max<std::int64_t>(
          1, static_cast<std::int64_t>(kPackedChunkBytes / std::max<std::size_t>(unit, 1)))};
      for (const Axis& axis : channel.axes) channel.chunk.push_back(axis.size);
      if (channel.dtype == DType::Bits) channel.chunk.back() = (channel.chunk.back() + 7) / 8;
    }
  } else {
    const std::size_t target = channel.storage == StorageClass::Once ? kRaggedChunkBytes : kPackedChunkBytes;
    channel.chunk = {
        std::max<std::int64_t>(1, static_cast<std::int64_t>(target / std::max<std::size_t>(unit, 1)))};
    for (const Axis& axis : channel.axes) channel.chunk.push_back(axis.size);
    if (channel.dtype == DType::Bits && !channel.axes.empty())
      channel.chunk.back() = (channel.chunk.back() + 7) / 8;
  }
  channel.deflate = channel.storage == StorageClass::Once;
  const bool wide =
      channel.dtype == DType::Record ? channel.record_bytes > 1 : dtype_bytes(channel.dtype) > 1;
  channel.shuffle = channel.deflate && wide && channel.dtype != DType::Text;
}

}  // namespace

std::size_t dtype_bytes(DType dtype) {
  for (const DTypeRow& row : kDTypes) {
    if (row.dtype == dtype) return row.bytes;
  }
  return 0;
}

std::string_view dtype_name(DType dtype) {
  for (const DTypeRow& row : kDTypes) {
    if (row.dtype == dtype) return row.name;
  }
  return "?";
}

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const DTypeRow& row : kDTypes) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

std::size_t Channel::unit_bytes() const {
  std::size_t product = dtype == DType::Record ? record_bytes : dtype_bytes(dtype);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const bool packed_bits = dtype == DType::Bits && i + 1 == axes.size();
    product *= static_cast<std::size_t>(packed_bits ? (axes[i].size + 7) / 8 : axes[i].size);
  }
  return product;
}

std::int64_t Channel::unit_count() const {
  std::int64_t product = 1;
  for (const Axis& axis : axes) product *= axis.size;
  return product;
}

const Axis* Channel::axis(std::string_view axis_name) const {
  for (const Axis& candidate : axes) {
    if (candidate.name == axis_name) return &candidate;
  }
  return nullptr;
}

std::int64_t Channel::label_index(std::string_view axis_name, std::string_view label) const {
  const Axis* found = axis(axis_name);
  if (found == nullptr) return -1;
  const auto it = std::find(found->labels.begin(), found->labels.end(), label);
  return it == found->labels.end() ? -1 : it - found->labels.begin();
}

const Channel* Schema::find(std::string_view name) const {
  for (const Channel& channel : channels) {
    if (channel.name == name) return &channel;
  }
  return nullptr;
}

void validate_schema(const Schema& schema) {
  if (schema.channels.empty() || schema.channels.size() > 256) {
    throw Error("a run records 1 to 256 channels, this one has " + std::to_string(schema.channels.size()),
                ExitCode::Refused);
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < schema.channels.size(); ++i) {
    const Channel& channel = schema.channels[i];
    validate_channel(channel);
    if (channel.id != i)
      throw Error("channel '" + channel.name + "' has id " + std::to_string(channel.id) + " at place " +
                      std::to_string(i),
                  ExitCode::Refused);
    if (!names.insert(channel.name).second)
      throw Error("two channels are called '" + channel.name + "'", ExitCode::Refused);
  }
}

Schema finish_schema(Schema schema) {
  for (std::size_t i = 0; i < schema.channels.size(); ++i)
    schema.channels[i].id = static_cast<std::uint32_t>(i);
  validate_schema(schema);
  for (Channel& channel : schema.channels) plan_storage(channel);
  return schema;
}

}  // namespace sparsescope::trace
