// Showing a file where it lies.
#pragma once

#include <string>
#include <vector>

namespace sparsescope::app {

// Programs that are tried in turn; "%file" and "%folder" in their arguments stand for the file's URI and the
// path of its folder. One that ends with 0, or that goes on after 1.5 s, has
// done it.
using RevealPrograms = std::vector<std::vector<std::string>>;
const RevealPrograms& reveal_programs();

// Shows `path` in the desktop's file manager. Throws Error, naming the folder, when the file is not there or
// no program did it.
void reveal_file(const std::string& path, const RevealPrograms& programs = reveal_programs());

}  // namespace sparsescope::app
