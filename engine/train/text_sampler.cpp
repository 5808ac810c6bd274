#include "engine/train/text_sampler.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "engine/data/random.h"
#include "engine/evaluate/logits.h"
#include "engine/trace/error.h"

namespace sparsescope::train {
namespace {

constexpr std::int64_t kMostTokens = 4096;
constexpr std::size_t kMostPromptBytes = 64 << 10;
constexpr double kHottest = 10;
constexpr std::uint64_t kMostExactSeed = std::uint64_t{1} << 53;  // JSON readers keep whole numbers below it

// One id by its logits: the likeliest at temperature 0, else drawn.
std::int32_t draw(std::span<const double> logits, double temperature, data::Random& random) {
  const auto largest = std::max_element(logits.begin(), logits.end());
  if (temperature == 0) return static_cast<std::int32_t>(largest - logits.begin());
  std::vector<double> sums;
  double sum = 0;
  for (double logit : logits) sums.push_back(sum += std::exp((logit - *largest) / temperature));
  const auto found = std::upper_bound(sums.begin(), sums.end(), random.uniform() * sum);
  return static_cast<std::int32_t>(std::min(found - sums.begin(), std::ssize(sums) - 1));
}

}  // namespace

std::optional<std::string> sample_obstacle(const SampleRequest& request) {
  if (request.tokens < 1 || request.tokens > kMostTokens)
    return fmt::format("a text of {} tokens cannot be written; ask for 1 to {}", request.tokens, kMostTokens);
  if (!(request.temperature >= 0 && request.temperature <= kHottest))
    return fmt::format("a temperature of {} cannot be used; it takes 0 (the likeliest) to {}",
                       request.temperature, kHottest);
  if (request.prompt.size() > kMostPromptBytes)
    return fmt::format("a prompt of {} bytes is too long; give at most {}", request.prompt.size(),
                       kMostPromptBytes);
  if (request.seed >= kMostExactSeed)
    return fmt::format("the seed {} is too large; give one below 2^53", request.seed);
  return std::nullopt;
}

TextSample sample_text(const TrainingState& state, const data::Tokenizer& tokenizer,
                       const SampleRequest& request, const data::Task& task) {
  check(!sample_obstacle(request), "a text that can be written");
  const at::NoGradGuard no_grad;
  const std::int64_t context = state.experiment().model.context;
  TextSample sample{request.prompt, {}, "", request.temperature, request.seed};
  std::vector<std::int32_t> ids = tokenizer.encode(request.prompt);
  if (ids.empty()) ids.push_back(tokenizer.end_of_document());
  data::Random random(request.seed);
  try {
    while (std::ssize(sample.ids) < request.tokens) {
      task.report("writing text",
                  static_cast<double>(sample.ids.size()) / static_cast<double>(request.tokens));
      const auto seen = static_cast<std::int64_t>(std::min<std::size_t>(ids.size(), context));
      const at::Tensor input =
          evaluate::ids_tensor({ids.end() - seen, ids.end()}, 1, seen, state.setup().device);
      const at::Tensor logits =
          state.model().forward(input).logits[0][seen - 1].to(at::kCPU, at::kDouble).contiguous();
      const std::span<const double> row(logits.data_ptr<double>(), static_cast<std::size_t>(logits.numel()));
      if (!std::all_of(row.begin(), row.end(), [](double value) { return std::isfinite(value); }))
        throw Error("no text can be written: the model's output holds values that are not finite numbers");
      ids.push_back(draw(row, request.temperature, random));
      sample.ids.push_back(ids.back());
    }
  } catch (const data::Cancelled&) {
    // What was written stands.
  }
  sample.bytes = tokenizer.decode(sample.ids);
  return sample;
}

}  // namespace sparsescope::train
