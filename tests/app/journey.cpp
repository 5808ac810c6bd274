// Context, surface, window and engine in the order in which they must come and go.
#include "tests/app/journey.h"

#include "imgui_internal.h"
#include "viz/views/draw_hash.h"

namespace sparsescope::test {

Journey::Journey(frame::Host& host, viz::Timeline& timeline, int width, int height,
                 frame::Appearance appearance) {
  gui_ = std::make_unique<GuiContext>();
  surface_ = make_surface(width, height);
  appearance.show_frame_rate = false;
  frame_ = std::make_unique<frame::Frame>(host, timeline, appearance, gui_->font_notes());
  engine_ = ImGuiTestEngine_CreateContext();
  ImGuiTestEngineIO& io = ImGuiTestEngine_GetIO(engine_);
  io.ConfigVerboseLevel = ImGuiTestVerboseLevel_Warning;
  io.ConfigVerboseLevelOnError = ImGuiTestVerboseLevel_Info;
  io.ConfigRunSpeed = ImGuiTestRunSpeed_Fast;
  io.ConfigNoThrottle = true;
  io.ConfigCaptureEnabled = false;
  ImGuiTestEngine_Start(engine_, ImGui::GetCurrentContext());
}

Journey::~Journey() {
  ImGuiTestEngine_Stop(engine_);
  frame_.reset();
  surface_.reset();
  gui_.reset();
  ImGuiTestEngine_DestroyContext(engine_);
}

void Journey::one_frame() {
  if (work_) work_();
  frame_->prepare();
  surface_->begin_frame();
  frame_->draw(1.0 / 60);
  surface_->end_frame();
  ImGuiTestEngine_PostSwap(engine_);
}

void Journey::frames(int count) {
  for (int i = 0; i < count; ++i) one_frame();
}

std::string Journey::run(const char* name, std::function<void(ImGuiTestContext*)> steps) {
  ImGuiTest* test = ImGuiTestEngine_RegisterTest(engine_, "journeys", name, __FILE__, __LINE__);
  test->TestFunc = std::move(steps);
  ImGuiTestEngine_QueueTest(engine_, test, ImGuiTestRunFlags_RunFromCommandLine);
  int frames = 0;
  while (!ImGuiTestEngine_IsTestQueueEmpty(engine_)) {
    one_frame();
    if (++frames > 60000) return "the journey did not end within 60,000 frames";
  }
  ImGuiTestOutput& output = test->Output;
  ImGuiTextBuffer complaints;
  const int count = output.Log.ExtractLinesForVerboseLevels(ImGuiTestVerboseLevel_Error,
                                                            ImGuiTestVerboseLevel_Warning, &complaints);
  constexpr int kBanner = 1;  // the engine logs the test's own name at this level
  if (output.Status == ImGuiTestStatus_Success && count <= kBanner) return "";
  return std::string("journey '") + name + "' failed:\n" + complaints.c_str() + "whole log:\n" +
         output.Log.Buffer.c_str();
}

std::string popup_path() {
  const ImVector<ImGuiPopupData>& open = ImGui::GetCurrentContext()->OpenPopupStack;
  return open.empty() || open.back().Window == nullptr ? "//no popup is open"
                                                       : std::string("//") + open.back().Window->Name;
}

std::uint64_t picture_hash(frame::Host& host, viz::Timeline& timeline, std::string_view view,
                           std::uint64_t step) {
  GuiContext gui;
  NullSurface surface(1200, 800);
  frame::Frame frame(host, timeline, {});
  timeline.cursor().seek(step);
  for (int i = 0; i < 8 || (i < 600 && timeline.is_busy()); ++i) {
    frame.prepare();
    surface.begin_frame();
    frame.draw_view(view, 0);
    surface.end_frame();
  }
  return viz::hash_draw_data(*ImGui::GetDrawData()).value;
}

}  // namespace sparsescope::test
