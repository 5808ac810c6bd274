#include "engine/train/run_choices.h"

#include "engine/data/corpus_file.h"

namespace sparsescope::train {

std::vector<std::string> corpus_names() { return data::corpus_names(); }

}  // namespace sparsescope::train
