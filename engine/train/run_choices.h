// What a person may choose from before a run exists. No torch, no text is read.
#pragma once

#include <string>
#include <vector>

namespace sparsescope::train {

// Names that `data.corpus` understands besides paths.
std::vector<std::string> corpus_names();

}  // namespace sparsescope::train
