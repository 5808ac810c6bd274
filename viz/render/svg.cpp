// Walks the draw lists in order and writes what it recognises.
#include "viz/render/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <tuple>
#include <vector>

#include "imgui.h"
#include "viz/render/surface.h"
#include "viz/render/svg_glyphs.h"
#include "viz/render/svg_shapes.h"
#include "viz/widgets/draw_payload.h"
#include "viz/widgets/edges.h"
#include "viz/widgets/heatmap.h"

namespace sparsescope::render {
namespace {

std::string number(float value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string base64(const std::string& bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    const std::size_t there = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < there ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= there ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

// fill="#rrggbb" with its opacity; `what` is "fill" or "stroke".
std::string paint(const char* what, ImU32 ink) {
  const unsigned red = ink >> IM_COL32_R_SHIFT & 255, green = ink >> IM_COL32_G_SHIFT & 255,
                 blue = ink >> IM_COL32_B_SHIFT & 255, alpha = ink >> IM_COL32_A_SHIFT & 255;
  std::string text = fmt::format("{}=\"#{:02x}{:02x}{:02x}\"", what, red, green, blue);
  if (alpha < 255) text += fmt::format(" {}-opacity=\"{}\"", what, number(static_cast<float>(alpha) / 255.f));
  return text;
}

bool is_visible(ImU32 ink) { return (ink & IM_COL32_A_MASK) != 0; }

ImU32 mean_ink(const std::vector<ImDrawVert>& corners) {
  if (std::all_of(corners.begin(), corners.end(),
                  [&](const ImDrawVert& v) { return v.col == corners[0].col; }))
    return corners[0].col;
  std::array<unsigned, 4> sums{};
  for (const ImDrawVert& corner : corners) {
    for (unsigned k = 0; k < 4; ++k) sums[k] += corner.col >> (8 * k) & 255;
  }
  ImU32 ink = 0;
  for (unsigned k = 0; k < 4; ++k) ink |= sums[k] / static_cast<unsigned>(corners.size()) << (8 * k);
  return ink;
}

std::string path_of(const std::vector<ImVec2>& points) {
  std::string path;
  for (const ImVec2& point : points)
    path += (path.empty() ? "M" : "L") + number(point.x) + " " + number(point.y);
  return path;
}

class Writer {
 public:
  explicit Writer(const ImDrawData& frame) : frame_(frame), glyphs_(*ImGui::GetIO().Fonts) {}

  std::string document(const SvgOptions& options) {
    for (const ImDrawList* list : frame_.CmdLists) write_list(*list);
    const ImVec2 size = frame_.DisplaySize;
    std::string text = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\">\n",
        number(size.x / options.scale), number(size.y / options.scale), number(size.x), number(size.y));
    if (!options.title.empty()) text += "<title>" + escaped(options.title) + "</title>\n";
    if (!options.description.empty()) text += "<desc>" + escaped(options.description) + "</desc>\n";
    if (!clips_.empty()) text += "<defs>\n" + clip_definitions_ + "</defs>\n";
    return text + body_ + "</svg>\n";
  }

 private:
  void write_list(const ImDrawList& list) {
    for (const ImDrawCmd& command : list.CmdBuffer) {
      clip_ = {{command.ClipRect.x, command.ClipRect.y}, {command.ClipRect.z, command.ClipRect.w}};
      if (const HeatmapPayload* heatmap = heatmap_payload(list, command)) {
        write_heatmap(*heatmap);
      } else if (const EdgesPayload* edges = edges_payload(list, command)) {
        write_edges(*edges);
      } else if (command.UserCallback == nullptr) {
        write_triangles(list, command);
      }
    }
  }

  // Triangles in order: fans of one base vertex are one polygon, textured ones are glyphs.
  void write_triangles(const ImDrawList& list, const ImDrawCmd& command) {
    const ImDrawIdx* index = list.IdxBuffer.Data + command.IdxOffset;
    const auto vertex = [&](unsigned i) {
      return list.VtxBuffer[static_cast<int>(index[i] + command.VtxOffset)];
    };
    for (unsigned i = 0; i + 2 < command.ElemCount;) {
      std::vector<ImDrawVert> corners = {vertex(i), vertex(i + 1), vertex(i + 2)};
      const ImDrawIdx base = index[i];
      ImDrawIdx last = index[i + 2];
      for (i += 3; i + 2 < command.ElemCount && index[i] == base && index[i + 1] == last; i += 3) {
        corners.push_back(vertex(i + 2));
        last = index[i + 2];
      }
      write_fan(corners);
    }
    flush();
  }

  void write_fan(const std::vector<ImDrawVert>& corners) {
    const bool is_textured = std::any_of(corners.begin(), corners.end(), [&](const ImDrawVert& corner) {
      return corner.uv.x != corners[0].uv.x || corner.uv.y != corners[0].uv.y;
    });
    const ImU32 ink = mean_ink(corners);
    if (!is_visible(ink)) return;
    if (is_textured) {
      if (corners.size() != 4) return;
      if (const auto glyph = glyphs_.find({corners[0], corners[1], corners[2], corners[3]})) {
        if (const auto shape = quads_.finish()) write_shape(*shape);
        if (const auto run = texts_.add(*glyph, ink)) write_text(*run);
      }
      return;
    }
    if (const auto run = texts_.finish()) write_text(*run);
    if (corners.size() == 4) {
      const ImVec2 places[4] = {corners[0].pos, corners[1].pos, corners[2].pos, corners[3].pos};
      if (const auto shape = quads_.add(places, ink)) write_shape(*shape);
      return;
    }
    if (const auto shape = quads_.finish()) write_shape(*shape);
    Shape polygon{Shape::Kind::Polygon, {}, 0, ink};
    for (const ImDrawVert& corner : corners) polygon.points.push_back(corner.pos);
    write_shape(polygon);
  }

  void flush() {
    if (const auto shape = quads_.finish()) write_shape(*shape);
    if (const auto run = texts_.finish()) write_text(*run);
  }

  void write_shape(const Shape& shape) {
    ImVec2 low = shape.points[0], high = low;
    for (const ImVec2& point : shape.points) {
      low = {std::min(low.x, point.x), std::min(low.y, point.y)};
      high = {std::max(high.x, point.x), std::max(high.y, point.y)};
    }
    switch (shape.kind) {
      case Shape::Kind::Rectangle:
        if (high.x <= low.x || high.y <= low.y) return;
        add(low, high,
            fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {}", number(low.x), number(low.y),
                        number(high.x - low.x), number(high.y - low.y), paint("fill", shape.ink)));
        break;
      case Shape::Kind::Line:
        add({low.x - shape.stroke, low.y - shape.stroke}, {high.x + shape.stroke, high.y + shape.stroke},
            fmt::format("<path d=\"{}\" fill=\"none\" {} stroke-width=\"{}\" stroke-linejoin=\"round\"",
                        path_of(shape.points), paint("stroke", shape.ink), number(shape.stroke)));
        break;
      case Shape::Kind::Polygon:
        add(low, high, fmt::format("<path d=\"{}Z\" {}", path_of(shape.points), paint("fill", shape.ink)));
        break;
    }
  }

  void write_text(const TextRun& run) {
    const SvgFont font = svg_font_of(run.source);
    const std::string attributes = fmt::format(
        "<text x=\"{}\" y=\"{}\" font-family=\"{}\" font-size=\"{}\"{} textLength=\"{}\" "
        "xml:space=\"preserve\" "
        "{}",
        number(run.x), number(run.baseline), font.family, number(run.size / font.height_per_em),
        font.weight == 400 ? "" : fmt::format(" font-weight=\"{}\"", font.weight), number(run.width),
        paint("fill", run.ink));
    add({run.x, run.baseline - run.size}, {run.x + run.width, run.baseline + run.size * 0.3f}, attributes,
        ">" + escaped(run.text) + "</text>\n");
  }

  void write_heatmap(const HeatmapPayload& payload) {
    const auto outer = [](double a, double b) { return std::pair(std::min(a, b), std::max(a, b)); };
    const auto [left, right] = outer(payload.left, payload.right);
    const auto [top, bottom] = outer(payload.top, payload.bottom);
    const int x = static_cast<int>(std::floor(std::max<double>(left, clip_.low.x))),
              y = static_cast<int>(std::floor(std::max<double>(top, clip_.low.y)));
    const int width = static_cast<int>(std::ceil(std::min<double>(right, clip_.high.x))) - x,
              height = static_cast<int>(std::ceil(std::min<double>(bottom, clip_.high.y))) - y;
    if (width <= 0 || height <= 0) return;
    const Pixels pixels{width, height, heatmap_pixels(payload, x, y, width, height)};
    const ImVec2 low{static_cast<float>(x), static_cast<float>(y)};
    add(low, {low.x + static_cast<float>(width), low.y + static_cast<float>(height)},
        fmt::format("<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" "
                    "style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"",
                    x, y, width, height, base64(encode_png(pixels))));
  }

  // Edges of one look share an element.
  void write_edges(const EdgesPayload& payload) {
    const EdgeBatch& batch = *payload.batch;
    std::map<std::tuple<ImU32, float, std::uint8_t>, std::string> paths;
    ImVec2 low{INFINITY, INFINITY}, high{-INFINITY, -INFINITY};
    for (std::size_t i = 0; i < batch.edges().size(); ++i) {
      const EdgeInstance& edge = batch.edges()[i];
      const auto points = curve_points(batch, i, payload.view);
      for (const ImVec2& point : points) {
        low = {std::min(low.x, point.x), std::min(low.y, point.y)};
        high = {std::max(high.x, point.x), std::max(high.y, point.y)};
      }
      paths[{edge.ink, edge.width, edge.dash}] +=
          path_of(edge.kind == EdgeKind::Straight ? std::vector<ImVec2>{points.front(), points.back()}
                                                  : std::vector<ImVec2>(points.begin(), points.end()));
    }
    for (const auto& [look, path] : paths) {
      const auto& [ink, width, dash] = look;
      const float unit = payload.view.width_factor;
      const char* pattern = dash == static_cast<std::uint8_t>(plot::Dash::Dashed)   ? "6 4"
                            : dash == static_cast<std::uint8_t>(plot::Dash::Dotted) ? "1.5 3.5"
                                                                                    : "";
      std::string element = fmt::format("<path d=\"{}\" fill=\"none\" {} stroke-width=\"{}\"", path,
                                        paint("stroke", ink), number(width * unit));
      if (payload.view.opacity < 1) element += fmt::format(" opacity=\"{}\"", number(payload.view.opacity));
      if (*pattern != '\0') element += fmt::format(" stroke-dasharray=\"{}\"", pattern);
      add(low, high, element);
    }
  }

  // One element; clipped only where it would show outside its rectangle.
  void add(ImVec2 low, ImVec2 high, const std::string& element, const std::string& end = "/>\n") {
    if (high.x < clip_.low.x || low.x > clip_.high.x || high.y < clip_.low.y || low.y > clip_.high.y) return;
    const bool is_inside =
        low.x >= clip_.low.x && high.x <= clip_.high.x && low.y >= clip_.low.y && high.y <= clip_.high.y;
    body_ += element;
    if (!is_inside) body_ += fmt::format(" clip-path=\"url(#c{})\"", clip_id());
    body_ += end;
  }

  int clip_id() {
    const std::tuple key{clip_.low.x, clip_.low.y, clip_.high.x, clip_.high.y};
    const auto [place, is_new] = clips_.emplace(key, static_cast<int>(clips_.size()));
    if (is_new) {
      clip_definitions_ += fmt::format(
          "<clipPath id=\"c{}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n",
          place->second, number(clip_.low.x), number(clip_.low.y), number(clip_.high.x - clip_.low.x),
          number(clip_.high.y - clip_.low.y));
    }
    return place->second;
  }

  struct Box {
    ImVec2 low{0, 0}, high{0, 0};
  };
  const ImDrawData& frame_;
  GlyphIndex glyphs_;
  TextRuns texts_;
  QuadChain quads_;
  Box clip_;
  std::map<std::tuple<float, float, float, float>, int> clips_;
  std::string clip_definitions_, body_;
};

}  // namespace

std::string svg_of(const ImDrawData& frame, const SvgOptions& options) {
  return Writer(frame).document(options);
}

}  // namespace sparsescope::render
