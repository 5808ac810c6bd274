// Makes and ends the contexts.
#include "viz/widgets/gui_context.h"

#include "implot.h"

namespace sparsescope {

GuiContext::GuiContext(Theme theme, float scale, const std::string& fonts_root)
    : imgui_(ImGui::CreateContext()), implot_(ImPlot::CreateContext()) {
  ImGuiIO& io = ImGui::GetIO();
  io.IniFilename = nullptr;
  io.LogFilename = nullptr;
  io.ConfigFlags |= ImGuiConfigFlags_DockingEnable;
  io.ConfigDockingAlwaysTabBar = true;
  io.ConfigWindowsMoveFromTitleBarOnly = true;
  io.ConfigInputTextCursorBlink = false;  // an idle window draws nothing
  apply_theme(theme, scale);
  font_notes_ = load_fonts(fonts_root);
}

GuiContext::~GuiContext() {
  ImPlot::DestroyContext(implot_);
  ImGui::DestroyContext(imgui_);
}

}  // namespace sparsescope
