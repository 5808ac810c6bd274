// The form of a new run against the engine: every key is there, what is saved is what was meant, and what the
// engine refuses stands beside its field.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "app/desktop_session.h"
#include "app/desktop_training.h"
#include "app/new_run.h"
#include "engine/trace/error.h"
#include "tests/app/journey.h"
#include "tests/support/process.h"

namespace sparsescope::test {
namespace {

using experiments::Experiment;

// Another value that fits, for every key: what a person might type.
std::string another_value(const viz::FormField& field, const experiments::Key& key) {
  using Kind = viz::FormField::Kind;
  // Values that contradict the others of a preset when they are changed alone.
  static const std::map<std::string, std::string> chosen = {
      {"model.width", "256"},
      {"model.heads", "2"},
      {"model.context", "192"},
      {"data.vocabulary", "2000"},
      {"data.tokenizer", "bpe"},
      {"model.max_positions", "8192"},
      {"evaluation.needle_cue", "3"},
      {"evaluation.needle_length", "7"},
      {"evaluation.needle_contexts", "1, 2"},
      {"evaluation.needle_contexts_on_demand", "1, 2, 8"},
      {"evaluation.needle_depths", "0.25, 0.75"}};
  if (const auto it = chosen.find(field.key); it != chosen.end()) return it->second;
  switch (field.kind) {
    case Kind::Switch:
      return field.value == "true" ? "false" : "true";
    case Kind::Choice:
      return key.choices.back();
    case Kind::Text:
      return field.key == "name" ? "my-run" : "say \"θ\" \\ here";
    case Kind::LongText:
      return "two\nlines";
    case Kind::Integer:
      return std::to_string(static_cast<long long>(std::min(key.maximum, key.minimum + 3)));
    case Kind::Number:
      return std::to_string((key.minimum + std::min(key.maximum, key.minimum + 1)) / 2);
    case Kind::List:
      return "1";
  }
  return "";
}

TEST(NewRunForm, HasAFieldWithHelpAndRangeForEveryKeyButTheProfile) {
  const viz::NewRunForm form = app::form_of_preset("spark-collapse", "cpu");
  ASSERT_EQ(form.fields.size() + 1, experiments::keys().size());
  for (const experiments::Key& key : experiments::keys()) {
    const viz::FormField* field = form.find(key.name);
    if (key.name == "profile") {
      EXPECT_EQ(field, nullptr) << "it follows from the device";
      continue;
    }
    ASSERT_NE(field, nullptr) << key.name;
    EXPECT_FALSE(field->help.empty()) << key.name;
    EXPECT_FALSE(field->section.empty()) << key.name;
    const bool is_number = key.type != experiments::Key::Type::Text &&
                           key.type != experiments::Key::Type::Switch &&
                           key.type != experiments::Key::Type::Choice;
    EXPECT_EQ(is_number, !field->fits.empty()) << key.name;
    EXPECT_FALSE(field->is_changed()) << key.name;
  }
  const auto basic = std::count_if(form.fields.begin(), form.fields.end(),
                                   [](const viz::FormField& field) { return !field.is_advanced; });
  EXPECT_GE(basic, 5);
  EXPECT_LE(basic, 25);
}

TEST(NewRunForm, UntouchedMeansExactlyThePreset) {
  for (const experiments::Preset& preset : experiments::presets()) {
    viz::NewRunForm form = app::form_of_preset(preset.name, "cpu");
    app::check_form(form, {});
    EXPECT_EQ(form.why_not_ready(), "") << preset.name;
    EXPECT_TRUE(app::experiment_of(form) == experiments::load_preset(preset.name, "cpu")) << preset.name;
    EXPECT_TRUE(app::arguments_of(form).sets.empty());
  }
}

TEST(NewRunForm, EveryValueThatIsTypedAloneIsWhatTheSavedFileAndTheCommandLineMean) {
  TemporaryFolder folder;
  for (const experiments::Key& key : experiments::keys()) {
    if (key.name == "profile") continue;
    viz::NewRunForm form = app::form_of_preset("spark-collapse", "cpu");
    viz::FormField& field = *form.find(key.name);
    field.value = another_value(field, key);
    // What has a meaning beside another value only.
    static const std::map<std::string, std::pair<std::string, std::string>> beside = {
        {"spark.gate_pairs", {"spark.estimator", "in_scope"}},
        {"spark.rule", {"spark.initial_theta_sigmas", "0"}},
        {"train.attention", {"model.mixer", "dense"}}};
    if (const auto needed = beside.find(key.name); needed != beside.end())
      form.find(needed->second.first)->value = needed->second.second;
    app::check_form(form, {});
    ASSERT_EQ(form.why_not_ready(), "") << key.name << " = " << field.value;
    const Experiment meant = app::experiment_of(form);
    const std::string path = folder.write("saved.toml", experiments::to_toml(meant));
    EXPECT_TRUE(experiments::load_experiment(path, "cpu") == meant) << key.name;

    app::RunArguments arguments = app::arguments_of(form);
    arguments.out = folder / "run.h5";
    EXPECT_TRUE(app::run_from_arguments(arguments).request.experiment == meant) << key.name;
  }
}

TEST(NewRunForm, WhatDoesNotFitIsSaidBesideItsFieldAndNowhereElse) {
  for (const experiments::Key& key : experiments::keys()) {
    if (key.type != experiments::Key::Type::Integer && key.type != experiments::Key::Type::Number) continue;
    for (const std::string& wrong :
         {std::string("many"), std::string(""), std::to_string(key.maximum * 2 + 1)}) {
      viz::NewRunForm form = app::form_of_preset("spark-collapse", "cpu");
      form.find(key.name)->value = wrong;
      app::check_form(form, {});
      EXPECT_EQ(form.errors(), 1u) << key.name << " = " << wrong;
      EXPECT_NE(form.find(key.name)->error.find("between"), std::string::npos) << key.name;
      EXPECT_TRUE(form.estimates.empty());
      EXPECT_THROW(app::experiment_of(form), Error) << key.name;
    }
  }
}

TEST(NewRunForm, AContradictionStandsBesideTheValueThatWasChanged) {
  viz::NewRunForm form = app::form_of_preset("spark-collapse", "cpu");
  form.find("model.heads")->value = "5";
  app::check_form(form, {});
  EXPECT_NE(form.find("model.heads")->error.find("multiple"), std::string::npos);
  EXPECT_TRUE(form.find("model.width")->error.empty()) << "nobody touched it";
  form.find("model.heads")->value = form.find("model.heads")->preset_value;
  app::check_form(form, {});
  EXPECT_EQ(form.why_not_ready(), "");
}

TEST(NewRunForm, EstimatesGrowWithTheRunAndTimeIsAbsentUntilSomethingWasTrained) {
  const auto estimate = [](const viz::NewRunForm& form, const std::string& name) {
    const auto it = std::find_if(form.estimates.begin(), form.estimates.end(),
                                 [&](const viz::FormEstimate& e) { return e.name == name; });
    return it == form.estimates.end() ? std::string("none") : it->value;
  };
  viz::NewRunForm form = app::form_of_preset("spark-collapse", "cpu");
  app::check_form(form, {});
  EXPECT_EQ(estimate(form, "Time"), "—");
  const std::string small = estimate(form, "Recording");
  const app::TrainingRate rate{10'000, 1'000'000, "cpu"};
  app::check_form(form, rate);
  const std::string time = estimate(form, "Time");
  EXPECT_NE(time, "—");
  form.find("train.steps")->value = "100000";
  app::check_form(form, rate);
  EXPECT_NE(estimate(form, "Time"), time);
  EXPECT_NE(estimate(form, "Recording"), small);
  // A rate of another device says nothing.
  app::check_form(form, app::TrainingRate{10'000, 1'000'000, "cuda"});
  EXPECT_EQ(estimate(form, "Time"), "—");
}

TEST(NewRunForm, TheCorpusKnowsItsNamesAndTheDeviceSaysWhyNot) {
  const viz::NewRunForm form = app::form_of_preset("spark-collapse", "auto");
  EXPECT_FALSE(form.find("data.corpus")->choices.empty());
  ASSERT_EQ(form.devices.size(), 3u);
  const train::CudaAnswer cuda = train::cuda_answer();
  EXPECT_EQ(form.devices[2].why_not.empty(), cuda.available);
  EXPECT_EQ(form.device_note, cuda.available ? "GPU profile" : "CPU profile");
}

TEST(NewRunForm, FromTheWindowARealRunStartsWithWhatWasTyped) {
  TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "int value_" + std::to_string(i % 37) + " = 1;\n\n";
  app::DesktopOptions options;
  options.run.preset = "spark-collapse";
  options.run.corpus = {folder.write("text.c", text)};
  options.run.device = "cpu";
  options.run.out = folder / "run.h5";
  options.run.sets = {"model.layers=2",
                      "model.width=16",
                      "model.heads=2",
                      "model.context=64",
                      "spark.rank=8",
                      "train.batch=2",
                      "train.threads=1",
                      "data.tokenizer=bytes",
                      "data.vocabulary=256",
                      "evaluation.every=0",
                      "evaluation.needle_every=0"};
  viz::Timeline timeline;
  app::DesktopSession session(options, timeline, app::DesktopSession::Remember::No);
  Experiment meant;
  {
    Journey journey(session, timeline, 1920, 1080);
    const std::string trouble = journey.run("new run", [&](ImGuiTestContext* ctx) {
      ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_N);
      ctx->Yield(3);
      const frame::NewRunDialog& dialog = journey.frame().state().new_run;
      IM_CHECK(dialog.form.has_value());
      IM_CHECK(dialog.form->why_not_ready().empty());
      // Many values stand before it: the search brings it into sight.
      ctx->ItemInputValue("//New run/**/##search", "train.steps");
      ctx->Yield(2);
      ctx->ItemInputValue("//New run/**/train.steps/##value", "9");
      ctx->Yield(2);
      meant = app::experiment_of(*dialog.form);
      ctx->ItemInputValue("//New run/##file", (folder / "mine.toml").c_str());
      ctx->ItemClick("//New run/###Save as TOML");
      ctx->Yield(2);
      IM_CHECK(dialog.has_saved);
      ctx->ItemClick("//New run/###Start training");
      ctx->Yield(2);
      IM_CHECK(session.trainer() != nullptr);
      for (int i = 0; i < 8000 && !session.trainer()->status().is_over(); ++i) ctx->Yield();
      IM_CHECK(session.trainer()->status().state == frame::TrainerStatus::State::Finished);
      IM_CHECK_EQ(session.trainer()->status().step, 9u);
    });
    ASSERT_EQ(trouble, "");
  }
  EXPECT_EQ(meant.train.steps, 9);
  EXPECT_TRUE(experiments::load_experiment(folder / "mine.toml", "cpu") == meant);
  timeline.drain_all();
  const Experiment recorded =
      experiments::experiment_from_json(timeline.runs()[0]->schema()->experiment_json);
  meant.data.corpus = "text.c";  // recordings name no folder of the machine
  EXPECT_TRUE(recorded == meant);
}

}  // namespace
}  // namespace sparsescope::test
