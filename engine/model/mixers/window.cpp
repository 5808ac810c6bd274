// Sliding-window attention: every query sees the last W keys, itself included.
#include "engine/model/mixers/attention.h"

namespace sparsescope::model {

std::unique_ptr<Mixer> make_window(MixerContext context) {
  return std::make_unique<FixedMaskMixer>(context, context.config.window);
}

}  // namespace sparsescope::model
