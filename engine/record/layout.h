// The objects of a recording file: created in one place, opened through an allow-list in another. Moves no
// frame.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/record/chunk_plan.h"
#include "engine/record/h5.h"
#include "engine/trace/frame.h"

namespace sparsescope::record {

// A row of /index as it lies in the file.
struct IndexRow {
  std::uint64_t step = 0;
  std::int64_t mono_nanos = 0;
  std::int64_t unix_nanos = 0;
  std::array<std::uint64_t, 4> present{};
  std::uint32_t flags = 0;
  std::uint32_t crc32c = 0;  // over the frame body, then bytes 0..59 of this row
};
static_assert(sizeof(IndexRow) == 64);

// The index row of a frame that holds every channel it is said to have, its checksum included.
IndexRow index_row_of(const trace::Frame& frame);

struct ChannelSets {
  h5::Handle values, step;
  h5::Handle spans;               // ragged only
  std::uint64_t values_rows = 0;  // extent of `values`; the writer keeps it current
};

struct Layout {
  h5::Handle file, index;
  std::uint64_t index_rows = 0;
  std::vector<ChannelSets> channels;  // by id
};

// HDF5 types of format 1.0, built here alone. Caller holds h5::Lock.
h5::Handle values_type(const trace::Channel& channel);
h5::Handle index_type();

// Makes a new file (never over an old one) with every object of `schema`, and puts it into single-writer
// mode. Throws h5::Failure.
Layout create_layout(const std::string& path, const trace::Schema& schema, const std::string& schema_json);

enum class OpenMode { Closed, Unclosed, CutShort };  // CutShort: closed once, smaller now
struct OpenedLayout {
  trace::Schema schema;
  Layout layout;
};
// Opens a recording read-only. Throws Error (Refused, NewerVersion) for everything that is not format 1.
OpenedLayout open_layout(const std::string& path, OpenMode mode);

}  // namespace sparsescope::record
