// No token sees the future, no sequence sees another: laws that hold bit for bit.
#include <functional>

#include "engine/model/mixers/mixer.h"
#include "tests/model/model_support.h"

namespace sparsescope::model {
namespace {

using Predict = std::function<at::Tensor(const at::Tensor& ids)>;  // [1,T] -> [1,T,*]

struct Leak {
  std::int64_t changed = -1, seen_at = -1;  // -1: none
  std::int64_t unnoticed = 0;               // changes that nobody noticed, not even the token itself
};

// Changes each token in turn and looks for an earlier position whose output moved by a single bit.
Leak find_leak(const Predict& predict, const at::Tensor& ids) {
  Leak leak;
  const at::Tensor before = predict(ids);
  for (std::int64_t j = 0; j < ids.size(1); ++j) {
    at::Tensor changed = ids.clone();
    changed.select(1, j).add_(1).remainder_(kVocabulary);
    const at::Tensor has_moved = predict(changed).ne(before).any(-1)[0];  // [T]
    for (std::int64_t t = 0; t < j && leak.changed < 0; ++t) {
      if (has_moved[t].item<bool>()) leak.changed = j, leak.seen_at = t;
    }
    leak.unnoticed += !has_moved[j].item<bool>();
  }
  return leak;
}

void expect_no_leak(const std::vector<NamedForm>& forms) {
  for (const NamedForm& form : forms) {
    const LanguageModel model(form.config, kVocabulary, at::kCPU, at::kFloat, 3);
    const Leak leak =
        find_leak([&](const at::Tensor& ids) { return logits_of(model, ids); }, random_ids(1, 19));
    EXPECT_EQ(leak.changed, -1) << form.name << ": position " << leak.seen_at << " knows token "
                                << leak.changed;
    EXPECT_EQ(leak.unnoticed, 0) << form.name;
  }
}

TEST(Causality, AChangedTokenMovesNoBitBeforeItInAnyMixerWithAnyPositionEncoding) {
  expect_no_leak(all_mixers_and_positions());
}

TEST(Causality, AChangedTokenMovesNoBitBeforeItWithAnyEstimatorAndRule) {
  expect_no_leak(all_estimators_and_rules());
}

// A SPaRK mixer alone, addressed by ids shifted by `shift`.
Leak leak_of_addresses_shifted_by(std::int64_t shift) {
  const ModelConfig config = small_config();
  ControlBlock controls(at::kCPU);
  ParameterTable parameters(at::kCPU, at::kFloat, at::kFloat, 5);
  const auto positions = make_positions(config, parameters);
  const auto mixer = make_mixer({config, kVocabulary, 0, "mixer", parameters, controls, *positions});
  const at::Tensor embedding = draw_normal(5, "embedding", {kVocabulary, config.width}, 1).to(at::kFloat);
  const Predict predict = [&](const at::Tensor& ids) {
    const c10::NoGradGuard no_graph;
    const at::Tensor x = at::embedding(embedding, ids), addresses = ids.roll(-shift, 1);
    const ForwardOptions options;
    ForwardResult result;
    MixerCall call{addresses, options, result};
    return x + mixer->forward(x, call);
  };
  return find_leak(predict, random_ids(1, 19));
}

TEST(Causality, AddressingAQueryByItsTargetIsCaught) {
  EXPECT_EQ(leak_of_addresses_shifted_by(0).changed, -1);
  EXPECT_NE(leak_of_addresses_shifted_by(1).changed, -1);
}

TEST(Batches, ASequenceAloneIsTheSameSequenceInABatch) {
  for (const NamedForm& form : all_mixers_and_positions()) {
    const LanguageModel model(form.config, kVocabulary, at::kCPU, at::kDouble, 3);
    const at::Tensor ids = random_ids(3, 17), together = logits_of(model, ids);
    for (std::int64_t row = 0; row < 3; ++row) {
      // Another batch size may pick another order of sums inside the matrix product.
      EXPECT_LT(largest_difference(logits_of(model, ids.narrow(0, row, 1))[0], together[row]), 1e-12)
          << form.name;
    }
  }
}

TEST(Batches, SequencesDoNotSeeEachOther) {
  for (const NamedForm& form : all_mixers_and_positions()) {
    const LanguageModel model(form.config, kVocabulary, at::kCPU, at::kFloat, 3);
    const at::Tensor ids = random_ids(3, 17);
    at::Tensor changed = ids.clone();
    changed[1] = random_ids(1, 17, 99)[0];
    const at::Tensor before = logits_of(model, ids), after = logits_of(model, changed);
    EXPECT_TRUE(before[0].equal(after[0])) << form.name;
    EXPECT_TRUE(before[2].equal(after[2])) << form.name;
    EXPECT_FALSE(before[1].equal(after[1])) << form.name;
  }
}

}  // namespace
}  // namespace sparsescope::model
