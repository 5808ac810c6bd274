// The table of position encodings.
#include "engine/model/positions/positions.h"
#include "engine/trace/error.h"

namespace sparsescope::model {

std::unique_ptr<Positions> make_positions(const experiments::ModelConfig& config,
                                          ParameterTable& parameters) {
  using experiments::PositionKind;
  static constexpr struct {
    PositionKind kind;
    std::unique_ptr<Positions> (*make)(const experiments::ModelConfig&, ParameterTable&);
  } kTable[] = {
      {PositionKind::Rope, make_rope},
      {PositionKind::Alibi, make_alibi},
      {PositionKind::Learned, make_learned},
      {PositionKind::None, make_none},
  };
  for (const auto& row : kTable) {
    if (row.kind == config.position) return row.make(config, parameters);
  }
  throw std::logic_error("the table of position encodings lacks a member");
}

}  // namespace sparsescope::model
