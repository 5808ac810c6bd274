// From a path to an open recording. What the file is, is first decided without the library: the superblock's flags.
#include "engine/record/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "engine/record/reader_client.h"
#include "engine/record/recording_file.h"

namespace sparsescope::record {
namespace {

constexpr std::uint64_t kMaxFileBytes = 64ull << 30;
constexpr unsigned char kOpenForWriting = 1, kSingleWriter = 5;  // byte 11 of a superblock of version 2 or 3

struct Look {
  FileState state = FileState::Unreadable;
  std::string why;  // when it is not to be opened
};

Look look_at_head(int descriptor) {
  constexpr std::array<unsigned char, 8> kSignature = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  std::array<unsigned char, 12> head{};
  const ssize_t count = ::pread(descriptor, head.data(), head.size(), 0);
  if (count < 0) return {FileState::Unreadable, std::strerror(errno)};
  if (count == 0) return {FileState::NotHdf5, "the file is empty"};
  if (count < static_cast<ssize_t>(head.size()) || std::memcmp(head.data(), kSignature.data(), kSignature.size()) != 0) {
    return {FileState::NotHdf5, "it is not a Sparsescope recording (not an HDF5 file)"};
  }
  const bool has_flags = head[8] >= 2;
  if (has_flags && head[11] == kSingleWriter) return {FileState::Unclosed, ""};
  if (has_flags && (head[11] & kOpenForWriting) != 0) {
    return {FileState::NeverStarted, "its writer died before the first frame, or another program has it open for writing"};
  }
  return {FileState::Closed, ""};
}

Look look_at(const std::string& path) {
  // Not blocking: opening a pipe would wait for a writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    return {missing ? FileState::Missing : FileState::Unreadable, missing ? "there is no such file" : std::strerror(errno)};
  }
  struct stat info {};
  Look look;
  if (::fstat(descriptor, &info) != 0) {
    look.why = std::strerror(errno);
  } else if (S_ISDIR(info.st_mode)) {
    look.why = "it is a folder";
  } else if (!S_ISREG(info.st_mode)) {
    look.why = "it is not an ordinary file";
  } else if (static_cast<std::uint64_t>(info.st_size) > kMaxFileBytes) {
    look.why = "it is larger than 64 GiB";
  } else {
    look = look_at_head(descriptor);
  }
  ::close(descriptor);
  return look;
}

std::unique_ptr<OpenFile> open_as(const std::string& path, bool is_unclosed) {
  if (is_unclosed) return std::make_unique<OpenFile>(open_layout(path, OpenMode::SingleWriter), true, false);
  try {
    return std::make_unique<OpenFile>(open_layout(path, OpenMode::Closed), false, false);
  } catch (const h5::Failure& failure) {
    // A file that lost its end still opens the way a growing file does, as far as its metadata goes.
    try {
      return std::make_unique<OpenFile>(open_layout(path, OpenMode::SingleWriter), false, true);
    } catch (const h5::Failure&) {
      throw failure;
    }
  }
}

}  // namespace

FileState file_state(const std::string& path) { return look_at(path).state; }

std::unique_ptr<OpenFile> open_file(const std::string& path) {
  const std::string place = "cannot open '" + path + "': ";
  const Look look = look_at(path);
  if (look.state != FileState::Closed && look.state != FileState::Unclosed) throw Error(place + look.why, ExitCode::Refused);
  if (is_written_here(path)) throw Error(place + "this program is recording into it right now; its frames are in the window already", ExitCode::Refused);
  try {
    return open_as(path, look.state == FileState::Unclosed);
  } catch (const h5::Failure& failure) {
    throw Error(place + "it is damaged (" + failure.what() + ")", ExitCode::Refused);
  } catch (const Error& error) {
    throw Error(place + error.what(), error.code());
  }
}

}  // namespace sparsescope::record
