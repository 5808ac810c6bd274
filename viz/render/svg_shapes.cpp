#include "viz/render/svg_shapes.h"

#include <algorithm>
#include <cmath>

namespace sparsescope::render {
namespace {

constexpr float kSamePlace = 0.02f;  // pixels
constexpr float kWidestLine = 12;    // a wider quad is a bar, not a stroke

bool same(ImVec2 a, ImVec2 b) { return std::abs(a.x - b.x) < kSamePlace && std::abs(a.y - b.y) < kSamePlace; }
ImVec2 middle(ImVec2 a, ImVec2 b) { return {(a.x + b.x) / 2, (a.y + b.y) / 2}; }
float distance(ImVec2 a, ImVec2 b) { return std::hypot(a.x - b.x, a.y - b.y); }

bool is_axis_aligned(const ImVec2 (&c)[4]) {
  const auto level = [](ImVec2 a, ImVec2 b) { return std::abs(a.y - b.y) < kSamePlace; };
  const auto upright = [](ImVec2 a, ImVec2 b) { return std::abs(a.x - b.x) < kSamePlace; };
  return (level(c[0], c[1]) && upright(c[1], c[2]) && level(c[2], c[3]) && upright(c[3], c[0])) ||
         (upright(c[0], c[1]) && level(c[1], c[2]) && upright(c[2], c[3]) && level(c[3], c[0]));
}

// A quad whose sides 0-3 and 1-2 are equal and stand on the line between their middles.
bool is_stroke(const ImVec2 (&c)[4]) {
  const ImVec2 from = middle(c[0], c[3]), to = middle(c[1], c[2]);
  const ImVec2 along{to.x - from.x, to.y - from.y}, across{c[3].x - c[0].x, c[3].y - c[0].y};
  const float length = std::hypot(along.x, along.y), width = std::hypot(across.x, across.y);
  if (width > kWidestLine || length < kSamePlace || width < kSamePlace) return false;
  return std::abs(along.x * across.x + along.y * across.y) < 0.02f * length * width &&
         std::abs(width - distance(c[1], c[2])) < 0.05f;
}

}  // namespace

std::optional<Shape> QuadChain::add(const ImVec2 (&c)[4], ImU32 ink) {
  std::optional<Shape> done;
  bool joins = false;
  if (!forward_.empty() && ink == ink_) {
    const ImVec2 end_forward = forward_.back(), end_back = back_.back();
    const bool continues_line = how_ != How::Band && is_stroke(c) &&
                                same(middle(end_forward, end_back), middle(c[0], c[3])) &&
                                std::abs(distance(end_forward, end_back) - distance(c[0], c[3])) < 0.05f;
    const bool shares_side = how_ != How::Line && same(end_forward, c[0]) && same(end_back, c[3]);
    if (continues_line && !(how_ == How::Single && shares_side && !is_stroke(c))) {
      how_ = How::Line;
      joins = true;
    } else if (shares_side) {
      how_ = How::Band;
      joins = true;
    }
  }
  if (!joins) {
    done = finish();
    forward_ = {c[0]};
    back_ = {c[3]};
    how_ = How::Single;
    ink_ = ink;
  } else if (how_ == How::Line) {
    // Joints of a line are drawn by the stroke; the chain keeps the ends of each segment.
    forward_.push_back(c[0]);
    back_.push_back(c[3]);
  }
  forward_.push_back(c[1]);
  back_.push_back(c[2]);
  return done;
}

std::optional<Shape> QuadChain::finish() {
  if (forward_.empty()) return std::nullopt;
  Shape shape;
  shape.ink = ink_;
  const ImVec2 corners[4] = {forward_[0], forward_[1], back_[1], back_[0]};
  const bool is_line = how_ == How::Line || (how_ == How::Single && is_stroke(corners));
  if (how_ == How::Single && is_axis_aligned(corners)) {
    shape.kind = Shape::Kind::Rectangle;
    const auto [left, right] = std::minmax({corners[0].x, corners[1].x, corners[2].x});
    const auto [top, bottom] = std::minmax({corners[0].y, corners[1].y, corners[2].y});
    shape.points = {{left, top}, {right, bottom}};
  } else if (is_line) {
    shape.kind = Shape::Kind::Line;
    shape.stroke = distance(forward_[0], back_[0]);
    for (std::size_t i = 0; i < forward_.size(); ++i) {
      const ImVec2 point = middle(forward_[i], back_[i]);
      if (shape.points.empty() || !same(shape.points.back(), point)) shape.points.push_back(point);
    }
  } else {
    shape.points = forward_;
    shape.points.insert(shape.points.end(), back_.rbegin(), back_.rend());
  }
  forward_.clear();
  back_.clear();
  return shape;
}

}  // namespace sparsescope::render
