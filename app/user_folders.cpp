#include "app/user_folders.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>

#include "engine/trace/error.h"

namespace sparsescope::app {
namespace {

namespace fs = std::filesystem;

std::string user_folder(const char* variable, const char* below_home, const char* name) {
  fs::path base;
  if (const char* given = std::getenv(variable); given != nullptr && *given == '/') {
    base = given;
  } else if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    base = fs::path(home) / below_home;
  } else {
    throw Error(fmt::format("neither {} nor HOME is set, so there is no folder for {}; set one of them",
                            variable, name));
  }
  const fs::path folder = base / "sparsescope" / name;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error(fmt::format("the folder {} cannot be made: {}", folder.string(), error.message()));
  return folder.lexically_normal().string();
}

}  // namespace

std::string recordings_folder() { return user_folder("XDG_DATA_HOME", ".local/share", "recordings"); }
std::string settings_folder() { return user_folder("XDG_CONFIG_HOME", ".config", ""); }

std::string new_recording_path(const std::string& folder, const std::string& experiment) {
  std::random_device entropy;
  const std::string stamp = fmt::format("{:%Y%m%d-%H%M%S}", fmt::gmtime(std::time(nullptr)));
  for (;;) {
    const fs::path path =
        fs::path(folder) / fmt::format("{}-{}-{:04x}.h5", experiment, stamp, entropy() & 0xffffu);
    if (!fs::exists(path)) return path.string();
  }
}

}  // namespace sparsescope::app
