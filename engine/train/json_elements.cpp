#include "engine/train/json_elements.h"

#include <cstring>
#include <string>

#include "engine/trace/error.h"

namespace sparsescope::train {
namespace {

// Bytes that are no UTF-8 (from a file name, say) become U+FFFD instead of an exception.
std::string dump(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

void JsonElements::add(const nlohmann::ordered_json& object, std::span<const std::string_view> kept) {
  std::string text = dump(object);
  if (text.size() > kBytes) {
    const std::uint64_t begin = payload_.size();
    payload_.insert(payload_.end(), text.begin(), text.end());
    nlohmann::ordered_json reference = nlohmann::ordered_json::object();
    for (std::string_view name : kept) {
      if (!object.contains(name)) continue;
      const auto& value = object.at(std::string(name));
      // What is kept for convenience must not push out the place.
      if (dump(reference).size() + dump(value).size() + name.size() < kBytes - 120)
        reference[std::string(name)] = value;
    }
    reference["payload_row"] = payload_rows_;
    reference["payload_begin"] = begin;
    reference["payload_end"] = payload_.size();
    text = dump(reference);
  }
  std::array<char, kBytes> element{};
  check(text.size() <= element.size(), "a reference to an object fits an element");
  std::memcpy(element.data(), text.data(), text.size());
  elements_.push_back(element);
}

JsonElements::Taken JsonElements::take() {
  Taken taken{std::move(elements_), std::move(payload_)};
  elements_.clear();
  payload_.clear();
  if (!taken.payload.empty()) ++payload_rows_;
  return taken;
}

}  // namespace sparsescope::train
