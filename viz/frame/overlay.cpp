#include "viz/frame/overlay.h"

#include <algorithm>

#include "imgui.h"
#include "viz/widgets/theme.h"

namespace sparsescope::frame {

bool begin_overlay(const char* name, float width, float height, bool& show) {
  const ImVec2 size = ImGui::GetIO().DisplaySize;
  ImGui::SetNextWindowPos({size.x / 2, std::max(px(72), size.y * 0.12f)}, ImGuiCond_Always, {0.5f, 0});
  ImGui::SetNextWindowSize({std::min(px(width), size.x - px(32)), std::min(px(height), size.y - px(110))});
  ImGui::PushStyleColor(ImGuiCol_WindowBg, color4(Token::Raised));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, std::max(1.f, px(1)));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{px(16), px(14)});
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, px(8));
  const bool open = ImGui::Begin(name, nullptr,
                                 ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoResize |
                                     ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoDocking |
                                     ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoCollapse);
  ImGui::PopStyleVar(3);
  ImGui::PopStyleColor();
  // A click beside it closes it.
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Left) && !ImGui::IsWindowAppearing() &&
      !ImGui::IsWindowHovered(ImGuiHoveredFlags_RootAndChildWindows))
    show = false;
  return open;
}

}  // namespace sparsescope::frame
