#include "viz/model/token_scopes.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "engine/trace/error.h"

namespace sparsescope::viz {
namespace {

constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();
constexpr std::uint16_t kNoHeir = 65535;

std::size_t offset_of(const trace::Channel& channel, const char* name) {
  for (const trace::RecordField& field : channel.fields) {
    if (field.name == name) return field.offset;
  }
  throw Error("the channel '" + channel.name + "' has no field '" + name + "', so its pairs cannot be read");
}

template <typename T>
T value_at(const std::byte* record, std::size_t offset) {
  T value;
  std::memcpy(&value, record + offset, sizeof(value));
  return value;
}

std::optional<std::int64_t> smallest_heir(const DeclaredBits& declared, std::int64_t query,
                                          std::int64_t key) {
  for (std::int64_t heir = key + 1; heir < query; ++heir) {
    if (declared.is_direct(query, heir) && declared.is_direct(heir, key)) return heir;
  }
  return std::nullopt;
}

bool has_direct_key(const DeclaredBits& declared, std::int64_t query) {
  for (std::int64_t key = 0; key < query; ++key) {
    if (declared.is_direct(query, key)) return true;
  }
  return false;
}

// `is_empty_row`: nothing was declared for the query, so the recent window stands in.
std::optional<TokenPair> pair_of(const DeclaredBits& declared, const ScopeRules& rules, std::int64_t query,
                                 std::int64_t key, bool is_empty_row) {
  TokenPair pair{query, key, 0, kUnknown, kUnknown, {}};
  if (declared.is_direct(query, key)) pair.reasons |= kReadDirect;
  if (rules.inheritance && !is_empty_row) {
    pair.via = smallest_heir(declared, query, key);
    if (pair.via) pair.reasons |= kReadInherited;
  }
  if (is_empty_row && rules.fallback && query - key < rules.window) pair.reasons |= kReadFallback;
  return pair.reasons != 0 ? std::optional(pair) : std::nullopt;
}

}  // namespace

std::string reason_words(std::uint8_t reasons) {
  constexpr struct {
    TokenReason reason;
    const char* words;
  } kWords[] = {{kReadDirect, "direct"},
                {kReadInherited, "inherited"},
                {kReadFallback, "fallback"},
                {kReadSelf, "self"}};
  std::string words;
  for (const auto& entry : kWords) {
    if ((reasons & entry.reason) != 0) words += (words.empty() ? "" : " and ") + std::string(entry.words);
  }
  return words;
}

TokenPairs pairs_from_edges(const trace::Channel& channel, const trace::ChannelData& row, std::int64_t layer,
                            std::int64_t token) {
  const std::size_t score = offset_of(channel, "score"), weight = offset_of(channel, "weight"),
                    query = offset_of(channel, "t"), key = offset_of(channel, "p"),
                    via = offset_of(channel, "via"), in_layer = offset_of(channel, "layer"),
                    kind = offset_of(channel, "kind"), size = channel.record_bytes;
  TokenPairs pairs;
  for (std::size_t at = 0; at + size <= row.bytes.size(); at += size) {
    const std::byte* record = row.bytes.data() + at;
    if (value_at<std::uint8_t>(record, in_layer) != layer) continue;
    const std::int64_t t = value_at<std::uint16_t>(record, query), p = value_at<std::uint16_t>(record, key);
    if (t != token && p != token) continue;
    TokenPair pair{t,
                   p,
                   value_at<std::uint8_t>(record, kind),
                   value_at<float>(record, weight),
                   value_at<float>(record, score),
                   {}};
    if (const auto heir = value_at<std::uint16_t>(record, via); heir != kNoHeir) pair.via = heir;
    (t == token ? pairs.reads : pairs.readers).push_back(pair);
  }
  return pairs;
}

ScopeRules scope_rules(const std::string& experiment_json) {
  ScopeRules rules;
  const auto json = nlohmann::json::parse(experiment_json, nullptr, false);
  const auto spark = json.is_object() ? json.find("spark") : json.end();
  if (!json.is_object() || spark == json.end() || !spark->is_object()) return rules;
  const auto toggle = [&](const char* name, bool& value) {
    if (const auto found = spark->find(name); found != spark->end() && found->is_boolean())
      value = found->get<bool>();
  };
  toggle("inheritance", rules.inheritance);
  toggle("fallback", rules.fallback);
  if (const auto found = spark->find("fallback_window"); found != spark->end() && found->is_number_integer())
    rules.window = found->get<std::int64_t>();
  return rules;
}

DeclaredBits::DeclaredBits(const trace::Channel& channel, const trace::ChannelData& row, std::int64_t layer,
                           std::span<const std::int32_t> ids) {
  const trace::Axis *labels = channel.axis("id"), *layers = channel.axis("layer"),
                    *positions = channel.axis("position");
  if (labels == nullptr || layers == nullptr || positions == nullptr)
    throw Error("the channel 'declared' lacks one of its axes layer, id, position");
  ids_ = labels->size;
  row_bytes_ = static_cast<std::size_t>((positions->size + 7) / 8);
  const std::size_t layer_bytes = row_bytes_ * static_cast<std::size_t>(ids_);
  if (layer < 0 || layer >= layers->size ||
      row.bytes.size() != layer_bytes * static_cast<std::size_t>(layers->size))
    throw Error("a row of the channel 'declared' has another size than its axes say");
  bytes_ = std::span(row.bytes).subspan(layer_bytes * static_cast<std::size_t>(layer), layer_bytes);
  std::unordered_map<std::int64_t, std::int64_t> rows;
  for (std::size_t i = 0; i < labels->labels.size(); ++i) {
    std::int64_t id = -1;
    const std::string& label = labels->labels[i];
    std::from_chars(label.data(), label.data() + label.size(), id);
    rows[id] = static_cast<std::int64_t>(i);
  }
  const auto length = std::min<std::size_t>(ids.size(), static_cast<std::size_t>(positions->size));
  for (std::size_t i = 0; i < length; ++i) {
    const auto found = rows.find(ids[i]);
    rows_of_.push_back(found != rows.end() ? found->second : -1);
  }
}

bool DeclaredBits::bit(std::int64_t id_row, std::int64_t position) const {
  const std::size_t at =
      static_cast<std::size_t>(id_row) * row_bytes_ + static_cast<std::size_t>(position / 8);
  return (static_cast<unsigned>(bytes_[at]) >> (position % 8) & 1u) != 0;
}

bool DeclaredBits::is_direct(std::int64_t query, std::int64_t key) const {
  if (key < 0 || key >= query || query >= positions()) return false;
  const std::int64_t row = rows_of_[static_cast<std::size_t>(query)];
  return row >= 0 && bit(row, key);
}

std::int64_t DeclaredBits::declared_by(std::int64_t position) const {
  std::int64_t count = 0;
  for (std::int64_t id = 0; id < ids_; ++id) count += bit(id, position) ? 1 : 0;
  return count;
}

TokenPairs pairs_from_declared(const DeclaredBits& declared, const ScopeRules& rules, std::int64_t token) {
  TokenPairs pairs;
  const bool is_empty_row = !has_direct_key(declared, token);
  for (std::int64_t key = 0; key < token; ++key) {
    if (const auto pair = pair_of(declared, rules, token, key, is_empty_row)) pairs.reads.push_back(*pair);
  }
  pairs.reads.push_back({token, token, kReadSelf, kUnknown, kUnknown, {}});
  for (std::int64_t query = token + 1; query < declared.positions(); ++query) {
    const bool is_near = query - token < rules.window;
    const bool is_empty = is_near && !declared.is_direct(query, token) && !has_direct_key(declared, query);
    if (const auto pair = pair_of(declared, rules, query, token, is_empty)) pairs.readers.push_back(*pair);
  }
  return pairs;
}

}  // namespace sparsescope::viz
