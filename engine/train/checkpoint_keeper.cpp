#include "engine/train/checkpoint_keeper.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <utility>

namespace sparsescope::train {
namespace {

constexpr std::size_t kScheduledKept = 2;

}  // namespace

CheckpointKeeper::CheckpointKeeper(std::string stem, std::string run_uuid, std::function<void()> on_outcome)
    : stem_(std::move(stem)), run_uuid_(std::move(run_uuid)), on_outcome_(std::move(on_outcome)) {
  if (is_on()) worker_ = std::thread([this] { run(); });
}

CheckpointKeeper::~CheckpointKeeper() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  if (worker_.joinable()) worker_.join();
}

void CheckpointKeeper::save(const TrainingState& state, const data::PreparedData& data, Kind kind) {
  {
    // At most one copy waits while another is written: memory stays bounded on a slow disk.
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_.empty(); });
  }
  Work work{take_snapshot(state, data, run_uuid_), kind};
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
  }
  changed_.notify_all();
}

void CheckpointKeeper::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !is_writing_; });
}

std::vector<CheckpointKeeper::Outcome> CheckpointKeeper::take_outcomes() {
  const std::lock_guard lock(mutex_);
  return std::exchange(outcomes_, {});
}

void CheckpointKeeper::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !waiting_.empty() || is_ending_; });
    if (waiting_.empty()) return;
    const Work work = std::move(waiting_.front());
    waiting_.pop_front();
    is_writing_ = true;
    lock.unlock();
    changed_.notify_all();
    Outcome outcome = write(work);
    lock.lock();
    outcomes_.push_back(std::move(outcome));
    is_writing_ = false;
    lock.unlock();
    changed_.notify_all();
    if (on_outcome_) on_outcome_();
    lock.lock();
  }
}

CheckpointKeeper::Outcome CheckpointKeeper::write(const Work& work) {
  Outcome outcome{work.kind, work.snapshot.step, {}, ""};
  try {
    outcome.saved = write_snapshot(stem_, work.snapshot);
  } catch (const std::exception& error) {
    outcome.failure = error.what();
    return outcome;
  }
  // One step has one file: asked for or final, it is no longer the schedule's to remove.
  std::erase(scheduled_, outcome.saved.path);
  if (work.kind == Kind::Scheduled) scheduled_.push_back(outcome.saved.path);
  while (scheduled_.size() > kScheduledKept) {
    std::error_code ignored;  // a checkpoint that somebody moved away is gone all the same
    std::filesystem::remove(scheduled_.front(), ignored);
    scheduled_.pop_front();
  }
  return outcome;
}

}  // namespace sparsescope::train
