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

}  // namespace sparsescope
