// Small JSON files, read whole and written through trace::write_file.
#include "app/sidecar.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/trace/error.h"
#include "engine/trace/write_file.h"

namespace sparsescope::app {
namespace {

namespace fs = std::filesystem;
constexpr std::uintmax_t kMostBytes = 64u << 20;

// A name that is free: "name.notes.unreadable.json", "name.notes.unreadable-2.json", ...
fs::path name_aside(const fs::path& path) {
  const std::string stem = path.stem().string();  // "name.notes"
  for (int i = 1;; ++i) {
    const std::string name =
        i == 1 ? stem + ".unreadable.json" : fmt::format("{}.unreadable-{}.json", stem, i);
    const fs::path aside = path.parent_path() / name;
    std::error_code failure;
    if (!fs::exists(aside, failure)) return aside;
  }
}

std::string kept_aside(const fs::path& path, const std::string& why) {
  const fs::path aside = name_aside(path);
  std::error_code failure;
  fs::rename(path, aside, failure);
  const std::string name = path.filename().string();
  if (failure)
    return fmt::format("{} was not used ({}) and could not be moved aside: {}", name, why, failure.message());
  return fmt::format("{} was not used ({}); it was kept as {}", name, why, aside.filename().string());
}

std::string read_whole(const fs::path& path) {
  std::error_code failure;
  if (fs::file_size(path, failure) > kMostBytes && !failure) throw refused("it is larger than 64 MiB");
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  if (!file.is_open() || file.bad()) throw refused("it cannot be read");
  return bytes;
}

}  // namespace

frame::LoadedAnnotations Sidecar::load(const std::string& recording, const std::string& uuid) {
  const fs::path path = sidecar_path(recording);
  std::error_code failure;
  seen_.clear();
  if (!fs::exists(path, failure)) return {};
  try {
    std::string bytes = read_whole(path);
    frame::LoadedAnnotations loaded{viz::annotations_from_json(bytes, uuid), ""};
    seen_ = std::move(bytes);
    return loaded;
  } catch (const Error& error) {
    return {{}, kept_aside(path, error.what())};
  }
}

std::string Sidecar::save(const std::string& recording, const std::string& uuid,
                          viz::Annotations& annotations) {
  const fs::path path = sidecar_path(recording);
  std::error_code failure;
  const bool exists = fs::exists(path, failure);
  if (annotations.empty() && !exists) return "";
  std::string note;
  if (exists) {
    try {
      const std::string bytes = read_whole(path);
      if (bytes != seen_) {
        const viz::Annotations base =
            seen_.empty() ? viz::Annotations{} : viz::annotations_from_json(seen_, uuid);
        viz::merge(annotations, base, viz::annotations_from_json(bytes, uuid));
      }
    } catch (const Error& error) {
      note = kept_aside(path, error.what());
    }
  }
  std::string bytes = viz::json_from_annotations(annotations, uuid);
  trace::write_file(path.string(), bytes);
  seen_ = std::move(bytes);
  return note;
}

}  // namespace sparsescope::app
