#include "engine/train/step_body.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include "engine/model/spark_statistics.h"
#include "engine/trace/error.h"

namespace sparsescope::train {
namespace {

at::Tensor as_row(const at::Tensor& scalar) { return scalar.detach().to(at::kDouble).reshape({1}); }

}  // namespace

at::Tensor StepBody::run(const at::Tensor& ids, Terms terms, const Passed& passed) {
  const std::int64_t T = ids.size(1) - 1;
  last_ = model_.forward(ids.slice(1, 0, T), {.statistics = model::Statistics::Collect,
                                              .attention = attention_,
                                              .head = model::ForwardOptions::Head::Hidden,
                                              .has_all_terms = terms == Terms::All});
  const model::Loss loss = model_.loss(last_, ids.slice(1, 1, T + 1));
  passed(Phase::Forward);
  loss.total.backward();
  passed(Phase::Backward);

  const at::NoGradGuard no_grad;
  at::Tensor statistics;  // before the gradients are gone
  if (!last_.spark.empty())
    statistics = model::spark_statistics(model_, last_, loss.non_finite).reshape({-1});
  const Updater::Outcome outcome = updater_.update(loss.total.detach(), loss.non_finite);
  std::vector<at::Tensor> parts = {as_row(loss.total), as_row(outcome.gradient_norm),
                                   as_row(outcome.found_non_finite), as_row(outcome.learning_rate)};
  for (const model::LossTerm& term : loss.terms) parts.push_back(as_row(term.value));
  if (statistics.defined()) parts.push_back(statistics);
  for (const at::Tensor& theta : model_.thetas()) parts.push_back(as_row(theta));
  const at::Tensor numbers = at::cat(parts);
  passed(Phase::Update);
  check(numbers.numel() == count(), "a step has as many numbers as its report expects");
  return numbers;
}

std::int64_t StepBody::count() const {
  const auto layers = std::ssize(model_.thetas());
  return 4 + static_cast<std::int64_t>(terms_) + layers * (model::kSparkStatisticCount + 1);
}

StepReport StepBody::report(const double* numbers) const {
  StepReport report;
  report.total_loss = *numbers++;
  report.gradient_norm = *numbers++;
  report.is_finite = *numbers++ == 0;
  report.learning_rate = *numbers++;
  report.loss_terms.assign(numbers, numbers + terms_);
  numbers += terms_;
  const std::size_t layers = model_.thetas().size();
  report.spark.assign(numbers, numbers + layers * model::kSparkStatisticCount);
  numbers += layers * model::kSparkStatisticCount;
  report.theta_after.assign(numbers, numbers + layers);
  return report;
}

}  // namespace sparsescope::train
