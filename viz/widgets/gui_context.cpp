// Makes and ends the contexts.
#include "viz/widgets/gui_context.h"

#include <utility>

#include "implot.h"

namespace sparsescope {
namespace {

Purpose purpose_in_force = Purpose::Screen;

// What every context of ours has: nothing on disk, nothing that blinks.
void set_up(ImGuiIO& io) {
  io.IniFilename = nullptr;
  io.LogFilename = nullptr;
  io.ConfigFlags |= ImGuiConfigFlags_DockingEnable;
  io.ConfigDockingAlwaysTabBar = true;
  io.ConfigWindowsMoveFromTitleBarOnly = true;
  io.ConfigInputTextCursorBlink = false;  // an idle window draws nothing
}

}  // namespace

GuiContext::GuiContext(Theme theme, float scale, const std::string& fonts_root)
    : imgui_(ImGui::CreateContext()), implot_(ImPlot::CreateContext()) {
  set_up(ImGui::GetIO());
  apply_theme(theme, scale);
  font_notes_ = load_fonts(fonts_root);
}

GuiContext::~GuiContext() {
  ImPlot::DestroyContext(implot_);
  ImGui::DestroyContext(imgui_);
}

Purpose current_purpose() { return purpose_in_force; }

PaperScope::PaperScope() : before_(std::exchange(purpose_in_force, Purpose::Paper)) {}
PaperScope::~PaperScope() { purpose_in_force = before_; }

PaperContext::PaperContext(Theme theme, float scale)
    : imgui_before_(ImGui::GetCurrentContext()),
      imgui_(ImGui::CreateContext(ImGui::GetIO().Fonts)),
      implot_before_(ImPlot::GetCurrentContext()),
      implot_(ImPlot::CreateContext()),
      theme_before_(current_theme()),
      scale_before_(applied_scale()) {
  ImFont* font = ImGui::GetIO().FontDefault;
  ImGui::SetCurrentContext(imgui_);
  ImPlot::SetCurrentContext(implot_);
  set_up(ImGui::GetIO());
  ImGui::GetIO().FontDefault = font;
  apply_theme(theme, scale);
}

PaperContext::~PaperContext() {
  ImPlot::SetCurrentContext(implot_before_);
  ImPlot::DestroyContext(implot_);
  ImGui::SetCurrentContext(imgui_before_);
  ImGui::DestroyContext(imgui_);
  apply_theme(theme_before_, scale_before_);
}

}  // namespace sparsescope
