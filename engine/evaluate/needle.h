// Runs needle trials through a model: signal, its error, accuracies. How a trial is made is needle_trials.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/data/task.h"
#include "engine/evaluate/logits.h"
#include "engine/evaluate/needle_trials.h"

namespace sparsescope::evaluate {

// One context and depth, over its trials.
struct NeedleCell {
  double signal_nats = 0;  // mean of NLL(base) - NLL(with), nats per answer token; positive: the needle helps
  double standard_error = 0;    // of the paired differences, sd / sqrt(N); 0 for a single trial
  double nll_without_nats = 0;  // mean NLL(base): the ceiling of the signal
  double token_accuracy = 0;    // share of answer tokens that are the argmax, with the needle
  double exact_accuracy = 0;    // share of trials with the whole answer right
  std::int64_t trials = 0;
};

// Cells by depth for one context of `context` tokens. Texts without and with the needle run as two calls of
// the same shape, so that a needle out of reach gives exactly 0. `pairs_per_call` bounds rows x context^2 of
// one call (at least one row). Reports between calls. Throws data::Cancelled. Precondition:
// needle_fits(context, ...).
std::vector<NeedleCell> run_needle(const LogitsSource& model, std::span<const std::int32_t> stream,
                                   std::int64_t context, const NeedleSettings& settings,
                                   std::int64_t pairs_per_call, const data::Task& task = {});

// Unweighted mean over depths of one context, and its error sqrt(sum SE_d^2) / |D|.
struct NeedleMean {
  double signal_nats = 0, standard_error = 0;
};
NeedleMean mean_over_depths(const std::vector<NeedleCell>& cells);

}  // namespace sparsescope::evaluate
