#include "viz/views/routing_scene.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "viz/model/token_lock.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/wheel.h"

namespace sparsescope::viz {
namespace {

constexpr float kBandGutter = 62, kSideGutter = 14;  // left of the tokens; lengths at scale 1
constexpr float kRowRoom = 30;                       // under the lowest row, for words
constexpr float kTopRoom = 12;
constexpr float kReach = 7;       // of the pointer to an edge
constexpr float kNodeReach = 13;  // to a row of tokens
constexpr float kWidestWord = 96;
constexpr double kZoomPerNotch = 1.25, kLeastTokens = 4;
constexpr std::size_t kCrowd = 800;  // edges; from so many on lines are slimmer in little room
constexpr float kRoomy = 420, kSlimmest = 0.55f;
constexpr float kDimmed = 0.45f;  // of all edges while one is under the pointer

Range clamped(Range range, double tokens) {
  const double width = std::clamp(range.width(), std::min(kLeastTokens, tokens), tokens);
  const double first = std::clamp(range.minimum, 0.0, tokens - width);
  return {first, first + width};
}

}  // namespace

struct RoutingScene::Frame {
  ImVec2 min, max;                                 // of the widget
  float left = 0, right = 0, top = 0, bottom = 0;  // of the tokens and the rows
  Range shown{0, 1};
  double per_token = 1;   // pixels
  std::int64_t rows = 1;  // rows of tokens
  float row_step = 0;     // pixels from a row up to the next
  float arc_height = 0;
  float slimness = 1;  // of lines, where many of them have little room
  bool is_arcs = true;
  bool is_hovered = false;
  ImVec2 mouse{0, 0};

  float x(double token) const { return left + static_cast<float>((token - shown.minimum) * per_token); }
  float row_y(std::int64_t row) const { return bottom - row_step * static_cast<float>(row); }
  double token_at(float at) const { return shown.minimum + static_cast<double>(at - left) / per_token; }
  EdgeView view(float opacity) const {
    EdgeView made;
    made.origin = {left - static_cast<float>(shown.minimum * per_token), bottom};
    made.scale = {static_cast<float>(per_token), -row_step};
    made.width_factor = line_px(1) * slimness;
    made.arc_height = arc_height;
    made.opacity = opacity * std::sqrt(slimness);
    return made;
  }
};

void RoutingScene::lay_out(const RoutingPicture& picture, Frame& frame) const {
  frame.is_arcs = picture.settings.layout == RoutingLayout::Arcs;
  frame.rows = frame.is_arcs ? 1 : picture.layers + 1;
  frame.left = frame.min.x + px(frame.is_arcs ? kSideGutter : kBandGutter);
  frame.right = frame.max.x - px(kSideGutter);
  frame.top = frame.min.y + px(frame.is_arcs ? kTopRoom : kRowRoom);
  frame.bottom = frame.max.y - px(kRowRoom);
  const bool is_difference = picture.content && picture.content->is_difference;
  // Gained above, lost below.
  if (frame.is_arcs && is_difference) frame.bottom = (frame.top + frame.bottom) / 2;
  if (picture.content && picture.content->marks.size() > kCrowd) {
    const float height =
        (frame.bottom - frame.top) / current_scale() / static_cast<float>(frame.is_arcs ? 1 : 2);
    frame.slimness = std::clamp(std::sqrt(height / kRoomy), kSlimmest, 1.f);
  }
  frame.row_step = frame.is_arcs ? 0 : (frame.bottom - frame.top) / static_cast<float>(frame.rows - 1);
}

RoutingPlace RoutingScene::draw(const RoutingPicture& picture, ImVec2 size, plot::AxisRange& camera,
                                ViewContext& context) {
  Frame frame;
  frame.min = ImGui::GetCursorScreenPos();
  frame.max = {frame.min.x + size.x, frame.min.y + size.y};
  lay_out(picture, frame);
  steer(picture, frame, camera, context);
  width_ = static_cast<double>((frame.right - frame.left) / current_scale());
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (!picture.content) {
    list->AddLine({frame.left, frame.bottom}, {frame.right, frame.bottom}, color(Token::Line), line_px(1));
    const ImVec2 extent = text_size(Font::Regular, kSmallText, picture.words.c_str());
    draw_text(list, Font::Regular, kSmallText,
              {(frame.left + frame.right - extent.x) / 2, (frame.top + frame.bottom - extent.y) / 2},
              color(Token::Muted), picture.words.c_str());
    if (context.motion == Motion::Reduced) return {};
    const auto pulse = static_cast<float>(0.5 + 0.5 * std::sin(3 * ImGui::GetTime()));
    list->AddRectFilled({frame.right - px(3), frame.top}, {frame.right, frame.bottom},
                        color(Token::Accent, 0.15f + 0.3f * pulse));
    return {};
  }
  foot_ = {frame.x(0), frame.row_y(0)};
  per_token_ = frame.per_token;
  batches_.refresh(picture);
  const RoutingPlace place = pick(picture, frame);
  RoutingPlace lit = place;
  const Marks& hover = context.selection.hover_before;
  if (!lit.node && !lit.mark && hover.token && *hover.token >= 0 && *hover.token < picture.tokens)
    lit.node = picture.content->cut.node_of(*hover.token);
  if (!place.node && !place.mark && held_mark_ && *held_mark_ < picture.content->marks.size()) {
    lit.mark = held_mark_;
    lit.node.reset();
  }
  if (!lit.layer) lit.layer = hover.layer;
  list->PushClipRect(frame.min, frame.max, true);
  draw_edges(picture, frame, lit);
  draw_nodes(picture, frame, lit, context);
  draw_labels(picture, frame, lit, context);
  list->PopClipRect();
  return place;
}

// Drag pans, a drag with the middle button zooms to what it passes over, the wheel zooms at the pointer, a
// double click goes into a block, beside the tokens back to all.
void RoutingScene::steer(const RoutingPicture& picture, Frame& frame, plot::AxisRange& camera,
                         ViewContext& context) {
  const auto tokens = static_cast<double>(std::max<std::int64_t>(1, picture.tokens));
  if (camera.follows) camera.shown = {0, tokens};
  camera.shown = clamped(camera.shown, tokens);
  ImGui::InvisibleButton("graph", {frame.max.x - frame.min.x, frame.max.y - frame.min.y},
                         ImGuiButtonFlags_MouseButtonLeft | ImGuiButtonFlags_MouseButtonMiddle);
  frame.is_hovered = ImGui::IsItemHovered();
  ImGui::SetItemKeyOwner(ImGuiKey_MouseWheelY);
  const ImGuiIO& io = ImGui::GetIO();
  frame.mouse = io.MousePos;
  const auto update = [&] {
    frame.shown = camera.shown;
    frame.per_token = static_cast<double>(frame.right - frame.left) / camera.shown.width();
    // Near by, what leads far away leaves the picture instead of crowding under its upper edge.
    const double share = camera.shown.width() / tokens;
    frame.arc_height = (frame.bottom - frame.top) / static_cast<float>(std::sqrt(share));
  };
  update();
  const Range before = camera.shown;
  if (ImGui::IsItemActive() && ImGui::IsMouseDragging(ImGuiMouseButton_Left, px(3))) {
    const double by = -static_cast<double>(io.MouseDelta.x) / frame.per_token;
    camera.shown = clamped({before.minimum + by, before.maximum + by}, tokens);
  }
  const float pressed = io.MouseClickedPos[ImGuiMouseButton_Middle].x;
  if (std::abs(io.MousePos.x - pressed) > px(3)) {
    if (ImGui::IsItemActive() && ImGui::IsMouseDown(ImGuiMouseButton_Middle))
      ImGui::GetWindowDrawList()->AddRectFilled({pressed, frame.min.y}, {io.MousePos.x, frame.max.y},
                                                color(Token::Accent, 0.16f));
    if (ImGui::IsItemDeactivated() && ImGui::IsMouseReleased(ImGuiMouseButton_Middle)) {
      const double from = frame.token_at(pressed), to = frame.token_at(io.MousePos.x);
      camera.shown = clamped({std::min(from, to), std::max(from, to)}, tokens);
    }
  }
  if (frame.is_hovered && io.MouseWheel != 0) {
    const double at = frame.token_at(io.MousePos.x),
                 factor = std::pow(kZoomPerNotch, -static_cast<double>(io.MouseWheel * ui::wheel_speed()));
    camera.shown =
        clamped({at - (at - before.minimum) * factor, at + (before.maximum - at) * factor}, tokens);
  }
  if (frame.is_hovered && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left) && picture.content) {
    const RoutingPlace place = pick(picture, frame);
    if (place.node) {
      const RoutingNode& node = picture.content->nodes[*place.node];
      // A single token: the block of 16 around it.
      const std::int64_t block = std::max<std::int64_t>(node.end - node.first, kRoutingBlocks[1]);
      const auto first = static_cast<double>(node.first / block * block);
      camera.shown = clamped({first, first + static_cast<double>(block)}, tokens);
    } else {
      camera.shown = {0, tokens};
    }
  }
  if (!(camera.shown == before)) camera.follows = camera.shown.width() >= tokens;
  update();
  (void)context;
}

RoutingPlace RoutingScene::pick(const RoutingPicture& picture, const Frame& frame) const {
  RoutingPlace place;
  if (!frame.is_hovered || frame.mouse.x < frame.min.x) return place;
  const RoutingContent& content = *picture.content;
  const double token = frame.token_at(frame.mouse.x);
  const float from_bottom = frame.bottom - frame.mouse.y;
  const auto row =
      frame.is_arcs ? 0
                    : std::clamp<std::int64_t>(std::lround(from_bottom / frame.row_step), 0, frame.rows - 1);
  const bool is_beside = token < 0 || token >= static_cast<double>(picture.tokens) ||
                         frame.mouse.x < frame.left || frame.mouse.x > frame.right;
  if (!frame.is_arcs) {
    const auto band = static_cast<std::int64_t>(std::floor(from_bottom / frame.row_step));
    if (band >= 0 && band < picture.layers) place.layer = band;
  } else if (!is_beside && from_bottom > 0) {
    place.layer = picture.layer;
  }
  const float off = std::abs(frame.mouse.y - frame.row_y(row));
  const bool is_under = frame.mouse.y > frame.max.y - px(kRowRoom) && frame.mouse.y < frame.max.y;
  if (!is_beside && (off <= px(kNodeReach) || is_under)) {
    place.node = content.cut.node_of(static_cast<std::int64_t>(token));
    return place;
  }
  const EdgeView view = frame.view(1);
  const auto& layers = batches_.layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::int64_t layer = picture.first_layer + static_cast<std::int64_t>(i);
    if (!frame.is_arcs && place.layer != layer) continue;
    if (const auto edge = layers[i].picker.nearest(view, frame.mouse, px(kReach)))
      place.mark = layers[i].marks[*edge];
  }
  return place;
}

void RoutingScene::draw_edges(const RoutingPicture& picture, const Frame& frame, const RoutingPlace& lit) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (lit_content_ != picture.content || lit_.node != lit.node || lit_.mark != lit.mark ||
      lit_theme_ != current_theme()) {
    lit_content_ = picture.content;
    lit_ = lit;
    lit_theme_ = current_theme();
    lit_edges_ = lit.node || lit.mark ? batches_.highlight(picture, lit.node, lit.mark) : nullptr;
  }
  if (!frame.is_arcs && lit.layer && *lit.layer >= 0 && *lit.layer < picture.layers)
    list->AddRectFilled({frame.left, frame.row_y(*lit.layer + 1)}, {frame.right, frame.row_y(*lit.layer)},
                        color(Token::Raised));
  list->PushClipRect({frame.left - px(4), frame.min.y}, {frame.right + px(4), frame.max.y}, true);
  const EdgeView view = frame.view(lit_edges_ ? kDimmed : 1);
  for (const RoutingBatches::Batch& batch : batches_.layers())
    sparsescope::draw_edges(list, batch.edges, view);
  if (lit_edges_) sparsescope::draw_edges(list, lit_edges_, frame.view(1));
  list->PopClipRect();
}

// A dot a token, its size and colour by what it reads of itself; a tick below where weights are no numbers.
void RoutingScene::draw_nodes(const RoutingPicture& picture, const Frame& frame, const RoutingPlace& lit,
                              const ViewContext& context) const {
  const RoutingContent& content = *picture.content;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const Marks& locked = context.selection.locked;
  const auto is_locked = [&](const RoutingNode& node) {
    const auto holds = [&](const auto& token) { return token && *token >= node.first && *token < node.end; };
    return holds(locked.token) || holds(locked.second_token);
  };
  for (std::int64_t row = 0; row < frame.rows; ++row) {
    const float y = frame.row_y(row);
    list->AddLine({frame.left, y}, {frame.right, y}, color(Token::Line), std::max(1.f, line_px(0.75f)));
  }
  // Of itself, by row: the queries of a layer are the upper row of its band.
  std::vector<float> self(content.nodes.size() * static_cast<std::size_t>(frame.rows), 0);
  for (const std::uint32_t i : content.selves) {
    const RoutingMark& mark = content.marks[i];
    const auto row = static_cast<std::size_t>(frame.is_arcs ? 0 : mark.layer + 1);
    const double share = content.largest_value > 0 ? std::abs(mark.value) / content.largest_value : 0;
    self[row * content.nodes.size() + mark.query] =
        static_cast<float>(content.has_weights ? std::sqrt(share) : 0.3);
  }
  for (std::size_t i = 0; i < content.nodes.size(); ++i) {
    const RoutingNode& node = content.nodes[i];
    const float x = frame.x(static_cast<double>(node.first + node.end) / 2);
    if (x < frame.left - px(6) || x > frame.right + px(6)) continue;
    const auto spacing = static_cast<float>(static_cast<double>(node.end - node.first) * frame.per_token);
    const float small = std::clamp(spacing * 0.22f, 0.8f, px(2.5f)),
                large = std::clamp(spacing * 0.42f, small, px(6));
    const bool is_lit = lit.node == i, is_held = is_locked(node);
    for (std::int64_t row = 0; row < frame.rows; ++row) {
      const float own = self[static_cast<std::size_t>(row) * content.nodes.size() + i];
      float radius = small + (large - small) * own;
      if (is_lit || is_held) radius = std::max(radius, px(3.5f));
      const ImU32 ink = is_held   ? color(Token::Accent)
                        : is_lit  ? color(Token::Text)
                        : own > 0 ? color(Token::Self, 0.5f + 0.5f * own)
                                  : color(Token::Muted, 0.8f);
      const ImVec2 at{x, frame.row_y(row)};
      if (radius < px(2)) {
        list->AddRectFilled({at.x - radius, at.y - radius}, {at.x + radius, at.y + radius}, ink);
      } else {
        list->AddCircleFilled(at, radius, ink, 12);
      }
    }
    if (node.invalid > 0)
      list->AddLine({x, frame.bottom + px(4)}, {x, frame.bottom + px(12)}, color(Token::Error), line_px(2));
  }
}

// Words of what is under the pointer or locked, then of the most read tokens, as far as there is room.
void RoutingScene::draw_labels(const RoutingPicture& picture, const Frame& frame, const RoutingPlace& lit,
                               const ViewContext& context) const {
  const RoutingContent& content = *picture.content;
  ImDrawList* list = ImGui::GetWindowDrawList();
  for (std::int64_t layer = 0; !frame.is_arcs && layer < picture.layers; ++layer) {
    const bool is_locked = context.selection.locked.layer == layer, is_lit = lit.layer == layer;
    const std::string words = "layer " + std::to_string(layer);
    const float y = (frame.row_y(layer) + frame.row_y(layer + 1)) / 2 - px(kSmallText) * 0.6f;
    draw_text(list, is_locked ? Font::SemiBold : Font::Regular, kSmallText - 1, {frame.min.x + px(4), y},
              color(is_locked ? Token::Accent
                    : is_lit  ? Token::Text
                              : Token::Muted),
              words.c_str());
  }
  struct Wish {
    std::size_t node;
    int rank;  // 0 under the pointer, 1 locked, 2 the rest
    std::int64_t read;
  };
  std::vector<Wish> wishes;
  const Marks& locked = context.selection.locked;
  for (std::size_t i = 0; i < content.nodes.size(); ++i) {
    const RoutingNode& node = content.nodes[i];
    const auto middle = static_cast<double>(node.first + node.end) / 2;
    if (!frame.shown.contains(middle)) continue;
    const auto holds = [&](const auto& token) { return token && *token >= node.first && *token < node.end; };
    const int rank = lit.node == i ? 0 : holds(locked.token) || holds(locked.second_token) ? 1 : 2;
    wishes.push_back({i, rank, std::abs(content.has_weights ? node.read.mass : node.read.pairs)});
  }
  std::stable_sort(wishes.begin(), wishes.end(), [](const Wish& a, const Wish& b) {
    return a.rank != b.rank ? a.rank < b.rank : a.read > b.read;
  });
  std::vector<std::pair<float, float>> taken;
  // From afar only the few most read ones speak; near by all that fit.
  const bool is_near = frame.per_token >= static_cast<double>(px(14));
  const float gap = px(is_near ? 6 : 44);
  const float y = frame.max.y - px(kRowRoom - 9);
  for (const Wish& wish : wishes) {
    const RoutingNode& node = content.nodes[wish.node];
    const float width = std::min(px(kWidestWord), text_size(Font::Mono, kSmallText - 1, node.word.c_str()).x);
    const float middle = frame.x(static_cast<double>(node.first + node.end) / 2);
    const float left = std::clamp(middle - width / 2, frame.min.x, frame.max.x - width);
    const bool is_free = std::none_of(taken.begin(), taken.end(), [&](const auto& span) {
      return left < span.second + gap && left + width + gap > span.first;
    });
    if (!is_free) continue;
    taken.emplace_back(left, left + width);
    const ImU32 ink = color(wish.rank == 0 ? Token::Text : wish.rank == 1 ? Token::Accent : Token::Muted);
    draw_text_within(list, Font::Mono, kSmallText - 1, {left, y}, px(kWidestWord), ink, node.word);
  }
}

}  // namespace sparsescope::viz
