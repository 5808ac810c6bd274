// The table of mixers.
#include "engine/model/mixers/mixer.h"
#include "engine/trace/error.h"

namespace sparsescope::model {

std::unique_ptr<Mixer> make_mixer(MixerContext context) {
  using experiments::MixerKind;
  static constexpr struct {
    MixerKind kind;
    std::unique_ptr<Mixer> (*make)(MixerContext);
  } kTable[] = {
      {MixerKind::Dense, make_dense},
      {MixerKind::Window, make_window},
      {MixerKind::Spark, make_spark},
  };
  for (const auto& row : kTable) {
    if (row.kind == context.config.mixer) return row.make(context);
  }
  throw std::logic_error("the table of mixers lacks a member");
}

}  // namespace sparsescope::model
