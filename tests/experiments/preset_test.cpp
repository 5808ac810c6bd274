// The presets that the program ships: they load, they are valid, and they say what the design promises of
// them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "engine/experiments/experiment.h"
#include "engine/trace/error.h"

namespace sparsescope::experiments {
namespace {

TEST(Presets, AreFoundWithTheDefaultFirst) {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.push_back(preset.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"spark-collapse", "dense-alibi", "dense-rope", "spark-in-scope"}));
}

TEST(Presets, AreValidInBothProfilesAndExplainThemselves) {
  for (const Preset& preset : presets()) {
    for (const char* profile : {"gpu", "cpu"}) {
      const Experiment experiment = load_preset(preset.name, profile);
      EXPECT_NO_THROW(validate(experiment)) << preset.name;
      EXPECT_EQ(experiment.name, preset.name);
      EXPECT_EQ(experiment.profile, profile);
      EXPECT_FALSE(experiment.title.empty());
      EXPECT_GT(experiment.text.size(), 200u);
      EXPECT_EQ(experiment.text.find('\n'), std::string::npos) << "the window wraps lines itself";
    }
  }
}

TEST(Presets, DifferOnlyWhereTheirNamesSay) {
  for (const char* profile : {"gpu", "cpu"}) {
    const Experiment collapse = load_preset("spark-collapse", profile);
    Experiment other = load_preset("spark-in-scope", profile);
    other.name = collapse.name, other.title = collapse.title, other.text = collapse.text;
    EXPECT_NE(other, collapse);
    other.model.spark.estimator = Estimator::Surrogate;
    EXPECT_EQ(other, collapse);

    const Experiment rope = load_preset("dense-rope", profile);
    other = load_preset("dense-alibi", profile);
    other.name = rope.name, other.title = rope.title, other.text = rope.text;
    EXPECT_NE(other, rope);
    other.model.position = PositionKind::Rope;
    EXPECT_EQ(other, rope);
    other.name = collapse.name, other.title = collapse.title, other.text = collapse.text,
    other.model = collapse.model;
    EXPECT_EQ(other, collapse) << "dense runs are the reference of the sparse ones";
  }
}

TEST(Presets, TheDefaultStartsWithinReachOfItsThreshold) {
  // Adam moves a parameter by at most about its learning rate a step. What 300 CPU steps can travel, in
  // standard deviations of the untrained scores (init_std * sqrt(width)), must be a clear part of the way to
  // the mean.
  const Experiment cpu = load_preset("spark-collapse", "cpu");
  double reach = 0;
  for (std::int64_t i = 0; i < cpu.train.steps; ++i) {
    const double warm =
        std::min(1.0, static_cast<double>(i + 1) / static_cast<double>(cpu.optimizer.warmup_steps));
    const double turn = M_PI * static_cast<double>(i) / static_cast<double>(cpu.train.steps);
    const double low = cpu.optimizer.final_lr_fraction;
    reach += cpu.optimizer.learning_rate * warm * (low + (1 - low) / 2 * (1 + std::cos(turn)));
  }
  const double sigmas = reach / (cpu.model.init_std * std::sqrt(static_cast<double>(cpu.model.width)));
  EXPECT_NEAR(sigmas, 1.3, 0.1) << "the preset's text says so";
  EXPECT_GT(sigmas, cpu.model.spark.initial_theta_sigmas / 2);
}

TEST(Presets, AnUnknownOneListsThoseThatExist) {
  try {
    load_preset("spark-colapse", "gpu");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Usage);
    EXPECT_STREQ(error.what(),
                 "there is no preset 'spark-colapse'; there are: spark-collapse, dense-alibi, dense-rope, "
                 "spark-in-scope");
  }
}

TEST(Presets, AnAssetsFolderInTheEnvironmentComesFirst) {
  ::setenv("SPARSESCOPE_ASSETS", "/nonexistent", 1);
  EXPECT_THROW(presets(), Error);
  ::setenv("SPARSESCOPE_ASSETS", SPARSESCOPE_SOURCE_DIR "/assets", 1);
  EXPECT_EQ(presets().size(), 4u);
  ::unsetenv("SPARSESCOPE_ASSETS");
}

}  // namespace
}  // namespace sparsescope::experiments
