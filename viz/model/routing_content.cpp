#include "viz/model/routing_content.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>
#include <utility>

#include "engine/trace/error.h"
#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

// What stands left of and right of one sum in the order of the list.
auto place_of(const RoutingSum& sum) { return std::tuple(sum.layer, sum.query, sum.key, sum.reason); }

// a - b, place by place; without what is equal on both sides.
std::vector<RoutingSum> differences(const std::vector<RoutingSum>& a, const std::vector<RoutingSum>& b) {
  std::vector<RoutingSum> made;
  const auto add = [&](RoutingSum sum, const EdgeSums& of_a, const EdgeSums& of_b) {
    sum.sums = of_a - of_b;
    if (sum.sums != EdgeSums{}) made.push_back(sum);
  };
  std::size_t i = 0, k = 0;
  while (i < a.size() || k < b.size()) {
    const bool takes_a = k == b.size() || (i < a.size() && place_of(a[i]) <= place_of(b[k])),
               takes_b = i == a.size() || (k < b.size() && place_of(b[k]) <= place_of(a[i]));
    add(takes_a ? a[i] : b[k], takes_a ? a[i].sums : EdgeSums{}, takes_b ? b[k].sums : EdgeSums{});
    i += takes_a ? 1 : 0;
    k += takes_b ? 1 : 0;
  }
  return made;
}

class Maker {
 public:
  explicit Maker(const RoutingInput& input) : in_(input), made_(std::make_shared<RoutingContent>()) {
    made_->is_difference = in_.other != nullptr;
    made_->has_weights = in_.rollup->has_weights() && (!in_.other || in_.other->has_weights());
  }

  std::shared_ptr<const RoutingContent> make() {
    set_recorded();
    split();
    raise_threshold();
    set_ledger();
    add_nodes();
    add_marks();
    order_marks();
    return std::move(made_);
  }

 private:
  // Without weights on one side only pairs can be compared.
  EdgeSums counted(EdgeSums sums) const {
    if (!made_->has_weights) sums.mass = 0;
    return sums;
  }
  EdgeSums of_layer(std::int64_t layer, std::size_t reason) const {
    EdgeSums sums = in_.rollup->layer(layer)[reason];
    if (in_.other && layer < in_.other->layers()) sums = sums - in_.other->layer(layer)[reason];
    return counted(sums);
  }
  std::int64_t magnitude(const EdgeSums& sums) const {
    return std::abs(made_->has_weights ? sums.mass : sums.pairs);
  }
  bool is_shown(RoutingReason reason) const {
    return in_.settings.shown == RoutingShown::All ||
           static_cast<std::size_t>(in_.settings.shown) == static_cast<std::size_t>(reason) + 1;
  }
  bool is_light(const RoutingSum& sum) const { return magnitude(sum.sums) < threshold_; }

  void set_recorded() {
    RoutingLedger& ledger = made_->ledger;
    ledger.recorded = in_.rollup->recorded();
    ledger.misplaced = in_.rollup->misplaced();
    if (in_.other) {
      ledger.recorded = ledger.recorded - in_.other->recorded();
      ledger.misplaced += in_.other->misplaced();
    }
    ledger.recorded = counted(ledger.recorded);
    for (std::int64_t layer = 0; layer < in_.rollup->layers(); ++layer) {
      const bool is_in = layer >= in_.first_layer && layer <= in_.last_layer;
      for (std::size_t reason = 0; reason < kRoutingReasons; ++reason) {
        if (!is_in) ledger.other_layers += of_layer(layer, reason);
        if (is_in) made_->shown_layers[reason] += of_layer(layer, reason);
        if (is_in && !is_shown(static_cast<RoutingReason>(reason)))
          ledger.other_reasons += of_layer(layer, reason);
      }
    }
    made_->threshold = made_->has_weights ? in_.settings.threshold : 0;
    threshold_ = static_cast<std::int64_t>(std::ceil(made_->threshold * kFixedOne));
  }

  std::vector<RoutingSum> shown_sums(const RoutingCut& cut) const {
    std::vector<RoutingSum> sums = in_.rollup->sums(cut, in_.first_layer, in_.last_layer);
    if (in_.other) sums = differences(sums, in_.other->sums(cut, in_.first_layer, in_.last_layer));
    if (!made_->has_weights) {
      for (RoutingSum& sum : sums) sum.sums.mass = 0;
    }
    std::erase_if(sums,
                  [this](const RoutingSum& sum) { return !is_shown(sum.reason) || sum.sums == EdgeSums{}; });
    return sums;
  }

  // The finest cut that leaves no more marks than can be drawn, from the one asked for to the coarsest.
  void split() {
    const RoutingDetail detail = in_.settings.detail;
    const std::int64_t tokens = in_.rollup->tokens();
    std::size_t inside = in_.window.inside, outside = in_.window.outside;
    if (detail != RoutingDetail::Automatic) inside = outside = static_cast<std::size_t>(detail) - 1;
    const std::size_t asked = inside;
    const bool has_outside = in_.window.tokens.width() > 0 &&
                             (in_.window.tokens.minimum >= static_cast<double>(kCoarsestBlock) ||
                              in_.window.tokens.maximum <= static_cast<double>(tokens - kCoarsestBlock));
    // Where everything is shown, tables that are too long need not be made to be counted.
    const bool is_whole =
        !has_outside && !in_.other && threshold_ == 0 && in_.settings.shown == RoutingShown::All;
    while (is_whole && inside + 1 < kRoutingLevels) {
      const std::size_t count = in_.rollup->count(inside, in_.first_layer, in_.last_layer);
      if (inside == asked) made_->finest_marks = count;
      if (count <= kMostRoutingMarks) break;
      ++inside;
      outside = std::max(inside, outside);
    }
    for (;;) {
      made_->cut = routing_cut(tokens, in_.window, inside, outside);
      sums_ = shown_sums(made_->cut);
      const auto left = static_cast<std::size_t>(std::count_if(
          sums_.begin(), sums_.end(), [this](const RoutingSum& sum) { return !is_light(sum); }));
      if (inside == asked && made_->finest_marks == 0) made_->finest_marks = left;
      if (left <= kMostRoutingMarks || inside + 1 == kRoutingLevels) break;
      if (has_outside && outside + 1 < kRoutingLevels) {
        ++outside;
      } else {
        ++inside;
        outside = std::max(inside, outside);
      }
    }
    made_->inside = inside;
    made_->outside = outside;
  }

  // Blocks of 64 tokens and still too many: the heaviest are kept, and the threshold says so.
  void raise_threshold() {
    const auto left =
        std::count_if(sums_.begin(), sums_.end(), [this](const RoutingSum& sum) { return !is_light(sum); });
    if (left <= static_cast<std::ptrdiff_t>(kMostRoutingMarks)) return;
    std::vector<std::int64_t> sizes;
    for (const RoutingSum& sum : sums_) sizes.push_back(magnitude(sum.sums));
    const auto place = sizes.begin() + static_cast<std::ptrdiff_t>(kMostRoutingMarks);
    std::nth_element(sizes.begin(), place, sizes.end(), std::greater<>());
    threshold_ = *place + 1;
    made_->threshold = made_->has_weights ? weight_from_fixed(threshold_) : static_cast<double>(threshold_);
    made_->is_raised = true;
  }

  void set_ledger() {
    RoutingLedger& ledger = made_->ledger;
    for (const RoutingSum& sum : sums_) {
      (is_light(sum) ? ledger.below_threshold : ledger.visible) += sum.sums;
      ledger.marks_hidden += is_light(sum) ? 1 : 0;
    }
  }

  void add_nodes() {
    for (const RoutingCut::Node& node : made_->cut.nodes()) {
      RoutingNode made{node.first, node.end, -1, {}, {}, 0};
      const auto first = static_cast<std::size_t>(node.first);
      if (node.size() == 1) {
        made.word = first < in_.words.size() ? in_.words[first] : std::to_string(node.first);
        made.id = first < in_.ids.size() ? in_.ids[first] : -1;
      } else {
        made.word = format_count(node.first) + "–" + format_count(node.end - 1);
      }
      made_->nodes.push_back(std::move(made));
    }
    for (const std::uint32_t query : in_.rollup->invalid_queries()) {
      if (query < in_.rollup->tokens()) ++made_->nodes[made_->cut.node_of(query)].invalid;
    }
  }

  RoutingRole role_of(const RoutingSum& sum) const {
    const auto holds = [&](const std::optional<std::int64_t>& token, std::uint32_t node) {
      return token && *token >= made_->nodes[node].first && *token < made_->nodes[node].end;
    };
    if (holds(in_.token, sum.query) || holds(in_.second_token, sum.query)) return RoutingRole::Past;
    if (holds(in_.token, sum.key) || holds(in_.second_token, sum.key)) return RoutingRole::Future;
    return RoutingRole::None;
  }

  // By (layer, query): what its row is multiplied with so that what is left sums to what there was.
  std::vector<double> row_factors() const {
    const std::size_t nodes = made_->nodes.size();
    const auto layers = static_cast<std::size_t>(in_.last_layer - in_.first_layer + 1);
    std::vector<double> factors(nodes * layers, 1.0);
    if (!in_.settings.renormalise || made_->is_difference || !made_->has_weights) return factors;
    std::vector<std::int64_t> all(nodes * layers, 0), left(nodes * layers, 0);
    for (const RoutingSum& sum : in_.rollup->sums(made_->cut, in_.first_layer, in_.last_layer))
      all[row_of(sum)] += sum.sums.mass;
    for (const RoutingSum& sum : sums_) left[row_of(sum)] += is_light(sum) ? 0 : sum.sums.mass;
    for (std::size_t row = 0; row < factors.size(); ++row) {
      if (left[row] > 0) factors[row] = static_cast<double>(all[row]) / static_cast<double>(left[row]);
    }
    return factors;
  }
  std::size_t row_of(const RoutingSum& sum) const {
    return static_cast<std::size_t>(sum.layer - in_.first_layer) * made_->nodes.size() + sum.query;
  }

  void add_marks() {
    const std::vector<double> factors = row_factors();
    made_->marks.reserve(sums_.size());
    for (const RoutingSum& sum : sums_) {
      if (is_light(sum)) continue;
      RoutingMark mark{sum.sums, sum.query, sum.key, sum.layer, sum.reason, role_of(sum), 0};
      mark.value = made_->has_weights ? weight_from_fixed(sum.sums.mass) * factors[row_of(sum)]
                                      : static_cast<double>(sum.sums.pairs);
      made_->largest_value = std::max(made_->largest_value, std::abs(mark.value));
      if (sum.query != sum.key) made_->nodes[sum.key].read += sum.sums;
      made_->marks.push_back(mark);
    }
  }

  void order_marks() {
    const std::vector<RoutingMark>& marks = made_->marks;
    for (std::uint32_t i = 0; i < marks.size(); ++i) {
      (marks[i].reason == RoutingReason::Self ? made_->selves : made_->edges).push_back(i);
      made_->has_lock |= marks[i].role != RoutingRole::None;
    }
    const auto rank = [&](std::uint32_t i) {
      return std::tuple(marks[i].layer, marks[i].role != RoutingRole::None, std::abs(marks[i].value), i);
    };
    std::sort(made_->edges.begin(), made_->edges.end(),
              [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
  }

  const RoutingInput& in_;
  std::shared_ptr<RoutingContent> made_;
  std::vector<RoutingSum> sums_;
  std::int64_t threshold_ = 0;
};

}  // namespace

RoutingCut routing_cut(std::int64_t tokens, const RoutingWindow& window, std::size_t inside,
                       std::size_t outside) {
  std::vector<std::uint8_t> levels;
  const bool is_whole = window.tokens.width() <= 0;
  for (std::int64_t first = 0; first < tokens; first += kCoarsestBlock) {
    const auto from = static_cast<double>(first), to = static_cast<double>(first + kCoarsestBlock);
    const bool is_seen = is_whole || (to > window.tokens.minimum && from < window.tokens.maximum);
    levels.push_back(static_cast<std::uint8_t>(is_seen ? inside : outside));
  }
  return {tokens, std::move(levels)};
}

RoutingWindow routing_window(std::int64_t tokens, Range shown, double pixels) {
  const auto level_of = [pixels](double count) {
    std::size_t level = 0;
    while (level + 1 < kRoutingLevels &&
           pixels * static_cast<double>(kRoutingBlocks[level]) < kLeastTokenPixels * count)
      ++level;
    return level;
  };
  const auto all = static_cast<double>(tokens), block = static_cast<double>(kCoarsestBlock);
  RoutingWindow window;
  window.outside = level_of(all);
  window.inside = std::min(level_of(shown.width()), window.outside);
  const Range snapped{std::floor(shown.minimum / block) * block, std::ceil(shown.maximum / block) * block};
  if (snapped.minimum > 0 || snapped.maximum < all) window.tokens = snapped;
  return window;
}

std::shared_ptr<const RoutingContent> make_routing_content(const RoutingInput& input) {
  check(input.rollup != nullptr, "a graph is made of a roll-up");
  check(!input.other || input.other->tokens() == input.rollup->tokens(), "two graphs of as many tokens");
  return Maker(input).make();
}

}  // namespace sparsescope::viz
