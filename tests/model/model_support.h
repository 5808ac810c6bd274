// Small models and inputs for the tests of the language model.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/model/language_model.h"
#include "engine/trace/error.h"

namespace sparsescope::model {

using experiments::DeclarationRule;
using experiments::Estimator;
using experiments::GatePairs;
using experiments::MixerKind;
using experiments::ModelConfig;
using experiments::PositionKind;

inline constexpr std::int64_t kVocabulary = 13;

// Two layers of width 16, two heads; weights large enough for every part to matter, thresholds one sigma up.
inline ModelConfig small_config(MixerKind mixer = MixerKind::Spark,
                                PositionKind position = PositionKind::Rope) {
  ModelConfig config;
  config.layers = 2;
  config.width = 16;
  config.heads = 2;
  config.context = 24;
  config.max_positions = 32;
  config.mixer = mixer;
  config.position = position;
  config.window = 5;
  config.init_std = 0.3;
  config.spark.rank = 4;
  config.spark.fallback_window = 5;
  config.spark.initial_theta_sigmas = 1;
  return config;
}

inline at::Tensor random_ids(std::int64_t batch, std::int64_t tokens, std::uint64_t seed = 1,
                             std::int64_t vocabulary = kVocabulary) {
  const at::Tensor normal = draw_normal(seed, "ids", {batch, tokens}, 1000.0);
  return normal.abs().floor().to(at::kLong).remainder(vocabulary);
}

inline void set_thetas(const LanguageModel& model, double value) {
  for (at::Tensor theta : model.thetas()) theta.detach().fill_(value);
}

inline at::Tensor logits_of(const LanguageModel& model, const at::Tensor& ids) {
  const c10::NoGradGuard no_graph;
  return model.forward(ids).logits;
}

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

struct NamedForm {
  std::string name;
  ModelConfig config;
};

// Every mixer with every position encoding; SPaRK with and without inheritance.
inline std::vector<NamedForm> all_mixers_and_positions() {
  std::vector<NamedForm> forms;
  const std::pair<PositionKind, const char*> positions[] = {{PositionKind::Rope, "rope"},
                                                            {PositionKind::Alibi, "alibi"},
                                                            {PositionKind::Learned, "learned"},
                                                            {PositionKind::None, "none"}};
  for (const auto& [position, name] : positions) {
    forms.push_back({std::string("dense ") + name, small_config(MixerKind::Dense, position)});
    forms.push_back({std::string("window ") + name, small_config(MixerKind::Window, position)});
    forms.push_back({std::string("spark ") + name, small_config(MixerKind::Spark, position)});
    forms.push_back(
        {std::string("spark with inheritance ") + name, small_config(MixerKind::Spark, position)});
    forms.back().config.spark.inheritance = true;
  }
  return forms;
}

// Every estimator of SPaRK by every rule of declaration, with RoPE and inheritance.
inline std::vector<NamedForm> all_estimators_and_rules() {
  std::vector<NamedForm> forms;
  const std::pair<Estimator, const char*> estimators[] = {{Estimator::Surrogate, "surrogate"},
                                                          {Estimator::InScope, "in_scope"},
                                                          {Estimator::Soft, "soft"},
                                                          {Estimator::PostGate, "post_gate"},
                                                          {Estimator::SurrogateSplit, "surrogate_split"}};
  const std::pair<DeclarationRule, const char*> rules[] = {{DeclarationRule::Threshold, "threshold"},
                                                           {DeclarationRule::TopK, "top_k"},
                                                           {DeclarationRule::TopKOffset, "top_k_offset"}};
  for (const auto& [estimator, estimator_name] : estimators) {
    for (const auto& [rule, rule_name] : rules) {
      ModelConfig config = small_config();
      config.spark.estimator = estimator;
      config.spark.rule = rule;
      config.spark.top_k = 3;
      config.spark.inheritance = true;
      config.spark.initial_theta_sigmas = rule == DeclarationRule::Threshold    ? 1
                                          : rule == DeclarationRule::TopKOffset ? -0.3
                                                                                : 0;
      forms.push_back({std::string(estimator_name) + " by " + rule_name, config});
    }
  }
  return forms;
}

}  // namespace sparsescope::model
