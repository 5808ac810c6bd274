#include "engine/train/inbox.h"

#include <algorithm>

namespace sparsescope::train {

void Inbox::post(trace::Command command) {
  {
    const std::lock_guard lock(mutex_);
    // Of a slider on its way only the newest place counts.
    const auto* set = std::get_if<trace::SetControl>(&command);
    auto* last = queue_.empty() ? nullptr : std::get_if<trace::SetControl>(&queue_.back());
    if (set != nullptr && last != nullptr && set->name == last->name) {
      last->value = set->value;
    } else {
      queue_.push_back(std::move(command));
    }
  }
  arrived_.notify_all();
}

std::optional<trace::Command> Inbox::take() {
  const std::lock_guard lock(mutex_);
  if (queue_.empty()) return std::nullopt;
  trace::Command command = std::move(queue_.front());
  queue_.pop_front();
  return command;
}

bool Inbox::is_waiting() const {
  const std::lock_guard lock(mutex_);
  return !queue_.empty();
}

void Inbox::wait(std::optional<Clock::time_point> deadline) {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return !queue_.empty() || is_woken_; };
  if (deadline) {
    arrived_.wait_until(lock, *deadline, ready);
  } else {
    arrived_.wait(lock, ready);
  }
  is_woken_ = false;
}

void Inbox::wake() {
  {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
  }
  arrived_.notify_all();
}

Inbox::Interrupt Inbox::interrupt() {
  const std::lock_guard lock(mutex_);
  const auto holds = [](const auto* command) { return command != nullptr; };
  const bool stop = std::any_of(queue_.begin(), queue_.end(),
                                [&](const auto& c) { return holds(std::get_if<trace::Stop>(&c)); });
  if (stop) return Interrupt::Stop;
  const auto cancel = std::find_if(queue_.begin(), queue_.end(), [&](const auto& c) {
    return holds(std::get_if<trace::CancelEvaluation>(&c));
  });
  if (cancel == queue_.end()) return Interrupt::None;
  queue_.erase(cancel);
  return Interrupt::CancelEvaluation;
}

}  // namespace sparsescope::train
