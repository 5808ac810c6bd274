// Figures: the same input gives the same bytes, nothing on the screen changes, nothing half is left.
#include "app/export.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/trace/error.h"
#include "tests/app/journey.h"
#include "tests/app/scripted_host.h"
#include "tests/support/process.h"
#include "viz/views/draw_hash.h"
#include "viz/views/view.h"

namespace sparsescope::test {
namespace {

using frame::ExportFormat;
using frame::ExportRequest;

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A window in which a scripted run of 200 steps is shown.
class Figures : public testing::Test {
 protected:
  Figures() : host_(timeline_), journey_(host_, timeline_) {
    host_.figures = folder_.path();
    host_.start_training("spark-collapse");
    host_.advance(200);
    journey_.frames(4);
  }

  ExportRequest request(const std::string& view, std::vector<ExportFormat> formats) const {
    ExportRequest made;
    made.view = view;
    made.formats = std::move(formats);
    made.width = 800;
    made.height = 500;
    made.stem = folder_ / view;
    return made;
  }
  std::string bytes(const ExportRequest& made, ExportFormat format) {
    return app::export_bytes(made, format, {timeline_, "scripted.h5"});
  }
  std::uint64_t screen() {
    journey_.frames(2);
    return viz::hash_draw_data(*ImGui::GetDrawData()).value;
  }

  TemporaryFolder folder_;
  viz::Timeline timeline_;
  ScriptedHost host_;
  Journey journey_;
};

TEST_F(Figures, TwiceTheSameBytesFromEveryViewInEveryFormat) {
  for (const std::string& view : journey_.frame().view_ids()) {
    for (ExportFormat format :
         {ExportFormat::Png, ExportFormat::Svg, ExportFormat::Csv, ExportFormat::Provenance}) {
      const std::string once = bytes(request(view, {}), format);
      EXPECT_FALSE(once.empty()) << view << frame::file_ending(format);
      EXPECT_EQ(once, bytes(request(view, {}), format)) << view << "." << frame::file_ending(format);
    }
  }
}

TEST_F(Figures, LeaveTheScreenAsItWas) {
  const std::uint64_t before = screen();
  ExportRequest made = request("drift", {});
  for (Theme theme : themes()) {
    made.theme = theme;
    made.factor = 2;
    bytes(made, ExportFormat::Png);
    bytes(made, ExportFormat::Svg);
  }
  EXPECT_EQ(current_theme(), journey_.frame().appearance().theme);
  EXPECT_EQ(screen(), before);
}

TEST_F(Figures, DifferByThemeSizeStepAndSettings) {
  std::set<std::string> seen;
  ExportRequest made = request("drift", {});
  for (Theme theme : themes()) {
    made.theme = theme;
    EXPECT_TRUE(seen.insert(bytes(made, ExportFormat::Svg)).second) << theme_name(theme);
  }
  made.width = 900;
  EXPECT_TRUE(seen.insert(bytes(made, ExportFormat::Svg)).second);
  timeline_.cursor().seek(50);
  EXPECT_TRUE(seen.insert(bytes(made, ExportFormat::Svg)).second);
}

TEST_F(Figures, HaveTheirTextAsTextInSvg) {
  const std::string svg = bytes(request("drift", {}), ExportFormat::Svg);
  EXPECT_EQ(svg.rfind("<svg ", 0), 0u);
  for (const char* words : {">θ by layer</text>", ">layer 1</text>", ">Empty rows</text>"})
    EXPECT_NE(svg.find(words), std::string::npos) << words;
  EXPECT_EQ(svg.find("NaN"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
  // A line of a plot is one path, not a heap of triangles.
  EXPECT_LT(svg.size(), 400'000u);
}

TEST_F(Figures, HaveAsManyPixelsAsAskedFor) {
  ExportRequest made = request("loss", {});
  for (int factor : {1, 2, 4}) {
    made.factor = factor;
    const std::string png = bytes(made, ExportFormat::Png);
    const auto number = [&](std::size_t at) {
      return static_cast<unsigned char>(png[at + 2]) * 256 + static_cast<unsigned char>(png[at + 3]);
    };
    EXPECT_EQ(number(16), 800 * factor);
    EXPECT_EQ(number(20), 500 * factor);
  }
}

TEST_F(Figures, CarryTheTableOfTheirTwinAndWhereTheyComeFrom) {
  const ExportRequest made = request("density", {});
  for (const auto& view : viz::make_views()) {
    if (view->id() != "density") continue;
    viz::Selection selection;
    viz::ViewContext context{timeline_, selection};
    EXPECT_EQ(bytes(made, ExportFormat::Csv), viz::csv_of(view->twin(context).table));
  }
  const auto note = nlohmann::json::parse(bytes(made, ExportFormat::Provenance));
  EXPECT_EQ(note["view"], "density");
  EXPECT_EQ(note["run"]["uuid"], timeline_.runs().front()->uuid());
  EXPECT_EQ(note["run"]["recording"], "scripted.h5");
  EXPECT_EQ(note["step"], timeline_.runs().front()->newest_step());
}

TEST_F(Figures, AreMadeAtOnceWhileTheReplayPlays) {
  timeline_.cursor().seek(10);
  timeline_.cursor().play();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(bytes(request("density", {}), ExportFormat::Csv).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

TEST_F(Figures, AreWrittenWholeOrNotAtAll) {
  const ExportRequest made = request("loss", {ExportFormat::Png, ExportFormat::Csv});
  EXPECT_EQ(host_.export_view(made), (std::vector<std::string>{folder_ / "loss.png", folder_ / "loss.csv"}));
  EXPECT_EQ(content(folder_ / "loss.csv"), bytes(made, ExportFormat::Csv));
  ExportRequest nowhere = made;
  nowhere.stem = folder_ / "missing/loss";
  EXPECT_THROW(host_.export_view(nowhere), Error);
  ExportRequest too_large = made;
  too_large.width = too_large.height = 8192;
  too_large.factor = 4;
  too_large.formats = {ExportFormat::Csv, ExportFormat::Png};
  too_large.stem = folder_ / "large";
  EXPECT_THROW(host_.export_view(too_large), Error);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "large.csv"));
}

TEST_F(Figures, AreAskedForInADialog) {
  const std::string trouble = journey_.run("export", [&](ImGuiTestContext* ctx) {
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_E);
    ctx->Yield(3);
    ctx->SetRef("Export a figure");
    ctx->ItemClick("SVG, text and vectors");
    ctx->ItemInputValue("##stem", (folder_ / "figure").c_str());
    ctx->Yield(4);
  });
  EXPECT_EQ(trouble, "");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "figure.png"));
  EXPECT_EQ(content(folder_ / "figure.svg").rfind("<svg ", 0), 0u);
}

}  // namespace
}  // namespace sparsescope::test
