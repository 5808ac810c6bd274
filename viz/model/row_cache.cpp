#include "viz/model/row_cache.h"

#include <algorithm>

namespace sparsescope::viz {

void RowCache::put(const trace::FramePtr& frame, std::uint32_t channel) {
  const trace::ChannelData* part = frame->find(channel);
  if (part == nullptr) return;
  const Key key{frame->row, channel};
  if (places_.contains(key)) return;
  const std::size_t bytes = sizeof(Entry) + sizeof(trace::ChannelData) + part->bytes.size();
  entries_.push_front({key, ChannelDataPtr(frame, part), bytes});
  places_[key] = entries_.begin();
  bytes_ += bytes;
  // The newest stays even when it alone is over budget: it was asked for, or is what is on screen.
  while (bytes_ > byte_budget_ && entries_.size() > 1) {
    bytes_ -= entries_.back().bytes;
    places_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

RowCache::Answer RowCache::get(std::uint64_t row, std::uint32_t channel) {
  const Key key{row, channel};
  if (const auto place = places_.find(key); place != places_.end()) {
    entries_.splice(entries_.begin(), entries_, place->second);
    return {State::Ready, place->second->data, {}};
  }
  if (const auto failure = failures_.find(key); failure != failures_.end())
    return {State::Failed, nullptr, failure->second};
  if (!source_)
    return {State::Missing, nullptr, "This sample was not kept and there is no recording to read it from"};

  const auto wish = wishes_.find(channel);
  if (wish != wishes_.end() && wish->second.row == row) return {State::Loading, nullptr, {}};
  if (wish != wishes_.end()) source_->cancel(wish->second.tag);
  wishes_[channel] = {row, source_->request({row, row, {channel}})};
  return {State::Loading, nullptr, {}};
}

bool RowCache::poll() {
  if (!source_) return false;
  bool changed = false;
  for (const trace::ReadAnswer& answer : source_->poll()) {
    if (answer.kind == trace::ReadAnswer::Kind::Row) {
      for (const trace::ChannelData& part : answer.frame->data) put(answer.frame, part.channel);
      changed = true;
      continue;
    }
    const auto wish = std::find_if(wishes_.begin(), wishes_.end(),
                                   [&](const auto& entry) { return entry.second.tag == answer.tag; });
    if (wish == wishes_.end()) continue;  // cancelled: a newer wish took its place
    const Key key{wish->second.row, wish->first};
    if (answer.kind == trace::ReadAnswer::Kind::Failed) failures_[key] = answer.message;
    if (answer.kind == trace::ReadAnswer::Kind::Done && !places_.contains(key))
      failures_[key] = "The recording has no such sample";
    wishes_.erase(wish);
    changed = true;
  }
  return changed;
}

}  // namespace sparsescope::viz
