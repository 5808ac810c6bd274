// Reading and writing tensor files on disk: whole or absent. The layout itself is safetensors.cpp.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "engine/trace/error.h"
#include "engine/train/safetensors.h"

namespace sparsescope::train {
namespace {

// An open file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

// A temporary file that disappears unless kept.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  void keep() { path_.clear(); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

 private:
  std::string path_;
};

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  const std::string reason = std::strerror(errno);
  const std::string name = std::filesystem::path(path).filename().string();  // folders stay on this machine
  throw Error("checkpoint " + name + " cannot be written (" + what + ": " + reason +
              "); free space there or choose another folder");
}

void write_all(int descriptor, std::span<const std::byte> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string write_tensor_file(const std::string& path, const std::map<std::string, std::string>& metadata,
                              std::span<const NamedTensor> tensors) {
  const EncodedTensors encoded = encode_tensors(metadata, tensors);
  const std::string temporary = path + ".part";
  TemporaryFile guard(temporary);
  {
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.number() < 0) fail(path, "open");
    write_all(file.number(), std::as_bytes(std::span(encoded.header)), path);
    for (const NamedTensor& tensor : tensors) write_all(file.number(), tensor.bytes, path);
    if (::fsync(file.number()) != 0) fail(path, "fsync");
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path, "rename");
  guard.keep();

  // The rename itself must survive a power cut.
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.number() < 0 || ::fsync(directory.number()) != 0) fail(path, "fsync of the folder");
  return encoded.sha256;
}

TensorFile read_tensor_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    throw Error("checkpoint " + path + " does not exist or is no file", ExitCode::Refused);
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  std::vector<std::byte> bytes(error ? 0 : size);
  if (!stream ||
      !stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()))) {
    throw Error("checkpoint " + path + " cannot be read; check its permissions", ExitCode::Refused);
  }
  return parse_tensor_file(std::move(bytes), path);
}

}  // namespace sparsescope::train
