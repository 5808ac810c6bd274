#include "viz/widgets/edge_picker.h"

#include <algorithm>
#include <cmath>

namespace sparsescope {
namespace {

constexpr std::size_t kFanOut = 8;
constexpr float kSlack = 0.25f;  // pixels: bounds are rounded otherwise than curves

struct Interval {
  float low = 0, high = 0;
};
Interval operator+(Interval a, Interval b) { return {a.low + b.low, a.high + b.high}; }
Interval operator-(Interval a, Interval b) { return {a.low - b.high, a.high - b.low}; }
Interval operator*(float weight, Interval a) { return {weight * a.low, weight * a.high}; }  // weight >= 0

Interval placed(float origin, float scale, float low, float high) {
  const float a = origin + scale * low, b = origin + scale * high;
  return {std::min(a, b), std::max(a, b)};
}

// Weights of a point of a curve: of both ends and of what lifts an arc.
struct Weights {
  float from_x = 0, from_y = 0, to_x = 0, to_y = 0, lift = 0;
};
using CurveWeights = std::array<Weights, kEdgeSegments + 1>;

// From the control points in edges.cpp.
CurveWeights weights_of(EdgeKind kind) {
  CurveWeights made;
  for (int i = 0; i <= kEdgeSegments; ++i) {
    const float t = static_cast<float>(i) / kEdgeSegments, u = 1 - t;
    const float w[4] = {u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t};
    const float halves = w[0] + w[1], third = w[0] + w[1] * (2 / 3.f) + w[2] / 3,
                middle = w[0] + (w[1] + w[2]) / 2;
    Weights& at = made[static_cast<std::size_t>(i)];
    at.from_x = kind == EdgeKind::Straight ? third : halves;
    at.from_y = kind == EdgeKind::Straight ? third : kind == EdgeKind::Curve ? middle : halves;
    at.to_x = 1 - at.from_x;
    at.to_y = 1 - at.from_y;
    at.lift = kind == EdgeKind::Arc ? w[1] + w[2] : 0;
  }
  return made;
}

const CurveWeights& curve_weights(EdgeKind kind) {
  static const CurveWeights kAll[] = {weights_of(EdgeKind::Straight), weights_of(EdgeKind::Curve),
                                      weights_of(EdgeKind::Arc)};
  return kAll[static_cast<std::size_t>(kind)];
}

// Where edges of one kind begin and end, and how far they may be lifted, in pixels.
struct Family {
  Interval from_x, from_y, to_x, to_y, lift_x, lift_y;
};

// How far arcs between these ends are lifted at their control points.
void lift_arcs(Family& family, float arc_height) {
  const Interval across = family.to_x - family.from_x, down = family.to_y - family.from_y;
  const auto lift = [&](float length) { return std::min(arc_height, std::abs(length) / 2) * (4 / 3.f); };
  if (down.low == 0 && down.high == 0) {
    // All on one line: the longer, the higher.
    family.lift_y = {std::copysign(lift(across.low), across.low),
                     std::copysign(lift(across.high), across.high)};
    return;
  }
  const float most = lift(std::hypot(std::max(std::abs(across.low), std::abs(across.high)),
                                     std::max(std::abs(down.low), std::abs(down.high))));
  family.lift_x = family.lift_y = {-most, most};
}

// Whether a segment of one of the curves may come within `reach` of the pixel: each point of a curve lies in
// the box of that point of all of them.
bool may_reach(const Family& family, const CurveWeights& weights, ImVec2 pixel, float reach) {
  reach += kSlack;
  Interval before_x, before_y;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Weights& at = weights[i];
    const Interval x = at.from_x * family.from_x + at.to_x * family.to_x + at.lift * family.lift_x,
                   y = at.from_y * family.from_y + at.to_y * family.to_y + at.lift * family.lift_y;
    if (i > 0 && pixel.x >= std::min(x.low, before_x.low) - reach &&
        pixel.x <= std::max(x.high, before_x.high) + reach &&
        pixel.y >= std::min(y.low, before_y.low) - reach &&
        pixel.y <= std::max(y.high, before_y.high) + reach)
      return true;
    before_x = x;
    before_y = y;
  }
  return false;
}

float squared_distance(ImVec2 p, ImVec2 a, ImVec2 b) {
  const ImVec2 along{b.x - a.x, b.y - a.y}, off{p.x - a.x, p.y - a.y};
  const float length = along.x * along.x + along.y * along.y;
  const float share = length > 0 ? std::clamp((off.x * along.x + off.y * along.y) / length, 0.f, 1.f) : 0;
  const ImVec2 rest{off.x - along.x * share, off.y - along.y * share};
  return rest.x * rest.x + rest.y * rest.y;
}

// Every second bit of a byte is left free.
std::uint32_t spread(std::uint32_t byte) {
  byte = (byte | byte << 4) & 0x0f0f;
  byte = (byte | byte << 2) & 0x3333;
  return (byte | byte << 1) & 0x5555;
}

// Edges along a curve that fills the square of (begin, end): neighbours on it have neighbouring ends.
std::vector<std::uint32_t> by_neighbourhood(const EdgeBatch& batch) {
  const auto& nodes = batch.nodes();
  const auto [left, right] =
      std::minmax_element(nodes.begin(), nodes.end(), [](ImVec2 a, ImVec2 b) { return a.x < b.x; });
  const float first = left->x, per_cell = std::max(right->x - left->x, 1e-6f) / 255.5f;
  const auto cell = [&](std::uint32_t node) {
    return static_cast<std::uint32_t>((nodes[node].x - first) / per_cell);
  };
  std::vector<std::uint16_t> keys;
  keys.reserve(batch.edges().size());
  std::vector<std::uint32_t> next((1 << 16) + 1, 0), order(batch.edges().size());
  for (const EdgeInstance& edge : batch.edges()) {
    keys.push_back(static_cast<std::uint16_t>(spread(cell(edge.from)) | spread(cell(edge.to)) << 1));
    ++next[keys.back() + 1u];
  }
  for (std::size_t key = 1; key < next.size(); ++key) next[key] += next[key - 1];
  for (std::uint32_t i = 0; i < order.size(); ++i) order[next[keys[i]]++] = i;
  return order;
}

}  // namespace

struct EdgePicker::Search {
  const EdgeView& view;
  ImVec2 pixel;
  float best;  // squared distance
  std::optional<std::size_t> nearest;

  bool may_hold(const Group& group) const {
    Family family;
    family.from_x = placed(view.origin.x, view.scale.x, group.from.min.x, group.from.max.x);
    family.from_y = placed(view.origin.y, view.scale.y, group.from.min.y, group.from.max.y);
    family.to_x = placed(view.origin.x, view.scale.x, group.to.min.x, group.to.max.x);
    family.to_y = placed(view.origin.y, view.scale.y, group.to.min.y, group.to.max.y);
    const float reach = std::sqrt(best);
    for (const EdgeKind kind : {EdgeKind::Straight, EdgeKind::Curve, EdgeKind::Arc}) {
      if ((group.kinds >> static_cast<int>(kind) & 1) == 0) continue;
      Family lifted = family;
      if (kind == EdgeKind::Arc) lift_arcs(lifted, view.arc_height);
      if (may_reach(lifted, curve_weights(kind), pixel, reach)) return true;
    }
    return false;
  }
  void look_at(const EdgeBatch& batch, std::size_t edge) {
    const std::array<ImVec2, kEdgeSegments + 1> points = curve_points(batch, edge, view);
    for (std::size_t k = 1; k < points.size(); ++k) {
      const float distance = squared_distance(pixel, points[k - 1], points[k]);
      if (distance > best || (distance == best && nearest && *nearest > edge)) continue;
      best = distance;
      nearest = edge;
    }
  }
};

EdgePicker::Group EdgePicker::group_of_one(const EdgeBatch& batch, std::uint32_t edge) {
  const EdgeInstance& one = batch.edges()[edge];
  const ImVec2 from = batch.nodes()[one.from], to = batch.nodes()[one.to];
  return {{from, from}, {to, to}, 0, 0, static_cast<std::uint8_t>(1u << static_cast<unsigned>(one.kind))};
}

void EdgePicker::widen(Group& group, const Group& by) {
  const auto widen_box = [](Box& box, const Box& other) {
    box.min = {std::min(box.min.x, other.min.x), std::min(box.min.y, other.min.y)};
    box.max = {std::max(box.max.x, other.max.x), std::max(box.max.y, other.max.y)};
  };
  widen_box(group.from, by.from);
  widen_box(group.to, by.to);
  group.kinds |= by.kinds;
}

EdgePicker::EdgePicker(EdgeBatchPtr batch) : batch_(std::move(batch)) {
  if (batch_->edges().empty()) return;
  order_ = by_neighbourhood(*batch_);
  add_levels();
}

void EdgePicker::add_levels() {
  const auto grouped = [](std::size_t count, const auto& member) {
    std::vector<Group> groups;
    groups.reserve(count / kFanOut + 1);
    for (std::size_t first = 0; first < count; first += kFanOut) {
      Group group = member(first);
      const std::size_t end = std::min(first + kFanOut, count);
      for (std::size_t i = first + 1; i < end; ++i) widen(group, member(i));
      group.first = static_cast<std::uint32_t>(first);
      group.end = static_cast<std::uint32_t>(end);
      groups.push_back(group);
    }
    return groups;
  };
  levels_.push_back(
      grouped(order_.size(), [this](std::size_t i) { return group_of_one(*batch_, order_[i]); }));
  while (levels_.back().size() > 1) {
    const std::vector<Group>& finer = levels_.back();
    std::vector<Group> coarser = grouped(finer.size(), [&](std::size_t i) { return finer[i]; });
    levels_.push_back(std::move(coarser));
  }
}

void EdgePicker::visit(std::size_t level, const Group& group, Search& search) const {
  if (!search.may_hold(group)) return;
  for (std::uint32_t i = group.first; i < group.end; ++i) {
    if (level > 0) {
      visit(level - 1, levels_[level - 1][i], search);
    } else if (search.may_hold(group_of_one(*batch_, order_[i]))) {
      search.look_at(*batch_, order_[i]);
    }
  }
}

std::optional<std::size_t> EdgePicker::nearest(const EdgeView& view, ImVec2 pixel, float most_pixels) const {
  if (levels_.empty()) return std::nullopt;
  Search search{view, pixel, most_pixels * most_pixels, {}};
  visit(levels_.size() - 1, levels_.back().front(), search);
  return search.nearest;
}

}  // namespace sparsescope
