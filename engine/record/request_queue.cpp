// Requests by tag and their answers.
#include "engine/record/request_queue.h"

#include <algorithm>
#include <utility>

namespace sparsescope::record {

using trace::ReadAnswer;
using Kind = trace::ReadAnswer::Kind;

std::uint64_t RequestQueue::push(trace::ReadRequest request) {
  std::scoped_lock lock(mutex_);
  const std::uint64_t tag = next_tag_++;
  if (request.last_row < request.first_row) {
    answers_.push_back({tag, Kind::Failed, nullptr, "a range of rows ends before it begins"});
  } else {
    pending_.push_back({tag, std::move(request)});
    changed_.notify_all();
  }
  return tag;
}

void RequestQueue::cancel(std::uint64_t tag) {
  std::scoped_lock lock(mutex_);
  const auto found = find(tag);
  if (found == pending_.end()) return;
  pending_.erase(found);
  // Rows nobody wants any more do not hold the next request back.
  std::erase_if(answers_, [&](const ReadAnswer& answer) {
    if (answer.tag == tag && answer.frame) answer_bytes_ -= answer.frame->bytes();
    return answer.tag == tag;
  });
  answers_.push_back({tag, Kind::Cancelled, nullptr, ""});
  changed_.notify_all();
}

std::vector<ReadAnswer> RequestQueue::poll() {
  std::scoped_lock lock(mutex_);
  answer_bytes_ = 0;
  changed_.notify_all();
  return std::exchange(answers_, {});
}

std::optional<RequestQueue::Work> RequestQueue::next() const {
  std::scoped_lock lock(mutex_);
  if (!has_work()) return std::nullopt;
  const Pending& oldest = pending_.front();
  return Work{oldest.tag, oldest.request.first_row, oldest.request.channels};
}

void RequestQueue::answer(const Work& work, trace::FramePtr frame) {
  std::scoped_lock lock(mutex_);
  const auto found = find(work.tag);
  if (found == pending_.end()) return;
  if (frame) {
    answer_bytes_ += frame->bytes();
    answers_.push_back({work.tag, Kind::Row, std::move(frame), ""});
  }
  if (found->request.first_row++ == found->request.last_row) {
    answers_.push_back({work.tag, Kind::Done, nullptr, ""});
    pending_.erase(found);
  }
}

void RequestQueue::fail(const Work& work, const std::string& message) {
  std::scoped_lock lock(mutex_);
  const auto found = find(work.tag);
  if (found == pending_.end()) return;
  pending_.erase(found);
  answers_.push_back({work.tag, Kind::Failed, nullptr, message});
}

void RequestQueue::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || woken_ || has_work(); });
  woken_ = false;
}

void RequestQueue::wake() {
  std::scoped_lock lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void RequestQueue::stop() {
  std::scoped_lock lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

bool RequestQueue::is_stopped() const {
  std::scoped_lock lock(mutex_);
  return stopped_;
}

std::deque<RequestQueue::Pending>::iterator RequestQueue::find(std::uint64_t tag) {
  return std::find_if(pending_.begin(), pending_.end(),
                      [&](const Pending& pending) { return pending.tag == tag; });
}

}  // namespace sparsescope::record
