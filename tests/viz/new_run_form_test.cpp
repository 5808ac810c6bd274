// The form of a new run as data: search, what changed, and what it says about being ready.
#include "viz/model/new_run_form.h"

#include <gtest/gtest.h>

namespace sparsescope::viz {
namespace {

NewRunForm small_form() {
  NewRunForm form;
  FormField steps;
  steps.key = "train.steps";
  steps.label = label_from_key("steps");
  steps.section = "Training";
  steps.help = "Planned optimizer steps, N.";
  steps.value = steps.preset_value = "300";
  FormField rate = steps;
  rate.key = "optimizer.learning_rate";
  rate.label = label_from_key("learning_rate");
  rate.section = "Optimizer";
  rate.help = "Peak of AdamW.";
  form.fields = {steps, rate};
  return form;
}

TEST(NewRunFormData, ASearchMeansAllOfItsWordsWhereverTheyStand) {
  const NewRunForm form = small_form();
  const FormField& rate = *form.find("optimizer.learning_rate");
  EXPECT_EQ(rate.label, "Learning rate");
  for (const char* found : {"", "  ", "LEARNING", "rate adamw", "optimizer.learning_rate", "  peak  rate "})
    EXPECT_TRUE(matches(rate, found)) << found;
  for (const char* missed : {"steps", "rate steps", "adamx"}) EXPECT_FALSE(matches(rate, missed)) << missed;
}

TEST(NewRunFormData, ChangesAreCarriedToAnotherFormAndNothingElseIs) {
  NewRunForm from = small_form(), to = small_form();
  from.find("train.steps")->value = "77";
  to.find("optimizer.learning_rate")->preset_value = to.find("optimizer.learning_rate")->value = "0.1";
  carry_changes(from, to);
  EXPECT_EQ(to.find("train.steps")->value, "77");
  EXPECT_EQ(to.find("optimizer.learning_rate")->value, "0.1");
  EXPECT_EQ(to.changed(), 1u);
}

TEST(NewRunFormData, IsReadyOnlyWithoutErrorsAndNamesTheFirst) {
  NewRunForm form = small_form();
  EXPECT_EQ(form.why_not_ready(), "");
  form.find("train.steps")->error = "This must be more";
  EXPECT_EQ(form.why_not_ready(), "Steps: This must be more");
  form.find("optimizer.learning_rate")->error = "This must be less";
  EXPECT_NE(form.why_not_ready().find("2 values"), std::string::npos);
  form.problem = "the preset is gone";
  EXPECT_EQ(form.why_not_ready(), "the preset is gone");
  EXPECT_EQ(form.find("nothing"), nullptr);
}

}  // namespace
}  // namespace sparsescope::viz
