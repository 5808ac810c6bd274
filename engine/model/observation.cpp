// The observer that keeps what it asked for.
#include "engine/model/observation.h"

#include <algorithm>

namespace sparsescope::model {

ObservationStore::ObservationStore(std::vector<Observation> wanted, std::vector<std::int64_t> layers)
    : wanted_(std::move(wanted)), layers_(std::move(layers)) {}

bool ObservationStore::wants(Observation what, std::int64_t layer) const {
  const bool layer_fits =
      layers_.empty() || std::find(layers_.begin(), layers_.end(), layer) != layers_.end();
  return layer_fits && std::find(wanted_.begin(), wanted_.end(), what) != wanted_.end();
}

void ObservationStore::observe(Observation what, std::int64_t layer, const at::Tensor& value) {
  values_[{what, layer}] = value;
}

at::Tensor ObservationStore::get(Observation what, std::int64_t layer) const {
  const auto found = values_.find({what, layer});
  return found == values_.end() ? at::Tensor() : found->second;
}

}  // namespace sparsescope::model
