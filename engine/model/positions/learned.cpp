// Learned absolute positions, added to the embedding. Undefined beyond the last learned one: an error, never
// a clamp.
#include <string>

#include "engine/model/positions/positions.h"
#include "engine/trace/error.h"

namespace sparsescope::model {
namespace {

class Learned : public Positions {
 public:
  Learned(const experiments::ModelConfig& config, ParameterTable& parameters)
      : table_(parameters.add_normal("positions", {config.max_positions, config.width}, config.init_std)) {}

  at::Tensor embed(const at::Tensor& x) const override {
    const std::int64_t tokens = x.size(1);
    if (tokens > table_.size(0)) {
      throw Error("learned positions end at " + std::to_string(table_.size(0)) +
                  " tokens and this sequence has " + std::to_string(tokens) +
                  "; use a shorter context, or another position encoding");
    }
    return x + table_.narrow(0, 0, tokens);
  }

 private:
  at::Tensor table_;  // [max_positions,C]
};

}  // namespace

std::unique_ptr<Positions> make_learned(const experiments::ModelConfig& config, ParameterTable& parameters) {
  return std::make_unique<Learned>(config, parameters);
}

}  // namespace sparsescope::model
