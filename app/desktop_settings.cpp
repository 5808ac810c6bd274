// Settings as JSON, written through a temporary file.
#include "app/desktop_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "viz/widgets/theme.h"

namespace sparsescope::app {
namespace {

namespace fs = std::filesystem;
constexpr const char* kFile = "desktop.json";

}  // namespace

DesktopSettings load_settings(const std::string& folder, std::string& note) {
  DesktopSettings settings;
  const fs::path path = fs::path(folder) / kFile;
  std::ifstream file(path);
  if (!file) return settings;
  try {
    const nlohmann::json json = nlohmann::json::parse(file);
    settings.theme = json.value("theme", settings.theme);
    settings.scale = std::clamp(json.value("scale", settings.scale), 0.5, 3.0);
    settings.recent = json.value("recent", settings.recent);
    if (!theme_from_name(settings.theme)) settings.theme = theme_name(Theme::Dark);
  } catch (const nlohmann::json::exception&) {
    settings = {};
    std::error_code failure;
    fs::rename(path, path.string() + ".unreadable", failure);
    note = "The settings could not be read; they were kept as " + path.string() + ".unreadable";
  }
  return settings;
}

std::string save_settings(const std::string& folder, const DesktopSettings& settings) {
  const fs::path path = fs::path(folder) / kFile, part = path.string() + ".part";
  nlohmann::ordered_json json;
  json["theme"] = settings.theme;
  json["scale"] = settings.scale;
  json["recent"] = settings.recent;
  std::ofstream file(part);
  file << json.dump(2) << '\n';
  file.close();
  std::error_code failure;
  if (file) fs::rename(part, path, failure);
  if (!file || failure) return "The settings could not be written to " + path.string();
  return "";
}

}  // namespace sparsescope::app
