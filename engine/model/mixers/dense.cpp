// Dense causal attention: every query sees itself and all its past.
#include <limits>

#include "engine/model/mixers/attention.h"

namespace sparsescope::model {

std::unique_ptr<Mixer> make_dense(MixerContext context) {
  return std::make_unique<FixedMaskMixer>(context, std::numeric_limits<std::int64_t>::max());
}

}  // namespace sparsescope::model
