// The ImGui and ImPlot contexts of one program, with our fonts and theme. No window: viz/render supplies
// surfaces.
#pragma once

#include <string>
#include <vector>

#include "viz/widgets/theme.h"

struct ImPlotContext;

namespace sparsescope {

// Outlives the surface. Nothing is written to disk by ImGui itself.
class GuiContext {
 public:
  explicit GuiContext(Theme theme = Theme::Dark, float scale = 1,
                      const std::string& fonts_root = "/usr/share/fonts");
  ~GuiContext();
  GuiContext(const GuiContext&) = delete;
  GuiContext& operator=(const GuiContext&) = delete;

  // One sentence for each missing font.
  const std::vector<std::string>& font_notes() const { return font_notes_; }

 private:
  ImGuiContext* imgui_;
  ImPlotContext* implot_;
  std::vector<std::string> font_notes_;
};

// What a frame is drawn for: on paper nothing can be pressed, so nothing that can be pressed is drawn.
enum class Purpose { Screen, Paper };
Purpose current_purpose();

// While it lives, pictures of the present contexts are drawn for paper.
class PaperScope {
 public:
  PaperScope();
  ~PaperScope();
  PaperScope(const PaperScope&) = delete;
  PaperScope& operator=(const PaperScope&) = delete;

 private:
  Purpose before_;
};

// A second pair of contexts over the fonts of the current ones, for a picture drawn beside the window between
// two of its frames. While it lives it is current, with its own theme, scale and Purpose::Paper; afterwards
// everything is as before.
class PaperContext {
 public:
  PaperContext(Theme theme, float scale);
  ~PaperContext();
  PaperContext(const PaperContext&) = delete;
  PaperContext& operator=(const PaperContext&) = delete;

 private:
  ImGuiContext *imgui_before_, *imgui_;
  ImPlotContext *implot_before_, *implot_;
  Theme theme_before_;
  float scale_before_;
  PaperScope paper_;
};

}  // namespace sparsescope
