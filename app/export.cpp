#include "app/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "commit.h"  // written at each build
#include "engine/trace/error.h"
#include "engine/trace/write_file.h"
#include "imgui.h"
#include "viz/render/picture_surface.h"
#include "viz/render/svg.h"
#include "viz/views/view.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::app {
namespace {

using frame::ExportFormat;
using frame::ExportRequest;

constexpr int kSettleFrames = 4;     // sizes come to rest, glyphs into the atlas
constexpr int kMostFrames = 10'000;  // heavy rows are read meanwhile

// The view of a request, alone, with the request's settings and locks and without a pointer over it.
class Figure {
 public:
  Figure(const ExportRequest& request, viz::Timeline& timeline)
      : timeline_(timeline), selection_(request.selection) {
    selection_.hover = selection_.hover_before = {};
    for (std::unique_ptr<viz::View>& view : viz::make_views()) {
      if (view->id() == request.view) view_ = std::move(view);
    }
    check(view_ != nullptr, "no view " + request.view);
    if (!request.settings.empty()) view_->set_settings(nlohmann::json::parse(request.settings));
  }

  viz::View& view() { return *view_; }
  viz::ViewContext context() { return {timeline_, selection_}; }

  // Draws until nothing is read or trails any more.
  void draw(render::Surface& surface) {
    for (int i = 0; i < kMostFrames && (i < kSettleFrames || timeline_.is_reading()); ++i) {
      if (i >= kSettleFrames) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      timeline_.update(0, selection_.run);
      surface.begin_frame();
      draw_page();
      surface.end_frame();
    }
  }

 private:
  void draw_page() {
    const ImVec2 size = ImGui::GetIO().DisplaySize;
    ImGui::GetBackgroundDrawList()->AddRectFilled({0, 0}, size, color(Token::Panel));
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(size);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{px(20), px(18)});
    ImGui::Begin(
        "figure", nullptr,
        ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoBackground);
    ImGui::PopStyleVar();
    selection_.begin_frame();
    viz::ViewContext drawn = context();
    drawn.size = ImGui::GetContentRegionAvail();
    drawn.motion = viz::Motion::Reduced;
    view_->draw(drawn);
    ImGui::End();
  }

  viz::Timeline& timeline_;
  viz::Selection selection_;
  std::unique_ptr<viz::View> view_;
};

std::string png_of(const ExportRequest& request, viz::Timeline& timeline) {
  PaperContext paper(request.theme, static_cast<float>(request.factor));
  render::PictureSurface surface(request.width * request.factor, request.height * request.factor);
  Figure(request, timeline).draw(surface);
  return render::encode_png(surface.read_pixels());
}

std::string svg_of(const ExportRequest& request, viz::Timeline& timeline) {
  PaperContext paper(request.theme, 1);
  ImGui::GetStyle().AntiAliasedLines = ImGui::GetStyle().AntiAliasedFill = false;
  render::PictureSurface surface(request.width, request.height);
  Figure figure(request, timeline);
  figure.draw(surface);
  viz::ViewContext context = figure.context();
  const viz::Twin twin = figure.view().twin(context);
  std::string description;
  for (const std::string& line : twin.lines) description += line + "\n";
  return render::svg_of(*ImGui::GetDrawData(), {twin.title, description, 1});
}

// The twin once all that it needs has been read.
viz::Twin twin_of_view(const ExportRequest& request, viz::Timeline& timeline) {
  Figure figure(request, timeline);
  viz::ViewContext context = figure.context();
  viz::Twin twin = figure.view().twin(context);
  for (int i = 0; i < kMostFrames && timeline.is_reading(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    timeline.update(0, request.selection.run);
    twin = figure.view().twin(context);
  }
  return twin;
}

std::string provenance_of(const ExportRequest& request, const ExportSource& source) {
  const viz::Run* run = source.timeline.current(request.selection.run);
  const viz::Twin twin = twin_of_view(request, source.timeline);
  nlohmann::ordered_json note;
  note["program"] = {
      {"name", "sparsescope"}, {"version", SPARSESCOPE_VERSION}, {"commit", SPARSESCOPE_COMMIT}};
  if (run != nullptr) {
    const viz::Cursor& cursor = source.timeline.cursor();
    note["run"] = {{"uuid", run->uuid()}, {"title", run->title()}, {"recording", source.recording}};
    if (run->schema() != nullptr)
      note["run"]["experiment"] =
          nlohmann::ordered_json::parse(run->schema()->experiment_json, nullptr, false);
    note["step"] = cursor.is_following() ? run->newest_step() : cursor.step();
  }
  note["view"] = request.view;
  note["title"] = twin.title;
  note["says"] = twin.lines;
  note["settings"] = request.settings.empty() ? nlohmann::ordered_json::object()
                                              : nlohmann::ordered_json::parse(request.settings);
  note["theme"] = theme_name(request.theme);
  note["size"] = {{"width", request.width}, {"height", request.height}, {"png_factor", request.factor}};
  note["visible_marks"] = twin.table.rows.size();
  return note.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string export_bytes(const ExportRequest& request, ExportFormat format, const ExportSource& source) {
  switch (format) {
    case ExportFormat::Png:
      return png_of(request, source.timeline);
    case ExportFormat::Svg:
      return svg_of(request, source.timeline);
    case ExportFormat::Csv:
      return viz::csv_of(twin_of_view(request, source.timeline).table);
    case ExportFormat::Provenance:
      return provenance_of(request, source);
  }
  return {};
}

std::vector<std::string> export_view(const ExportRequest& request, const ExportSource& source) {
  std::vector<std::pair<std::string, std::string>> files;  // path, bytes
  for (ExportFormat format : request.formats)
    files.emplace_back(request.stem + "." + frame::file_ending(format),
                       export_bytes(request, format, source));
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : files) {
    trace::write_file(path, bytes);
    paths.push_back(path);
  }
  return paths;
}

}  // namespace sparsescope::app
