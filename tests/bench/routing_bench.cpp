// CPU time of the window's thread for frames of the routing graph at a million recorded edges: the first ones
// after a row came in, those in which the camera crosses a level or a block, those in which nothing moves and
// those in which the pointer does. None may take more than 4 ms. Says what it measured; fails when the bound
// is not kept.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine/trace/mailbox.h"
#include "engine/trace/text.h"
#include "viz/model/routing_query.h"
#include "viz/views/view.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope {
namespace {

struct Shape {
  std::int64_t layers = 0, tokens = 0;
  constexpr std::int64_t pairs() const { return layers * tokens * (tokens + 1) / 2; }
};
constexpr Shape kMillion{8, 512};
constexpr Shape kSmall{1, 154};  // just below what is summed aside
static_assert(kSmall.pairs() <= viz::kLargeGraph && kSmall.pairs() > viz::kLargeGraph - 300);

constexpr double kMostMillis = 4;

// Of this thread alone: what others compute meanwhile does not count.
double cpu_millis() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

trace::Channel channel(const char* name, trace::DType dtype, std::vector<trace::Axis> axes) {
  trace::Channel made;
  made.name = name;
  made.dtype = dtype;
  made.axes = std::move(axes);
  made.cadence = 1;
  return made;
}

trace::SchemaPtr schema(Shape shape) {
  trace::Schema made;
  made.run_uuid = "33333333-4444-5555-6666-777777777777";
  made.title = "a million edges";
  made.experiment_json = "{}";
  trace::Channel edges = channel("edges", trace::DType::Record, {});
  edges.kind = trace::ChannelKind::Ragged;
  edges.storage = trace::StorageClass::Once;
  edges.record_bytes = 20;
  edges.fields = {{"score", trace::DType::F32, 0}, {"weight", trace::DType::F32, 4},
                  {"t", trace::DType::U16, 8},     {"p", trace::DType::U16, 10},
                  {"via", trace::DType::U16, 12},  {"layer", trace::DType::U8, 14},
                  {"head", trace::DType::U8, 15},  {"kind", trace::DType::U8, 16}};
  std::vector<std::string> layers;
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) layers.push_back(std::to_string(layer));
  made.channels = {
      edges, channel("probe_ids", trace::DType::I32, {{"sequence", 1, {}}, {"position", shape.tokens, {}}}),
      channel("threshold", trace::DType::F32, {{"layer", shape.layers, layers}})};
  return std::make_shared<const trace::Schema>(trace::finish_schema(std::move(made)));
}

// All pairs of all layers; `step` turns the reasons.
trace::FramePtr frame(Shape shape, std::uint64_t step) {
  auto made = std::make_shared<trace::Frame>();
  made->row = made->step = step;
  trace::ChannelData edges{0, {}};
  for (std::uint8_t layer = 0; layer < shape.layers; ++layer) {
    for (std::uint16_t t = 0; t < shape.tokens; ++t) {
      for (std::uint16_t p = 0; p <= t; ++p) {
        std::byte record[20] = {};
        const float weight = 1.f / static_cast<float>(t + 1);
        const std::uint8_t head = 255, kind = p == t ? 8 : 1 << ((t + p + step) % 3);
        std::memcpy(record + 4, &weight, 4);
        std::memcpy(record + 8, &t, 2);
        std::memcpy(record + 10, &p, 2);
        std::memcpy(record + 14, &layer, 1);
        std::memcpy(record + 15, &head, 1);
        std::memcpy(record + 16, &kind, 1);
        edges.bytes.insert(edges.bytes.end(), record, record + 20);
      }
    }
  }
  made->present.add(0);
  made->data.push_back(std::move(edges));
  if (step == 0)
    trace::add_values<std::int32_t>(*made, 1,
                                    std::vector<std::int32_t>(static_cast<std::size_t>(shape.tokens), 1));
  trace::add_values<float>(*made, 2, std::vector<float>(static_cast<std::size_t>(shape.layers), 1));
  return made;
}

struct Frames {
  double median = 0, worst = 0;  // ms
  std::size_t count = 0;
};

class Bench {
 public:
  explicit Bench(Shape shape) : shape_(shape) {
    ImGui::GetIO().DisplaySize = {1920, 1080};
    ImGui::GetIO().DeltaTime = 1 / 60.f;
    ImGui::GetIO().BackendFlags |=
        ImGuiBackendFlags_RendererHasTextures | ImGuiBackendFlags_RendererHasVtxOffset;
    box_->on_schema(schema(shape_));
    timeline_.add_run({box_});
    for (auto& view : viz::make_views()) {
      if (view->id() == "routing") view_ = std::move(view);
    }
  }
  ~Bench() {
    for (ImTextureData* texture : ImGui::GetPlatformIO().Textures) {
      texture->SetTexID(ImTextureID_Invalid);
      texture->SetStatus(ImTextureStatus_Destroyed);
    }
  }
  void set(const nlohmann::json& settings) { view_->set_settings(settings); }
  void point_at(float x, float y) { ImGui::GetIO().AddMousePosEvent(x, y); }

  void feed(std::uint64_t step) {
    box_->on_frame(frame(shape_, step));
    timeline_.drain_all();
  }
  // Frames until nothing trails any more.
  Frames settle() {
    return frames(10'000, [&](std::size_t i) { return i < 4 || timeline_.is_busy(); });
  }
  Frames still() {
    return frames(60, [](std::size_t) { return true; });
  }
  // The pointer on its way over the whole view, another place each frame.
  Frames hover() {
    constexpr int kAcross = 24, kDown = 16;
    const ImVec2 size = ImGui::GetIO().DisplaySize;
    const Frames made = frames(kAcross * kDown, [&](std::size_t i) {
      const auto x = static_cast<float>(i % kAcross), y = static_cast<float>(i / kAcross);
      point_at(size.x * (x + 0.5f) / kAcross, size.y * (y + 0.5f) / kDown);
      return true;
    });
    point_at(-1, -1);
    settle();
    return made;
  }
  // The camera from the whole sequence into a part of it, then along the sequence.
  Frames move_camera(int layout, double width) {
    std::vector<double> millis;
    const auto look = [&](double first, double end) {
      set({{"layout", layout}, {"camera", {first, end}}});
      add_frames(millis, 10'000, [&](std::size_t i) { return i < 2 || timeline_.is_busy(); });
    };
    const auto tokens = static_cast<double>(shape_.tokens);
    for (double shown = tokens; shown > width; shown *= 0.8) look(0, shown);
    for (double first = 0; first + width <= tokens; first += 24) look(first, first + width);
    return summary(std::move(millis));
  }
  std::size_t marks() {
    viz::ViewContext context{timeline_, selection_};
    return view_->twin(context).table.rows.size();
  }
  int vertices() const { return ImGui::GetDrawData()->TotalVtxCount; }

 private:
  template <typename GoesOn>
  void add_frames(std::vector<double>& millis, std::size_t most, const GoesOn& goes_on) {
    for (std::size_t i = 0; i < most && goes_on(i); ++i) {
      millis.push_back(draw());
      // A window has a display to wait for; what is made aside gets on meanwhile.
      if (timeline_.is_busy()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  template <typename GoesOn>
  Frames frames(std::size_t most, const GoesOn& goes_on) {
    std::vector<double> millis;
    add_frames(millis, most, goes_on);
    return summary(std::move(millis));
  }
  static Frames summary(std::vector<double> millis) {
    std::sort(millis.begin(), millis.end());
    return {millis[millis.size() / 2], millis.back(), millis.size()};
  }
  // Milliseconds of one frame, from the first to the last call.
  double draw() {
    const double start = cpu_millis();
    timeline_.update(1 / 60.);
    ImGui::NewFrame();
    selection_.begin_frame();
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(ImGui::GetIO().DisplaySize);
    ImGui::Begin("bench", nullptr, ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoSavedSettings);
    viz::ViewContext context{timeline_, selection_, ImGui::GetContentRegionAvail()};
    view_->draw(context);
    ImGui::End();
    ImGui::Render();
    const double millis = cpu_millis() - start;
    for (ImTextureData* texture : *ImGui::GetDrawData()->Textures) {
      if (texture->Status == ImTextureStatus_WantCreate)
        texture->SetTexID(static_cast<ImTextureID>(texture->UniqueID + 1));
      texture->SetStatus(ImTextureStatus_OK);
    }
    return millis;
  }

 private:
  Shape shape_;
  GuiContext gui_;
  std::shared_ptr<trace::Mailbox> box_ =
      std::make_shared<trace::Mailbox>(std::size_t{1} << 30, trace::Overflow::DropOldest);
  viz::Timeline timeline_;
  viz::Selection selection_;
  std::unique_ptr<viz::View> view_;
};

bool report(const char* what, const Frames& frames) {
  const bool fine = frames.worst <= kMostMillis;
  fmt::print("  {:<34} median {:7.3f}  worst {:7.3f} ms in {:>4} frames  {}\n", what, frames.median,
             frames.worst, frames.count, fine ? "ok" : "above 4 ms");
  return fine;
}

// What comes in, from the first frame on.
bool come_in(Bench& bench, Shape shape, int layout) {
  bench.set({{"layout", layout}});
  bench.settle();  // fonts and sizes; there is no row yet
  fmt::print("{} edges in {} layers of {} tokens\n", shape.pairs(), shape.layers, shape.tokens);
  bench.feed(0);
  const bool fine = report("first frames", bench.settle());
  bench.feed(1);
  return report("another row comes in", bench.settle()) && fine;
}

bool small_graph() {
  Bench bench(kSmall);
  return come_in(bench, kSmall, 0);
}

int run() {
  bool fine = small_graph();
  Bench bench(kMillion);
  fine &= come_in(bench, kMillion, 1);
  struct Look {
    const char* name;
    int layout;
    std::array<double, 2> camera;
  };
  for (const Look& look : {Look{"all layers, the whole sequence", 1, {0, 512}},
                           Look{"all layers, 60 tokens in view", 1, {100, 160}},
                           Look{"one layer, the whole sequence", 0, {0, 512}},
                           Look{"one layer, 256 tokens in view", 0, {64, 320}}}) {
    bench.set({{"layout", look.layout}, {"camera", look.camera}});
    const Frames changed = bench.settle();
    const Frames still = bench.still();
    fmt::print("{}: {} marks, {} vertices\n", look.name, bench.marks(), bench.vertices());
    fine &= report("changed to", changed);
    fine &= report("steady", still);
    fine &= report("hover", bench.hover());
  }
  for (const int layout : {1, 0}) {
    fmt::print("camera zooms in and goes along, {}\n", layout == 1 ? "all layers" : "one layer");
    for (const double width : {60., 256.})
      fine &= report(fmt::format("crossings down to {:.0f} tokens", width).c_str(),
                     bench.move_camera(layout, width));
  }
  return fine ? 0 : 1;
}

}  // namespace
}  // namespace sparsescope

int main() { return sparsescope::run(); }
