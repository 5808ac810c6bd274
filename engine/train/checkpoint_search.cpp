// From a damaged checkpoint back to a whole one of the same run.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>

#include "engine/trace/error.h"
#include "engine/train/checkpoint.h"

namespace sparsescope::train {
namespace {

// A checkpoint's path taken apart: "<stem>.step-000000123.safetensors".
struct StepFile {
  std::filesystem::path path;
  std::string stem;  // without folders
  std::uint64_t step = 0;
};
std::optional<StepFile> step_file(const std::filesystem::path& path) {
  constexpr std::string_view kMark = ".step-", kEnd = ".safetensors";
  const std::string name = path.filename().string();
  const std::size_t mark = name.rfind(kMark);
  if (!name.ends_with(kEnd) || mark == std::string::npos || mark == 0) return std::nullopt;
  const std::string digits =
      name.substr(mark + kMark.size(), name.size() - kEnd.size() - mark - kMark.size());
  const bool are_digits =
      !digits.empty() && digits.size() <= 18 && digits.find_first_not_of("0123456789") == std::string::npos;
  if (!are_digits) return std::nullopt;
  return StepFile{path, name.substr(0, mark), std::stoull(digits)};
}

// Those of the same run and an earlier step in its folder, the newest first.
std::vector<StepFile> older_beside(const StepFile& file) {
  const std::filesystem::path folder = file.path.has_parent_path() ? file.path.parent_path() : ".";
  std::vector<StepFile> older;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::optional<StepFile> other = step_file(it->path());
    if (other && other->stem == file.stem && other->step < file.step) older.push_back(*other);
  }
  std::sort(older.begin(), older.end(), [](const StepFile& a, const StepFile& b) { return a.step > b.step; });
  return older;
}

}  // namespace

FoundCheckpoint find_checkpoint(const std::string& path) {
  std::string damage;
  try {
    return {read_checkpoint(path), ""};
  } catch (const Error& error) {
    const std::optional<StepFile> asked = step_file(path);
    std::error_code failure;
    const bool is_there = std::filesystem::is_regular_file(path, failure);
    if (error.code() != ExitCode::Refused || !asked || !is_there) throw;
    damage = error.what();
  }
  const std::vector<StepFile> older = older_beside(*step_file(path));
  for (const StepFile& candidate : older) {
    try {
      FoundCheckpoint found{read_checkpoint(candidate.path.string()), ""};
      found.notice = fmt::format("{}; resuming from {} instead, the newest whole one before it", damage,
                                 candidate.path.filename().string());
      return found;
    } catch (const Error&) {
      // Damaged as well: further back.
    }
  }
  throw Error(
      fmt::format("{}; {} beside it can be resumed instead", damage,
                  older.empty()       ? "no earlier checkpoint of that run"
                  : older.size() == 1 ? "nor is the earlier one of that run whole, so none"
                                      : fmt::format("none of the {} earlier ones of that run is whole, so "
                                                    "none",
                                                    older.size())),
      ExitCode::Refused);
}

}  // namespace sparsescope::train
