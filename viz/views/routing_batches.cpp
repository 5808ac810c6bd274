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

// Nodes of the batch of a layer: the middle and both sides of every node, in bands in both its rows of
// tokens. In blocks the reasons stand a little apart, so that none lies on another.
class Places {
 public:
  Places(const RoutingPicture& picture, std::int64_t layer)
      : count_(static_cast<std::uint32_t>(picture.content->nodes.size())),
        first_row_(layer),
        is_arcs_(picture.settings.layout == RoutingLayout::Arcs) {
    const std::int64_t rows = is_arcs_ ? 1 : 2;
    nodes_.reserve(static_cast<std::size_t>(rows) * kSides * kApart * count_);
    for (std::int64_t row = 0; row < rows; ++row) {
      for (int side = 0; side < kSides; ++side) {
        for (int reason = 0; reason < kApart; ++reason) {
          for (const RoutingNode& node : picture.content->nodes)
            nodes_.push_back({place_of(node, side, reason), static_cast<float>(is_arcs_ ? 0 : layer + row)});
        }
      }
    }
  }
  const std::vector<ImVec2>& nodes() const { return nodes_; }

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
    const std::int64_t place = is_arcs_ ? 0 : row - first_row_;
    return static_cast<std::uint32_t>((place * kSides + side) * kApart + static_cast<int>(reason)) * count_ +
           node;
  }

  std::uint32_t count_;
  std::int64_t first_row_;
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
  const float base = faintest(content), thickest = thickest_of(picture);
  const float top = layout_ == RoutingLayout::Arcs ? 0.95f : 0.8f;
  layers_.clear();
  auto next = content.edges.begin();
  for (std::int64_t layer = picture.first_layer; layer <= picture.last_layer; ++layer) {
    const auto end = std::find_if(next, content.edges.end(),
                                  [&](std::uint32_t i) { return content.marks[i].layer != layer; });
    std::vector<std::uint32_t> marks(next, end);
    next = end;
    const Places places(picture, layer);
    std::vector<EdgeInstance> edges;
    edges.reserve(marks.size());
    for (const std::uint32_t i : marks) {
      const RoutingMark& mark = content.marks[i];
      const float heavy = strength(content, mark);
      float alpha = base + (top - base) * (layout_ == RoutingLayout::Arcs ? heavy : heavy * heavy);
      if (content.has_lock) alpha = mark.role == RoutingRole::None ? alpha * kOthers : std::max(alpha, 0.55f);
      EdgeInstance edge = places.edge(content, mark);
      edge.ink = color(mark_token(content, mark), alpha);
      edge.width = kThinnest + (thickest - kThinnest) * heavy;
      edges.push_back(edge);
    }
    const EdgeBatchPtr batch = EdgeBatch::make(places.nodes(), std::move(edges));
    layers_.push_back({batch, std::move(marks), EdgePicker(batch)});
  }
}

EdgeBatchPtr RoutingBatches::highlight(const RoutingPicture& picture, std::optional<std::size_t> node,
                                       std::optional<std::size_t> mark) const {
  const RoutingContent& content = *picture.content;
  std::vector<ImVec2> nodes;
  std::vector<EdgeInstance> lit;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Batch& layer = layers_[i];
    for (std::size_t k = 0; k < layer.marks.size(); ++k) {
      const std::uint32_t index = layer.marks[k];
      const RoutingMark& shown = content.marks[index];
      if (mark ? index != *mark : shown.query != node && shown.key != node) continue;
      EdgeInstance edge = layer.edges->edges()[k];
      edge.ink = color(mark_token(content, shown));
      edge.width = kThinnest + 0.6f + (thickest_of(picture) - kThinnest) * strength(content, shown);
      for (std::uint32_t* end : {&edge.from, &edge.to}) {
        nodes.push_back(layer.edges->nodes()[*end]);
        *end = static_cast<std::uint32_t>(nodes.size() - 1);
      }
      lit.push_back(edge);
    }
  }
  return lit.empty() ? nullptr : EdgeBatch::make(std::move(nodes), std::move(lit));
}

}  // namespace sparsescope::viz
