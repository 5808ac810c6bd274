// The token inspector: the probe sequence as text, and one or two of its tokens in full. What it shows is
// decided in viz/model/token_query.cpp.
#pragma once

#include "viz/model/token_query.h"
#include "viz/views/staged_view.h"
#include "viz/views/token_strip.h"

namespace sparsescope::viz {

class TokenView final : public QueriedView<TokenPicture> {
 public:
  std::string_view id() const override { return "tokens"; }
  std::string_view title() const override { return "Token inspector"; }
  Applies applies(const Run& run) const override;
  std::string values_text(ViewContext& context) const override;
  bool walk(ViewContext& context, Walk key) override;
  bool has_cells() const override { return has_picture() && !picture().strip.empty(); }
  bool is_walking() const override { return held_.has_value(); }
  nlohmann::json settings() const override;
  std::span<const char* const> choices(std::string_view setting) const override;
  void set_settings(const nlohmann::json& settings) override;

 protected:
  TokenPicture query(const QueryFrame& frame) const override { return token_query(frame, settings_); }
  void draw_marks(ViewContext& context) override;
  bool draw_settings(ViewContext& context) override;
  const char* empty_words() const override {
    return "No run is open. Train a preset or open a recording to look at its tokens.";
  }
  void open_menu(ViewContext& context) override { menu_token_ = context.selection.hover.token; }
  std::string menu_row(ViewContext& context) const override;

 private:
  TokenSettings settings_;
  StripMarks marks_ = StripMarks::Reads;
  TokenStrip strip_;
  std::optional<std::int64_t> held_;  // the token that keys hold
  std::optional<std::int64_t> menu_token_;
};

// The same inspector in a narrow panel: keeps its own picture, has the first settings.
class TokenPanel {
 public:
  // Draws below the cursor; nothing when the run has no probe sequence.
  void draw(ViewContext& context, Run& run);

 private:
  PictureKey key_;
  std::optional<TokenPicture> picture_;
  TokenStrip strip_;
};

}  // namespace sparsescope::viz
