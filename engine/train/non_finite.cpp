#include "engine/train/non_finite.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/isnan.h>
#include <fmt/format.h>

namespace sparsescope::train {
namespace {

using model::Observation;

std::int64_t count_bad(const at::Tensor& value) {
  return at::isfinite(value).logical_not().sum().item<std::int64_t>();
}

// Remembers the first observation that holds something that is not finite.
class FirstNonFinite : public model::Observer {
 public:
  bool wants(Observation what, std::int64_t) const override { return words_of(what) != nullptr; }
  void observe(Observation what, std::int64_t layer, const at::Tensor& value) override {
    if (!words.empty()) return;
    // A threshold may be infinite: nothing or everything is declared.
    const std::int64_t bad = what == Observation::Theta    ? at::isnan(value).sum().item<std::int64_t>()
                             : what == Observation::Scores ? count_bad(value.tril())
                                                           : count_bad(value);
    if (bad > 0) words = fmt::format("{} of {} {} of layer {}", bad, value.numel(), words_of(what), layer);
  }
  std::string words;

 private:
  // Tensors without a number by design (masked logits) are not looked at.
  static const char* words_of(Observation what) {
    switch (what) {
      case Observation::MixerOutput:
        return "outputs of the token mixer";
      case Observation::FeedForwardOutput:
        return "outputs of the feed-forward part";
      case Observation::Query:
        return "queries";
      case Observation::Key:
        return "keys";
      case Observation::Value:
        return "values";
      case Observation::AttentionWeights:
        return "attention weights";
      case Observation::Scores:
        return "scores";
      case Observation::Theta:
        return "thresholds";
      case Observation::Declaration:
        return "declarations";
      default:
        return nullptr;
    }
  }
};

std::string first_parameter(const model::LanguageModel& model) {
  for (const model::Parameter& parameter : model.parameters()) {
    const bool may_be_infinite = parameter.value.dim() == 0;
    const std::int64_t bad = may_be_infinite ? at::isnan(parameter.value).sum().item<std::int64_t>()
                                             : count_bad(parameter.value.detach());
    if (bad > 0)
      return fmt::format("{} of {} values of the parameter {}", bad, parameter.value.numel(), parameter.name);
  }
  return {};
}

// The gradient that the backward pass reached first: it goes from the head to the embedding.
std::string first_gradient(const model::LanguageModel& model) {
  for (auto parameter = model.parameters().rbegin(); parameter != model.parameters().rend(); ++parameter) {
    const at::Tensor& gradient = parameter->value.grad();
    const std::int64_t bad = gradient.defined() ? count_bad(gradient) : 0;
    if (bad > 0)
      return fmt::format("{} of {} gradients of the parameter {}", bad, gradient.numel(), parameter->name);
  }
  return {};
}

void clear_gradients(const model::LanguageModel& model) {
  for (const model::Parameter& parameter : model.parameters()) {
    at::Tensor& gradient = parameter.value.mutable_grad();
    if (!gradient.defined()) continue;
    if (model.table().flat() != nullptr)
      gradient.zero_();
    else
      gradient = at::Tensor();
  }
}

std::string find(model::LanguageModel& model, const at::Tensor& ids) {
  if (std::string words = first_parameter(model); !words.empty()) return words;
  const std::int64_t T = ids.size(1) - 1;
  FirstNonFinite observer;
  const model::ForwardResult result =
      model.forward(ids.slice(1, 0, T), {.observer = &observer, .kernels = model::Kernels::Library});
  if (!observer.words.empty()) return observer.words;
  if (const std::int64_t bad = count_bad(result.logits.detach()); bad > 0)
    return fmt::format("{} of {} logits", bad, result.logits.numel());
  const model::Loss loss = model.loss(result, ids.slice(1, 1, T + 1));
  if (count_bad(loss.total.detach()) > 0) return "the loss";
  loss.total.backward();
  return first_gradient(model);
}

}  // namespace

std::string non_finite_words(model::LanguageModel& model, const at::Tensor& ids, std::uint64_t step) {
  clear_gradients(model);
  const std::string first = find(model, ids);
  clear_gradients(model);
  const std::string way_out = "; lower the learning rate or load an earlier checkpoint";
  if (first.empty())
    return fmt::format(
        "the loss or the gradient norm at step {} is not a finite number, and a second pass over the same "
        "batch, operation by operation, finds none that is not{}",
        step, way_out);
  return fmt::format("{} at step {} are not finite numbers{}", first, step, way_out);
}

}  // namespace sparsescope::train
