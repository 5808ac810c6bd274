// Reading rows. Sizes are checked before memory is taken; a chunk that is missing, short or long is damage.
#include "engine/record/recording_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/record/chunk_codec.h"

namespace sparsescope::record {
namespace {

using trace::Channel;
using trace::ChannelKind;
using trace::StorageClass;

constexpr std::size_t kLightBlockBytes = 32 << 20;

constexpr std::size_t kMostPlaces = 4;  // of one damaged frame that a sentence names

std::string place_in_words(const h5::Handle& set, std::span<const hsize_t> offset) {
  const std::optional<h5::ChunkPlace> place = h5::place_of_chunk(set, offset);
  return place ? ", " + h5::bytes_in_words(place->address, place->bytes) : std::string();
}

[[noreturn]] void damaged(const std::string& what) { throw Error(what, ExitCode::DamagedTail); }

trace::Presence presence_of(const IndexRow& row) { return trace::Presence{row.present}; }

trace::Frame frame_of(const IndexRow& row, std::uint64_t number) {
  trace::Frame frame;
  frame.row = number;
  frame.step = row.step;
  frame.mono_nanos = row.mono_nanos;
  frame.unix_nanos = row.unix_nanos;
  frame.flags = row.flags;
  frame.present = presence_of(row);
  return frame;
}

std::size_t parts_of(const IndexRow& row) {
  std::size_t parts = 0;
  for (const std::uint64_t word : row.present) parts += static_cast<std::size_t>(std::popcount(word));
  return parts;
}

}  // namespace

void RowCounts::add(const trace::Presence& present) {
  if (rows_ % kIndexChunkRows == 0) at_chunks_.insert(at_chunks_.end(), counts_.begin(), counts_.end());
  for (std::uint32_t channel = 0; channel < counts_.size(); ++channel)
    counts_[channel] += present.has(channel) ? 1 : 0;
  ++rows_;
}

std::span<const std::uint32_t> RowCounts::before_chunk(std::uint64_t chunk) const {
  return std::span(at_chunks_).subspan(chunk * counts_.size(), counts_.size());
}

RecordingReader::RecordingReader(const trace::Schema& schema, const Layout& layout)
    : schema_(schema), layout_(layout), counts_(schema.channels.size()) {}

bool RecordingReader::index_more(std::uint64_t limit) {
  const std::uint64_t begin = rows(), end = std::min(layout_.index_rows, begin + limit);
  for (std::uint64_t number = begin; number < end;) {
    const std::uint64_t count = std::min(end, (number / kIndexChunkRows + 1) * kIndexChunkRows) - number;
    std::vector<IndexRow> rows(count);
    read_packed(layout_.index, 1, number, count, sizeof(IndexRow), kIndexChunkRows,
                reinterpret_cast<std::byte*>(rows.data()));
    for (const IndexRow& row : rows) {
      check_index_row(row, number++);
      row_committed(row);
    }
  }
  return end < layout_.index_rows;
}

void RecordingReader::row_committed(const IndexRow& row) {
  counts_.add(presence_of(row));
  last_step_ = row.step;
}

void RecordingReader::check_index_row(const IndexRow& row, std::uint64_t number) {
  if (row.step < last_step_) damaged("the step falls at frame " + std::to_string(number));
  for (std::uint32_t id = static_cast<std::uint32_t>(schema_.channels.size()); id < 256; ++id) {
    if (presence_of(row).has(id))
      damaged("frame " + std::to_string(number) + " names a channel that does not exist");
  }
  if (parts_of(row) == 0) check_frame(frame_of(row, number), row);
}

void RecordingReader::check_frame(const trace::Frame& frame, const IndexRow& row) {
  if (index_row_of(frame).crc32c == row.crc32c) return;
  damaged("the checksum of frame " + std::to_string(frame.row) + ", step " + std::to_string(frame.step) +
          ", does not match" + places_of(frame));
}

std::string RecordingReader::places_of(const trace::Frame& frame) {
  std::string words;
  std::size_t named = 0;
  for (const trace::ChannelData& part : frame.data) {
    const Channel& channel = schema_.channels[part.channel];
    try {
      const std::uint64_t number = ordinal(frame.row, channel.id);
      const bool is_ragged = channel.kind == ChannelKind::Ragged;
      const std::uint64_t first = is_ragged ? read_spans(channel, number, 1).front().begin : number;
      const auto per_chunk = static_cast<std::uint64_t>(channel.chunk.front());
      std::vector<hsize_t> offset(channel.chunk.size(), 0);
      offset.front() = first / per_chunk * per_chunk;
      const auto place = h5::place_of_chunk(layout_.channels[channel.id].values, offset);
      if (!place) continue;
      if (++named > kMostPlaces) continue;
      // Packed rows lie in their chunk as they are; else the whole chunk is what can be named.
      const bool is_exact = channel.storage == StorageClass::Packed && !is_ragged;
      const std::uint64_t unit = channel.unit_bytes();
      words += (words.empty() ? "; its data lie in " : ", ") +
               (is_exact ? h5::bytes_in_words(place->address + (first - offset.front()) * unit, unit)
                         : h5::bytes_in_words(place->address, place->bytes)) +
               " ('" + channel.name + "')";
    } catch (const Error&) {
      continue;  // that part cannot be looked up; the sentence names the others
    }
  }
  if (named > kMostPlaces) words += " and of " + std::to_string(named - kMostPlaces) + " more channels";
  return words;
}

std::optional<std::uint64_t> RecordingReader::step_of(std::uint64_t row) {
  try {
    if (row < rows()) return index_row(row).step;
  } catch (const Error&) {
  }
  return std::nullopt;
}

std::span<const IndexRow> RecordingReader::index_chunk(std::uint64_t chunk) {
  const std::uint64_t first = chunk * kIndexChunkRows, count = std::min(kIndexChunkRows, rows() - first);
  if (chunk_number_ != chunk || chunk_rows_.size() < count) {
    chunk_rows_.assign(count, {});
    chunk_number_ = chunk;
    read_packed(layout_.index, 1, first, count, sizeof(IndexRow), kIndexChunkRows,
                reinterpret_cast<std::byte*>(chunk_rows_.data()));
  }
  return chunk_rows_;
}

const IndexRow& RecordingReader::index_row(std::uint64_t row) {
  check(row < rows(), "a row that is not known");
  return index_chunk(row / kIndexChunkRows)[row % kIndexChunkRows];
}

std::uint64_t RecordingReader::ordinal(std::uint64_t row, std::uint32_t channel) {
  const std::uint64_t chunk = row / kIndexChunkRows;
  std::uint64_t result = counts_.before_chunk(chunk)[channel];
  for (const IndexRow& earlier : index_chunk(chunk).first(row % kIndexChunkRows))
    result += presence_of(earlier).has(channel) ? 1 : 0;
  return result;
}

trace::FramePtr RecordingReader::read_row(std::uint64_t row, std::span<const std::uint32_t> channels) {
  const IndexRow entry = index_row(row);
  trace::Frame frame = frame_of(entry, row);
  std::vector<std::uint32_t> wanted(channels.begin(), channels.end());
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  if (!wanted.empty() && wanted.back() >= schema_.channels.size())
    throw Error("channel " + std::to_string(wanted.back()) + " does not exist");
  std::size_t bytes = 0;
  for (const std::uint32_t id : wanted) {
    if (!frame.present.has(id)) continue;
    frame.data.push_back({id, read_part(schema_.channels.at(id), ordinal(row, id))});
    bytes += frame.data.back().bytes.size();
    if (bytes > kMaxFrameBytes) damaged("frame " + std::to_string(row) + " is larger than 256 MiB");
  }
  if (frame.data.empty() && !wanted.empty()) return nullptr;
  if (frame.data.size() == parts_of(entry)) check_frame(frame, entry);
  return std::make_shared<const trace::Frame>(std::move(frame));
}

void RecordingReader::read_packed(const h5::Handle& set, std::size_t rank, std::uint64_t first,
                                  std::uint64_t count, std::size_t row_bytes, std::uint64_t chunk_rows,
                                  std::byte* out) {
  const std::size_t chunk_bytes = chunk_rows * row_bytes;
  std::vector<hsize_t> offset(rank, 0);
  for (std::uint64_t row = first; row < first + count;) {
    const std::uint64_t begin = row / chunk_rows * chunk_rows,
                        end = std::min(first + count, begin + chunk_rows);
    offset.front() = begin;
    const h5::StoredChunk chunk = h5::read_chunk(set, offset, chunk_bytes);
    if (chunk.bytes.size() != chunk_bytes || chunk.filter_mask != 0)
      damaged("a chunk has not the size it should have" + place_in_words(set, offset));
    std::memcpy(out, chunk.bytes.data() + (row - begin) * row_bytes, (end - row) * row_bytes);
    out += (end - row) * row_bytes;
    bytes_read_ += chunk_bytes;
    row = end;
  }
}

std::vector<RecordingReader::Span> RecordingReader::read_spans(const Channel& channel, std::uint64_t first,
                                                               std::uint64_t count) {
  std::vector<Span> spans(count);
  const ChannelSets& sets = layout_.channels[channel.id];
  read_packed(sets.spans, 2, first, count, sizeof(Span), kSpansChunkRows,
              reinterpret_cast<std::byte*>(spans.data()));
  std::uint64_t before = 0;
  for (const Span& span : spans) {
    if (span.begin < before || span.end < span.begin || span.end > sets.values_rows)
      damaged("the spans of '" + channel.name + "' are not in order");
    if ((span.end - span.begin) > kMaxFrameBytes / channel.unit_bytes())
      damaged("a row of '" + channel.name + "' is larger than a frame may be");
    before = span.end;
  }
  return spans;
}

std::vector<std::byte> RecordingReader::read_values(const Channel& channel, std::uint64_t begin,
                                                    std::uint64_t end) {
  const ChannelSets& sets = layout_.channels[channel.id];
  if (end > sets.values_rows) damaged("channel '" + channel.name + "' is shorter than the index says");
  const std::size_t unit = channel.unit_bytes(), whole = chunk_bytes(channel),
                    element = stored_element_bytes(channel);
  const auto per_chunk = static_cast<std::uint64_t>(channel.chunk.front());
  std::vector<std::byte> bytes((end - begin) * unit);
  std::vector<hsize_t> offset(channel.chunk.size(), 0);
  chunk_buffer_.resize(whole);
  for (std::uint64_t at = begin; at < end;) {
    const std::uint64_t origin = at / per_chunk * per_chunk, stop = std::min(end, origin + per_chunk);
    offset.front() = origin;
    const h5::StoredChunk chunk = h5::read_chunk(sets.values, offset, encoded_limit(whole));
    bytes_read_ += chunk.bytes.size();
    if (!decode_chunk(chunk.bytes, chunk.filter_mask, element, {channel.shuffle, channel.deflate},
                      chunk_buffer_)) {
      damaged("a chunk of '" + channel.name + "' cannot be unpacked" + place_in_words(sets.values, offset));
    }
    std::memcpy(bytes.data() + (at - begin) * unit, chunk_buffer_.data() + (at - origin) * unit,
                (stop - at) * unit);
    at = stop;
  }
  return bytes;
}

void RecordingReader::read_dense_once(const Channel& channel, std::uint64_t row, std::byte* out) {
  const ChannelSets& sets = layout_.channels[channel.id];
  if (row >= sets.values_rows) damaged("channel '" + channel.name + "' is shorter than the index says");
  const Extents dims = stored_dims(channel), inner = inner_chunk(channel);
  const std::size_t whole = chunk_bytes(channel), element = stored_element_bytes(channel);
  std::vector<hsize_t> offset(channel.chunk.size(), row);
  chunk_buffer_.resize(whole);
  for_each_chunk(dims, inner, [&](const Extents& origin) {
    std::copy(origin.begin(), origin.end(), offset.begin() + 1);
    const h5::StoredChunk chunk = h5::read_chunk(sets.values, offset, encoded_limit(whole));
    bytes_read_ += chunk.bytes.size();
    if (!decode_chunk(chunk.bytes, chunk.filter_mask, element, {channel.shuffle, channel.deflate},
                      chunk_buffer_)) {
      damaged("a chunk of '" + channel.name + "' cannot be unpacked" + place_in_words(sets.values, offset));
    }
    scatter_chunk(chunk_buffer_, element, dims, inner, origin, {out, channel.unit_bytes()});
  });
}

std::vector<std::byte> RecordingReader::read_part(const Channel& channel, std::uint64_t ordinal) {
  if (channel.kind == ChannelKind::Ragged) {
    const Span span = read_spans(channel, ordinal, 1).front();
    return read_values(channel, span.begin, span.end);
  }
  if (channel.storage == StorageClass::Packed) return read_values(channel, ordinal, ordinal + 1);
  std::vector<std::byte> bytes(channel.unit_bytes());
  read_dense_once(channel, ordinal, bytes.data());
  return bytes;
}

RecordingReader::LightRows RecordingReader::find_light(const Channel& channel, std::uint64_t first,
                                                       std::span<const IndexRow> rows) {
  LightRows light{&channel, {}, {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (presence_of(rows[i]).has(channel.id)) light.places.push_back(i);
  }
  if (light.places.empty()) return light;
  const std::uint64_t begin = ordinal(first, channel.id);
  if (channel.kind == ChannelKind::Ragged) {
    light.spans = read_spans(channel, begin, light.places.size());
  } else {
    for (std::uint64_t i = 0; i < light.places.size(); ++i) light.spans.push_back({begin + i, begin + i + 1});
  }
  return light;
}

// Dense rows are small and were counted when the block was chosen; ragged ones may be anything.
std::size_t RecordingReader::affordable_rows(std::span<const LightRows> channels, std::size_t count,
                                             std::size_t light_row_bytes) const {
  std::vector<std::size_t> bytes(count, 0);
  for (const LightRows& light : channels) {
    if (light.channel->kind != ChannelKind::Ragged) continue;
    for (std::size_t i = 0; i < light.places.size(); ++i) {
      const std::size_t row = (light.spans[i].end - light.spans[i].begin) * light.channel->unit_bytes();
      if (is_light(*light.channel, row, light_row_bytes)) bytes[light.places[i]] += row;
    }
  }
  std::size_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += bytes[i];
    if (sum > kLightBlockBytes) return std::max<std::size_t>(i, 1);
  }
  return count;
}

void RecordingReader::read_light_channel(const LightRows& light, std::size_t light_row_bytes,
                                         std::vector<trace::Frame>& frames) {
  const Channel& channel = *light.channel;
  const auto end = std::lower_bound(light.places.begin(), light.places.end(), frames.size());
  const std::span<const Span> spans(light.spans.data(), static_cast<std::size_t>(end - light.places.begin()));
  if (spans.empty()) return;
  const std::size_t unit = channel.unit_bytes();
  // Packed rows lie side by side: one read for all of them, unless a foreign file left gaps.
  const std::uint64_t extent = spans.back().end - spans.front().begin;
  const bool in_one_read = channel.storage == StorageClass::Packed && extent <= kLightBlockBytes / unit;
  std::vector<std::byte> all;
  if (in_one_read) all = read_values(channel, spans.front().begin, spans.back().end);
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const Span span = spans[i];
    if (!is_light(channel, (span.end - span.begin) * unit, light_row_bytes)) continue;
    trace::ChannelData part{channel.id, {}};
    if (in_one_read) {
      const auto at = all.begin() + static_cast<std::ptrdiff_t>((span.begin - spans.front().begin) * unit);
      part.bytes.assign(at, at + static_cast<std::ptrdiff_t>((span.end - span.begin) * unit));
    } else {
      part.bytes = read_values(channel, span.begin, span.end);
    }
    frames[light.places[i]].data.push_back(std::move(part));
  }
}

std::vector<trace::FramePtr> RecordingReader::read_light(std::uint64_t first, std::uint64_t count,
                                                         std::size_t light_row_bytes) {
  check(first + count <= rows(), "rows that are not known");
  std::vector<IndexRow> rows(count);
  read_packed(layout_.index, 1, first, count, sizeof(IndexRow), kIndexChunkRows,
              reinterpret_cast<std::byte*>(rows.data()));
  std::vector<LightRows> channels;
  for (const Channel& channel : schema_.channels) {
    if (channel.storage == StorageClass::Once && channel.kind == ChannelKind::Dense) continue;
    channels.push_back(find_light(channel, first, rows));
  }
  count = affordable_rows(channels, count, light_row_bytes);
  std::vector<trace::Frame> frames;
  frames.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) frames.push_back(frame_of(rows[i], first + i));
  for (const LightRows& light : channels) read_light_channel(light, light_row_bytes, frames);
  std::vector<trace::FramePtr> done;
  done.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (frames[i].data.size() == parts_of(rows[i])) check_frame(frames[i], rows[i]);
    done.push_back(std::make_shared<const trace::Frame>(std::move(frames[i])));
  }
  return done;
}

bool RecordingReader::is_light(const Channel& channel, std::size_t row_bytes,
                               std::size_t light_row_bytes) const {
  return channel.storage == StorageClass::Packed ||
         (channel.kind == ChannelKind::Ragged && row_bytes <= light_row_bytes);
}

trace::FramePtr RecordingReader::read_light_checked(std::uint64_t row, std::size_t light_row_bytes) {
  std::vector<std::uint32_t> present;
  for (const Channel& channel : schema_.channels) {
    if (presence_of(index_row(row)).has(channel.id)) present.push_back(channel.id);
  }
  trace::Frame frame = *read_row(row, present);
  std::erase_if(frame.data, [&](const trace::ChannelData& part) {
    return !is_light(schema_.channels[part.channel], part.bytes.size(), light_row_bytes);
  });
  return std::make_shared<const trace::Frame>(std::move(frame));
}

bool RecordingReader::has_good_last_row(std::size_t light_row_bytes) {
  try {
    if (rows() == layout_.index_rows)
      return rows() > 0 && !read_light(rows() - 1, 1, light_row_bytes).empty();
    IndexRow last;
    read_packed(layout_.index, 1, layout_.index_rows - 1, 1, sizeof last, kIndexChunkRows,
                reinterpret_cast<std::byte*>(&last));
    check_index_row(last, layout_.index_rows - 1);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::uint64_t RecordingReader::light_rows_for(std::size_t bytes) const {
  constexpr std::size_t kRaggedGuess = 2048;
  std::size_t row = sizeof(trace::Frame);
  for (const Channel& channel : schema_.channels) {
    if (channel.kind == ChannelKind::Ragged) {
      row += kRaggedGuess;
    } else if (channel.storage == StorageClass::Packed) {
      row += channel.unit_bytes() + sizeof(trace::ChannelData);
    }
  }
  return std::clamp<std::uint64_t>(bytes / row, 1, 4096);
}

}  // namespace sparsescope::record
