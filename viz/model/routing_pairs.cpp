#include "viz/model/routing_pairs.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "engine/trace/error.h"

namespace sparsescope::viz {
namespace {

struct EdgeFields {
  std::size_t weight = 0, query = 0, key = 0, layer = 0, head = 0, kind = 0, size = 0;
};

std::size_t offset_of(const trace::Channel& channel, const char* name, trace::DType dtype) {
  for (const trace::RecordField& field : channel.fields) {
    if (field.name != name) continue;
    if (field.dtype != dtype)
      throw Error("the field '" + field.name + "' of the channel '" + channel.name +
                  "' has another type than edges have, so the graph cannot be read");
    return field.offset;
  }
  throw Error("the channel '" + channel.name + "' has no field '" + name + "', so the graph cannot be read");
}

EdgeFields fields_of(const trace::Channel& channel) {
  using trace::DType;
  return {offset_of(channel, "weight", DType::F32),
          offset_of(channel, "t", DType::U16),
          offset_of(channel, "p", DType::U16),
          offset_of(channel, "layer", DType::U8),
          offset_of(channel, "head", DType::U8),
          offset_of(channel, "kind", DType::U8),
          channel.record_bytes};
}

template <typename T>
T value_at(const std::byte* record, std::size_t offset) {
  T value;
  std::memcpy(&value, record + offset, sizeof(value));
  return value;
}

RoutingHeads heads_of(const trace::ChannelData& row, const EdgeFields& fields,
                      std::optional<std::int64_t> wanted) {
  bool has[256] = {};
  for (std::size_t at = 0; at + fields.size <= row.bytes.size(); at += fields.size)
    has[value_at<std::uint8_t>(row.bytes.data() + at, fields.head)] = true;
  RoutingHeads heads;
  std::int64_t first = kAllHeads;
  for (std::int64_t head = kAllHeads - 1; head >= 0; --head) {
    if (has[head]) first = head;
  }
  heads.has_single = first != kAllHeads;
  if (wanted && *wanted >= 0 && *wanted < kAllHeads && has[*wanted]) {
    heads.taken = *wanted;
  } else if (!has[kAllHeads]) {
    heads.taken = first;
  }
  return heads;
}

// Rows of bits over positions, one per query: which keys are direct.
class BitRows {
 public:
  BitRows(std::int64_t rows, std::int64_t bits)
      : words_(static_cast<std::size_t>((bits + 63) / 64)), data_(static_cast<std::size_t>(rows) * words_) {}
  std::span<std::uint64_t> row(std::int64_t i) {
    return std::span(data_).subspan(static_cast<std::size_t>(i) * words_, words_);
  }
  std::span<const std::uint64_t> row(std::int64_t i) const {
    return std::span(data_).subspan(static_cast<std::size_t>(i) * words_, words_);
  }

 private:
  std::size_t words_;
  std::vector<std::uint64_t> data_;
};

template <typename Deed>
void each_bit(std::span<const std::uint64_t> words, Deed&& deed) {
  for (std::size_t w = 0; w < words.size(); ++w) {
    for (std::uint64_t rest = words[w]; rest != 0; rest &= rest - 1)
      deed(static_cast<std::int64_t>(w * 64) + std::countr_zero(rest));
  }
}

// The keys before `query` whose bit is set in the row of its id.
void copy_before(std::span<const std::byte> bits, std::int64_t query, std::span<std::uint64_t> direct) {
  const auto whole = static_cast<std::size_t>(query / 8);
  std::memcpy(direct.data(), bits.data(), whole);
  if (query % 8 == 0) return;
  const auto last = static_cast<unsigned char>(bits[whole]) & ((1u << (query % 8)) - 1);
  reinterpret_cast<unsigned char*>(direct.data())[whole] = static_cast<unsigned char>(last);
}

// All pairs of one layer, by query.
class LayerScopes {
 public:
  LayerScopes(std::int64_t tokens, const ScopeRules& rules)
      : tokens_(tokens), rules_(rules), direct_(tokens, tokens), inherited_(1, tokens) {}

  BitRows& direct() { return direct_; }
  void add_pairs(std::uint16_t layer, RoutingPairs& made) {
    for (std::int64_t query = 0; query < tokens_; ++query) {
      const auto add = [&](std::int64_t key, RoutingReason reason) {
        made.pairs.push_back(
            {0, static_cast<std::uint32_t>(query), static_cast<std::uint32_t>(key), layer, reason});
      };
      const std::span<const std::uint64_t> direct = std::as_const(direct_).row(query);
      bool is_empty = true;
      each_bit(direct, [&](std::int64_t key) {
        is_empty = false;
        add(key, RoutingReason::Direct);
      });
      if (rules_.inheritance && !is_empty) {
        each_bit(heirs(direct), [&](std::int64_t key) { add(key, RoutingReason::Inherited); });
      }
      if (is_empty && rules_.fallback) {
        for (std::int64_t key = std::max<std::int64_t>(0, query - rules_.window + 1); key < query; ++key)
          add(key, RoutingReason::Fallback);
      }
      add(query, RoutingReason::Self);
    }
  }

 private:
  // What the direct keys read directly, without what is direct itself.
  std::span<const std::uint64_t> heirs(std::span<const std::uint64_t> direct) {
    const std::span<std::uint64_t> into = inherited_.row(0);
    std::fill(into.begin(), into.end(), 0);
    each_bit(direct, [&](std::int64_t heir) {
      const std::span<const std::uint64_t> of_heir = std::as_const(direct_).row(heir);
      for (std::size_t w = 0; w < into.size(); ++w) into[w] |= of_heir[w];
    });
    for (std::size_t w = 0; w < into.size(); ++w) into[w] &= ~direct[w];
    return into;
  }

  std::int64_t tokens_;
  const ScopeRules& rules_;
  BitRows direct_, inherited_;
};

}  // namespace

RecordedPairs routing_pairs_from_edges(const trace::Channel& channel, const trace::ChannelData& row,
                                       std::int64_t layers, std::int64_t tokens,
                                       std::optional<std::int64_t> head) {
  const EdgeFields fields = fields_of(channel);
  check(fields.size > 0, "a record has a size");
  RecordedPairs made;
  made.heads = heads_of(row, fields, head);
  RoutingPairs& pairs = made.pairs;
  pairs.layers = layers;
  pairs.tokens = tokens;
  pairs.pairs.reserve(row.bytes.size() / fields.size);
  for (std::size_t at = 0; at + fields.size <= row.bytes.size(); at += fields.size) {
    const std::byte* record = row.bytes.data() + at;
    if (value_at<std::uint8_t>(record, fields.head) != made.heads.taken) continue;
    const std::optional<std::int64_t> mass = fixed_from_weight(value_at<float>(record, fields.weight));
    pairs.recorded += {mass.value_or(0), 1};
    const auto query = value_at<std::uint16_t>(record, fields.query),
               key = value_at<std::uint16_t>(record, fields.key);
    const auto layer = value_at<std::uint8_t>(record, fields.layer);
    if (!mass) pairs.invalid_queries.push_back(query);
    const auto reason = foremost_reason(value_at<std::uint8_t>(record, fields.kind));
    if (!reason || layer >= layers || query >= tokens || key > query) {
      ++pairs.misplaced;
      continue;
    }
    pairs.pairs.push_back({mass.value_or(0), query, key, layer, *reason});
  }
  return made;
}

RoutingPairs routing_pairs_from_declared(const trace::Channel& channel, const trace::ChannelData& row,
                                         std::span<const std::int32_t> ids, const ScopeRules& rules) {
  const trace::Axis *labels = channel.axis("id"), *layers = channel.axis("layer"),
                    *positions = channel.axis("position");
  if (labels == nullptr || layers == nullptr || positions == nullptr)
    throw Error(
        "the channel 'declared' lacks one of its axes layer, id, position, so scopes cannot be rebuilt");
  const auto row_bytes = static_cast<std::size_t>((positions->size + 7) / 8);
  const std::size_t layer_bytes = row_bytes * static_cast<std::size_t>(labels->size);
  if (row.bytes.size() != layer_bytes * static_cast<std::size_t>(layers->size))
    throw Error(
        "a row of the channel 'declared' has another size than its axes say, so scopes cannot be rebuilt");
  std::unordered_map<std::int64_t, std::size_t> row_of_id;
  for (std::size_t i = 0; i < labels->labels.size(); ++i) {
    std::int64_t id = -1;
    std::from_chars(labels->labels[i].data(), labels->labels[i].data() + labels->labels[i].size(), id);
    row_of_id[id] = i;
  }
  RoutingPairs made;
  made.has_weights = false;
  made.layers = layers->size;
  made.tokens = std::min<std::int64_t>(std::ssize(ids), positions->size);
  for (std::int64_t layer = 0; layer < made.layers; ++layer) {
    const auto bits =
        std::span(row.bytes).subspan(layer_bytes * static_cast<std::size_t>(layer), layer_bytes);
    LayerScopes scopes(made.tokens, rules);
    for (std::int64_t query = 0; query < made.tokens; ++query) {
      const auto found = row_of_id.find(ids[static_cast<std::size_t>(query)]);
      if (found == row_of_id.end()) continue;
      copy_before(bits.subspan(found->second * row_bytes, row_bytes), query, scopes.direct().row(query));
    }
    scopes.add_pairs(static_cast<std::uint16_t>(layer), made);
  }
  made.recorded = {0, std::ssize(made.pairs)};
  return made;
}

}  // namespace sparsescope::viz
