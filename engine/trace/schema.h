// What a run records: channels with their shapes, types, units and cadence, and where the run came from.
// A schema is complete before the first frame and never changes (recording.md 2.2). Its JSON form lives in
// engine/record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sparsescope::trace {

enum class DType { F16, F32, F64, U8, U16, I32, U32, U64, Bits, Record, Text };

// Bytes of one element; Bits answers 1 (a byte of eight), Text 1024, Record 0 (ask the channel).
std::size_t dtype_bytes(DType dtype);
std::string_view dtype_name(DType dtype);  // "f16", "bits", "record", ...
std::optional<DType> dtype_from_name(std::string_view name);

struct Axis {
  std::string name;  // "layer", "query"; unique within a channel, never "values", "step", "spans"
  std::int64_t size = 0;
  std::vector<std::string> labels;  // empty, or one per index
};

struct RecordField {
  std::string name;
  DType dtype = DType::F32;
  std::size_t offset = 0;  // bytes from the start of the record
};

enum class ChannelKind { Dense, Ragged };  // fixed shape per row | first axis varies
enum class StorageClass { Once, Packed };  // recording.md 2.5

struct Channel {
  std::uint32_t id = 0;  // its position in Schema::channels
  std::string name;
  ChannelKind kind = ChannelKind::Dense;
  DType dtype = DType::F32;
  std::vector<Axis> axes;           // dense: axes of one row; ragged: axes of one element, often none
  std::vector<RecordField> fields;  // DType::Record only
  std::size_t record_bytes = 0;     // DType::Record only
  std::string unit = "1";
  std::string text;  // what it is and how it was reduced, one sentence
  StorageClass storage = StorageClass::Packed;
  std::vector<std::int64_t>
      chunk;  // in elements, first entry counts rows (dense) or elements (ragged); set by finish_schema
  bool shuffle = false;      // byte shuffle before deflate; Once only
  bool deflate = false;      // Once only
  std::int64_t cadence = 1;  // steps between rows; 0 = when it happens

  // Bytes of one row (dense) or one element (ragged). Bits pack the last axis, little-endian, rows padded to
  // bytes.
  std::size_t unit_bytes() const;
  // Elements of one row (dense) or element (ragged), bits counted singly.
  std::int64_t unit_count() const;
  // The axis called `name`, or nullptr.
  const Axis* axis(std::string_view axis_name) const;
  // Index of `label` on axis `axis_name`, or -1.
  std::int64_t label_index(std::string_view axis_name, std::string_view label) const;
};

struct Parent {
  std::string run_uuid;
  std::uint64_t step = 0;
  std::string checkpoint_sha256;
  std::string changes_json = "[]";  // the commands that differ
};

// What a copy of a damaged or unclosed recording holds of it.
struct Recovery {
  std::string from_uuid;             // of the run; the copy has the same
  std::uint64_t frames = 0, of = 0;  // copied, and how many the old file claimed or showed
  std::uint64_t last_step = 0;       // of the last one copied
};

struct Schema {
  std::string run_uuid;
  std::string title;
  std::string created_utc;  // ISO 8601
  std::uint64_t seed = 0;
  std::optional<Parent> parent;
  std::optional<Recovery> recovered;
  std::string experiment_json = "{}";  // the whole experiment as it ran
  std::string build_json = "{}";       // version, commit, libraries
  std::string device_json = "{}";      // gpu, driver, threads, flags
  std::vector<Channel> channels;

  const Channel* find(std::string_view name) const;
};
using SchemaPtr = std::shared_ptr<const Schema>;

// Numbers the channels and fills chunk, shuffle and deflate by recording.md 2.5 and 2.6. Throws Error on a
// schema that format 1.0 cannot hold (names, more than 256 channels, rank above 8, a row above 64 MiB).
Schema finish_schema(Schema schema);
// The same checks, for schemas that came from a file.
void validate_schema(const Schema& schema);

}  // namespace sparsescope::trace
