#include "viz/model/routing_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/model/comparison.h"
#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

constexpr double kHalf = 0.5;     // of the past in scope: close to everything
constexpr double kRising = 0.05;  // of density since the first step: moving that way
constexpr double kAlmostAll = 0.9;

std::string step_text(std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); }

std::string layers_text(const RoutingPicture& picture) {
  if (picture.settings.layout == RoutingLayout::Arcs) return fmt::format("Layer {}", picture.layer);
  return picture.layers == 1 ? "One layer" : fmt::format("{} layers", picture.layers);
}

// "128.0 in 2,415 pairs", or the pairs alone.
std::string sums_text(const RoutingContent& content, const EdgeSums& sums) {
  const auto sign = [&](const std::string& text, std::int64_t value) {
    return content.is_difference && value > 0 ? "+" + text : text;
  };
  const std::string pairs =
      sign(format_count(sums.pairs), sums.pairs) + (sums.pairs == 1 ? " pair" : " pairs");
  if (!content.has_weights) return pairs;
  const std::string mass = format_fixed(weight_from_fixed(sums.mass), 3);
  return sign(mass, mass == "0.000" ? 0 : sums.mass) + " in " + pairs;
}

double share_of(const RoutingContent& content, const EdgeSums& part) {
  const auto whole =
      static_cast<double>(content.has_weights ? content.ledger.recorded.mass : content.ledger.recorded.pairs);
  return whole > 0 ? static_cast<double>(content.has_weights ? part.mass : part.pairs) / whole : 0;
}

const char* level_words(std::size_t level) {
  constexpr const char* kWords[] = {"single tokens", "blocks of 16 tokens", "blocks of 64 tokens"};
  return kWords[level];
}

void set_aggregation(RoutingPicture& picture) {
  const RoutingContent& content = *picture.content;
  const std::size_t asked = picture.settings.detail == RoutingDetail::Automatic
                                ? content.inside
                                : static_cast<std::size_t>(picture.settings.detail) - 1;
  const std::int64_t loops = std::count_if(content.marks.begin(), content.marks.end(), [](const auto& mark) {
    return mark.reason == RoutingReason::Self;
  });
  const std::int64_t edges = std::ssize(content.marks) - loops;
  picture.aggregation = fmt::format("{} {} between {}", format_count(edges), edges == 1 ? "edge" : "edges",
                                    level_words(content.inside));
  if (loops > 0) picture.aggregation += fmt::format(" and {} self", format_count(loops));
  if (content.outside != content.inside && content.cut.nodes().size() > 0)
    picture.aggregation += fmt::format(", {} beside the view", level_words(content.outside));
  if (content.finest_marks > kMostRoutingMarks && content.finest_marks > content.marks.size())
    picture.aggregation += fmt::format("; a finer level has {} edges, more than the {} drawn at once",
                                       format_count(static_cast<std::int64_t>(content.finest_marks)),
                                       format_count(kMostRoutingMarks));
  else if (asked < content.inside)
    picture.aggregation += "; finer ones have no room";
}

void set_threshold_words(RoutingPicture& picture) {
  const RoutingContent& content = *picture.content;
  if (!content.has_weights && !content.is_raised) {
    picture.threshold_words = "no weights here";
    return;
  }
  const RoutingLedger& ledger = content.ledger;
  if (content.is_difference) {
    picture.threshold_words = fmt::format("{} edges changed by less", format_count(ledger.marks_hidden));
  } else {
    picture.threshold_words = fmt::format(
        "{} of the mass hidden, {} edges dropped",
        format_percent(share_of(content, ledger.below_threshold), ledger.marks_hidden > 0 ? 1 : 0),
        format_count(ledger.marks_hidden));
  }
  if (content.is_raised)
    picture.threshold_words +=
        fmt::format("; raised to {} so that {} edges are drawn", format_number(content.threshold, 3),
                    format_count(static_cast<std::int64_t>(kMostRoutingMarks)));
}

void set_hidden(RoutingPicture& picture) {
  const RoutingContent& content = *picture.content;
  const RoutingLedger& ledger = content.ledger;
  std::string words;
  const auto add = [&](const EdgeSums& sums, const char* why) {
    if (sums == EdgeSums{}) return;
    words += fmt::format("{}{} {}", words.empty() ? "Hidden: " : "; ", sums_text(content, sums), why);
  };
  add(ledger.below_threshold, "below the threshold");
  add(ledger.other_reasons, "for other reasons");
  add(ledger.other_layers, "in other layers");
  picture.hidden = words;
}

void set_proof(RoutingPicture& picture) {
  const RoutingContent& content = *picture.content;
  const RoutingLedger& ledger = content.ledger;
  const char* delta = content.is_difference ? "Δ " : "";
  if (ledger.is_exact()) {
    picture.proof = fmt::format("Σ {}visible + Σ {}hidden = Σ {}{} ✓", delta, delta, delta,
                                content.has_weights ? "recorded" : "rebuilt");
    return;
  }
  const EdgeSums lost = ledger.recorded - (ledger.visible + ledger.hidden());
  picture.sum_error =
      fmt::format("The sums disagree: Σ recorded {}, Σ visible + Σ hidden {}; the difference is {}",
                  sums_text(content, ledger.recorded), sums_text(content, ledger.visible + ledger.hidden()),
                  sums_text(content, lost));
  if (ledger.misplaced > 0)
    picture.sum_error += fmt::format(" ({} recorded pairs lie outside the sequence or have no reason)",
                                     format_count(ledger.misplaced));
}

// "mostly direct (14 %)" of the layers shown.
std::string foremost_words(const std::array<double, kRoutingReasons>& shares) {
  const auto end = shares.begin() + static_cast<std::ptrdiff_t>(RoutingReason::Self);
  const auto largest = std::max_element(shares.begin(), end);
  if (*largest <= 0) return {};
  const auto reason = static_cast<RoutingReason>(largest - shares.begin());
  return fmt::format(", mostly {} ({})", reason_name(reason), format_percent(*largest, 0));
}

// "2,804 more pairs in scope; most gained direct +31.2; most lost fallback −28.0 of the attention".
std::string difference_words(const RoutingContent& content) {
  const std::array<EdgeSums, kRoutingReasons>& by_reason = content.shown_layers;
  const auto size = [&](std::size_t reason) {
    return content.has_weights ? weight_from_fixed(by_reason[reason].mass)
                               : static_cast<double>(by_reason[reason].pairs);
  };
  std::size_t most = 0, least = 0;
  for (std::size_t reason = 1; reason < kRoutingReasons; ++reason) {
    if (size(reason) > size(most)) most = reason;
    if (size(reason) < size(least)) least = reason;
  }
  std::int64_t pairs = 0;
  for (const EdgeSums& sums : by_reason) pairs += sums.pairs;
  if (std::all_of(by_reason.begin(), by_reason.end(), [](const auto& sums) { return sums == EdgeSums{}; }) &&
      content.marks.empty() && content.ledger.marks_hidden == 0)
    return "Nothing differs between the two";
  std::string words = pairs == 0  ? std::string("As many pairs in scope as before")
                      : pairs > 0 ? fmt::format("{} more pairs in scope", format_count(pairs))
                                  : fmt::format("{} fewer pairs in scope", format_count(-pairs));
  const auto text = [&](std::size_t reason) {
    return fmt::format("{} {}", reason_name(static_cast<RoutingReason>(reason)),
                       format_signed(size(reason), 3));
  };
  if (size(most) > 0) words += "; most gained " + text(most);
  if (size(least) < 0) words += "; most lost " + text(least);
  if (!content.has_weights) return words + " pairs";
  return size(most) > 0 || size(least) < 0 ? words + " of the attention" : words;
}

}  // namespace

std::string routing_value(const RoutingPicture& picture, double value) {
  const bool has_weights = picture.content == nullptr || picture.content->has_weights;
  const bool is_difference = picture.content != nullptr && picture.content->is_difference;
  if (is_difference) return format_signed(value) + (has_weights ? "" : " pairs");
  if (!has_weights)
    return format_count(std::llround(value)) + (std::llround(value) == 1 ? " pair" : " pairs");
  return format_number(value, 4);
}

std::string routing_node_name(const RoutingNode& node) {
  if (node.end - node.first > 1)
    return fmt::format("tokens {}–{}", format_count(node.first), format_count(node.end - 1));
  return fmt::format("token {} {}", format_count(node.first), node.word);
}

std::string routing_help(const RoutingPicture& picture) {
  std::string words =
      "An edge runs from the query t to the key p ≤ t that it may attend to, in probe sequence 0. Width: "
      "attention weight w[t,p], the average over heads; every query's weights sum to 1.\nDirect (solid): p "
      "declared the id of t. Inherited (dashed): a direct key of t reads p directly. Fallback (dotted): "
      "nothing was declared for t, so the recent window stands in. Self: t reads itself, a ring.\nA pair "
      "that is direct and inherited counts as direct. Blocks: Σ w over all their pairs; weights become "
      "64-bit "
      "fixed point (w · 2³²) once, so sums are exact at every zoom.\nDensity = #{p < t : p in scope(t)} / "
      "(T(T−1)/2), self left out, counted on the graph. Mean scope = past tokens per query. Expected from "
      "counts = Σ_v π_v · δ_v, the direct density if declarations (shares δ) and text (shares π) knew "
      "nothing of each other, on the training batch.";
  if (picture.settings.renormalise)
    words += "\nRenormalised: the visible weights of a query are scaled so that they sum to all of it.";
  return words;
}

void set_routing_title(RoutingPicture& picture) {
  if (!picture.content) return;
  const RoutingContent& content = *picture.content;
  picture.title = fmt::format("{}, step {}", layers_text(picture), step_text(picture.step));
  if (content.is_difference) {
    picture.title += fmt::format(" minus step {}", step_text(*picture.other_step));
    if (!picture.other_name.empty()) picture.title += " of " + picture.other_name;
  }
  if (picture.settings.renormalise && content.has_weights && !content.is_difference)
    picture.title += ", renormalised";
  if (picture.settings.shown != RoutingShown::All)
    picture.title += fmt::format(
        ", {} only", reason_name(static_cast<RoutingReason>(static_cast<int>(picture.settings.shown) - 1)));
  picture.detail = content.is_difference ? "query reads key, change of attention"
                   : content.has_weights ? "query reads key, probe sequence 0"
                                         : "query reads key, scopes without weights";
  if (content.is_difference && !content.has_weights) picture.detail = "query reads key, change of scopes";
}

void set_routing_sums(RoutingPicture& picture) {
  const RoutingContent& content = *picture.content;
  set_aggregation(picture);
  set_threshold_words(picture);
  set_hidden(picture);
  set_proof(picture);
  picture.limits =
      fmt::format("{} tokens, {} of {} layers; visible {} of {}", format_count(picture.tokens),
                  picture.last_layer - picture.first_layer + 1, picture.layers,
                  sums_text(content, content.ledger.visible), sums_text(content, content.ledger.recorded));
}

void set_routing_takeaway(RoutingPicture& picture, double start, double now) {
  double density = 0;
  std::array<double, kRoutingReasons> shares{};
  int count = 0;
  for (const RoutingReadout& readout : picture.readouts) {
    if (readout.layer < picture.first_layer || readout.layer > picture.last_layer) continue;
    ++count;
    density += readout.density;
    for (std::size_t i = 0; i < kRoutingReasons; ++i) shares[i] += readout.density_of[i];
  }
  if (count == 0) return;
  if (picture.content->is_difference) {
    picture.takeaway = difference_words(*picture.content);
    return;
  }
  density /= count;
  for (double& share : shares) share /= count;
  const double rise = now - start;
  std::string words = density >= kAlmostAll                    ? "Everything reads everything"
                      : density >= kHalf                       ? "Close to everything-to-everything"
                      : std::isfinite(rise) && rise >= kRising ? "Moving toward everything-to-everything"
                                                               : "Not everything-to-everything";
  words += fmt::format(": {} of the past in scope{}", format_percent(density, 0), foremost_words(shares));
  if (std::isfinite(start)) words += fmt::format("; {} at the start of training", format_percent(start, 0));
  picture.takeaway = words;
}

}  // namespace sparsescope::viz
