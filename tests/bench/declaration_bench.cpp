// What a declaration map of 4,096 positions and as many ids costs: until it stands, and each frame
// afterwards. usage: bench_declarations
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/trace/mailbox.h"
#include "imgui.h"
#include "viz/model/timeline.h"
#include "viz/views/declaration_view.h"
#include "viz/widgets/gui_context.h"

namespace {

using namespace sparsescope;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kSize = 4096;
constexpr double kMostMillis = 4;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Every fourth pair is declared.
std::shared_ptr<trace::Mailbox> large_run() {
  trace::Channel declared, probe;
  declared.name = "declared";
  declared.dtype = trace::DType::Bits;
  std::vector<std::string> labels;
  for (std::int64_t i = 0; i < kSize; ++i) labels.push_back(std::to_string(i));
  declared.axes = {{"layer", 1, {}}, {"id", kSize, labels}, {"position", kSize, {}}};
  probe.name = "probe_ids";
  probe.dtype = trace::DType::I32;
  probe.axes = {{"sequence", 1, {}}, {"position", kSize, {}}};
  trace::Schema schema;
  schema.channels = {declared, probe};
  auto frame = std::make_shared<trace::Frame>();
  std::vector<std::uint8_t> bits(static_cast<std::size_t>(kSize * kSize / 8));
  std::uint64_t state = 1;
  for (std::uint8_t& byte : bits) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<std::uint8_t>((state >> 40) & (state >> 48));
  }
  std::vector<std::int32_t> ids;
  for (std::int64_t i = 0; i < kSize; ++i) ids.push_back(static_cast<std::int32_t>(i * 7 % kSize));
  trace::add_values<std::uint8_t>(*frame, 0, bits);
  trace::add_values<std::int32_t>(*frame, 1, ids);
  auto mailbox = std::make_shared<trace::Mailbox>(std::size_t{1} << 30, trace::Overflow::DropOldest);
  mailbox->on_schema(std::make_shared<const trace::Schema>(trace::finish_schema(std::move(schema))));
  mailbox->on_frame(frame);
  return mailbox;
}

// False: a frame takes too long.
bool measure(const char* name, const nlohmann::json& settings) {
  GuiContext gui;
  ImGui::GetIO().DisplaySize = {1920, 1080};
  ImGui::GetIO().BackendFlags |= ImGuiBackendFlags_RendererHasTextures;
  viz::Timeline timeline;
  viz::Selection selection;
  timeline.add_run({large_run()});
  timeline.drain_all();
  viz::DeclarationView view;
  view.set_settings(settings);
  const auto draw = [&] {
    const Clock::time_point before = Clock::now();
    timeline.update(1.0 / 60);
    selection.begin_frame();
    ImGui::GetIO().DeltaTime = 1.0f / 60;
    ImGui::NewFrame();
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(ImGui::GetIO().DisplaySize);
    ImGui::Begin("map", nullptr, ImGuiWindowFlags_NoDecoration);
    viz::ViewContext context{timeline, selection};
    context.size = ImGui::GetContentRegionAvail();
    view.draw(context);
    ImGui::End();
    ImGui::Render();
    return milliseconds_since(before);
  };
  const Clock::time_point start = Clock::now();
  double slowest = 0;
  do {
    slowest = std::max(slowest, draw());
  } while (timeline.is_busy());
  const double stands = milliseconds_since(start);
  std::vector<double> frames;
  for (int i = 0; i < 100; ++i) frames.push_back(draw());
  std::sort(frames.begin(), frames.end());
  std::printf(
      "%-28s stands after %6.0f ms, slowest frame until then %5.1f ms; a frame %5.2f ms (median), %5.2f ms "
      "(99 %%), %d vertices\n",
      name, stands, slowest, frames[50], frames[98], ImGui::GetDrawData()->TotalVtxCount);
  return frames[50] <= kMostMillis;
}

}  // namespace

int main() {
  bool is_kept = measure("declarations, by position", {{"value", 1}});
  is_kept &= measure("hit rates, by likeness", {{"value", 2}, {"order", 3}});
  is_kept &= measure("first steps", {{"value", 3}});
  is_kept &= measure("declarations, zoomed",
                     {{"value", 1}, {"camera_rows", {100, 160}}, {"camera_ids", {100, 180}}});
  return is_kept ? 0 : 1;
}
