#include "viz/views/routing_batches.h"

#include <algorithm>
#include <cmath>

namespace sparsescope::viz {
namespace {

constexpr float kThinnest = 0.8f, kThickest = 4.2f, kThickestInBands = 2.4f;  // widths at scale 1
constexpr double kCalmMarks = 600;  // with so many edges the lightest are at kFaintest
constexpr float kFaintest = 0.16f, kLeastFaint = 0.045f;
constexpr float kOthers = 0.3f;  // opacity of what a lock does not touch

// 0..1: how heavy a mark is among those shown, in 32 steps, so that an exported figure shares its strokes.
// Pairs without weights are all alike and stay thin.
float strength(const RoutingContent& content, const RoutingMark& mark) {
  if (content.largest_value <= 0) return 0;
  const double share = std::sqrt(std::abs(mark.value) / content.largest_value);
  const double heavy = content.has_weights ? share : content.largest_value > 1 ? 0.6 * share : 0.0625;
  return static_cast<float>(std::round(heavy * 32) / 32);
}

// The more edges there are, the fainter the light ones: what is heavy stays readable.
float faintest(const RoutingContent& content) {
  const double crowd = std::sqrt(kCalmMarks / std::max(1.0, static_cast<double>(content.marks.size())));
  const float calm = content.has_weights ? kFaintest : kFaintest * 0.6f;
  return std::clamp(calm * static_cast<float>(crowd), kLeastFaint, 0.4f);
}

float thickest_of(const RoutingPicture& picture) {
  return picture.settings.layout == RoutingLayout::Arcs ? kThickest : kThickestInBands;
}

bool is_edge(const RoutingMark& mark) { return mark.reason != RoutingReason::Self; }

// Nodes of a batch: the middle and both sides of every node, by row of tokens in bands. In blocks the reasons
// stand a little apart, so that none lies on another.
class Places {
 public:
  explicit Places(const RoutingPicture& picture)
      : count_(static_cast<std::uint32_t>(picture.content->nodes.size())),
        is_arcs_(picture.settings.layout == RoutingLayout::Arcs) {
    const std::int64_t rows = is_arcs_ ? 1 : picture.layers + 1;
    nodes_.reserve(static_cast<std::size_t>(rows) * kSides * kApart * count_);
    for (std::int64_t row = 0; row < rows; ++row) {
      for (int side = 0; side < kSides; ++side) {
        for (int reason = 0; reason < kApart; ++reason) {
          for (const RoutingNode& node : picture.content->nodes)
            nodes_.push_back({place_of(node, side, reason), static_cast<float>(row)});
        }
      }
    }
  }
  std::vector<ImVec2> take() { return std::move(nodes_); }

  EdgeInstance edge(const RoutingContent& content, const RoutingMark& mark) const {
    const bool is_within = mark.query == mark.key, is_lost = content.is_difference && mark.value < 0;
    EdgeInstance made;
    made.from = at(mark.layer + (is_arcs_ ? 0 : 1), is_within ? kEnd : kMiddle, mark.reason, mark.query);
    made.to = at(mark.layer, is_within ? kFirst : kMiddle, mark.reason, mark.key);
    made.kind = is_arcs_ ? EdgeKind::Arc : is_lost ? EdgeKind::Straight : EdgeKind::Curve;
    // Walked from left to right an arc lies under the row.
    if (is_arcs_ && is_lost) std::swap(made.from, made.to);
    made.dash = static_cast<std::uint8_t>(routing_dash(mark.reason));
    return made;
  }

 private:
  static constexpr int kMiddle = 0, kFirst = 1, kEnd = 2, kSides = 3, kApart = 3;

  static float place_of(const RoutingNode& node, int side, int reason) {
    const auto first = static_cast<float>(node.first), end = static_cast<float>(node.end);
    const float apart = node.end - node.first > 1 ? (end - first) * 0.12f : 0;
    switch (side) {
      case kFirst:
        return first + apart * static_cast<float>(reason + 1);
      case kEnd:
        return end - apart * static_cast<float>(reason + 1);
      default:
        return (first + end) / 2 + apart * static_cast<float>(reason - 1);
    }
  }
  std::uint32_t at(std::int64_t row, int side, RoutingReason reason, std::uint32_t node) const {
    const std::int64_t place = is_arcs_ ? 0 : row;
    return static_cast<std::uint32_t>((place * kSides + side) * kApart + static_cast<int>(reason)) * count_ +
           node;
  }

  std::uint32_t count_;
  bool is_arcs_;
  std::vector<ImVec2> nodes_;
};

}  // namespace

plot::Dash routing_dash(RoutingReason reason) {
  return reason == RoutingReason::Inherited  ? plot::Dash::Dashed
         : reason == RoutingReason::Fallback ? plot::Dash::Dotted
                                             : plot::Dash::Solid;
}

Token routing_token(RoutingReason reason) {
  constexpr Token kTokens[] = {Token::Direct, Token::Inherited, Token::Fallback, Token::Self};
  return kTokens[static_cast<std::size_t>(reason)];
}

Token mark_token(const RoutingContent& content, const RoutingMark& mark) {
  if (content.is_difference) return mark.value < 0 ? Token::Warn : Token::Accent;
  if (mark.role == RoutingRole::Past) return Token::Accent;
  if (mark.role == RoutingRole::Future) return Token::Warn;
  return routing_token(mark.reason);
}

void RoutingBatches::refresh(const RoutingPicture& picture) {
  if (content_ == picture.content && layout_ == picture.settings.layout && theme_ == current_theme()) return;
  content_ = picture.content;
  layout_ = picture.settings.layout;
  theme_ = current_theme();
  const RoutingContent& content = *content_;
  Places places(picture);
  layers_.clear();
  const bool has_lock = std::any_of(content.marks.begin(), content.marks.end(),
                                    [](const RoutingMark& mark) { return mark.role != RoutingRole::None; });
  const float base = faintest(content), thickest = thickest_of(picture);
  const float top = layout_ == RoutingLayout::Arcs ? 0.95f : 0.8f;
  std::vector<std::vector<std::uint32_t>> of_layer(
      static_cast<std::size_t>(picture.last_layer - picture.first_layer + 1));
  for (std::uint32_t i = 0; i < content.marks.size(); ++i) {
    if (is_edge(content.marks[i]))
      of_layer[static_cast<std::size_t>(content.marks[i].layer - picture.first_layer)].push_back(i);
  }
  std::vector<std::vector<EdgeInstance>> edges(of_layer.size());
  for (std::size_t layer = 0; layer < of_layer.size(); ++layer) {
    // The heaviest on top, and what is locked over all others.
    std::stable_sort(of_layer[layer].begin(), of_layer[layer].end(), [&](std::uint32_t a, std::uint32_t b) {
      const RoutingMark &left = content.marks[a], &right = content.marks[b];
      const bool is_left = left.role != RoutingRole::None, is_right = right.role != RoutingRole::None;
      return is_left != is_right ? is_right : std::abs(left.value) < std::abs(right.value);
    });
    for (const std::uint32_t i : of_layer[layer]) {
      const RoutingMark& mark = content.marks[i];
      const float heavy = strength(content, mark);
      float alpha = base + (top - base) * (layout_ == RoutingLayout::Arcs ? heavy : heavy * heavy);
      if (has_lock) alpha = mark.role == RoutingRole::None ? alpha * kOthers : std::max(alpha, 0.55f);
      EdgeInstance edge = places.edge(content, mark);
      edge.ink = color(mark_token(content, mark), alpha);
      edge.width = kThinnest + (thickest - kThinnest) * heavy;
      edges[layer].push_back(edge);
    }
  }
  nodes_ = places.take();
  for (std::size_t layer = 0; layer < of_layer.size(); ++layer)
    layers_.push_back({EdgeBatch::make(nodes_, std::move(edges[layer])), std::move(of_layer[layer])});
}

EdgeBatchPtr RoutingBatches::highlight(const RoutingPicture& picture, std::optional<std::size_t> node,
                                       std::optional<std::size_t> mark) const {
  const RoutingContent& content = *picture.content;
  std::vector<EdgeInstance> lit;
  const Places places(picture);
  const auto add = [&](const RoutingMark& shown) {
    EdgeInstance edge = places.edge(content, shown);
    edge.ink = color(mark_token(content, shown));
    edge.width = kThinnest + 0.6f + (thickest_of(picture) - kThinnest) * strength(content, shown);
    lit.push_back(edge);
  };
  if (mark) {
    if (is_edge(content.marks[*mark])) add(content.marks[*mark]);
  } else if (node) {
    for (const RoutingMark& shown : content.marks) {
      if (is_edge(shown) && (shown.query == *node || shown.key == *node)) add(shown);
    }
  }
  return lit.empty() ? nullptr : EdgeBatch::make(nodes_, std::move(lit));
}

}  // namespace sparsescope::viz
