#include "viz/model/probe_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "engine/trace/text.h"

namespace sparsescope::viz {
namespace {

using Json = nlohmann::json;

std::vector<std::int64_t> numbers(const Json& json, const char* name) {
  std::vector<std::int64_t> values;
  const auto found = json.find(name);
  if (found == json.end() || !found->is_array()) return values;
  for (const Json& value : *found) {
    if (!value.is_number_integer()) return {};
    values.push_back(value.get<std::int64_t>());
  }
  return values;
}

// The injection in force at `step`: a later one replaces an earlier one, one without ids removes it.
std::optional<ProbeText::Needle> needle_at(const Run& run, std::uint64_t step) {
  std::optional<ProbeText::Needle> needle;
  for (const Event& event : run.events()) {
    if (event.step > step) break;
    if (event.kind != "needle_injected") continue;
    const Json json = Json::parse(event.json, nullptr, false);
    needle.reset();
    if (!json.is_object()) continue;
    ProbeText::Needle read{event.step, {}, numbers(json, "positions"), {}};
    for (std::int64_t id : numbers(json, "ids")) read.ids.push_back(static_cast<std::int32_t>(id));
    for (std::int64_t id : numbers(json, "sequence")) read.sequence.push_back(static_cast<std::int32_t>(id));
    if (!read.ids.empty() && !read.positions.empty()) needle = std::move(read);
  }
  return needle;
}

// The text with the needle: as the event holds it, else with its copies written over the text.
void write_needle(const ProbeText::Needle& needle, std::vector<std::int32_t>& ids) {
  if (needle.sequence.size() == ids.size()) {
    ids = needle.sequence;
    return;
  }
  for (std::int64_t position : needle.positions) {
    for (std::size_t i = 0; i < needle.ids.size(); ++i) {
      const std::int64_t at = position + static_cast<std::int64_t>(i);
      if (at >= 0 && at < static_cast<std::int64_t>(ids.size()))
        ids[static_cast<std::size_t>(at)] = needle.ids[i];
    }
  }
}

std::size_t utf8_length(unsigned char first) {
  return first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1;
}

}  // namespace

ProbeText::ProbeText(Run& run, std::uint64_t step) {
  const Run::Heavy probe = run.heavy("probe_ids", step);
  state_ = probe.state;
  message_ = probe.message;
  if (probe.data) {
    const trace::Channel* channel = run.schema()->find("probe_ids");
    const trace::Axis* position = channel != nullptr ? channel->axis("position") : nullptr;
    const auto all = trace::values_as<std::int32_t>(*probe.data);
    const std::size_t length =
        std::min(all.size(), static_cast<std::size_t>(position != nullptr ? position->size : 0));
    ids_.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(length));
    needle_ = needle_at(run, step);
    if (needle_) write_needle(*needle_, ids_);
  }
  const Run::Heavy pieces = run.heavy("vocabulary", step), ends = run.heavy("vocabulary_ends", step);
  if (!pieces.data || !ends.data) return;
  const auto values = trace::values_as<std::uint32_t>(*ends.data);
  if (!std::is_sorted(values.begin(), values.end()) ||
      (!values.empty() && values.back() > pieces.data->bytes.size()))
    return;
  pieces_ = pieces.data;
  ends_.assign(values.begin(), values.end());
}

std::string ProbeText::bytes_of(std::int64_t id) const {
  if (id < 0 || id >= static_cast<std::int64_t>(ends_.size())) return {};
  const auto i = static_cast<std::size_t>(id);
  const std::size_t first = i == 0 ? 0 : ends_[i - 1];
  return {reinterpret_cast<const char*>(pieces_->bytes.data()) + first, ends_[i] - first};
}

std::string ProbeText::word(std::int64_t id) const {
  const std::string bytes = bytes_of(id);
  return bytes.empty() ? fmt::format("#{}", id) : visible_text(bytes);
}

std::vector<std::int64_t> ProbeText::find(const std::string& text, std::size_t most) const {
  std::vector<std::int64_t> exact, inside;
  if (text.empty()) return {};
  if (text[0] == '#') {
    std::int64_t id = -1;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), id);
    if (error == std::errc() && end == text.data() + text.size() && id >= 0 &&
        id < static_cast<std::int64_t>(ends_.size()))
      return {id};
  }
  for (std::size_t i = 0; i < ends_.size(); ++i) {
    const auto id = static_cast<std::int64_t>(i);
    const std::string bytes = bytes_of(id), seen = visible_text(bytes);
    if (bytes == text || seen == text) {
      exact.push_back(id);
    } else if (bytes.find(text) != std::string::npos || seen.find(text) != std::string::npos) {
      inside.push_back(id);
    }
  }
  exact.insert(exact.end(), inside.begin(), inside.end());
  if (exact.size() > most) exact.resize(most);
  return exact;
}

std::string visible_text(const std::string& bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size();) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const std::size_t length = utf8_length(byte);
    if (byte == ' ') {
      text += "␣";
    } else if (byte == '\n') {
      text += "⏎";
    } else if (byte == '\t') {
      text += "⇥";
    } else if (byte < 0x20 || byte == 0x7F || i + length > bytes.size() ||
               !trace::is_utf8(std::string_view(bytes).substr(i, length))) {
      text += fmt::format("\\x{:02x}", byte);
      ++i;
      continue;
    } else {
      text += bytes.substr(i, length);
    }
    i += length;
  }
  return text;
}

}  // namespace sparsescope::viz
