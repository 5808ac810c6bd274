#include "engine/train/evaluations.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "engine/evaluate/held_out_loss.h"
#include "engine/evaluate/needle.h"
#include "engine/train/run_schema.h"

namespace sparsescope::train {
namespace {

// Pairs of tokens in one call: bounds the attention matrices. At 6 heads and fp32 one matrix is 100 and 400
// MB.
constexpr std::int64_t kPairsPerCallCpu = std::int64_t{1} << 22;
constexpr std::int64_t kPairsPerCallCuda = std::int64_t{1} << 24;
// Without such matrices it is the stream that counts: 200 MB at width 192.
constexpr std::int64_t kTokensPerCall = std::int64_t{1} << 18;
constexpr std::int64_t kNeedleFields = 6;

std::int64_t pairs_per_call(const model::LanguageModel& model, std::int64_t context) {
  if (model.has_own_attention()) return kTokensPerCall * context;
  return model.device().is_cuda() ? kPairsPerCallCuda : kPairsPerCallCpu;
}

}  // namespace

evaluate::LogitsSource Evaluations::logits_source(model::Gates gates) const {
  return {
      [this, gates](const at::Tensor& ids) { return state_.model().forward(ids, {.gates = gates}).logits; },
      state_.setup().device,
      [this, gates](const at::Tensor& ids, std::int64_t first, std::int64_t last) {
        const model::LanguageModel& model = state_.model();
        const at::Tensor hidden =
            model.forward(ids, {.head = model::ForwardOptions::Head::None, .gates = gates})
                .hidden;  // [B,T,C]
        return model.logits_of(hidden.slice(1, first, last));
      }};
}

void Evaluations::held_out_loss(FrameBuilder& frame, EventLog& events, const data::Task& task) const {
  const experiments::Experiment& experiment = state_.experiment();
  const auto loss_with = [&](model::Gates gates) {
    return evaluate::held_out_loss(logits_source(gates), texts_.validation_windows, experiment.model.context,
                                   experiment.train.batch, *data_.tokenizer, task);
  };
  const evaluate::HeldOutLoss loss = loss_with(model::Gates::AsTrained);
  std::vector<double> values = {loss.nll_nats, loss.perplexity, loss.bits_per_byte};
  if (compares_hard_with_soft(experiment.model))
    values.push_back(loss_with(model::Gates::Hard).nll_nats - loss.nll_nats);
  frame.set("evaluation", values);
  events.add(
      state_.counters().steps, EventKind::Evaluation,
      {{"what", "held-out loss"},
       {"text", fmt::format("validation {:.4f} nats per token, perplexity {:.2f}, {:.4f} bits per byte",
                            loss.nll_nats, loss.perplexity, loss.bits_per_byte)},
       {"val_nll", loss.nll_nats},
       {"perplexity", loss.perplexity},
       {"bits_per_byte", loss.bits_per_byte},
       {"tokens", loss.tokens}});
}

void Evaluations::needle(FrameBuilder& frame, EventLog& events, const std::vector<std::int64_t>& multiples,
                         const data::Task& task, EvaluationTimes& times) const {
  const experiments::Experiment& experiment = state_.experiment();
  const evaluate::NeedleSettings settings = needle_settings(experiment.evaluation);
  const std::vector<std::int64_t> axis = needle_multiples(experiment.evaluation);
  const std::size_t row = settings.depths.size() * kNeedleFields;
  std::vector<float> values(axis.size() * row, std::numeric_limits<float>::quiet_NaN());
  std::vector<nlohmann::ordered_json> words;
  bool any = false;
  for (std::size_t c = 0; c < axis.size(); ++c) {
    if (std::find(multiples.begin(), multiples.end(), axis[c]) == multiples.end()) continue;
    if (needle_obstacle(state_, data_, axis[c])) continue;
    const auto start = std::chrono::steady_clock::now();
    const std::int64_t context = axis[c] * experiment.model.context;
    const std::vector<evaluate::NeedleCell> cells =
        evaluate::run_needle(logits_source(), data_.validation.ids, context, settings,
                             pairs_per_call(state_.model(), context), task);
    times.needle_took(axis[c],
                      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    float* at = values.data() + c * row;
    for (const evaluate::NeedleCell& cell : cells) {
      for (double value : {cell.signal_nats, cell.standard_error, cell.nll_without_nats, cell.token_accuracy,
                           cell.exact_accuracy, static_cast<double>(cell.trials)}) {
        *at++ = static_cast<float>(value);
      }
    }
    const evaluate::NeedleMean mean = evaluate::mean_over_depths(cells);
    words.push_back({{"what", "needle"},
                     {"text", fmt::format("needle at {}x: {:+.3f} nats per token, standard error {:.3f}",
                                          axis[c], mean.signal_nats, mean.standard_error)},
                     {"context", axis[c]},
                     {"signal", mean.signal_nats},
                     {"se", mean.standard_error}});
    any = true;
  }
  if (!any) return;
  frame.set("needle", values);
  for (const auto& fields : words) events.add(state_.counters().steps, EventKind::Evaluation, fields);
}

}  // namespace sparsescope::train
