#include "engine/evaluate/needle.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "engine/trace/error.h"

namespace sparsescope::evaluate {
namespace {

struct Answers {
  std::vector<double> nll;          // [rows] mean over the answer's tokens
  std::vector<std::int64_t> right;  // [rows] answer tokens that are the argmax
};

// `texts` [rows, context]: scores their last `answer` tokens.
Answers score_answers(const LogitsSource& model, const std::vector<std::int32_t>& texts, std::int64_t rows,
                      std::int64_t context, std::int64_t answer) {
  const at::Tensor ids = ids_tensor(texts, rows, context, model.device);
  // Row i of the logits predicts token i + 1, so the answer at [context - answer, context) is predicted one
  // earlier.
  const at::Tensor logits = model.logits_at(ids, context - answer - 1, context - 1);  // [rows, answer, V]
  const at::Tensor targets = ids.slice(1, context - answer, context);                 // [rows, answer]
  const at::Tensor nll =
      token_nll(logits.reshape({-1, logits.size(-1)}), targets.reshape({-1})).reshape({rows, answer}).mean(1);
  const at::Tensor right = logits.argmax(-1).eq(targets).sum(1).to(at::kCPU, at::kLong);
  return {{nll.data_ptr<double>(), nll.data_ptr<double>() + rows},
          {right.data_ptr<std::int64_t>(), right.data_ptr<std::int64_t>() + rows}};
}

// Adds trials one at a time and turns them into a cell.
class CellSum {
 public:
  void add(double base_nats, double with_nats, std::int64_t right, std::int64_t answer) {
    differences_.push_back(base_nats - with_nats);
    base_nats_ += base_nats;
    right_ += right;
    exact_ += right == answer ? 1 : 0;
    answer_tokens_ += answer;
  }
  NeedleCell cell() const {
    const auto n = static_cast<double>(differences_.size());
    NeedleCell cell;
    for (double difference : differences_) cell.signal_nats += difference / n;
    double squares = 0;
    for (double difference : differences_)
      squares += (difference - cell.signal_nats) * (difference - cell.signal_nats);
    cell.standard_error = n > 1 ? std::sqrt(squares / (n - 1) / n) : 0;
    cell.nll_without_nats = base_nats_ / n;
    cell.token_accuracy = static_cast<double>(right_) / static_cast<double>(answer_tokens_);
    cell.exact_accuracy = static_cast<double>(exact_) / n;
    cell.trials = static_cast<std::int64_t>(differences_.size());
    return cell;
  }

 private:
  std::vector<double> differences_;
  double base_nats_ = 0;
  std::int64_t right_ = 0, exact_ = 0, answer_tokens_ = 0;
};

}  // namespace

std::vector<NeedleCell> run_needle(const LogitsSource& model, std::span<const std::int32_t> stream,
                                   std::int64_t context, const NeedleSettings& settings,
                                   std::int64_t pairs_per_call, const data::Task& task) {
  const at::NoGradGuard no_grad;
  const auto depths = static_cast<std::int64_t>(settings.depths.size());
  const std::int64_t total = depths * settings.trials;
  const std::int64_t rows_per_call = std::clamp<std::int64_t>(pairs_per_call / (context * context), 1,
                                                              std::max<std::int64_t>(settings.trials, 1));
  const std::int64_t answer = settings.length - settings.cue;
  std::vector<CellSum> sums(static_cast<std::size_t>(depths));
  for (std::int64_t begin = 0; begin < total; begin += rows_per_call) {
    task.report("needle at " + std::to_string(context) + " tokens",
                static_cast<double>(begin) / static_cast<double>(total));
    const std::int64_t rows = std::min(rows_per_call, total - begin);
    std::vector<std::int32_t> base, with;  // [rows, context] each
    for (std::int64_t i = begin; i < begin + rows; ++i) {
      const NeedleTrial trial =
          make_needle_trial(stream, context, i / settings.trials, i % settings.trials, settings);
      base.insert(base.end(), trial.base.begin(), trial.base.end());
      with.insert(with.end(), trial.with.begin(), trial.with.end());
    }
    const Answers without_needle = score_answers(model, base, rows, context, answer);
    const Answers with_needle = score_answers(model, with, rows, context, answer);
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto at = static_cast<std::size_t>(row);
      sums[static_cast<std::size_t>((begin + row) / settings.trials)].add(
          without_needle.nll[at], with_needle.nll[at], with_needle.right[at], answer);
    }
  }
  std::vector<NeedleCell> cells;
  for (const CellSum& sum : sums) cells.push_back(sum.cell());
  return cells;
}

NeedleMean mean_over_depths(const std::vector<NeedleCell>& cells) {
  check(!cells.empty(), "a mean over depths needs a depth");
  NeedleMean mean;
  double squares = 0;
  for (const NeedleCell& cell : cells) {
    mean.signal_nats += cell.signal_nats / static_cast<double>(cells.size());
    squares += cell.standard_error * cell.standard_error;
  }
  mean.standard_error = std::sqrt(squares) / static_cast<double>(cells.size());
  return mean;
}

}  // namespace sparsescope::evaluate
