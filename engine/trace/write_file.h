// Small files written whole or not at all: settings, notes, pictures, tables.
#pragma once

#include <string>
#include <string_view>

namespace sparsescope::trace {

// Writes `bytes` to `path` through a temporary file beside it: write, fsync, rename, fsync of the folder.
// What was there before stays until the new file is whole. Throws Error naming the path and the cause.
void write_file(const std::string& path, std::string_view bytes);

}  // namespace sparsescope::trace
