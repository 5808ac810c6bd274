// Walking through the cells of a view by keys: which cell is held and where a key takes it. The view says how
// many rows and columns there are and what a held cell means.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace sparsescope::viz {

// Enter begins at the hovered or locked cell, then locks; Esc leaves. The long moves are ten cells.
enum class Walk { Enter, Left, Right, Up, Down, FarLeft, FarRight, FarUp, FarDown, Leave };

class CellWalk {
 public:
  static constexpr std::int64_t kFar = 10;
  struct Place {
    std::int64_t row = 0, column = 0;
    bool operator==(const Place&) const = default;
  };

  bool is_walking() const { return place_.has_value(); }
  const std::optional<Place>& place() const { return place_; }
  void hold(Place place) { place_ = place; }
  void leave() { place_.reset(); }
  // Stops at the borders.
  void move(Walk key, std::int64_t rows, std::int64_t columns) {
    if (!place_) return;
    switch (key) {
      case Walk::Left:
      case Walk::FarLeft:
        place_->column -= key == Walk::Left ? 1 : kFar;
        break;
      case Walk::Right:
      case Walk::FarRight:
        place_->column += key == Walk::Right ? 1 : kFar;
        break;
      case Walk::Up:
      case Walk::FarUp:
        place_->row -= key == Walk::Up ? 1 : kFar;
        break;
      case Walk::Down:
      case Walk::FarDown:
        place_->row += key == Walk::Down ? 1 : kFar;
        break;
      case Walk::Enter:
      case Walk::Leave:
        break;
    }
    keep_within(rows, columns);
  }
  // A picture made since may have fewer cells; without any the walk ends.
  void keep_within(std::int64_t rows, std::int64_t columns) {
    if (!place_) return;
    if (rows <= 0 || columns <= 0) return leave();
    place_ = Place{std::clamp<std::int64_t>(place_->row, 0, rows - 1),
                   std::clamp<std::int64_t>(place_->column, 0, columns - 1)};
  }

 private:
  std::optional<Place> place_;
};

}  // namespace sparsescope::viz
