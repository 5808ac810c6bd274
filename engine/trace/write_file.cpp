#include "engine/trace/write_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "engine/trace/error.h"

namespace sparsescope::trace {
namespace {

// A file descriptor and the temporary file behind it; whatever is not kept is removed.
class Part {
 public:
  explicit Part(std::string path) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  ~Part() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!is_kept_ && was_made_) ::unlink(path_.c_str());
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  bool write(std::string_view bytes) {
    if (descriptor_ < 0) return false;
    was_made_ = true;
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(descriptor_) != 0) return false;
    const int descriptor = descriptor_;
    descriptor_ = -1;
    return ::close(descriptor) == 0;
  }
  bool put_in_place(const std::string& path) {
    is_kept_ = std::rename(path_.c_str(), path.c_str()) == 0;
    return is_kept_;
  }

 private:
  std::string path_;
  int descriptor_ = -1;
  bool was_made_ = false, is_kept_ = false;
};

void sync_folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // the file itself is safe
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

void write_file(const std::string& path, std::string_view bytes) {
  Part part(path + "." + std::to_string(::getpid()) + ".part");
  if (!part.write(bytes) || !part.put_in_place(path))
    throw Error(path + " could not be written: " + std::strerror(errno));
  sync_folder_of(path);
}

}  // namespace sparsescope::trace
