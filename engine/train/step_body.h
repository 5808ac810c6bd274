// What one optimizer step computes: token ids in, parameters changed, numbers out. Nothing here waits for the
// device or asks it for a number, so that the whole of it can be captured.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/model/language_model.h"
#include "engine/train/updater.h"

namespace sparsescope::train {

// What one step did, on the host.
struct StepReport {
  std::vector<double> loss_terms;   // unweighted, in the order of loss_term_names()
  double total_loss = 0;            // weighted sum, nats
  double gradient_norm = 0;         // before clipping
  double learning_rate = 0;         // with the live scale
  std::vector<double> spark;        // [L, model::kSparkStatisticCount], SPaRK only
  std::vector<double> theta_after;  // [L] after the update
  bool is_finite = true;            // false: nothing was updated
  std::string non_finite_words;     // where the first non-finite number was seen
  double data_ms = 0, forward_ms = 0, backward_ms = 0, optimizer_ms = 0, total_ms = 0;
};

class StepBody {
 public:
  // All outlive the body. `terms`: how many terms the loss has.
  StepBody(model::LanguageModel& model, Updater& updater, std::size_t terms,
           experiments::AttentionKernels attention)
      : model_(model), updater_(updater), terms_(terms), attention_(attention) {}

  enum class Phase { Forward, Backward, Update };
  using Passed = std::function<void(Phase)>;
  // Whether loss terms without a weight take part: they must where the weight may change without this being
  // called again.
  enum class Terms { Weighted, All };

  // Runs on ids [B,T+1] i64: inputs are the first T columns, targets the last. The numbers [n] f64 on the
  // device; `passed` is called as each phase has been queued.
  at::Tensor run(const at::Tensor& ids, Terms terms, const Passed& passed);

  // The numbers, copied to the host, as a report without times and words.
  StepReport report(const double* numbers) const;
  std::int64_t count() const;  // of numbers

  experiments::AttentionKernels attention() const { return attention_; }
  // What the last run's forward pass left.
  const model::ForwardResult& last() const { return last_; }

 private:
  model::LanguageModel& model_;
  Updater& updater_;
  std::size_t terms_;
  experiments::AttentionKernels attention_;
  model::ForwardResult last_;
};

}  // namespace sparsescope::train
