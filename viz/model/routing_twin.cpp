// The routing graph in words and rows: its text twin, and what a tooltip says of one mark.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "viz/model/format.h"
#include "viz/model/routing_query.h"
#include "viz/model/routing_words.h"

namespace sparsescope::viz {
namespace {

const char* role_words(RoutingRole role) {
  return role == RoutingRole::Past ? "past" : role == RoutingRole::Future ? "future" : "";
}

std::string place_of(const RoutingNode& node) {
  return node.end - node.first == 1 ? std::to_string(node.first)
                                    : fmt::format("{}-{}", node.first, node.end - 1);
}

std::vector<std::string> row_of(const RoutingContent& content, const RoutingMark& mark) {
  const RoutingNode &query = content.nodes[mark.query], &key = content.nodes[mark.key];
  const std::string kind = mark.reason == RoutingReason::Self ? "self"
                           : mark.query == mark.key           ? "within"
                                                              : "edge";
  return {std::to_string(mark.layer),
          kind,
          place_of(query),
          query.word,
          place_of(key),
          key.word,
          reason_name(mark.reason),
          std::to_string(mark.sums.pairs),
          content.has_weights ? std::to_string(mark.sums.mass) : std::string(kAbsent),
          content.has_weights ? fmt::format("{:.9g}", mark.value) : std::string(kAbsent),
          role_words(mark.role)};
}

std::string integer_line(const char* name, const RoutingContent& content, const EdgeSums& sums) {
  std::string line = fmt::format("{}: {} pairs", name, sums.pairs);
  if (content.has_weights) line += fmt::format(", {} × 2⁻³²", sums.mass);
  return line;
}

std::string readout_line(const RoutingReadout& readout) {
  const auto& density = readout.density_of;
  return fmt::format(
      "layer {}: density {} of the strict past (direct {}, inherited {}, fallback {}), self {}; mean scope "
      "{} "
      "tokens; empty rows {}; expected from counts {}",
      readout.layer, format_number(readout.density), format_number(density[0]), format_number(density[1]),
      format_number(density[2]), format_number(density[3]), format_number(readout.mean_scope, 3),
      format_percent(readout.empty_rows, 0), format_number(readout.expected));
}

}  // namespace

std::vector<std::string> sum_lines(const RoutingContent& content) {
  const RoutingLedger& ledger = content.ledger;
  return {integer_line("Σ visible", content, ledger.visible),
          integer_line("Σ hidden", content, ledger.hidden()),
          integer_line(content.has_weights ? "Σ recorded" : "Σ rebuilt", content, ledger.recorded)};
}

Table table(const RoutingPicture& picture) {
  Table made;
  made.header = {"layer",         "mark",
                 "query (token)", "query text",
                 "key (token)",   "key text",
                 "reason",        "pairs",
                 "mass (2^-32)",  picture.settings.renormalise ? "weight, renormalised" : "weight",
                 "locked"};
  if (!picture.content) return made;
  for (const RoutingMark& mark : picture.content->marks) made.rows.push_back(row_of(*picture.content, mark));
  return made;
}

Twin twin_of(const RoutingPicture& picture) {
  Twin twin = twin_of(static_cast<const PictureHead&>(picture));
  twin.table = table(picture);
  for (const std::string* line :
       {&picture.source, &picture.heads, &picture.aggregation, &picture.threshold_words, &picture.proof,
        &picture.sum_error, &picture.invalid, &picture.lock_words}) {
    if (!line->empty()) twin.lines.push_back(*line);
  }
  if (!picture.content) return twin;
  for (std::string& line : sum_lines(*picture.content)) twin.lines.push_back(std::move(line));
  for (const RoutingReadout& readout : picture.readouts) twin.lines.push_back(readout_line(readout));
  return twin;
}

std::string mark_title(const RoutingPicture& picture, const RoutingMark& mark) {
  const RoutingContent& content = *picture.content;
  const std::string query = routing_node_name(content.nodes[mark.query]),
                    key = routing_node_name(content.nodes[mark.key]);
  if (mark.reason == RoutingReason::Self) return query + " reads itself";
  if (mark.query == mark.key) return query + " read within themselves";
  return query + " reads " + key;
}

std::vector<std::string> mark_lines(const RoutingPicture& picture, const RoutingMark& mark) {
  const RoutingContent& content = *picture.content;
  std::vector<std::string> lines;
  lines.push_back(fmt::format("layer {}, {}", mark.layer, reason_name(mark.reason)));
  if (content.is_difference) {
    const std::int64_t change = content.has_weights ? mark.sums.mass : mark.sums.pairs;
    lines.push_back(fmt::format("{} {}",
                                change > 0   ? "gained"
                                : change < 0 ? "lost"
                                             : "unchanged",
                                routing_value(picture, mark.value)));
  } else if (content.has_weights) {
    lines.push_back(fmt::format("weight {}{}", routing_value(picture, mark.value),
                                picture.settings.renormalise ? ", renormalised" : ""));
    if (picture.settings.renormalise)
      lines.push_back("recorded " + format_number(weight_from_fixed(mark.sums.mass)));
    lines.push_back(fmt::format("{} × 2⁻³²", format_count(mark.sums.mass)));
  }
  if (std::abs(mark.sums.pairs) > 1) lines.push_back(format_count(mark.sums.pairs) + " pairs");
  if (mark.role == RoutingRole::Past) lines.push_back("in the locked token's past");
  if (mark.role == RoutingRole::Future) lines.push_back("in the locked token's future");
  return lines;
}

std::string node_title(const RoutingPicture& picture, std::size_t node) {
  const RoutingNode& named = picture.content->nodes[node];
  return routing_node_name(named) + (named.id >= 0 ? fmt::format(" (id {})", named.id) : std::string());
}

std::vector<std::string> node_lines(const RoutingPicture& picture, std::size_t node) {
  const RoutingContent& content = *picture.content;
  std::array<EdgeSums, kRoutingReasons> reads{};
  EdgeSums readers;
  for (const RoutingMark& mark : content.marks) {
    if (mark.query == node) reads[static_cast<std::size_t>(mark.reason)] += mark.sums;
    if (mark.key == node && mark.query != node) readers += mark.sums;
  }
  const auto words = [&](const EdgeSums& sums) {
    const double value = content.has_weights ? weight_from_fixed(sums.mass) : static_cast<double>(sums.pairs);
    return routing_value(picture, value) +
           (content.has_weights ? fmt::format(" in {} pairs", format_count(sums.pairs)) : std::string());
  };
  std::vector<std::string> lines;
  for (std::size_t reason = 0; reason < kRoutingReasons; ++reason) {
    if (reads[reason] == EdgeSums{}) continue;
    lines.push_back(
        fmt::format("reads {}: {}", reason_name(static_cast<RoutingReason>(reason)), words(reads[reason])));
  }
  lines.push_back("read by later tokens: " + words(readers));
  if (content.nodes[node].invalid > 0)
    lines.push_back(format_count(content.nodes[node].invalid) + " of its weights are no numbers");
  return lines;
}

std::string mark_row(const RoutingPicture& picture, const RoutingMark& mark) {
  std::string text;
  for (const std::string& cell : row_of(*picture.content, mark)) text += (text.empty() ? "" : "\t") + cell;
  return text;
}

}  // namespace sparsescope::viz
