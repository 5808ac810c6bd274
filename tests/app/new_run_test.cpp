// The dialog for a new run under a person's hands, with a scripted host behind it.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/app/journey.h"
#include "tests/app/scripted_host.h"
#include "tests/support/process.h"

namespace sparsescope::test {
namespace {

const viz::FormField& field(Journey& journey, const char* key) {
  return *journey.frame().state().new_run.form->find(key);
}

// The test engine knows the boxes of combos by their place only, not by their label.
void click_combo(ImGuiTestContext* ctx, const char* window, const char* item) {
  ctx->SetRef(ctx->WindowInfo(window).ID);
  ctx->ItemClick(item);
  ctx->Yield(2);
}

std::string value_of(const char* key) { return std::string("//New run/**/") + key + "/##value"; }

TEST(NewRun, ATypedValueIsChangedAndTheRunStartsWithIt) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  Journey journey(host, timeline);
  const std::string trouble = journey.run("start", [&](ImGuiTestContext* ctx) {
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_N);
    ctx->Yield(3);
    IM_CHECK(journey.frame().state().dialog == frame::Dialog::NewRun);
    IM_CHECK_EQ(journey.frame().state().new_run.form->changed(), 0u);
    ctx->ItemInputValue(value_of("train.steps").c_str(), "1200");
    ctx->Yield(2);
    IM_CHECK(field(journey, "train.steps").is_changed());
    ctx->ItemClick("//New run/###Start training");
    ctx->Yield(3);
    IM_CHECK(journey.frame().state().dialog == frame::Dialog::None);
    IM_CHECK(host.started.has_value());
    IM_CHECK(host.started->find("train.steps")->value == "1200");
    IM_CHECK_EQ(timeline.runs().size(), 1u);
  });
  EXPECT_EQ(trouble, "");
}

TEST(NewRun, AWrongValueIsRefusedInPlaceAndTheWayBackIsBesideIt) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  Journey journey(host, timeline);
  const std::string trouble = journey.run("wrong", [&](ImGuiTestContext* ctx) {
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_N);
    ctx->Yield(3);
    for (const char* wrong : {"0", "many", "-3", "1e9"}) {
      ctx->ItemInputValue(value_of("train.steps").c_str(), wrong);
      ctx->Yield(2);
      IM_CHECK(field(journey, "train.steps").error.find("between 1 and 100000") != std::string::npos);
      IM_CHECK(field(journey, "model.layers").error.empty());
      IM_CHECK(journey.frame().state().new_run.form->estimates.empty());
      IM_CHECK((ctx->ItemInfo("//New run/###Start training").ItemFlags & ImGuiItemFlags_Disabled) != 0);
    }
    ctx->ItemClick("//New run/**/train.steps/###reset");
    ctx->Yield(2);
    IM_CHECK(field(journey, "train.steps").value == "300");
    IM_CHECK(field(journey, "train.steps").error.empty());
    IM_CHECK(!host.started.has_value());
    ctx->ItemClick("//New run/###Cancel");
    ctx->Yield(2);
    IM_CHECK(journey.frame().state().dialog == frame::Dialog::None);
  });
  EXPECT_EQ(trouble, "");
}

TEST(NewRun, SwitchesChoicesAndNamesAreControlsOfTheirOwn) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  Journey journey(host, timeline);
  const std::string trouble = journey.run("kinds", [&](ImGuiTestContext* ctx) {
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_N);
    ctx->Yield(3);
    ctx->ItemClick("//New run/**/spark.fallback/###value");
    ctx->Yield(2);
    IM_CHECK(field(journey, "spark.fallback").value == "false");
    click_combo(ctx, "//New run/right/values", "model.mixer/##value");
    ctx->ItemClick((popup_path() + "/window").c_str());
    ctx->Yield(2);
    IM_CHECK(field(journey, "model.mixer").value == "window");
    ctx->ItemClick("//New run/**/data.corpus/names");
    ctx->Yield(2);
    ctx->ItemClick((popup_path() + "/manuals").c_str());
    ctx->Yield(2);
    IM_CHECK(field(journey, "data.corpus").value == "manuals");
    IM_CHECK_EQ(journey.frame().state().new_run.form->changed(), 3u);
  });
  EXPECT_EQ(trouble, "");
}

TEST(NewRun, AdvancedValuesShowWhenAskedForOrSearched) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  Journey journey(host, timeline);
  const std::string trouble = journey.run("advanced", [&](ImGuiTestContext* ctx) {
    const auto shows = [&](const char* key) {
      ctx->Yield(2);
      return ctx->ItemInfo(value_of(key).c_str(), ImGuiTestOpFlags_NoError).ID != 0;
    };
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_N);
    ctx->Yield(3);
    IM_CHECK(shows("train.steps"));
    IM_CHECK(!shows("optimizer.learning_rate"));
    ctx->ItemClick("//New run/**/Advanced");
    IM_CHECK(shows("optimizer.learning_rate"));
    ctx->ItemClick("//New run/**/Advanced");
    ctx->ItemInputValue("//New run/**/##search", "learning");
    IM_CHECK(shows("optimizer.learning_rate"));
    IM_CHECK(!shows("train.steps"));
  });
  EXPECT_EQ(trouble, "");
}

TEST(NewRun, AnotherPresetBringsItsValuesAndAnotherDeviceKeepsWhatWasChanged) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  Journey journey(host, timeline);
  const std::string trouble = journey.run("preset", [&](ImGuiTestContext* ctx) {
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_N);
    ctx->Yield(3);
    ctx->ItemInputValue(value_of("train.steps").c_str(), "77");
    click_combo(ctx, "//New run/left", "##device");
    ctx->ItemClick((popup_path() + "/CPU").c_str());
    ctx->Yield(2);
    IM_CHECK(journey.frame().state().new_run.form->device == "cpu");
    IM_CHECK(field(journey, "train.steps").value == "77");
    ctx->ItemClick("//New run/**/dense-alibi/preset");
    ctx->Yield(2);
    IM_CHECK(field(journey, "model.layers").value == "6");
    IM_CHECK(field(journey, "train.steps").value == "300");
  });
  EXPECT_EQ(trouble, "");
}

TEST(NewRun, IsSavedAsAFileThatIsNamedInTheAnswer) {
  TemporaryFolder folder;
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  host.figures = folder / ".";
  Journey journey(host, timeline);
  const std::string trouble = journey.run("save", [&](ImGuiTestContext* ctx) {
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_N);
    ctx->Yield(3);
    ctx->ItemInputValue("//New run/##file", (folder / "mine.toml").c_str());
    ctx->ItemClick("//New run/###Save as TOML");
    ctx->Yield(2);
    IM_CHECK(journey.frame().state().new_run.outcome.find("mine.toml") != std::string::npos);
    IM_CHECK(std::ifstream(folder / "mine.toml").good());
    // A place that cannot be written is said where it was asked for.
    ctx->ItemInputValue("//New run/##file", "/nowhere/at/all.toml");
    ctx->ItemClick("//New run/###Save as TOML");
    ctx->Yield(2);
    IM_CHECK(journey.frame().state().new_run.outcome.find("/nowhere/at/all.toml") != std::string::npos);
    IM_CHECK(!journey.frame().state().new_run.has_saved);
  });
  EXPECT_EQ(trouble, "");
}

TEST(NewRun, WithoutATrainerTheDialogSaysWhyAndOffersWhatThereIs) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  host.no_training = host.no_form = "this is the replay-only program";
  Journey journey(host, timeline);
  const std::string trouble = journey.run("replay only", [&](ImGuiTestContext* ctx) {
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_N);
    ctx->Yield(3);
    IM_CHECK(journey.frame().state().dialog == frame::Dialog::NewRun);
    IM_CHECK(!journey.frame().state().new_run.form.has_value());
    IM_CHECK(journey.frame().state().new_run.why_none == host.no_form);
    ctx->KeyPress(ImGuiKey_Escape);
    ctx->Yield(2);
    IM_CHECK(journey.frame().state().dialog == frame::Dialog::None);
  });
  EXPECT_EQ(trouble, "");
}

TEST(NewRun, WhileARunIsUnderWayItCanBeDescribedButNotStarted) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  host.start_training("spark-collapse");
  host.no_training = "a run is under way; stop it first";
  Journey journey(host, timeline);
  const std::string trouble = journey.run("under way", [&](ImGuiTestContext* ctx) {
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_N);
    ctx->Yield(3);
    ctx->ItemInputValue(value_of("train.steps").c_str(), "5");
    ctx->Yield(2);
    IM_CHECK((ctx->ItemInfo("//New run/###Start training").ItemFlags & ImGuiItemFlags_Disabled) != 0);
    IM_CHECK((ctx->ItemInfo("//New run/###Save as TOML").ItemFlags & ImGuiItemFlags_Disabled) == 0);
  });
  EXPECT_EQ(trouble, "");
}

TEST(NewRun, OpensFromTheCardOfAPreset) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  Journey journey(host, timeline);
  const std::string trouble = journey.run("adjust", [&](ImGuiTestContext* ctx) {
    ctx->ItemClick("//start/**/dense-alibi/###adjust");
    ctx->Yield(3);
    IM_CHECK(journey.frame().state().dialog == frame::Dialog::NewRun);
    IM_CHECK(journey.frame().state().new_run.form->preset == "dense-alibi");
    IM_CHECK(timeline.runs().empty());
  });
  EXPECT_EQ(trouble, "");
}

}  // namespace
}  // namespace sparsescope::test
