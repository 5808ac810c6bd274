// Creating the objects of a recording. Everything exists before single-writer mode begins; afterwards
// datasets only grow.
#include "engine/record/layout.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "engine/record/chunk_codec.h"
#include "engine/trace/text.h"

namespace sparsescope::record {
namespace {

using h5::Handle;
using h5::opened;
using h5::succeeded;
using trace::Channel;
using trace::DType;

constexpr std::size_t kMaxAttributeBytes =
    32 << 10;  // courtesy only; larger ones would need another kind of storage
constexpr std::uint64_t kMaxScaleChunk = (1 << 20) / sizeof(std::int32_t);

Handle copy_of(hid_t type) { return opened(H5Tcopy(type), "copying a type"); }

// IEEE half, as numpy's float16.
Handle half_type() {
  Handle type = copy_of(H5T_IEEE_F32LE);
  succeeded(H5Tset_fields(type.get(), 15, 10, 5, 0, 10), "building the f16 type");
  succeeded(H5Tset_size(type.get(), 2), "building the f16 type");
  succeeded(H5Tset_ebias(type.get(), 15), "building the f16 type");
  return type;
}

Handle string_type(std::size_t bytes) {
  Handle type = copy_of(H5T_C_S1);
  succeeded(H5Tset_size(type.get(), bytes), "building a string type");
  succeeded(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "building a string type");
  succeeded(H5Tset_cset(type.get(), H5T_CSET_UTF8), "building a string type");
  return type;
}

Handle number_type(DType dtype) {
  switch (dtype) {
    case DType::F16:
      return half_type();
    case DType::F32:
      return copy_of(H5T_IEEE_F32LE);
    case DType::F64:
      return copy_of(H5T_IEEE_F64LE);
    case DType::U8:
    case DType::Bits:
      return copy_of(H5T_STD_U8LE);
    case DType::U16:
      return copy_of(H5T_STD_U16LE);
    case DType::I32:
      return copy_of(H5T_STD_I32LE);
    case DType::U32:
      return copy_of(H5T_STD_U32LE);
    case DType::U64:
      return copy_of(H5T_STD_U64LE);
    case DType::Record:
    case DType::Text:
      break;
  }
  check(false, "not a number type");
  return Handle();
}

void write_attribute(const Handle& object, const char* name, std::string text) {
  if (text.size() > kMaxAttributeBytes) return;
  if (text.empty()) text.push_back('\0');  // the library knows no string of no bytes
  const Handle type = string_type(text.size());
  const Handle space = opened(H5Screate(H5S_SCALAR), "creating an attribute");
  const Handle attribute =
      opened(H5Acreate2(object.get(), name, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
             "creating an attribute");
  succeeded(H5Awrite(attribute.get(), type.get(), text.data()), "writing an attribute");
}

Handle no_chunk_cache() {
  Handle access = opened(H5Pcreate(H5P_DATASET_ACCESS), "preparing a dataset");
  succeeded(H5Pset_chunk_cache(access.get(), 0, 0, 1.0), "preparing a dataset");
  return access;
}

enum class Growth { Fixed, FirstAxis };
Handle make_dataset(const Handle& group, const std::string& name, const Handle& type, const Extents& dims,
                    const Extents& chunk, Growth growth, Filters filters = {}) {
  const std::vector<hsize_t> extent(dims.begin(), dims.end()), chunk_extent(chunk.begin(), chunk.end());
  std::vector<hsize_t> limit = extent;
  if (growth == Growth::FirstAxis) limit.front() = H5S_UNLIMITED;
  const int rank = static_cast<int>(extent.size());
  const Handle space = opened(H5Screate_simple(rank, extent.data(), limit.data()), "creating " + name);
  const Handle plan = opened(H5Pcreate(H5P_DATASET_CREATE), "creating " + name);
  succeeded(H5Pset_chunk(plan.get(), rank, chunk_extent.data()), "creating " + name);
  if (filters.shuffle) succeeded(H5Pset_shuffle(plan.get()), "creating " + name);
  if (filters.deflate) succeeded(H5Pset_deflate(plan.get(), 1), "creating " + name);
  const Handle access = no_chunk_cache();
  return opened(
      H5Dcreate2(group.get(), name.c_str(), type.get(), space.get(), H5P_DEFAULT, plan.get(), access.get()),
      "creating " + name);
}

Handle make_group(const Handle& parent, const std::string& name) {
  return opened(H5Gcreate2(parent.get(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                "creating group " + name);
}

// Ordinals of an axis; of bits, the first bit of each stored byte.
Handle make_axis_scale(const Handle& group, const trace::Axis& axis, std::uint64_t extent,
                       std::int32_t stride) {
  Handle scale = make_dataset(group, axis.name, copy_of(H5T_STD_I32LE), {extent},
                              {std::min(extent, kMaxScaleChunk)}, Growth::Fixed);
  std::vector<std::int32_t> ordinals(extent);
  for (std::uint64_t i = 0; i < extent; ++i) ordinals[i] = static_cast<std::int32_t>(i) * stride;
  succeeded(H5Dwrite(scale.get(), H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, ordinals.data()),
            "writing " + axis.name);
  succeeded(H5DSset_scale(scale.get(), axis.name.c_str()), "making " + axis.name + " a dimension scale");
  return scale;
}

void describe_values(const Handle& values, const Channel& channel) {
  write_attribute(values, "units", channel.unit);
  write_attribute(values, "long_name", channel.text);
  if (channel.dtype == DType::Bits) {
    write_attribute(values, "bit_order", "little");
    write_attribute(values, "bits", std::to_string(channel.axes.back().size));
  }
  if (const trace::Axis* names = channel.axis("name"); names != nullptr && !names->labels.empty()) {
    write_attribute(values, "names", nlohmann::json(names->labels).dump());
  }
}

void make_channel(const Handle& channels, const Channel& channel) {
  const Handle group = make_group(channels, channel.name);
  const Handle u64 = copy_of(H5T_STD_U64LE);
  Extents dims = stored_dims(channel), chunk(channel.chunk.begin(), channel.chunk.end());
  const Extents inner = dims;
  dims.insert(dims.begin(), 0);
  const Handle values = make_dataset(group, "values", values_type(channel), dims, chunk, Growth::FirstAxis,
                                     {channel.shuffle, channel.deflate});
  const Handle step = make_dataset(group, "step", u64, {0}, {kStepChunkRows}, Growth::FirstAxis);
  succeeded(H5DSset_scale(step.get(), "step"), "making step a dimension scale");
  if (channel.kind == trace::ChannelKind::Ragged)
    make_dataset(group, "spans", u64, {0, 2}, {kSpansChunkRows, 2}, Growth::FirstAxis);
  describe_values(values, channel);
  // A dataset has scales on all axes or on none; the first axis of ragged values is no axis of steps.
  const bool is_dense = channel.kind == trace::ChannelKind::Dense;
  if (is_dense) succeeded(H5DSattach_scale(values.get(), step.get(), 0), "attaching a dimension scale");
  for (std::size_t axis = 0; axis < channel.axes.size(); ++axis) {
    const bool is_bits = channel.dtype == DType::Bits && axis + 1 == channel.axes.size();
    const Handle scale = make_axis_scale(group, channel.axes[axis], inner[axis], is_bits ? 8 : 1);
    if (is_dense)
      succeeded(H5DSattach_scale(values.get(), scale.get(), static_cast<unsigned>(axis + 1)),
                "attaching a dimension scale");
  }
}

void make_objects(const Handle& file, const trace::Schema& schema, const std::string& schema_json) {
  const Handle text = string_type(schema_json.size());
  const Handle schema_set = make_dataset(file, "schema", text, {1}, {1}, Growth::Fixed);
  succeeded(H5Dwrite(schema_set.get(), text.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, schema_json.data()),
            "writing the schema");
  make_dataset(file, "index", index_type(), {0}, {kIndexChunkRows}, Growth::FirstAxis);
  const Handle channels = make_group(file, "channels");
  for (const Channel& channel : schema.channels) make_channel(channels, channel);
  write_attribute(file, "format", "sparsescope-recording");
  write_attribute(file, "format_version", "1.0");
  write_attribute(file, "title", schema.title);
  write_attribute(file, "created_utc", schema.created_utc);
}

Handle open_dataset(const Handle& file, const std::string& path) {
  const Handle access = no_chunk_cache();
  return opened(H5Dopen2(file.get(), path.c_str(), access.get()), "opening " + path);
}

void start_single_writer(Layout& layout, const trace::Schema& schema, const std::string& schema_json) {
  make_objects(layout.file, schema, schema_json);
  h5::flush_file(layout.file);
  succeeded(H5Fstart_swmr_write(layout.file.get()), "starting single-writer mode");
  layout.index = open_dataset(layout.file, "index");
  for (const Channel& channel : schema.channels) {
    const std::string group = "channels/" + channel.name + "/";
    ChannelSets sets;
    sets.values = open_dataset(layout.file, group + "values");
    sets.step = open_dataset(layout.file, group + "step");
    if (channel.kind == trace::ChannelKind::Ragged) sets.spans = open_dataset(layout.file, group + "spans");
    layout.channels.push_back(std::move(sets));
  }
  h5::flush_file(layout.file);
}

}  // namespace

IndexRow index_row_of(const trace::Frame& frame) {
  IndexRow row{frame.step, frame.mono_nanos, frame.unix_nanos, frame.present.words, frame.flags, 0};
  std::uint32_t crc = 0;
  for (const trace::ChannelData& part : frame.data) {
    const std::uint64_t head[2] = {part.channel, part.bytes.size()};
    crc = crc32c(std::as_bytes(std::span(head)), crc);
    crc = crc32c(part.bytes, crc);
  }
  row.crc32c = crc32c(std::as_bytes(std::span(&row, 1)).first(60), crc);
  return row;
}

h5::Handle values_type(const Channel& channel) {
  if (channel.dtype == DType::Text) return string_type(trace::kTextBytes);
  if (channel.dtype != DType::Record) return number_type(channel.dtype);
  Handle type = opened(H5Tcreate(H5T_COMPOUND, channel.record_bytes), "building a record type");
  for (const trace::RecordField& field : channel.fields) {
    const Handle member = number_type(field.dtype);
    succeeded(H5Tinsert(type.get(), field.name.c_str(), field.offset, member.get()),
              "building a record type");
  }
  return type;
}

h5::Handle index_type() {
  Handle type = opened(H5Tcreate(H5T_COMPOUND, sizeof(IndexRow)), "building the index type");
  const hsize_t words = 4;
  const Handle present = opened(H5Tarray_create2(H5T_STD_U64LE, 1, &words), "building the index type");
  const auto insert = [&](const char* name, std::size_t offset, hid_t member) {
    succeeded(H5Tinsert(type.get(), name, offset, member), "building the index type");
  };
  insert("step", offsetof(IndexRow, step), H5T_STD_U64LE);
  insert("mono_nanos", offsetof(IndexRow, mono_nanos), H5T_STD_I64LE);
  insert("unix_nanos", offsetof(IndexRow, unix_nanos), H5T_STD_I64LE);
  insert("present", offsetof(IndexRow, present), present.get());
  insert("flags", offsetof(IndexRow, flags), H5T_STD_U32LE);
  insert("crc32c", offsetof(IndexRow, crc32c), H5T_STD_U32LE);
  return type;
}

Layout create_layout(const std::string& path, const trace::Schema& schema, const std::string& schema_json) {
  const h5::Lock lock;
  const Handle access = opened(H5Pcreate(H5P_FILE_ACCESS), "preparing the file");
  // In 1.10 this is "latest", which single-writer mode needs; later releases would write what 1.10 cannot
  // read.
  succeeded(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110), "preparing the file");
  succeeded(H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG), "preparing the file");
  Layout layout;
  layout.file = opened(H5Fcreate(path.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, access.get()), "creating the file");
  try {
    start_single_writer(layout, schema, schema_json);
  } catch (...) {
    // The name was free a moment ago, so what lies there is this unfinished file.
    layout = Layout();
    ::unlink(path.c_str());
    throw;
  }
  return layout;
}

}  // namespace sparsescope::record
