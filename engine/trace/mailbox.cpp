#include "engine/trace/mailbox.h"

#include <chrono>

namespace sparsescope::trace {
namespace {

std::int64_t nanos_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin)
      .count();
}

}  // namespace

void Mailbox::on_schema(SchemaPtr schema) { push(std::move(schema), 0); }
void Mailbox::on_end(const RunEnd& end) { push(end, 0); }
void Mailbox::on_frame(FramePtr frame) {
  const std::size_t bytes = frame->bytes();
  push(std::move(frame), bytes);
}

void Mailbox::push(Message message, std::size_t bytes) {
  std::unique_lock lock(mutex_);
  const bool is_frame = std::holds_alternative<FramePtr>(message);
  if (is_frame) ++counts_.sent;
  if (closed_) {
    if (is_frame) ++counts_.dropped;
    return;
  }
  if (is_frame && overflow_ == Overflow::Block && counts_.waiting_bytes + bytes > byte_limit_ &&
      !queue_.empty()) {
    const auto begin = std::chrono::steady_clock::now();
    taken_.wait(lock,
                [&] { return closed_ || queue_.empty() || counts_.waiting_bytes + bytes <= byte_limit_; });
    counts_.blocked_nanos += nanos_since(begin);
    if (closed_) {
      ++counts_.dropped;
      return;
    }
  }
  const bool was_empty = queue_.empty();
  queue_.emplace_back(std::move(message), bytes);
  counts_.waiting_bytes += bytes;
  if (overflow_ == Overflow::DropOldest) {
    for (auto it = queue_.begin(); counts_.waiting_bytes > byte_limit_ && it != queue_.end();) {
      if (!std::holds_alternative<FramePtr>(it->first) || std::next(it) == queue_.end()) {
        ++it;
        continue;
      }
      counts_.waiting_bytes -= it->second;
      ++counts_.dropped;
      it = queue_.erase(it);
    }
  }
  arrived_.notify_one();
  if (was_empty && bell_) bell_();
}

void Mailbox::set_bell(std::function<void()> bell) {
  std::scoped_lock lock(mutex_);
  bell_ = std::move(bell);
  if (bell_ && !queue_.empty()) bell_();
}

std::vector<Message> Mailbox::drain() { return wait_and_drain(0); }

std::vector<Message> Mailbox::wait_and_drain(std::int64_t timeout_nanos) {
  std::unique_lock lock(mutex_);
  if (timeout_nanos > 0) {
    arrived_.wait_for(lock, std::chrono::nanoseconds(timeout_nanos),
                      [&] { return closed_ || woken_ || !queue_.empty(); });
  }
  woken_ = false;
  std::vector<Message> messages;
  messages.reserve(queue_.size());
  for (auto& [message, bytes] : queue_) messages.push_back(std::move(message));
  queue_.clear();
  counts_.waiting_bytes = 0;
  taken_.notify_all();
  return messages;
}

void Mailbox::wake() {
  std::scoped_lock lock(mutex_);
  woken_ = true;
  arrived_.notify_all();
}

void Mailbox::close() {
  std::scoped_lock lock(mutex_);
  closed_ = true;
  bell_ = nullptr;
  taken_.notify_all();
  arrived_.notify_all();
}

Mailbox::Counts Mailbox::counts() const {
  std::scoped_lock lock(mutex_);
  return counts_;
}

}  // namespace sparsescope::trace
