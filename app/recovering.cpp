#include "app/recovering.h"

#include "engine/record/recover.h"
#include "engine/trace/error.h"

namespace sparsescope::app {

void Recovering::begin(const std::string& path) {
  using State = frame::Recovery::State;
  {
    const std::lock_guard lock(mutex_);
    if (now_ && now_->state == State::Running)
      throw Error("a recovery is under way; wait for its end or cancel it");
    const int number = now_ ? now_->number + 1 : 1;
    now_ = frame::Recovery{number, path, record::recovered_path(path), 0, State::Running, ""};
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

std::optional<frame::Recovery> Recovering::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

void Recovering::work(const std::stop_token& stop) {
  const frame::Recovery begun = *now();
  std::string words;
  frame::Recovery::State state = frame::Recovery::State::Done;
  try {
    words = record::words_of(record::recover(begun.from, begun.to, [&](double fraction) {
      const std::lock_guard lock(mutex_);
      now_->fraction = fraction;
      return !stop.stop_requested();
    }));
  } catch (const std::exception& error) {
    state = frame::Recovery::State::Failed;
    words = error.what();
  }
  const std::lock_guard lock(mutex_);
  now_->state = state;
  now_->words = words;
}

}  // namespace sparsescope::app
