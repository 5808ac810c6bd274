// Texts of the user's folder, read whole and written whole.
#include "app/desktop_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/file_text.h"
#include "engine/trace/error.h"
#include "engine/trace/write_file.h"

namespace sparsescope::app {
namespace {

namespace fs = std::filesystem;
constexpr const char* kSettings = "settings.json";
constexpr const char* kRecent = "recent.json";
constexpr const char* kMemory = "window.json";

std::string write(const fs::path& path, const std::string& text, const char* what) {
  try {
    trace::write_file(path.string(), text);
    return "";
  } catch (const Error& error) {
    return fmt::format("The {} could not be kept: {}", what, error.what());
  }
}

fs::path free_name_aside(const fs::path& path) {
  std::error_code failure;
  fs::path aside = path.string() + ".unreadable";
  for (int i = 2; fs::exists(aside, failure); ++i) aside = fmt::format("{}.unreadable-{}", path.string(), i);
  return aside;
}

// The text of a file that holds JSON of this kind, else "" and a note where it was put.
std::string readable(const fs::path& path, const char* what, nlohmann::json::value_t kind,
                     std::string& note) {
  std::error_code failure;
  if (!fs::is_regular_file(path, failure)) return "";
  std::string text = file_text(path);
  const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false, true);
  if (!parsed.is_discarded() && parsed.type() == kind) return text;
  const fs::path aside = free_name_aside(path);
  fs::rename(path, aside, failure);
  note = failure ? fmt::format("The {} could not be read: {} is not what it should be", what, path.string())
                 : fmt::format("The {} could not be read; they were kept as {}", what, aside.string());
  return "";
}

}  // namespace

std::string load_settings(const std::string& folder, std::string& note) {
  return readable(fs::path(folder) / kSettings, "settings", nlohmann::json::value_t::object, note);
}

std::string save_settings(const std::string& folder, const std::string& text) {
  return write(fs::path(folder) / kSettings, text, "settings");
}

std::string load_memory(const std::string& folder, std::string& note) {
  return readable(fs::path(folder) / kMemory, "commands chosen last", nlohmann::json::value_t::object, note);
}

std::string save_memory(const std::string& folder, const std::string& text) {
  return write(fs::path(folder) / kMemory, text, "commands chosen last");
}

RecordingSettings recording_settings(const std::string& text) {
  RecordingSettings settings;
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false, true);
  if (!json.is_object()) return settings;
  if (const auto it = json.find("recording.folder"); it != json.end() && it->is_string())
    settings.folder = it->get<std::string>();
  if (const auto it = json.find("recording.free_space"); it != json.end() && it->is_number())
    settings.free_mib = static_cast<std::uint64_t>(std::clamp(it->get<double>(), 0.0, 1e9));
  return settings;
}

std::vector<std::string> load_recent(const std::string& folder, std::string& note) {
  const auto json = nlohmann::json::parse(
      readable(fs::path(folder) / kRecent, "recent files", nlohmann::json::value_t::array, note), nullptr,
      false);
  std::vector<std::string> paths;
  if (!json.is_array()) return paths;
  for (const auto& path : json) {
    if (path.is_string()) paths.push_back(path.get<std::string>());
  }
  return paths;
}

std::string save_recent(const std::string& folder, const std::vector<std::string>& paths) {
  return write(fs::path(folder) / kRecent, nlohmann::json(paths).dump(2) + "\n", "recent files");
}

std::vector<frame::KeptLayout> load_layouts(const std::string& folder, frame::KeptLayout::Origin origin) {
  std::vector<frame::KeptLayout> layouts;
  std::error_code failure;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
    if (it->path().extension() == ".json")
      layouts.push_back({it->path().stem().string(), file_text(it->path()), origin});
  }
  std::sort(layouts.begin(), layouts.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return layouts;
}

std::string save_layout(const std::string& folder, const frame::KeptLayout& layout) {
  const fs::path path = fs::path(folder) / "layouts";
  std::error_code failure;
  fs::create_directories(path, failure);
  return write(path / (layout.name + ".json"), layout.text, "layout");
}

}  // namespace sparsescope::app
