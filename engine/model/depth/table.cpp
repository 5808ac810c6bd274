// The table of depth members.
#include <string_view>

#include "engine/model/depth/depth.h"
#include "engine/trace/error.h"

namespace sparsescope::model {

std::unique_ptr<Depth> make_depth(const experiments::ModelConfig& config, ParameterTable& parameters) {
  static constexpr struct {
    std::string_view name;
    std::unique_ptr<Depth> (*make)(const experiments::ModelConfig&, ParameterTable&);
  } kTable[] = {
      {"standard", make_standard_depth},
  };
  std::string known;
  for (const auto& row : kTable) {
    if (row.name == config.depth) return row.make(config, parameters);
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  throw Error("model.depth cannot be \"" + config.depth + "\"; it takes " + known, ExitCode::Usage);
}

}  // namespace sparsescope::model
