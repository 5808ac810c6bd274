#include "engine/train/events.h"

#include <cstring>

#include "engine/trace/error.h"

namespace sparsescope::train {
namespace {

std::string_view kind_name(EventKind kind) {
  switch (kind) {
    case EventKind::Command:
      return "command";
    case EventKind::Evaluation:
      return "evaluation";
    case EventKind::Checkpoint:
      return "checkpoint";
    case EventKind::Note:
      return "note";
    case EventKind::Warning:
      return "warning";
    case EventKind::End:
      return "end";
  }
  return "note";
}

// Bytes that are no UTF-8 (from a file name, say) become U+FFFD instead of an exception.
std::string dump(const nlohmann::ordered_json& event) {
  return event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

void EventLog::add(std::uint64_t step, EventKind kind, const nlohmann::ordered_json& fields) {
  nlohmann::ordered_json event = {{"step", step}, {"kind", kind_name(kind)}};
  const nlohmann::ordered_json head = event;
  event.update(fields);
  std::string text = dump(event);
  if (text.size() > kEventBytes) {
    nlohmann::ordered_json reference = head;
    if (fields.contains("status")) reference["status"] = fields["status"];
    reference["payload_row"] = payload_rows_;
    reference["payload_begin"] = payload_.size();
    payload_.insert(payload_.end(), text.begin(), text.end());
    reference["payload_end"] = payload_.size();
    text = dump(reference);
  }
  std::array<char, kEventBytes> element{};
  check(text.size() <= element.size(), "a reference to an event fits an element");
  std::memcpy(element.data(), text.data(), text.size());
  elements_.push_back(element);
}

EventLog::Taken EventLog::take() {
  Taken taken{std::move(elements_), std::move(payload_)};
  elements_.clear();
  payload_.clear();
  if (!taken.payload.empty()) ++payload_rows_;
  return taken;
}

}  // namespace sparsescope::train
