// The producer's half of the checks on frames.
#include "engine/record/frame_check.h"

#include "engine/record/chunk_plan.h"
#include "engine/trace/text.h"

namespace sparsescope::record {
namespace {

void check_texts(const trace::ChannelData& part, const std::string& name) {
  for (std::size_t at = 0; at < part.bytes.size(); at += trace::kTextBytes) {
    const std::string_view element(reinterpret_cast<const char*>(part.bytes.data() + at), trace::kTextBytes);
    const std::string_view text = element.substr(0, element.find('\0'));
    check(trace::is_utf8(text), "a text of channel '" + name + "' is not UTF-8");
    check(element.find_first_not_of('\0', text.size()) == std::string_view::npos,
          "a text of channel '" + name + "' goes on behind a NUL");
  }
}

void check_padding_bits(const trace::ChannelData& part, const trace::Channel& channel) {
  const std::int64_t bits = channel.axes.back().size;
  if (bits % 8 == 0) return;
  const auto row = static_cast<std::size_t>(bits + 7) / 8;
  const auto padding = static_cast<std::byte>(0xff << (bits % 8));
  for (std::size_t at = row - 1; at < part.bytes.size(); at += row) {
    check((part.bytes[at] & padding) == std::byte{0},
          "padding bits of channel '" + channel.name + "' are set");
  }
}

}  // namespace

void check_frame_fits(const trace::Frame& frame, const trace::Schema& schema) {
  trace::Presence found;
  std::size_t bytes = 0;
  std::int64_t last = -1;
  for (const trace::ChannelData& part : frame.data) {
    check(part.channel < schema.channels.size() && part.channel > last,
          "channel ids of a frame do not rise within the schema");
    last = part.channel;
    found.add(part.channel);
    const trace::Channel& channel = schema.channels[part.channel];
    const std::size_t unit = channel.unit_bytes();
    const bool fits =
        channel.kind == trace::ChannelKind::Dense ? part.bytes.size() == unit : part.bytes.size() % unit == 0;
    check(fits, "channel '" + channel.name + "' has " + std::to_string(part.bytes.size()) +
                    " bytes, its rows " + std::to_string(unit));
    if (channel.dtype == trace::DType::Text) check_texts(part, channel.name);
    if (channel.dtype == trace::DType::Bits) check_padding_bits(part, channel);
    bytes += part.bytes.size();
  }
  check(found == frame.present, "a frame says it has other channels than it has");
  check(bytes <= kMaxFrameBytes, "a frame is larger than 256 MiB");
}

}  // namespace sparsescope::record
