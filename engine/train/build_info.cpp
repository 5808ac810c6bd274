// Which build made a recording: its version, its commit, its libraries.
#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "commit.h"  // written at each build
#include "engine/train/device.h"

namespace sparsescope::train {

std::string build_json() {
  nlohmann::ordered_json json;
  json["version"] = SPARSESCOPE_VERSION;
  json["commit"] = SPARSESCOPE_COMMIT;
  json["libraries"] = {{"libtorch", TORCH_VERSION}};
  return json.dump();
}

}  // namespace sparsescope::train
