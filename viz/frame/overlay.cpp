#include "viz/frame/overlay.h"

#include <algorithm>

#include "imgui.h"
#include "viz/widgets/theme.h"

namespace sparsescope::frame {

bool begin_overlay(const char* name, float width, float height, bool& show) {
  const ImVec2 size = ImGui::GetIO().DisplaySize;
  // At the usual height, or higher where it would not be whole.
  const float margin = px(16), tall = std::min(px(height), size.y - 2 * margin);
  const float top = std::min(std::max(px(72), size.y * 0.12f), size.y - margin - tall);
  ImGui::SetNextWindowPos({size.x / 2, top}, ImGuiCond_Always, {0.5f, 0});
  ImGui::SetNextWindowSize({std::min(px(width), size.x - 2 * margin), tall});
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
