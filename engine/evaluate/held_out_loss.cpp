#include "engine/evaluate/held_out_loss.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/trace/error.h"

namespace sparsescope::evaluate {

HeldOutLoss held_out_loss(const LogitsSource& model, const std::vector<std::int32_t>& windows,
                          std::int64_t context, std::int64_t batch, const data::Tokenizer& tokenizer,
                          const data::Task& task) {
  const at::NoGradGuard no_grad;
  const std::int64_t columns = context + 1;
  const std::int64_t count = static_cast<std::int64_t>(windows.size()) / columns;
  check(count > 0 && count * columns == static_cast<std::int64_t>(windows.size()),
        "held-out windows are whole");

  HeldOutLoss loss;
  double total_nats = 0;
  for (std::int64_t begin = 0; begin < count; begin += batch) {
    task.report("validation loss", static_cast<double>(begin) / static_cast<double>(count));
    const std::int64_t rows = std::min(batch, count - begin);
    const auto first = windows.begin() + begin * columns;
    const at::Tensor ids =
        ids_tensor({first, first + rows * columns}, rows, columns, model.device);  // [rows, context + 1]
    const at::Tensor logits = model.logits(ids.slice(1, 0, context));              // [rows, context, V]
    const at::Tensor targets = ids.slice(1, 1, columns).reshape({-1});             // [rows * context]
    total_nats += token_nll(logits.reshape({-1, logits.size(-1)}), targets).sum().item<double>();
    for (std::int64_t row = 0; row < rows; ++row) {
      loss.bytes += tokenizer.text_bytes({&*(first + row * columns + 1), static_cast<std::size_t>(context)});
    }
    loss.tokens += rows * context;
  }
  loss.nll_nats = total_nats / static_cast<double>(loss.tokens);
  loss.perplexity = std::exp(loss.nll_nats);
  loss.bits_per_byte =
      total_nats / (std::numbers::ln2 * static_cast<double>(std::max<std::int64_t>(loss.bytes, 1)));
  return loss;
}

}  // namespace sparsescope::evaluate
