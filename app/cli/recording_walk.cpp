#include "app/cli/recording_walk.h"

#include <fmt/format.h>

#include <utility>

#include "engine/trace/error.h"

namespace sparsescope::app {
namespace {
constexpr std::size_t kMailboxBytes = 64 << 20;
constexpr std::int64_t kWaitNanos = 100'000'000;
}  // namespace

RecordingWalk::RecordingWalk(const std::string& path) : mailbox_(kMailboxBytes, trace::Overflow::Block) {
  client_ = record::open_recording(path, mailbox_);
  while (schema_ == nullptr) {
    for (trace::Message& message : mailbox_.wait_and_drain(kWaitNanos)) {
      if (auto* schema = std::get_if<trace::SchemaPtr>(&message)) {
        schema_ = *schema;
        continue;
      }
      if (auto* end = std::get_if<trace::RunEnd>(&message); end != nullptr && schema_ == nullptr) {
        throw Error(end->message, ExitCode::Refused);
      }
      waiting_.push_back(std::move(message));
    }
  }
}

RecordingWalk::~RecordingWalk() { mailbox_.close(); }

trace::RunEnd RecordingWalk::each_row(const std::function<void(const trace::Frame&)>& visit) {
  std::vector<trace::Message> messages = std::move(waiting_);
  waiting_.clear();
  for (;;) {
    for (const trace::Message& message : messages) {
      if (const auto* frame = std::get_if<trace::FramePtr>(&message)) visit(**frame);
      if (const auto* end = std::get_if<trace::RunEnd>(&message)) return *end;
    }
    messages = std::exchange(waiting_, {});
    if (messages.empty()) messages = mailbox_.wait_and_drain(kWaitNanos);
  }
}

std::vector<std::byte> RecordingWalk::read(std::uint64_t row, std::uint32_t channel) {
  const std::uint64_t tag = client_->request({.first_row = row, .last_row = row, .channels = {channel}});
  std::vector<std::byte> bytes;
  for (;;) {
    for (const trace::ReadAnswer& answer : client_->poll()) {
      if (answer.tag != tag) continue;
      switch (answer.kind) {
        case trace::ReadAnswer::Kind::Row:
          if (const trace::ChannelData* data = answer.frame->find(channel)) bytes = data->bytes;
          break;
        case trace::ReadAnswer::Kind::Done:
          return bytes;
        case trace::ReadAnswer::Kind::Cancelled:
          return {};
        case trace::ReadAnswer::Kind::Failed:
          throw Error(answer.message, ExitCode::DamagedMiddle);
      }
    }
    // The reader answers between blocks of rows: a full mailbox would hold the answer up.
    for (trace::Message& message : mailbox_.wait_and_drain(200'000)) waiting_.push_back(std::move(message));
  }
}

}  // namespace sparsescope::app
