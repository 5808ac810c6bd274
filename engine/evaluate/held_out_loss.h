// Loss on held-out text: nats per token, perplexity, bits per byte. Which windows are read is the caller's
// choice.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/data/task.h"
#include "engine/data/tokenizer.h"
#include "engine/evaluate/logits.h"

namespace sparsescope::evaluate {

struct HeldOutLoss {
  double nll_nats = 0;       // mean over all predicted tokens, each weighted equally
  double perplexity = 0;     // exp(nll_nats)
  double bits_per_byte = 0;  // total nll / (ln 2 x bytes of the predicted tokens)
  std::int64_t tokens = 0, bytes = 0;
};

// `windows` [W, context + 1] as data::validation_windows makes them: inputs are the first `context` columns,
// each next token is predicted. Runs `batch` windows at a time and reports between. Throws data::Cancelled.
HeldOutLoss held_out_loss(const LogitsSource& model, const std::vector<std::int32_t>& windows,
                          std::int64_t context, std::int64_t batch, const data::Tokenizer& tokenizer,
                          const data::Task& task = {});

}  // namespace sparsescope::evaluate
