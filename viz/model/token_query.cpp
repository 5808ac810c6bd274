#include "viz/model/token_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/trace/error.h"
#include "viz/model/format.h"
#include "viz/model/probe_text.h"

namespace sparsescope::viz {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// The row of a channel at the cursor as a field: Ready hands out its data.
ChannelDataPtr read_field(const QueryFrame& frame, const std::string& channel, TokenField& field) {
  const Track* track = frame.run.track(channel);
  if (track == nullptr) {
    field.words = "not recorded by this run";
    return nullptr;
  }
  Run::Heavy found = frame.run.heavy(channel, frame.cursor_step());
  switch (found.state) {
    case RowCache::State::Ready:
      field.state = FieldState::Ready;
      field.step = found.step;
      return found.data;
    case RowCache::State::Loading:
      field.state = FieldState::Loading;
      field.words = "reading step " + step_in_words(found.step);
      field.step = found.step;
      return nullptr;
    case RowCache::State::Failed:
      field.state = FieldState::Failed;
      field.words = found.message;
      return nullptr;
    case RowCache::State::Missing:
      break;
  }
  field.words = "not recorded at this step";
  if (const auto sample = frame.run.nearest_sample(*track, frame.cursor_step());
      sample && !frame.run.sample_at_or_before(*track, frame.cursor_step()))
    field.go_to = frame.run.step_of_sample(*track, *sample);
  return nullptr;
}

std::optional<std::uint64_t> newest_step_of(const QueryFrame& frame, const char* channel) {
  const Track* track = frame.run.track(channel);
  const auto sample =
      track != nullptr ? frame.run.sample_at_or_before(*track, frame.cursor_step()) : std::nullopt;
  return sample ? std::optional(frame.run.step_of_sample(*track, *sample)) : std::nullopt;
}

// Values of a dense F32 row with the axes' sizes; empty when the row is of another size.
struct Floats {
  std::vector<float> values;
  const trace::Channel* channel = nullptr;
  std::int64_t size(const char* axis) const {
    const trace::Axis* found = channel->axis(axis);
    return found != nullptr ? found->size : 0;
  }
};
Floats floats_of(const QueryFrame& frame, const std::string& name, const trace::ChannelData& data,
                 TokenField& field) {
  const trace::Channel* channel = frame.run.schema()->find(name);
  if (channel->dtype != trace::DType::F32 || data.bytes.size() != channel->unit_bytes()) {
    field.state = FieldState::Failed;
    field.words = "a row of the channel '" + name + "' has another size or type than expected";
    return {{}, channel};
  }
  const auto values = trace::values_as<float>(data);
  return {{values.begin(), values.end()}, channel};
}

class Inspection {
 public:
  Inspection(const QueryFrame& frame, const TokenSettings& settings, const ProbeText& text,
             TokenPicture& picture)
      : frame_(frame), settings_(settings), text_(text), picture_(picture) {}

  void add_card(std::int64_t position) {
    TokenCard& card = picture_.cards.emplace_back();
    if (position < 0 || position >= length()) {
      card.token.position = position;
      card.missing =
          fmt::format("Position {} is past the end of the sequence, which has {} tokens; the lock stays",
                      format_count(position), format_count(length()));
      return;
    }
    card.token = name_at(position);
    card.is_needle = picture_.strip[static_cast<std::size_t>(position)].is_needle;
    for (std::int64_t i = 0; i < length(); ++i) {
      if (text_.ids()[static_cast<std::size_t>(i)] == card.token.id) card.places.push_back(i);
    }
    add_surprisal(card);
    add_guesses(card);
    add_pairs(card);
    add_declared(card);
  }

 private:
  std::int64_t length() const { return static_cast<std::int64_t>(text_.ids().size()); }
  TokenName name_at(std::int64_t position) const {
    if (position < 0 || position >= length()) return {position, -1, "?"};
    const std::int64_t id = text_.ids()[static_cast<std::size_t>(position)];
    return {position, id, text_.word(id)};
  }
  // An id, and where in the sequence it comes next after `after`.
  TokenName name_of_id(std::int64_t id, std::int64_t after) const {
    TokenName name{-1, id, text_.word(id)};
    for (std::int64_t i = after + 1; i < length() && name.position < 0; ++i) {
      if (text_.ids()[static_cast<std::size_t>(i)] == id) name.position = i;
    }
    return name;
  }

  void add_surprisal(TokenCard& card) {
    const ChannelDataPtr data = read_field(frame_, "probe_surprisal", card.surprisal);
    if (!data) return;
    const Floats row = floats_of(frame_, "probe_surprisal", *data, card.surprisal);
    const auto at = static_cast<std::size_t>(card.token.position);
    if (row.values.empty()) return;
    card.surprisal.value = at < row.values.size() ? row.values[at] : kUnknown;
    if (std::isnan(card.surprisal.value)) {
      card.surprisal.state = FieldState::Missing;
      card.surprisal.words = "nothing stands before it that could predict it";
    }
  }

  void add_guesses(TokenCard& card) {
    const ChannelDataPtr data = read_field(frame_, "probe_predictions", card.guesses);
    if (!data) return;
    const Floats row = floats_of(frame_, "probe_predictions", *data, card.guesses);
    const std::int64_t ranks = row.size("rank"), fields = row.size("field");
    if (row.values.empty() || card.token.position >= row.size("position") || fields < 2) return;
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      const auto at = static_cast<std::size_t>((card.token.position * ranks + rank) * fields);
      if (std::isnan(row.values[at])) break;
      const auto id = static_cast<std::int64_t>(row.values[at]);
      card.guesses.rows.push_back({{-1, id, text_.word(id)}, std::exp(row.values[at + 1])});
    }
    if (card.guesses.rows.empty()) {
      card.guesses.state = FieldState::Missing;
      card.guesses.words = "nothing stands before it to guess from";
    }
  }

  // From edges where they were recorded with the newest declarations, else from those declarations.
  void add_pairs(TokenCard& card) {
    const auto edges_step = newest_step_of(frame_, "edges"),
               declared_step = newest_step_of(frame_, "declared");
    if (edges_step && (!declared_step || *edges_step >= *declared_step)) return add_recorded_pairs(card);
    if (frame_.run.track("declared") == nullptr && frame_.run.track("edges") != nullptr)
      return add_recorded_pairs(card);
    add_rebuilt_pairs(card, edges_step);
  }

  void add_recorded_pairs(TokenCard& card) {
    TokenField field;
    TokenPairs pairs;
    if (const ChannelDataPtr data = read_field(frame_, "edges", field)) {
      try {
        pairs =
            pairs_from_edges(*frame_.run.schema()->find("edges"), *data, picture_.layer, card.token.position);
      } catch (const Error& error) {
        field.state = FieldState::Failed;
        field.words = error.what();
      }
    }
    fill(card, field, pairs, true);
  }

  void add_rebuilt_pairs(TokenCard& card, std::optional<std::uint64_t> edges_step) {
    TokenField field;
    TokenPairs pairs;
    if (const ChannelDataPtr data = read_field(frame_, "declared", field)) {
      try {
        const DeclaredBits bits(*frame_.run.schema()->find("declared"), *data, picture_.layer, text_.ids());
        pairs =
            pairs_from_declared(bits, scope_rules(frame_.run.schema()->experiment_json), card.token.position);
        field.words = "weights were not recorded at this step; scopes are rebuilt from declarations";
        field.go_to = edges_step;
      } catch (const Error& error) {
        field.state = FieldState::Failed;
        field.words = error.what();
      }
    } else if (frame_.run.track("declared") == nullptr) {
      field.words = "not recorded by this run: its model reads by position, not by declaration";
    }
    fill(card, field, pairs, false);
  }

  void fill(TokenCard& card, const TokenField& field, const TokenPairs& pairs, bool has_weights) {
    fill_list(card.reads, field, pairs.reads, has_weights, card.token.position);
    fill_list(card.readers, field, pairs.readers, has_weights, card.token.position);
    // A remark on both lists stands with the first.
    if (card.readers.is_ready()) {
      card.readers.words.clear();
      card.readers.go_to.reset();
    }
    if (picture_.cards.size() > 1) return;
    for (const TokenPair& pair : pairs.reads) mark(pair.key, &StripToken::read_by_locked, pair.reasons);
    for (const TokenPair& pair : pairs.readers) mark(pair.query, &StripToken::reads_locked, pair.reasons);
  }

  void mark(std::int64_t position, std::uint8_t StripToken::*which, std::uint8_t reasons) {
    if (position >= 0 && position < length())
      picture_.strip[static_cast<std::size_t>(position)].*which = reasons;
  }

  void fill_list(ReadList& list, const TokenField& field, std::vector<TokenPair> pairs, bool has_weights,
                 std::int64_t self) {
    static_cast<TokenField&>(list) = field;
    list.has_weights = has_weights && field.is_ready();
    list.total = pairs.size();
    const auto other = [&](const TokenPair& pair) { return pair.query == self ? pair.key : pair.query; };
    // Nearest first where nothing weighs.
    std::stable_sort(pairs.begin(), pairs.end(), [&](const TokenPair& a, const TokenPair& b) {
      if (settings_.order == TokenOrder::Weight && list.has_weights && a.weight != b.weight)
        return a.weight > b.weight;
      if (settings_.order == TokenOrder::Position) return other(a) < other(b);
      return std::abs(other(a) - self) < std::abs(other(b) - self);
    });
    for (const TokenPair& pair : pairs) {
      const int which = (pair.reasons & kReadDirect) != 0      ? 0
                        : (pair.reasons & kReadInherited) != 0 ? 1
                        : (pair.reasons & kReadFallback) != 0  ? 2
                                                               : 3;
      ++list.count_of[which];
      if (list.has_weights) list.weight_of[which] += pair.weight;
      if (list.rows.size() == static_cast<std::size_t>(settings_.rows)) {
        if (list.has_weights) list.hidden_weight += pair.weight;
        continue;
      }
      TokenRead read{name_at(other(pair)), pair.reasons, pair.weight, pair.score, {}};
      if (pair.via) read.via = name_at(*pair.via);
      list.rows.push_back(std::move(read));
    }
  }

  void add_declared(TokenCard& card) {
    DeclaredList& list = card.declares;
    list.theta = kUnknown;
    const ChannelDataPtr data = read_field(frame_, "declared_top", list);
    if (!data) {
      if (frame_.run.track("declared_top") == nullptr && picture_.layers == 0)
        list.words = "not recorded by this run: its model declares nothing";
      return;
    }
    const Floats row = floats_of(frame_, "declared_top", *data, list);
    const std::int64_t positions = row.size("position"), ranks = row.size("rank"), fields = row.size("field");
    if (row.values.empty() || card.token.position >= positions || fields < 2) return;
    list.theta = theta_at(*list.step);
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      const auto at = static_cast<std::size_t>(
          ((picture_.layer * positions + card.token.position) * ranks + rank) * fields);
      const double score = row.values[at + 1];
      list.rows.push_back({name_of_id(static_cast<std::int64_t>(row.values[at]), card.token.position), score,
                           score - list.theta});
    }
    if (std::isnan(list.theta)) list.words = "θ was not recorded at this step, so margins are unknown";
    add_declared_of_sequence(card);
  }

  double theta_at(std::uint64_t step) const {
    const Track* track = frame_.run.track("threshold");
    const Series* theta = frame_.run.series("threshold", {std::to_string(picture_.layer), "theta"});
    const auto sample = track != nullptr ? frame_.run.sample_at_or_before(*track, step) : std::nullopt;
    if (theta == nullptr || !sample || frame_.run.step_of_sample(*track, *sample) != step) return kUnknown;
    return theta->at(*sample);
  }

  void add_declared_of_sequence(TokenCard& card) {
    TokenField field;
    const ChannelDataPtr data = read_field(frame_, "declared", field);
    if (!data) return;
    try {
      const DeclaredBits bits(*frame_.run.schema()->find("declared"), *data, picture_.layer, text_.ids());
      card.declares.of_sequence = bits.declared_by(card.token.position);
      card.declares.distinct_ids = bits.distinct_ids();
    } catch (const Error&) {
      // The lists beside it say so already.
    }
  }

  const QueryFrame& frame_;
  const TokenSettings& settings_;
  const ProbeText& text_;
  TokenPicture& picture_;
};

void add_strip(const ProbeText& text, TokenPicture& picture) {
  for (std::size_t i = 0; i < text.ids().size(); ++i) {
    const std::int64_t id = text.ids()[i];
    StripToken token;
    token.name = {static_cast<std::int64_t>(i), id, text.word(id)};
    token.ends_line = text.bytes_of(id).find('\n') != std::string::npos;
    picture.strip.push_back(std::move(token));
  }
  if (!text.needle()) return;
  const auto length = static_cast<std::int64_t>(text.needle()->ids.size());
  for (std::int64_t first : text.needle()->positions) {
    for (std::int64_t i = first; i < first + length; ++i) {
      if (i >= 0 && i < static_cast<std::int64_t>(picture.strip.size()))
        picture.strip[static_cast<std::size_t>(i)].is_needle = true;
    }
  }
  picture.needle = "needle injected at step " + step_in_words(text.needle()->step);
}

void choose_layer(const QueryFrame& frame, const TokenSettings& settings, TokenPicture& picture) {
  for (const char* name : {"declared_top", "declared", "threshold"}) {
    const trace::Channel* channel = frame.run.schema()->find(name);
    const trace::Axis* axis = channel != nullptr ? channel->axis("layer") : nullptr;
    if (axis != nullptr) picture.layers = std::max(picture.layers, axis->size);
  }
  if (picture.layers == 0) return;
  picture.layer = frame.locked.layer.value_or(settings.layer);
  if (picture.layer < 0 || picture.layer >= picture.layers) picture.layer = picture.layers - 1;
}

std::string limits_of(const TokenPicture& picture) {
  if (picture.strip.empty()) return {};
  std::string words =
      "probe sequence 0, " + format_count(static_cast<std::int64_t>(picture.strip.size())) + " tokens";
  if (!picture.needle.empty()) words += "; " + picture.needle;
  return words;
}

}  // namespace

std::string step_in_words(std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); }

TokenPicture token_query(const QueryFrame& frame, const TokenSettings& settings) {
  TokenPicture picture;
  begin_head(frame, "tokens", "probe_ids", picture);
  picture.title = "Token";
  picture.help =
      "The locked tokens of probe sequence 0, a text that never changes, so that steps can be compared.\n"
      "Reads from and read by: the pairs (query t, key p) in scope in this layer. Weight: attention weight, "
      "mean over heads; over all that a token reads, itself included, it sums to 1. Reason: direct, p "
      "declared "
      "the id of t; inherited, a token that t reads directly reads p directly; fallback, the recent window, "
      "because nothing was declared for t.\n"
      "Margin: score of the id for this token minus θ of the layer; above 0 it is declared. Ids come from "
      "the "
      "whole vocabulary, best first.\n"
      "Surprisal: −log p(token | what stands before it), in nats.\n"
      "Click a token to lock it, Shift-click for a second one, Esc releases. Every number copies on click.";
  // Written once at the start: it is never behind.
  picture.behind.clear();
  if (picture.state != PictureState::Ready) return picture;
  const ProbeText text(frame.run, picture.cursor_step);
  if (text.ids().empty()) {
    heavy_sample(frame, "probe_ids", picture);
    return picture;
  }
  add_strip(text, picture);
  choose_layer(frame, settings, picture);
  picture.limits = limits_of(picture);
  if (!text.has_vocabulary()) {
    const auto is_read = [&](const char* channel) {
      return frame.run.heavy(channel, picture.cursor_step).state == RowCache::State::Loading;
    };
    picture.is_reading = is_read("vocabulary") || is_read("vocabulary_ends");
    picture.hidden = picture.is_reading
                         ? "The vocabulary is being read; until then tokens are shown by their ids"
                         : "Without a vocabulary tokens are shown by their ids";
  }
  Inspection inspection(frame, settings, text, picture);
  for (const auto& token : {frame.locked.token, frame.locked.second_token}) {
    if (token) inspection.add_card(*token);
  }
  for (const TokenCard& card : picture.cards) {
    for (const TokenField* field : std::initializer_list<const TokenField*>{
             &card.surprisal, &card.guesses, &card.reads, &card.readers, &card.declares})
      picture.is_reading |= field->state == FieldState::Loading;
  }
  picture.detail = (picture.layers > 0 ? "layer " + std::to_string(picture.layer) + ", " : std::string()) +
                   "step " + step_in_words(picture.cursor_step);
  if (picture.cards.empty()) {
    picture.takeaway = "Click a token to see what it reads and declares; Esc releases";
    return picture;
  }
  picture.title = picture.cards.size() == 1 && picture.cards[0].missing.empty()
                      ? fmt::format("“{}”, token {}", picture.cards[0].token.word,
                                    format_count(picture.cards[0].token.position))
                      : "Tokens";
  picture.takeaway =
      picture.cards[0].missing.empty() ? token_in_words(picture.cards[0]) : picture.cards[0].missing;
  return picture;
}

}  // namespace sparsescope::viz
