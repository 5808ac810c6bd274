#include "engine/train/events.h"

#include <array>
#include <string_view>

namespace sparsescope::train {
namespace {

constexpr std::array<std::string_view, 6> kKept = {"step", "kind", "status", "depth", "ids", "positions"};

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
    case EventKind::NeedleInjected:
      return "needle_injected";
    case EventKind::Watching:
      return "watching";
    case EventKind::End:
      return "end";
  }
  return "note";
}

}  // namespace

void EventLog::add(std::uint64_t step, EventKind kind, const nlohmann::ordered_json& fields) {
  nlohmann::ordered_json event = {{"step", step}, {"kind", kind_name(kind)}};
  event.update(fields);
  elements_.add(event, kKept);
}

}  // namespace sparsescope::train
