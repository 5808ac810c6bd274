// Opening a recording through an allow-list: names come from the schema alone, every link is hard, every
// shape, type and filter is the declared one. What is not on the list is refused; nothing in a file is
// listed, followed or guessed.
#include <algorithm>

#include "engine/record/layout.h"
#include "engine/record/schema_json.h"

namespace sparsescope::record {
namespace {

using h5::Handle;
using h5::opened;
using h5::succeeded;
using trace::Channel;

// More attempts on damaged metadata take exponentially longer: 25 are 0.05 s, 30 are 1.1 s, the default never
// comes back.
constexpr unsigned kReadAttempts = 20;

[[noreturn]] void refuse(const std::string& why) { throw Error(why, ExitCode::Refused); }

void check_hard_link(const Handle& file, const std::string& path) {
  H5L_info_t info;
  if (H5Lget_info(file.get(), path.c_str(), &info, H5P_DEFAULT) < 0) {
    H5Eclear2(H5E_DEFAULT);
    refuse("it has no object '" + path + "'");
  }
  if (info.type != H5L_TYPE_HARD) refuse("'" + path + "' is a link to somewhere else");
}

Handle open_dataset(const Handle& file, const std::string& path) {
  check_hard_link(file, path);
  Handle object = opened(H5Oopen(file.get(), path.c_str(), H5P_DEFAULT), "opening '" + path + "'");
  if (H5Iget_type(object.get()) != H5I_DATASET) refuse("'" + path + "' is not a dataset");
  return object;
}

struct Shape {
  std::vector<hsize_t> dims, limit;
};
Shape shape_of(const Handle& dataset, const std::string& path) {
  const Handle space = opened(H5Dget_space(dataset.get()), "looking at '" + path + "'");
  if (H5Sget_simple_extent_type(space.get()) != H5S_SIMPLE) refuse("'" + path + "' has no simple shape");
  const int rank = H5Sget_simple_extent_ndims(space.get());
  if (rank < 1 || rank > 8) refuse("'" + path + "' has a rank outside 1 to 8");
  Shape shape{std::vector<hsize_t>(rank), std::vector<hsize_t>(rank)};
  succeeded(H5Sget_simple_extent_dims(space.get(), shape.dims.data(), shape.limit.data()),
            "looking at '" + path + "'");
  return shape;
}

void check_storage(const Handle& dataset, const std::string& path, const Extents& chunk, bool shuffle,
                   bool deflate) {
  const Handle plan = opened(H5Dget_create_plist(dataset.get()), "looking at '" + path + "'");
  if (H5Pget_layout(plan.get()) != H5D_CHUNKED || H5Pget_external_count(plan.get()) != 0)
    refuse("'" + path + "' is not stored in chunks");
  std::vector<hsize_t> found(chunk.size());
  const int rank = H5Pget_chunk(plan.get(), static_cast<int>(found.size()), found.data());
  if (rank != static_cast<int>(chunk.size()) || !std::equal(chunk.begin(), chunk.end(), found.begin())) {
    refuse("'" + path + "' has other chunks than its schema says");
  }
  std::vector<H5Z_filter_t> wanted;
  if (shuffle) wanted.push_back(H5Z_FILTER_SHUFFLE);
  if (deflate) wanted.push_back(H5Z_FILTER_DEFLATE);
  bool is_same = H5Pget_nfilters(plan.get()) == static_cast<int>(wanted.size());
  for (unsigned i = 0; is_same && i < wanted.size(); ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    is_same = H5Pget_filter2(plan.get(), i, &flags, &values, nullptr, 0, nullptr, nullptr) == wanted[i];
  }
  if (!is_same) refuse("'" + path + "' has other filters than its schema says");
}

// `dims` without the growing first one. Returns the dataset and its rows.
std::pair<Handle, std::uint64_t> open_growing(const Handle& file, const std::string& path, const Handle& type,
                                              const Extents& inner, const Extents& chunk,
                                              bool shuffle = false, bool deflate = false) {
  Handle dataset = open_dataset(file, path);
  const Handle found = opened(H5Dget_type(dataset.get()), "looking at '" + path + "'");
  if (H5Tequal(found.get(), type.get()) <= 0) refuse("'" + path + "' has another type than its schema says");
  const Shape shape = shape_of(dataset, path);
  if (shape.dims.size() != inner.size() + 1 ||
      !std::equal(inner.begin(), inner.end(), shape.dims.begin() + 1) ||
      !std::equal(inner.begin(), inner.end(), shape.limit.begin() + 1)) {
    refuse("'" + path + "' has another shape than its schema says");
  }
  check_storage(dataset, path, chunk, shuffle, deflate);
  return {std::move(dataset), shape.dims.front()};
}

std::string read_schema_text(const Handle& file) {
  H5L_info_t info;
  if (H5Lget_info(file.get(), "schema", &info, H5P_DEFAULT) < 0) {
    H5Eclear2(H5E_DEFAULT);
    refuse("it is an HDF5 file of another program, not a Sparsescope recording");
  }
  const Handle dataset = open_dataset(file, "schema");
  const Handle type = opened(H5Dget_type(dataset.get()), "reading the schema");
  const bool is_text = H5Tget_class(type.get()) == H5T_STRING && H5Tis_variable_str(type.get()) == 0;
  const Shape shape = shape_of(dataset, "schema");
  if (!is_text || shape.dims != std::vector<hsize_t>{1})
    refuse("it is an HDF5 file of another program, not a Sparsescope recording");
  const std::size_t bytes = H5Tget_size(type.get());
  if (bytes < 2 || bytes > kMaxSchemaBytes) refuse("its schema is larger than 1 MiB");
  check_storage(dataset, "schema", {1}, false, false);
  const hsize_t origin = 0;
  const h5::StoredChunk chunk = h5::read_chunk(dataset, {&origin, 1}, bytes);
  if (chunk.bytes.size() != bytes || chunk.filter_mask != 0) refuse("its schema is damaged");
  return {reinterpret_cast<const char*>(chunk.bytes.data()), bytes};
}

ChannelSets open_channel(const Handle& file, const Channel& channel) {
  const std::string group = "channels/" + channel.name;
  check_hard_link(file, group);
  const Handle u64 = opened(H5Tcopy(H5T_STD_U64LE), "copying a type");
  ChannelSets sets;
  std::uint64_t rows = 0;
  std::tie(sets.values, sets.values_rows) =
      open_growing(file, group + "/values", values_type(channel), stored_dims(channel),
                   Extents(channel.chunk.begin(), channel.chunk.end()), channel.shuffle, channel.deflate);
  std::tie(sets.step, rows) = open_growing(file, group + "/step", u64, {}, {kStepChunkRows});
  if (rows > kMaxRows) refuse("'" + group + "' has too many rows");
  if (channel.kind == trace::ChannelKind::Ragged) {
    std::tie(sets.spans, rows) = open_growing(file, group + "/spans", u64, {2}, {kSpansChunkRows, 2});
    if (rows > kMaxRows) refuse("'" + group + "' has too many rows");
  }
  return sets;
}

}  // namespace

OpenedLayout open_layout(const std::string& path, OpenMode mode) {
  const h5::Lock lock;
  const Handle access = opened(H5Pcreate(H5P_FILE_ACCESS), "preparing to open");
  succeeded(H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG), "preparing to open");
  // Not the driver that the writer uses: for equal drivers the library would hand out the writer's own,
  // possibly failed, file instead of opening this one. Without flags this one logs nothing.
  succeeded(H5Pset_fapl_log(access.get(), nullptr, 0, 0), "preparing to open");
  succeeded(H5Pset_cache(access.get(), 0, 1, 0, 1.0), "preparing to open");
  succeeded(H5Pset_metadata_read_attempts(access.get(), mode == OpenMode::Unclosed ? kReadAttempts : 1),
            "preparing to open");
  // The library's own repair tool sets this; without it a file that lost its end is not opened at all.
  constexpr const char* kSkipSizeCheck = "skip_eof_check";
  const hbool_t skip = 1;
  if (mode == OpenMode::CutShort && H5Pexist(access.get(), kSkipSizeCheck) > 0) {
    succeeded(H5Pset(access.get(), kSkipSizeCheck, &skip), "preparing to open");
  }
  const unsigned flags = H5F_ACC_RDONLY | (mode == OpenMode::Unclosed ? H5F_ACC_SWMR_READ : 0u);
  OpenedLayout result;
  result.layout.file = opened(H5Fopen(path.c_str(), flags, access.get()), "opening it");
  result.schema = schema_from_json(read_schema_text(result.layout.file));
  // The index first: what it claims is in the other datasets already when those are opened.
  std::tie(result.layout.index, result.layout.index_rows) =
      open_growing(result.layout.file, "index", index_type(), {}, {kIndexChunkRows});
  if (result.layout.index_rows > kMaxRows) refuse("it has more than 16,777,216 frames");
  check_hard_link(result.layout.file, "channels");
  for (const Channel& channel : result.schema.channels)
    result.layout.channels.push_back(open_channel(result.layout.file, channel));
  return result;
}

}  // namespace sparsescope::record
