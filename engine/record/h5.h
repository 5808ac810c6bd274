// The only place that includes libhdf5 and its high-level part: handles that close themselves, one lock, and
// errors as sentences.
#pragma once

#include <hdf5.h>
#include <hdf5_hl.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/trace/error.h"

namespace sparsescope::record::h5 {

// Held around every call of the library; also makes a group of calls one step for the other threads of this
// process. The first one sets the process up: no exit handler, no plug-ins, no printing.
class Lock {
 public:
  Lock();

 private:
  std::scoped_lock<std::recursive_mutex> lock_;
};

// A library call that failed: what was tried, and the system's reason when there is one.
class Failure : public Error {
 public:
  Failure(const std::string& sentence, int system_error) : Error(sentence), system_error_(system_error) {}
  int system_error() const { return system_error_; }  // errno, or 0

 private:
  int system_error_;
};

// One reference to an object of the library.
class Handle {
 public:
  Handle() = default;
  explicit Handle(hid_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(other.id_) { other.id_ = H5I_INVALID_HID; }
  Handle& operator=(Handle&& other) noexcept;
  ~Handle() { reset(); }
  hid_t get() const { return id_; }
  bool is_open() const { return id_ >= 0; }
  // Lets go of the object; an error while closing is returned, not thrown.
  bool reset() noexcept;
  // Forgets the object without closing it: nothing more is written for it.
  void leak() noexcept { id_ = H5I_INVALID_HID; }

 private:
  hid_t id_ = H5I_INVALID_HID;
};

// Throws Failure("<what> failed: <reason>") for a negative result.
Handle opened(hid_t id, const std::string& what);
void succeeded(herr_t status, const std::string& what);

struct StoredChunk {
  std::vector<std::byte> bytes;
  std::uint32_t filter_mask = 0;
};
// The bytes of the chunk at `offset` as they lie in the file. Throws Failure when it is missing or larger
// than `limit`.
StoredChunk read_chunk(const Handle& dataset, std::span<const hsize_t> offset, std::size_t limit);
// Where the chunk at `offset` lies in the file; nothing: the library cannot tell. Throws nothing.
struct ChunkPlace {
  std::uint64_t address = 0, bytes = 0;
};
std::optional<ChunkPlace> place_of_chunk(const Handle& dataset, std::span<const hsize_t> offset);
// "bytes 4,096 to 8,191 of the file".
std::string bytes_in_words(std::uint64_t first, std::uint64_t count);
void write_chunk(const Handle& dataset, std::span<const hsize_t> offset, std::span<const std::byte> bytes,
                 std::uint32_t filter_mask, const std::string& what);

void set_extent(const Handle& dataset, std::span<const hsize_t> extent);
void flush_dataset(const Handle& dataset);
void flush_file(const Handle& file);

}  // namespace sparsescope::record::h5
