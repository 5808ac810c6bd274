// From a path to an open recording. What the file is, is first decided without the library: the superblock's
// flags.
#include "engine/record/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "engine/record/reader_client.h"
#include "engine/record/recording_file.h"

namespace sparsescope::record {
namespace {

constexpr std::uint64_t kMaxFileBytes = 64ull << 30;
constexpr unsigned char kOpenForWriting = 1, kSingleWriter = 5;  // byte 11 of a superblock of version 2 or 3

struct Look {
  FileState state = FileState::Unreadable;
  std::string why;            // when it is not to be opened
  bool is_cut_short = false;  // smaller than its superblock says
};

Look look_at_head(int descriptor) {
  constexpr std::array<unsigned char, 8> kSignature = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  constexpr std::size_t kEndAddress = 28;  // offset of the end-of-file address with 8-byte addresses
  std::array<unsigned char, 48> head{};
  const ssize_t count = ::pread(descriptor, head.data(), head.size(), 0);
  if (count < 0) return {FileState::Unreadable, std::strerror(errno)};
  if (count == 0) return {FileState::NotHdf5, "the file is empty"};
  if (count < 12 || std::memcmp(head.data(), kSignature.data(), kSignature.size()) != 0) {
    return {FileState::NotHdf5, "it is not a Sparsescope recording (not an HDF5 file)"};
  }
  const bool has_flags = head[8] >= 2;
  Look look{FileState::Closed, ""};
  if (has_flags && head[11] == kSingleWriter) {
    look.state = FileState::Unclosed;
  } else if (has_flags && (head[11] & kOpenForWriting) != 0) {
    return {FileState::NeverStarted,
            "its writer died before the first frame, or another program has it open for writing"};
  }
  std::uint64_t end = 0;
  std::memcpy(&end, head.data() + kEndAddress, sizeof end);
  struct stat info {};
  look.is_cut_short = has_flags && head[9] == 8 && ::fstat(descriptor, &info) == 0 &&
                      static_cast<std::uint64_t>(info.st_size) < end;
  return look;
}

Look look_at(const std::string& path) {
  // Not blocking: opening a pipe would wait for a writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    return {missing ? FileState::Missing : FileState::Unreadable,
            missing ? "there is no such file" : std::strerror(errno)};
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
    if (look.state == FileState::Unclosed && look.is_cut_short) {
      // A living writer may be between growing the file's address space and the file.
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      look = look_at_head(descriptor);
    }
  }
  ::close(descriptor);
  return look;
}

OpenMode mode_of(const Look& look) {
  if (look.state == FileState::Unclosed) return OpenMode::Unclosed;
  return look.is_cut_short ? OpenMode::CutShort : OpenMode::Closed;
}

}  // namespace

FileState file_state(const std::string& path) { return look_at(path).state; }

std::unique_ptr<OpenFile> open_file(const std::string& path) {
  const std::string place = "cannot open '" + path + "': ";
  const Look look = look_at(path);
  if (look.state != FileState::Closed && look.state != FileState::Unclosed)
    throw Error(place + look.why, ExitCode::Refused);
  if (is_written_here(path))
    throw Error(place + "this program is recording into it right now; its frames are in the window already",
                ExitCode::Refused);
  try {
    return std::make_unique<OpenFile>(open_layout(path, mode_of(look)), look.state == FileState::Unclosed,
                                      look.is_cut_short);
  } catch (const h5::Failure& failure) {
    const std::string what =
        look.is_cut_short ? "it is truncated and what is left cannot be read (" : "it is damaged (";
    throw Error(place + what + failure.what() + ")", ExitCode::Refused);
  } catch (const Error& error) {
    throw Error(place + error.what(), error.code());
  }
}

}  // namespace sparsescope::record
