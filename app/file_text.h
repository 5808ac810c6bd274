#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace sparsescope::app {

// A small text file, whole; "" when it cannot be read.
inline std::string file_text(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace sparsescope::app
