#include "viz/frame/session.h"

#include <nlohmann/json.hpp>

#include "viz/frame/layouts.h"
#include "viz/frame/state.h"

namespace sparsescope::frame {
namespace {

using nlohmann::json;

constexpr double kSecondsBetween = 2;  // looks at what changed

Session session_now(const State& state) {
  Session session;
  for (const std::unique_ptr<viz::Run>& run : state.timeline.runs()) {
    const viz::Feed* feed = state.timeline.feed(run->id());
    if (feed != nullptr && !feed->path.empty()) session.files.push_back(feed->path);
  }
  session.recording = state.recorder.path;
  session.step = state.timeline.cursor().step();
  if (const json layout = layout_now(state); !layout.is_null()) session.layout = layout.dump();
  return session;
}

}  // namespace

std::string text_of(const Session& session) {
  return json({{"files", session.files},
               {"recording", session.recording},
               {"step", session.step},
               {"layout", session.layout}})
             .dump(2) +
         "\n";
}

std::optional<Session> session_from_text(const std::string& text) {
  try {
    const json kept = json::parse(text);
    return Session{kept.at("files").get<std::vector<std::string>>(), kept.at("recording").get<std::string>(),
                   kept.at("step").get<std::uint64_t>(), kept.at("layout").get<std::string>()};
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

void keep_session(State& state, double seconds) {
  state.session_age += seconds;
  if (state.session_age < kSecondsBetween) return;
  state.session_age = 0;
  Session now = session_now(state);
  if (now == state.session) return;
  state.session = std::move(now);
  if (const std::string failure = state.host.keep_session(state.session); !failure.empty())
    state.notify(failure, ui::Tone::Warn);
}

void reopen(State& state, const Session& session) {
  std::vector<std::string> files = session.files;
  const bool is_listed = std::ranges::find(files, session.recording) != files.end();
  if (!session.recording.empty() && !is_listed) files.push_back(session.recording);
  for (const std::string& file : files) open_file(state, file);
  if (state.timeline.runs().empty()) return;
  state.timeline.cursor().seek(session.step);
  const json layout = json::parse(session.layout, nullptr, false);
  if (layout.is_object()) state.layouts.reopened = layout;
}

}  // namespace sparsescope::frame
