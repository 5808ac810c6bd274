// Which number of a step was the first that is not finite: the batch once more, operation by operation, with
// somebody looking.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "engine/model/language_model.h"

namespace sparsescope::train {

// ids [B,T+1] of the step, parameters as they are: one sentence that names step, tensor and layer, and says
// what to do. Gradients are zero afterwards.
std::string non_finite_words(model::LanguageModel& model, const at::Tensor& ids, std::uint64_t step);

}  // namespace sparsescope::train
