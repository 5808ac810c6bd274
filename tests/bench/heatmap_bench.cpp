// CPU time to build one frame of the heaviest pictures, without any graphics card: ours against ImPlot's
// heatmap of 512 x 512, then a map of 4096 x 4096, ten million points and a million edges against 4 ms.
// Says what it measured; fails when a bound is not kept.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <vector>

#include "implot.h"
#include "tests/render/million_edges.h"
#include "viz/model/series.h"
#include "viz/widgets/edge_picker.h"
#include "viz/widgets/gui_context.h"
#include "viz/widgets/heatmap.h"

namespace sparsescope {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMostMillis = 4, kLeastRatio = 20;

// Frames of one plot; textures are taken as uploaded.
class Bench {
 public:
  Bench() {
    ImGui::GetIO().DisplaySize = {1600, 900};
    ImGui::GetIO().DeltaTime = 1 / 60.f;
    ImGui::GetIO().BackendFlags |=
        ImGuiBackendFlags_RendererHasTextures | ImGuiBackendFlags_RendererHasVtxOffset;
  }
  ~Bench() {
    for (ImTextureData* texture : ImGui::GetPlatformIO().Textures) {
      texture->SetTexID(ImTextureID_Invalid);
      texture->SetStatus(ImTextureStatus_Destroyed);
    }
  }

  // Milliseconds from the first to the last call of one frame.
  double frame(const std::function<void()>& content) {
    const Clock::time_point start = Clock::now();
    ImGui::NewFrame();
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(ImGui::GetIO().DisplaySize);
    ImGui::Begin("bench", nullptr, ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoSavedSettings);
    content();
    ImGui::End();
    ImGui::Render();
    const double millis = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    for (ImTextureData* texture : *ImGui::GetDrawData()->Textures) {
      if (texture->Status == ImTextureStatus_WantCreate)
        texture->SetTexID(static_cast<ImTextureID>(texture->UniqueID + 1));
      texture->SetStatus(ImTextureStatus_OK);
    }
    return millis;
  }
  // The median of `frames` frames, after five to settle.
  double median(int frames, const std::function<void()>& content) {
    for (int i = 0; i < 5; ++i) frame(content);
    std::vector<double> millis;
    for (int i = 0; i < frames; ++i) millis.push_back(frame(content));
    std::nth_element(millis.begin(), millis.begin() + frames / 2, millis.end());
    return millis[static_cast<std::size_t>(frames / 2)];
  }
  int vertices() const { return ImGui::GetDrawData()->TotalVtxCount; }

 private:
  GuiContext gui_;
};

std::vector<float> waves(int side) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(side) * static_cast<std::size_t>(side));
  for (int r = 0; r < side; ++r) {
    for (int c = 0; c < side; ++c)
      values.push_back(0.5f + 0.5f * std::sin(0.01f * static_cast<float>(r)) *
                                  std::cos(0.013f * static_cast<float>(c)));
  }
  return values;
}

std::function<void()> our_map(const viz::CellsPtr& cells) {
  return [cells] {
    static plot::AxisRange x, y;
    plot::Options options;
    options.x.fit = {0, static_cast<double>(cells->columns())};
    options.y.fit = {0, static_cast<double>(cells->rows())};
    if (!plot::begin(options, x, y)) return;
    plot::heatmap(cells, options.x.fit, options.y.fit, ColorScale{});
    plot::end();
  };
}

bool report(const char* what, double millis, int vertices) {
  const bool fine = millis <= kMostMillis;
  fmt::print("{:<38} {:8.3f} ms {:>9} vertices  {}\n", what, millis, vertices, fine ? "ok" : "above 4 ms");
  return fine;
}

bool compare_with_implot(Bench& bench) {
  const std::vector<float> values = waves(512);
  const viz::CellsPtr cells = viz::Cells::make(512, 512, values);
  const std::function<void()> theirs = [&] {
    if (!ImPlot::BeginPlot("theirs", {-1, -1}, ImPlotFlags_CanvasOnly)) return;
    ImPlot::PlotHeatmap("map", values.data(), 512, 512, 0, 1, nullptr);
    ImPlot::EndPlot();
  };
  double ratio = 1e9;
  for (int round = 0; round < 4; ++round) {
    const double a = bench.median(15, theirs);
    const int their_vertices = bench.vertices();
    const double b = bench.median(60, our_map(cells));
    fmt::print(
        "512 x 512, round {}: ImPlot {:.2f} ms, {} vertices; ours {:.3f} ms, {} vertices; ratio {:.0f}\n",
        round + 1, a, their_vertices, b, bench.vertices(), a / b);
    ratio = std::min(ratio, a / b);
  }
  fmt::print("smallest ratio {:.0f}, wanted {:.0f}\n", ratio, kLeastRatio);
  return ratio >= kLeastRatio;
}

bool ten_million_points(Bench& bench) {
  viz::Series series;
  for (int i = 0; i < 10'000'000; ++i) series.append(std::sin(i * 1e-5) + (i % 97) * 1e-3);
  plot::AxisRange x, y;
  const double millis = bench.median(40, [&] {
    plot::Options options;
    options.x.fit = {0, 1e7};
    options.y.fit = {-1.2, 1.4};
    if (!plot::begin(options, x, y)) return;
    std::vector<double> xs, low, high, last;
    const viz::Series::View view = series.query(0, series.size(), static_cast<std::size_t>(plot::columns()));
    for (std::size_t i = 0; i < view.buckets.size(); ++i) {
      xs.push_back(static_cast<double>(view.begins[i]));
      low.push_back(view.buckets[i].minimum);
      high.push_back(view.buckets[i].maximum);
      last.push_back(view.buckets[i].last);
    }
    plot::band(xs, low, high, color(Token::Run1, 0.3f));
    plot::line(xs, last, {color(Token::Run1)});
    plot::end();
  });
  return report("10,000,000 points", millis, bench.vertices());
}

bool fifty_thousand_edges(Bench& bench) {
  std::vector<ImVec2> nodes;
  for (int i = 0; i < 4096; ++i) nodes.push_back({static_cast<float>(i), static_cast<float>(i % 2)});
  std::vector<EdgeInstance> edges(kMostEdges);
  for (std::uint32_t i = 0; i < edges.size(); ++i)
    edges[i] = {i % 4096, i * 7919 % 4096, color(Token::Direct, 0.3f), 1, EdgeKind::Arc, 0, 0};
  plot::AxisRange x, y;
  plot::Options options;
  options.x.fit = {0, 4096};
  const auto draw = [&](const EdgeBatchPtr& batch) {
    if (!plot::begin(options, x, y)) return;
    plot::edges(batch, plot::edge_view(300));
    plot::end();
  };
  const EdgeBatchPtr batch = EdgeBatch::make(nodes, edges);
  const double still = bench.median(60, [&] { draw(batch); });
  bool fine = report("50,000 edges, camera moves", still, bench.vertices());
  const double changed = bench.median(60, [&] { draw(EdgeBatch::make(nodes, edges)); });
  fine &= report("50,000 edges, made anew", changed, bench.vertices());
  const EdgePicker picker(batch);
  const double picked = bench.median(40, [&] {
    picker.nearest(EdgeView{{0, 400}, {0.4f, 100}}, {800, 300}, 6);
  });
  return report("50,000 edges, the nearest found", picked, bench.vertices()) && fine;
}

// What changes rarely is only said; what every frame costs is held.
bool million_edges(Bench& bench) {
  const auto millis_of = [](const auto& work) {
    const Clock::time_point start = Clock::now();
    work();
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  };
  viz::EdgeRollupPtr rollup;
  const double rolled = millis_of([&] { rollup = test::million_edges(); });
  viz::RoutingPicture picture;
  const double made = millis_of([&] { picture = test::million_edge_picture(rollup, {0, 4096}, 1600); });
  viz::RoutingBatches batches;
  const double filled = millis_of([&] { batches.refresh(picture); });
  fmt::print(
      "1,000,000 edges made and rolled up in {:.0f} ms, cut for a camera in {:.1f} ms, batched in {:.1f} "
      "ms\n",
      rolled, made, filled);
  plot::AxisRange x, y;
  plot::Options options;
  options.x.fit = {0, 4096};
  const double still = bench.median(60, [&] {
    batches.refresh(picture);
    if (!plot::begin(options, x, y)) return;
    for (const auto& layer : batches.layers()) plot::edges(layer.edges, plot::edge_view(400));
    plot::end();
  });
  return report("1,000,000 edges, aggregated", still, bench.vertices());
}

int run() {
  Bench bench;
  bool fine = compare_with_implot(bench);
  const Clock::time_point start = Clock::now();
  const viz::CellsPtr cells = viz::Cells::make(4096, 4096, waves(4096));
  cells->level(cells->levels_down(), cells->levels_across());
  fmt::print("4096 x 4096 cells made, with their pyramid, in {:.0f} ms (values included)\n",
             std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  fine &= report("4096 x 4096 cells", bench.median(60, our_map(cells)), bench.vertices());
  fine &= ten_million_points(bench);
  fine &= million_edges(bench);
  fine &= fifty_thousand_edges(bench);
  return fine ? 0 : 1;
}

}  // namespace
}  // namespace sparsescope

int main() { return sparsescope::run(); }
