// Keys, values and files of experiments: laws of round trips and the sentences of refusals.
#include "engine/experiments/experiment.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "engine/trace/error.h"

namespace sparsescope::experiments {
namespace {

// The sentence that `action` is refused with; fails the test when it is not refused or not as a usage error.
template <typename Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Usage) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

class ExperimentFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() /
        ("sparsescope-experiments-" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
         "-" + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& text) const {
    const std::string path = folder_ / "mine.toml";
    std::ofstream(path) << text;
    return path;
  }
  std::filesystem::path folder_;
};

// A value other than the one in force that fits the key, as text.
std::string another_value(const Experiment& experiment, const Key& key) {
  switch (key.type) {
    case Key::Type::Integer: {
      const auto minimum = static_cast<std::int64_t>(key.minimum);
      const std::string lowest = std::to_string(minimum);
      return get(experiment, key.name) == lowest ? std::to_string(minimum + 1) : lowest;
    }
    case Key::Type::Number:
      return std::to_string((key.minimum + key.maximum) / 2.0);
    case Key::Type::Switch:
      return get(experiment, key.name) == "true" ? "false" : "true";
    case Key::Type::Choice:
      return get(experiment, key.name) == '"' + key.choices.back() + '"' ? key.choices.front()
                                                                         : key.choices.back();
    case Key::Type::Text:
      return "a \"quoted\" text,\nwith a back\\slash\tand é";
    case Key::Type::Integers:
      return "[2, 3, 5]";
    case Key::Type::Numbers:
      return "[0.25, 0.1]";
  }
  return {};
}

Experiment with_every_key_changed() {
  Experiment experiment;
  for (const Key& key : keys()) {
    if (key.name != "profile") set(experiment, key.name, another_value(experiment, key));
  }
  return experiment;
}

TEST(Keys, NamesAreUniqueAndEveryKeyExplainsItself) {
  std::set<std::string> names;
  for (const Key& key : keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_TRUE(key.text.ends_with('.')) << key.name;
    EXPECT_EQ(key.type == Key::Type::Choice, !key.choices.empty()) << key.name;
    const bool is_number = key.type == Key::Type::Integer || key.type == Key::Type::Number ||
                           key.type == Key::Type::Integers || key.type == Key::Type::Numbers;
    EXPECT_EQ(is_number, !key.unit.empty()) << key.name << " has the unit '" << key.unit << "'";
    EXPECT_EQ(is_number, key.minimum < key.maximum && key.type != Key::Type::Switch) << key.name;
    EXPECT_FALSE(what_fits(key).empty()) << key.name;
    EXPECT_EQ(default_value(key.name), get(Experiment(), key.name));
  }
}

TEST(Keys, FewAreShownFirstAndWatchingChangesNoTraining) {
  std::size_t basic = 0;
  for (const Key& key : keys()) {
    basic += key.is_advanced ? 0 : 1;
    const bool is_watching = key.name.starts_with("probe.") || key.name.starts_with("evaluation.") ||
                             key.name.starts_with("sample.");
    EXPECT_FALSE(is_watching && key.changes_training) << key.name;
    EXPECT_TRUE(!key.name.starts_with("optimizer.") || key.changes_training) << key.name;
  }
  EXPECT_EQ(basic, 25u);  // a name in that list without a key would make it less
  const auto changes = [](const std::string& name) {
    return std::find_if(keys().begin(), keys().end(), [&](const Key& key) { return key.name == name; })
        ->changes_training;
  };
  for (const char* name : {"title", "train.pace", "train.seed", "data.corpus"})
    EXPECT_FALSE(changes(name)) << name;
  for (const char* name : {"train.steps", "train.batch", "spark.tau", "model.norm_eps", "data.vocabulary"})
    EXPECT_TRUE(changes(name)) << name;
}

TEST(Keys, EveryKeyChangesTheExperimentAndReadsBackWhatItWasGiven) {
  for (const Key& key : keys()) {
    if (key.name == "profile" || key.name == "model.depth") continue;  // one choice each, or none to make
    const Experiment before;
    Experiment after;
    set(after, key.name, another_value(before, key));
    EXPECT_NE(after, before) << key.name;
    Experiment copy;
    set(copy, key.name, get(after, key.name));
    EXPECT_EQ(copy, after) << key.name << " = " << get(after, key.name);
  }
}

TEST(Keys, TheStandardExperimentIsValidAndWithinItsOwnRanges) {
  Experiment experiment;
  experiment.name = "standard";
  validate(experiment);
  for (const Key& key : keys()) {
    if (key.name == "profile") continue;
    EXPECT_NO_THROW(set(experiment, key.name, get(experiment, key.name))) << key.name;
  }
}

TEST(Keys, ValuesMayBeWrittenAsOnACommandLine) {
  Experiment experiment;
  set(experiment, "optimizer.learning_rate", " 3e-4 ");
  set(experiment, "spark.estimator", "in_scope");
  set(experiment, "evaluation.needle_contexts", "1,2, 8");
  set(experiment, "evaluation.needle_depths", "[0, 1]");
  set(experiment, "title", "'plain'");
  EXPECT_EQ(experiment.optimizer.learning_rate, 3e-4);
  EXPECT_EQ(experiment.model.spark.estimator, Estimator::InScope);
  EXPECT_EQ(experiment.evaluation.needle_contexts, (std::vector<std::int64_t>{1, 2, 8}));
  EXPECT_EQ(experiment.evaluation.needle_depths, (std::vector<double>{0, 1}));
  EXPECT_EQ(experiment.title, "plain");
}

TEST(Keys, AnUnknownKeyNamesTheNearestOne) {
  Experiment experiment;
  const auto asked = [&experiment](const char* key) { return refusal([&] { set(experiment, key, "1"); }); };
  EXPECT_EQ(asked("optimiser.learning_rate"),
            "there is no key 'optimiser.learning_rate'; did you mean optimizer.learning_rate?");
  EXPECT_NE(asked("learning_rate").find("optimizer.learning_rate?"), std::string::npos);
  EXPECT_NE(asked("model.spark.rank").find("spark.rank?"), std::string::npos);
  EXPECT_NE(asked("spark.tua").find("spark.tau?"), std::string::npos);
  EXPECT_NE(refusal([&] { get(experiment, "train.step"); }).find("train.steps?"), std::string::npos);
}

TEST(Keys, AValueOfTheWrongTypeOrRangeIsRefusedWithWhatFits) {
  const Experiment before;
  Experiment experiment;
  const auto asked = [&experiment](const char* key, const char* value) {
    return refusal([&] { set(experiment, key, value); });
  };
  EXPECT_EQ(asked("model.layers", "six"),
            "model.layers = six does not fit: it takes a whole number between 1 and 64 blocks");
  EXPECT_EQ(asked("model.layers", "0"),
            "model.layers = 0 does not fit: it takes a whole number between 1 and 64 blocks");
  EXPECT_EQ(asked("model.layers", "2.5"),
            "model.layers = 2.5 does not fit: it takes a whole number between 1 and 64 blocks");
  EXPECT_EQ(asked("spark.estimator", "hard"),
            "spark.estimator = hard does not fit: it takes one of surrogate, in_scope, soft, post_gate, "
            "surrogate_split");
  EXPECT_EQ(asked("spark.fallback", "yes"), "spark.fallback = yes does not fit: it takes true or false");
  EXPECT_NE(asked("spark.tau", "nan").find("a number between 0.001 and 100"), std::string::npos);
  EXPECT_NE(asked("spark.tau", "inf").find("a number between"), std::string::npos);
  EXPECT_NE(asked("spark.tau", "").find("(nothing)"), std::string::npos);
  EXPECT_NE(asked("train.seed", "-1").find("between 0"), std::string::npos);
  EXPECT_NE(asked("train.steps", "99999999999999999999").find("whole number"), std::string::npos);
  EXPECT_NE(asked("evaluation.needle_contexts", "[1, 0]").find("list of whole numbers"), std::string::npos);
  EXPECT_NE(asked("evaluation.needle_depths", "[]").find("list of numbers"), std::string::npos);
  EXPECT_NE(asked("evaluation.needle_depths", "0.1,,0.2").find("list of numbers"), std::string::npos);
  EXPECT_NE(asked("profile", "cpu").find("--device"), std::string::npos);
  EXPECT_EQ(experiment, before);
}

TEST(Validate, ContradictionsBetweenKeysAreNamed) {
  const auto asked = [](std::vector<std::pair<const char*, const char*>> values) {
    Experiment experiment;
    experiment.name = "x";
    for (const auto& [key, value] : values) set(experiment, key, value);
    return refusal([&] { validate(experiment); });
  };
  EXPECT_NE(asked({{"model.heads", "5"}}).find("not a multiple"), std::string::npos);
  EXPECT_NE(asked({{"model.width", "18"}}).find("pairs"), std::string::npos);
  EXPECT_NE(asked({{"model.position", "learned"}, {"model.max_positions", "100"}}).find("max_positions"),
            std::string::npos);
  EXPECT_NE(asked({{"evaluation.needle_cue", "8"}}).find("no answer"), std::string::npos);
  EXPECT_NE(asked({{"model.context", "16"}}).find("do not fit"), std::string::npos);
  EXPECT_NE(asked({{"data.tokenizer", "bytes"}}).find("256"), std::string::npos);
  EXPECT_NE(asked({{"data.vocabulary", "256"}}).find("more than 256"), std::string::npos);
  EXPECT_NE(asked({{"name", "../x"}}).find("file name"), std::string::npos);
}

TEST_F(ExperimentFile, TomlLoadsBackToAnEqualExperiment) {
  for (const char* profile : {"gpu", "cpu"}) {
    Experiment experiment = with_every_key_changed();
    experiment.profile = profile;
    EXPECT_EQ(load_experiment(write(to_toml(experiment)), "gpu"), experiment);
  }
}

TEST(Json, LoadsBackToAnEqualExperiment) {
  EXPECT_EQ(experiment_from_json(to_json(Experiment())), Experiment());
  Experiment experiment = with_every_key_changed();
  experiment.profile = "cpu";
  EXPECT_EQ(experiment_from_json(to_json(experiment)), experiment);
  EXPECT_THROW(experiment_from_json("[1]"), Error);
  EXPECT_THROW(experiment_from_json("{\"model\": {\"layers\": \"six\"}}"), Error);
  EXPECT_THROW(experiment_from_json("{\"model\": {\"layers\": null}}"), Error);
}

TEST_F(ExperimentFile, TheCpuTableReplacesValuesInTheCpuProfileOnly) {
  const std::string path =
      write("[model]\nlayers = 6\nwidth = 96\n[cpu]\nmodel.layers = 2\n[cpu.spark]\nrank = 8\n");
  const Experiment gpu = load_experiment(path, "gpu");
  const Experiment cpu = load_experiment(path, "cpu");
  EXPECT_EQ(gpu.name, "mine");
  EXPECT_EQ(gpu.profile, "gpu");
  EXPECT_EQ(gpu.model.layers, 6);
  EXPECT_EQ(gpu.model.spark.rank, SparkConfig().rank);
  EXPECT_EQ(cpu.profile, "cpu");
  EXPECT_EQ(cpu.model.layers, 2);
  EXPECT_EQ(cpu.model.width, 96);
  EXPECT_EQ(cpu.model.spark.rank, 8);
}

TEST_F(ExperimentFile, ABadFileIsRefusedWithItsLineAndKey) {
  const auto asked = [this](const char* text) {
    return refusal([&] { load_experiment(write(text), "cpu"); });
  };
  EXPECT_NE(asked("[model]\nlayerz = 3\n")
                .find("mine.toml, line 2: there is no key 'model.layerz'; did you mean model.layers?"),
            std::string::npos);
  EXPECT_NE(asked("[model]\n\nlayers = \"six\"\n").find("line 3: model.layers = \"six\" does not fit"),
            std::string::npos);
  EXPECT_NE(asked("[cpu]\nmodel.layers = 1000\n").find("line 2: model.layers = 1000"), std::string::npos);
  EXPECT_NE(asked("[model]\nlayers = 2024-01-01\n").find("line 2: model.layers does not fit"),
            std::string::npos);
  EXPECT_NE(asked("[evaluation]\nneedle_depths = [\"a\"]\n").find("list of numbers"), std::string::npos);
  EXPECT_NE(asked("[model\n").find("line 1: this is not TOML"), std::string::npos);
  EXPECT_NE(asked("cpu = 3\n").find("line 1: cpu is a table"), std::string::npos);
  EXPECT_NE(refusal([this] {
              load_experiment((folder_ / "none.toml").native(), "cpu");
            }).find("there is no experiment file"),
            std::string::npos);
}

}  // namespace
}  // namespace sparsescope::experiments
