#include "engine/train/frame_builder.h"

#include <cstdlib>
#include <string>

namespace sparsescope::train {
namespace {

constexpr std::int64_t kClockJumpNanos =
    2'000'000'000;  // wall and monotonic clock apart by more than this: flag 4

std::int64_t unix_nanos_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

FrameBuilder::FrameBuilder(trace::SchemaPtr schema)
    : schema_(std::move(schema)),
      start_(std::chrono::steady_clock::now()),
      start_unix_nanos_(unix_nanos_now()) {}

void FrameBuilder::set_bytes(std::string_view name, std::span<const std::byte> bytes) {
  const trace::Channel* channel = schema_->find(name);
  check(channel != nullptr, "the run records no channel '" + std::string(name) + "'");
  const std::size_t unit = channel->unit_bytes();
  const bool fits =
      channel->kind == trace::ChannelKind::Dense ? bytes.size() == unit : bytes.size() % unit == 0;
  check(fits, "channel '" + channel->name + "' has rows of " + std::to_string(unit) +
                  " bytes and was given " + std::to_string(bytes.size()));
  const bool is_new =
      channels_.emplace(channel->id, std::vector<std::byte>(bytes.begin(), bytes.end())).second;
  check(is_new, "channel '" + channel->name + "' was set twice in one frame");
}

trace::FramePtr FrameBuilder::take(std::uint64_t step) {
  check(step >= last_step_, "the step of a frame never falls");
  last_step_ = step;
  auto frame = std::make_shared<trace::Frame>();
  frame->row = row_++;
  frame->step = step;
  frame->mono_nanos =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start_).count();
  frame->unix_nanos = unix_nanos_now();
  frame->flags = flags_;
  const std::int64_t drift = frame->unix_nanos - start_unix_nanos_ - frame->mono_nanos;
  if (std::llabs(drift) > kClockJumpNanos) {
    frame->flags |= trace::kFlagWallClockJumped;
    start_unix_nanos_ += drift;  // said once per jump
  }
  for (auto& [id, bytes] : channels_) {
    frame->present.add(id);
    frame->data.push_back({id, std::move(bytes)});
  }
  channels_.clear();
  flags_ = 0;
  return frame;
}

}  // namespace sparsescope::train
