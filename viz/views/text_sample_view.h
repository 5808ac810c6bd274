// Text samples: what the model wrote at the cursor, what repeats in it, and how that changed over the run.
// What it shows is decided in viz/model/text_sample_query.cpp.
#pragma once

#include <optional>
#include <string>

#include "engine/trace/command.h"
#include "viz/model/text_sample.h"
#include "viz/views/staged_view.h"

namespace sparsescope::viz {

class TextSampleView final : public QueriedView<TextSamplePicture> {
 public:
  std::string_view id() const override { return "samples"; }
  std::string_view title() const override { return "Text sample"; }
  Applies applies(const Run& run) const override;
  std::string values_text(ViewContext& context) const override;
  nlohmann::json settings() const override;
  void set_settings(const nlohmann::json& settings) override;

  // What "generate now" asks for, as typed.
  const trace::GenerateText& wish() const { return wish_; }
  // The field of the prompt takes the keyboard.
  void focus_prompt() { focuses_prompt_ = true; }

 protected:
  TextSamplePicture query(const QueryFrame& frame) const override {
    return text_sample_query(frame, chosen_, store_);
  }
  void draw_marks(ViewContext& context) override;
  bool draw_settings(ViewContext& context) override;
  const char* empty_words() const override {
    return "No run is open. Train a preset or open a recording to read what its model writes.";
  }
  void draw_menu(ViewContext& context) override;

 private:
  void draw_list(ViewContext& context, float height);
  void draw_shares(ViewContext& context, float height);
  void draw_shown();
  void draw_wish(ViewContext& context);
  std::string shown_text() const;

  mutable TextSampleStore store_;  // of rows that were read; a cache
  TextSampleSettings chosen_;
  trace::GenerateText wish_;
  bool shows_list_ = true, focuses_prompt_ = false;
  std::size_t asked_at_ = SIZE_MAX;  // samples there were when one was asked for
};

}  // namespace sparsescope::viz
