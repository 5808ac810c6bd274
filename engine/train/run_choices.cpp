#include "engine/train/run_choices.h"

#include "engine/data/corpus.h"

namespace sparsescope::train {

std::vector<std::string> corpus_names() {
  std::vector<std::string> names;
  for (const data::NamedCorpus& corpus : data::named_corpora()) names.push_back(corpus.name);
  return names;
}

}  // namespace sparsescope::train
