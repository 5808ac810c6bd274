#include "engine/train/checkpoint_files.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "engine/trace/error.h"
#include "engine/train/safetensors.h"

namespace sparsescope::train {

namespace fs = std::filesystem;

std::optional<CheckpointFile> checkpoint_file(const std::string& path) {
  constexpr std::string_view kMark = ".step-", kEnd = ".safetensors";
  const fs::path whole = path;
  const std::string name = whole.filename().string();
  const std::size_t mark = name.rfind(kMark);
  if (!name.ends_with(kEnd) || mark == std::string::npos || mark == 0) return std::nullopt;
  const std::string digits =
      name.substr(mark + kMark.size(), name.size() - kEnd.size() - mark - kMark.size());
  const bool are_digits =
      !digits.empty() && digits.size() <= 18 && digits.find_first_not_of("0123456789") == std::string::npos;
  if (!are_digits) return std::nullopt;
  return CheckpointFile{path, (whole.parent_path() / name.substr(0, mark)).string(), std::stoull(digits)};
}

std::vector<CheckpointFile> checkpoints_of(const std::string& stem) {
  const fs::path place = stem;
  const fs::path folder = place.has_parent_path() ? place.parent_path() : ".";
  std::vector<CheckpointFile> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    // By name: the folder may be written in more than one way.
    const std::string path = (place.parent_path() / it->path().filename()).string();
    std::optional<CheckpointFile> file = checkpoint_file(path);
    if (file && fs::path(file->stem).filename() == place.filename()) found.push_back(std::move(*file));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.step > b.step; });
  return found;
}

std::optional<CheckpointFile> newest_whole_checkpoint(const std::string& stem, std::uint64_t end_step) {
  for (const CheckpointFile& file : checkpoints_of(stem)) {
    if (file.step >= end_step) continue;
    try {
      read_tensor_file(file.path);
      return file;
    } catch (const Error&) {
      // Damaged: further back.
    }
  }
  return std::nullopt;
}

void remove_checkpoints(const std::string& stem) {
  for (const CheckpointFile& file : checkpoints_of(stem)) {
    std::error_code error;
    fs::remove(file.path, error);
    if (error) throw Error(file.path + " cannot be removed: " + error.message());
  }
}

}  // namespace sparsescope::train
