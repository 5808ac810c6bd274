// Held-out loss: oracles whose loss is known, and that neither batches nor their order matter.
#include "engine/evaluate/held_out_loss.h"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/data/random.h"
#include "engine/model/language_model.h"

namespace sparsescope::evaluate {
namespace {

std::vector<std::int32_t> windows_of(std::int64_t count, std::int64_t context, std::uint64_t seed = 4) {
  data::Random random(seed);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count * (context + 1)));
  for (std::int32_t& id : ids) id = static_cast<std::int32_t>(1 + random.below(255));
  return ids;
}

TEST(HeldOutLoss, OfConstantLogitsIsThatOfTheWholeVocabulary) {
  for (std::int64_t V : {256, 1000}) {
    const LogitsSource constant{[V](const at::Tensor& ids) {
      return at::zeros({ids.size(0), ids.size(1), V});
    }};
    const HeldOutLoss loss = held_out_loss(constant, windows_of(5, 16), 16, 2, *data::byte_tokenizer());
    EXPECT_NEAR(loss.perplexity, static_cast<double>(V), 1e-3);
    EXPECT_EQ(loss.tokens, 80);
    EXPECT_EQ(loss.bytes, 80);
    EXPECT_NEAR(loss.bits_per_byte, std::log2(static_cast<double>(V)), 1e-6);
  }
}

TEST(HeldOutLoss, DoesNotDependOnBatchesOrTheOrderOfWindows) {
  experiments::ModelConfig config;
  config.layers = 1;
  config.width = 16;
  config.heads = 2;
  config.mixer = experiments::MixerKind::Dense;
  const model::LanguageModel model(config, 256, at::kCPU, at::kFloat, 5);
  const LogitsSource source{[&](const at::Tensor& ids) { return model.forward(ids).logits; }};
  const std::vector<std::int32_t> windows = windows_of(7, 12);
  const HeldOutLoss whole = held_out_loss(source, windows, 12, 7, *data::byte_tokenizer());
  std::vector<std::int32_t> turned(windows.begin() + 3 * 13, windows.end());
  turned.insert(turned.end(), windows.begin(), windows.begin() + 3 * 13);
  for (std::int64_t batch : {1, 2, 5}) {
    const HeldOutLoss other = held_out_loss(source, turned, 12, batch, *data::byte_tokenizer());
    EXPECT_NEAR(other.nll_nats, whole.nll_nats, 1e-6);
    EXPECT_NEAR(other.bits_per_byte, whole.bits_per_byte, 1e-6);
    EXPECT_EQ(other.tokens, whole.tokens);
  }
}

TEST(HeldOutLoss, TheEndOfADocumentCountsAsTokenAndNotAsBytes) {
  // A tokenizer with an empty piece 0 and pieces of two bytes.
  class Pairs : public data::Tokenizer {
   public:
    std::int64_t vocabulary() const override { return 10; }
    void encode(std::string_view, std::vector<std::int32_t>&) const override {}
    std::string_view piece_bytes(std::int32_t id) const override { return id == 0 ? "" : "ab"; }
    std::string serialized() const override { return "pairs"; }
  };
  const LogitsSource constant{[](const at::Tensor& ids) {
    return at::zeros({ids.size(0), ids.size(1), 10});
  }};
  const HeldOutLoss loss = held_out_loss(constant, {5, 0, 3, 4, 0}, 4, 1, Pairs());
  EXPECT_EQ(loss.tokens, 4);
  EXPECT_EQ(loss.bytes, 4);
  EXPECT_NEAR(loss.bits_per_byte, 4 * std::log2(10.0) / 4, 1e-6);
}

TEST(HeldOutLoss, IsCancelledBetweenBatches) {
  int calls = 0;
  const LogitsSource model{[&](const at::Tensor& ids) {
    ++calls;
    return at::zeros({ids.size(0), ids.size(1), 256});
  }};
  data::Task task;
  task.cancelled = [&] { return calls == 2; };
  EXPECT_THROW(held_out_loss(model, windows_of(6, 8), 8, 1, *data::byte_tokenizer(), task), data::Cancelled);
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace sparsescope::evaluate
