#include "viz/model/text_sample.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "engine/trace/text.h"

namespace sparsescope::viz {
namespace {

using Json = nlohmann::json;

template <typename T>
std::optional<T> number(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  return found->template get<T>();
}

std::string text(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// Length of the UTF-8 sequence at `at`, or 0 when there is none.
std::size_t sequence_length(const std::string& bytes, std::size_t at) {
  for (std::size_t length = 1; length <= 4 && at + length <= bytes.size(); ++length) {
    if (trace::is_utf8(std::string_view(bytes).substr(at, length))) return length;
  }
  return 0;
}

std::string escaped(char byte) {
  constexpr const char* kDigits = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  return std::string("\\x") + kDigits[value >> 4] + kDigits[value & 15];
}

}  // namespace

TextSample text_sample_from_json(std::string_view json, std::uint64_t frame_step) {
  TextSample sample;
  sample.step = frame_step;
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object()) {
    sample.problem = "This sample is no JSON object, so it cannot be shown";
    return sample;
  }
  sample.step = number<std::uint64_t>(parsed, "step").value_or(frame_step);
  sample.reason = text(parsed, "reason");
  sample.prompt = text(parsed, "prompt");
  sample.text = text(parsed, "text");
  sample.temperature = number<double>(parsed, "temperature");
  sample.seed = number<std::uint64_t>(parsed, "seed");
  sample.distinct_share = number<double>(parsed, "distinct_4gram_share");
  if (const auto ids = parsed.find("ids"); ids != parsed.end() && ids->is_array()) {
    for (const Json& id : *ids) sample.ids.push_back(id.is_number_integer() ? id.get<std::int64_t>() : -1);
  }
  sample.tokens = number<std::int64_t>(parsed, "tokens").value_or(std::ssize(sample.ids));
  const auto begin = number<std::size_t>(parsed, "payload_begin"),
             end = number<std::size_t>(parsed, "payload_end");
  if (begin && end && *begin <= *end) sample.payload = std::pair(*begin, *end);
  return sample;
}

std::vector<bool> repeated_ids(const std::vector<std::int64_t>& ids) {
  std::vector<bool> marks(ids.size(), false);
  if (ids.size() < kRepeatLength) return marks;
  using Gram = std::array<std::int64_t, kRepeatLength>;
  std::map<Gram, std::vector<std::size_t>> places;
  for (std::size_t i = 0; i + kRepeatLength <= ids.size(); ++i) {
    Gram gram;
    std::copy_n(ids.begin() + static_cast<std::ptrdiff_t>(i), kRepeatLength, gram.begin());
    places[gram].push_back(i);
  }
  for (const auto& [gram, at] : places) {
    if (at.size() < 2) continue;
    for (std::size_t first : at)
      std::fill_n(marks.begin() + static_cast<std::ptrdiff_t>(first), kRepeatLength, true);
  }
  return marks;
}

std::vector<TextPiece> marked_text(const ProbeText& words, const std::vector<std::int64_t>& ids,
                                   const std::vector<bool>& is_repeated) {
  // A character may be spread over several ids, so marks go by byte first.
  std::string bytes;
  std::vector<bool> marks;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string piece = words.bytes_of(ids[i]);
    bytes += piece;
    marks.insert(marks.end(), piece.size(), is_repeated[i]);
  }
  std::vector<TextPiece> pieces;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = sequence_length(bytes, at);
    const std::string shown = length > 0 ? bytes.substr(at, length) : escaped(bytes[at]);
    if (pieces.empty() || pieces.back().is_repeated != marks[at]) pieces.push_back({"", marks[at]});
    pieces.back().text += shown;
    at += std::max<std::size_t>(1, length);
  }
  return pieces;
}

TextSampleStore::Answer TextSampleStore::read(Run& run, std::uint64_t step) {
  if (run.id() != run_) *this = {};
  run_ = run.id();
  Answer answer{&samples_, 0, {}};
  const Track* track = run.track("text_samples");
  if (track == nullptr) return answer;
  const auto take = [&](std::size_t sample) {
    const std::size_t position = track->samples[sample];
    if (read_.contains(position)) return true;
    RowCache::Answer row = run.cache().get(run.row(position).row, track->channel);
    if (row.state == RowCache::State::Failed || row.state == RowCache::State::Missing) {
      answer.problem = row.message;
      return true;
    }
    if (row.state != RowCache::State::Ready) return false;
    const std::vector<std::string> texts = trace::texts_of(*row.data);
    for (std::size_t i = 0; i < texts.size(); ++i)
      samples_[{position, i}] = text_sample_from_json(texts[i], run.row(position).step);
    read_.insert(position);
    return true;
  };
  // A wish of a channel replaces the one before it, so only one row is waited for at a time.
  const std::optional<std::size_t> here = run.sample_at_or_before(*track, step);
  bool is_waiting = here && !take(*here);
  for (std::size_t sample = track->size(); sample-- > 0;) {
    if (is_waiting) {
      answer.unread += read_.contains(track->samples[sample]) ? 0 : 1;
    } else if (!take(sample)) {
      is_waiting = true;
      ++answer.unread;
    }
  }
  return answer;
}

}  // namespace sparsescope::viz
