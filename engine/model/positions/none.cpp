// No position encoding at all: the causal mask is the only order.
#include "engine/model/positions/positions.h"

namespace sparsescope::model {
namespace {
class None : public Positions {};
}  // namespace

std::unique_ptr<Positions> make_none(const experiments::ModelConfig&, ParameterTable&) {
  return std::make_unique<None>();
}

}  // namespace sparsescope::model
