// Textures of the null surface are accepted at once; nobody looks at them.
#include "tests/app/surfaces.h"

#include <cstdlib>
#include <string_view>
#include <utility>

#include "imgui.h"
#include "viz/render/offscreen.h"
#include "viz/render/window.h"

namespace sparsescope::test {

NullSurface::NullSurface(int width, int height) : width_(width), height_(height) {
  ImGui::GetIO().BackendFlags |=
      ImGuiBackendFlags_RendererHasTextures | ImGuiBackendFlags_RendererHasVtxOffset;
}

NullSurface::~NullSurface() {
  for (ImTextureData* texture : ImGui::GetPlatformIO().Textures) {
    texture->SetTexID(ImTextureID_Invalid);
    texture->SetStatus(ImTextureStatus_Destroyed);
  }
}

void NullSurface::begin_frame() {
  ImGuiIO& io = ImGui::GetIO();
  io.DisplaySize = {static_cast<float>(width_), static_cast<float>(height_)};
  io.DeltaTime = 1.f / 60.f;
  ImGui::NewFrame();
}

void NullSurface::end_frame() {
  ImGui::Render();
  for (ImTextureData* texture : *ImGui::GetDrawData()->Textures) {
    if (texture->Status == ImTextureStatus_WantCreate)
      texture->SetTexID(static_cast<ImTextureID>(texture->UniqueID + 1));
    if (texture->Status == ImTextureStatus_WantDestroy) {
      texture->SetTexID(ImTextureID_Invalid);
      texture->SetStatus(ImTextureStatus_Destroyed);
    } else if (texture->Status != ImTextureStatus_Destroyed) {
      texture->SetStatus(ImTextureStatus_OK);
    }
  }
}

SometimesPainted::SometimesPainted(int width, int height)
    : screen_(std::make_unique<render::Offscreen>(width, height)) {}
SometimesPainted::~SometimesPainted() = default;
void SometimesPainted::begin_frame() { screen_->begin_frame(); }
render::Pixels SometimesPainted::read_pixels() { return screen_->read_pixels(); }
std::string SometimesPainted::description() const { return screen_->description(); }

void SometimesPainted::end_frame() {
  if (!std::exchange(paints_, false)) {
    ImGui::Render();
    // Lists without commands are left out when the surface renders the same frame.
    for (ImDrawList* list : ImGui::GetDrawData()->CmdLists) list->CmdBuffer.resize(0);
  }
  screen_->end_frame();
}

std::unique_ptr<render::Surface> make_surface(int width, int height) {
  const char* wanted = std::getenv("SPARSESCOPE_TEST_SURFACE");
  if (wanted != nullptr && std::string_view(wanted) == "window")
    return std::make_unique<render::Window>("Sparsescope test", width, height);
  return std::make_unique<render::Offscreen>(width, height);
}

}  // namespace sparsescope::test
