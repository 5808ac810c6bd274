// Handles, the lock and the error wrapper around libhdf5.
#include "engine/record/h5.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace sparsescope::record::h5 {
namespace {

std::recursive_mutex& library_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

struct Reason {
  std::string words;
  int system_error = 0;
};

// The innermost entry of the error stack is nearest to the cause; the system's own reason may stand in any.
herr_t collect(unsigned, const H5E_error2_t* entry, void* data) {
  auto& reason = *static_cast<Reason*>(data);
  if (entry->desc == nullptr) return 0;
  const char* found = std::strstr(entry->desc, "errno = ");
  if (found != nullptr && reason.system_error == 0) reason.system_error = std::atoi(found + 8);
  if (reason.words.empty()) reason.words = entry->desc;
  return 0;
}

[[noreturn]] void fail(const std::string& what) {
  Reason reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &reason);
  H5Eclear2(H5E_DEFAULT);
  const std::string words =
      reason.system_error != 0 ? std::strerror(reason.system_error) : reason.words.substr(0, 200);
  throw Failure(what + " failed" + (words.empty() ? "" : ": " + words), reason.system_error);
}

}  // namespace

Lock::Lock() : lock_(library_mutex()) {
  static const bool is_set_up = [] {
    H5dont_atexit();
    H5PLset_loading_state(0);
    return true;
  }();
  (void)is_set_up;
  // A thread-safe build keeps this per thread.
  thread_local const bool is_quiet = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  (void)is_quiet;
}

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    reset();
    id_ = other.id_;
    other.id_ = H5I_INVALID_HID;
  }
  return *this;
}

bool Handle::reset() noexcept {
  if (id_ < 0) return true;
  const Lock lock;
  const bool closed = H5Idec_ref(id_) >= 0;
  if (!closed) H5Eclear2(H5E_DEFAULT);
  id_ = H5I_INVALID_HID;
  return closed;
}

Handle opened(hid_t id, const std::string& what) {
  if (id < 0) fail(what);
  return Handle(id);
}

void succeeded(herr_t status, const std::string& what) {
  if (status < 0) fail(what);
}

StoredChunk read_chunk(const Handle& dataset, std::span<const hsize_t> offset, std::size_t limit) {
  StoredChunk chunk;
  const Lock lock;
  hsize_t size = 0;
  succeeded(H5Dget_chunk_storage_size(dataset.get(), offset.data(), &size), "finding a chunk");
  if (size == 0) throw Failure("a chunk is missing", 0);
  if (size > limit) {
    const std::optional<ChunkPlace> place = place_of_chunk(dataset, offset);
    throw Failure("a chunk of " + std::to_string(size) + " bytes is larger than it may be" +
                      (place ? ", " + bytes_in_words(place->address, place->bytes) : std::string()),
                  0);
  }
  chunk.bytes.resize(size);
  succeeded(H5Dread_chunk(dataset.get(), H5P_DEFAULT, offset.data(), &chunk.filter_mask, chunk.bytes.data()),
            "reading a chunk");
  return chunk;
}

std::optional<ChunkPlace> place_of_chunk(const Handle& dataset, std::span<const hsize_t> offset) {
  const Lock lock;
  unsigned filters = 0;
  haddr_t address = HADDR_UNDEF;
  hsize_t size = 0;
  const herr_t status = H5Dget_chunk_info_by_coord(dataset.get(), offset.data(), &filters, &address, &size);
  H5Eclear2(H5E_DEFAULT);
  if (status < 0 || address == HADDR_UNDEF || size == 0) return std::nullopt;
  return ChunkPlace{address, size};
}

std::string bytes_in_words(std::uint64_t first, std::uint64_t count) {
  const auto words = [](std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return digits;
  };
  return "bytes " + words(first) + " to " + words(first + std::max<std::uint64_t>(count, 1) - 1) +
         " of the file";
}

void write_chunk(const Handle& dataset, std::span<const hsize_t> offset, std::span<const std::byte> bytes,
                 std::uint32_t filter_mask, const std::string& what) {
  const Lock lock;
  succeeded(
      H5Dwrite_chunk(dataset.get(), H5P_DEFAULT, filter_mask, offset.data(), bytes.size(), bytes.data()),
      what);
  if (filter_mask == 0) return;
  // 1.10 remembers the chunk it wrote last with an empty filter mask and would tell a read-back so. Looking
  // for a chunk that is not there makes it forget.
  const Handle plan = opened(H5Dget_create_plist(dataset.get()), what);
  std::vector<hsize_t> next(offset.begin(), offset.end()), chunk(offset.size());
  H5Pget_chunk(plan.get(), static_cast<int>(chunk.size()), chunk.data());
  next.front() += chunk.front();
  hsize_t size = 0;
  H5Dget_chunk_storage_size(dataset.get(), next.data(), &size);
  H5Eclear2(H5E_DEFAULT);
}

void set_extent(const Handle& dataset, std::span<const hsize_t> extent) {
  const Lock lock;
  succeeded(H5Dset_extent(dataset.get(), extent.data()), "growing a dataset");
}

void flush_dataset(const Handle& dataset) {
  const Lock lock;
  succeeded(H5Dflush(dataset.get()), "writing a dataset's description");
}

void flush_file(const Handle& file) {
  const Lock lock;
  succeeded(H5Fflush(file.get(), H5F_SCOPE_LOCAL), "writing the file's description");
}

}  // namespace sparsescope::record::h5
