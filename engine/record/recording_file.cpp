// Commits in the order that survives a kill at any moment: values, then their datasets' metadata, then the
// index row.
#include "engine/record/recording_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <mutex>
#include <set>

namespace sparsescope::record {
namespace {

using trace::Channel;
using trace::ChannelKind;
using trace::StorageClass;

using FileId = std::pair<dev_t, ino_t>;
std::mutex written_mutex;
std::set<FileId>& written_files() {
  static std::set<FileId> files;
  return files;
}

FileId file_id(const struct stat& info) { return {info.st_dev, info.st_ino}; }

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) { return (value + step - 1) / step * step; }

std::unique_ptr<PackedColumn> column(const h5::Handle& set, Extents inner, std::size_t row_bytes,
                                     std::uint64_t chunk_rows) {
  return std::make_unique<PackedColumn>(set, std::move(inner), row_bytes, chunk_rows);
}

}  // namespace

bool is_written_here(const std::string& path) {
  struct stat info {};
  std::scoped_lock lock(written_mutex);
  return ::stat(path.c_str(), &info) == 0 && written_files().contains(file_id(info));
}

RecordingFile::RecordingFile(const std::string& path, trace::SchemaPtr schema, const std::string& schema_json,
                             int workers)
    : path_(path), schema_(std::move(schema)), layout_(create_layout(path, *schema_, schema_json)) {
  sync_ = std::make_unique<SyncThread>(path);
  struct stat info {};
  check(::fstat(sync_->descriptor(), &info) == 0, "an open file has a status");
  bytes_on_disk_ = static_cast<std::uint64_t>(info.st_size);
  {
    std::scoped_lock lock(written_mutex);
    written_files().insert(file_id(info));
  }
  for (const Channel& channel : schema_->channels) {
    const ChannelSets& sets = layout_.channels[channel.id];
    Columns columns;
    if (channel.storage == StorageClass::Packed) {
      columns.values = column(sets.values, stored_dims(channel), channel.unit_bytes(),
                              static_cast<std::uint64_t>(channel.chunk.front()));
    }
    columns.step = column(sets.step, {}, sizeof(std::uint64_t), kStepChunkRows);
    if (channel.kind == ChannelKind::Ragged)
      columns.spans = column(sets.spans, {2}, 2 * sizeof(std::uint64_t), kSpansChunkRows);
    columns_.push_back(std::move(columns));
  }
  index_ = column(layout_.index, {}, sizeof(IndexRow), kIndexChunkRows);
  reader_ = std::make_unique<RecordingReader>(*schema_, layout_);
  workers_ = std::make_unique<WorkerPool>(workers);
}

RecordingFile::~RecordingFile() { abandon(); }

void RecordingFile::add(trace::FramePtr frame) {
  auto pending = std::make_unique<Pending>();
  Pending& entry = *pending;
  entry.frame = std::move(frame);
  pending_bytes_ += entry.frame->bytes();
  pending_.push_back(std::move(pending));
  for (const trace::ChannelData& part : entry.frame->data) add_part(entry, part);
  workers_->submit([&entry] { entry.row = index_row_of(*entry.frame); });
}

void RecordingFile::add_part(Pending& pending, const trace::ChannelData& part) {
  const Channel& channel = schema_->channels[part.channel];
  Columns& columns = columns_[part.channel];
  const std::uint64_t step = pending.frame->step;
  columns.step->append(std::as_bytes(std::span(&step, 1)));
  const bool is_once = channel.storage == StorageClass::Once, is_ragged = channel.kind == ChannelKind::Ragged;
  std::uint64_t begin = is_once ? columns.once_end : columns.values->rows();
  // A frame of a ragged channel that is stored once begins on a chunk border, so that no chunk is written
  // twice.
  if (is_once && is_ragged) begin = round_up(begin, static_cast<std::uint64_t>(channel.chunk.front()));
  if (is_ragged) {
    const std::uint64_t span[2] = {begin, begin + part.bytes.size() / channel.unit_bytes()};
    columns.spans->append(std::as_bytes(std::span(span)));
  }
  if (is_once) {
    add_once(pending, channel, part, begin);
  } else {
    columns.values->append(part.bytes);
  }
}

void RecordingFile::add_once(Pending& pending, const Channel& channel, const trace::ChannelData& part,
                             std::uint64_t begin) {
  auto made = std::make_unique<OncePart>();
  OncePart& once = *made;
  once.channel = channel.id;
  once.end = begin + part.bytes.size() / channel.unit_bytes();
  columns_[channel.id].once_end = once.end;
  pending.parts.push_back(std::move(made));
  const bool is_dense = channel.kind == ChannelKind::Dense;
  // Dense: the grid of one row. Ragged: whole chunks of elements, the last one padded.
  Extents dims = stored_dims(channel), chunk(channel.chunk.begin(), channel.chunk.end());
  dims.insert(dims.begin(), is_dense ? 1 : once.end - begin);
  if (dims.front() == 0) return;
  workers_->submit([&once, &channel, &part, dims, chunk, begin] {
    std::vector<std::byte> raw(chunk_bytes(channel));
    const std::size_t element = stored_element_bytes(channel);
    for_each_chunk(dims, chunk, [&](const Extents& origin) {
      gather_chunk(part.bytes, element, dims, chunk, origin, raw);
      once.chunks.push_back(encode_chunk(raw, element, {channel.shuffle, channel.deflate}));
      once.offsets.emplace_back(origin.begin(), origin.end());
      once.offsets.back().front() += begin;
    });
  });
}

trace::FramePtr RecordingFile::pending(std::uint64_t row) const {
  if (pending_.empty() || row < pending_.front()->frame->row) return nullptr;
  const std::uint64_t place = row - pending_.front()->frame->row;
  return place < pending_.size() ? pending_[place]->frame : nullptr;
}

void RecordingFile::commit() {
  workers_->wait_idle();
  check_still_ours();
  // The lock is held for one call at a time: a reader of another file need not wait for a whole commit.
  write_channels();
  write_index();
  // Brings the end-of-file address up to date; without it a repair tool would cut the file at its first
  // state.
  h5::flush_file(layout_.file);
  for (const std::unique_ptr<Pending>& pending : pending_) {
    for (const std::unique_ptr<OncePart>& part : pending->parts)
      layout_.channels[part->channel].values_rows = part->end;
    reader_->row_committed(pending->row);
    committed_step_ = pending->row.step;
  }
  for (std::size_t id = 0; id < columns_.size(); ++id) {
    if (columns_[id].values) layout_.channels[id].values_rows = columns_[id].values->rows();
  }
  pending_.clear();
  pending_bytes_ = 0;
  check_still_ours();
  sync_->committed();
}

void RecordingFile::write_once(const OncePart& part) {
  ChannelSets& sets = layout_.channels[part.channel];
  const Channel& channel = schema_->channels[part.channel];
  std::vector<hsize_t> extent = {part.end};
  for (const std::uint64_t dim : stored_dims(channel)) extent.push_back(dim);
  h5::set_extent(sets.values, extent);
  for (std::size_t i = 0; i < part.chunks.size(); ++i) {
    h5::write_chunk(sets.values, part.offsets[i], part.chunks[i].bytes, part.chunks[i].filter_mask,
                    "writing a chunk");
  }
}

void RecordingFile::write_channels() {
  std::vector<bool> is_touched(columns_.size(), false);
  for (const std::unique_ptr<Pending>& pending : pending_) {
    for (const std::unique_ptr<OncePart>& part : pending->parts) write_once(*part);
    for (const trace::ChannelData& part : pending->frame->data) is_touched[part.channel] = true;
  }
  for (std::size_t id = 0; id < columns_.size(); ++id) {
    if (!is_touched[id]) continue;
    for (PackedColumn* packed :
         {columns_[id].values.get(), columns_[id].step.get(), columns_[id].spans.get()}) {
      if (packed != nullptr) packed->write();
    }
  }
  for (std::size_t id = 0; id < columns_.size(); ++id) {
    if (!is_touched[id]) continue;
    const ChannelSets& sets = layout_.channels[id];
    for (const h5::Handle* set : {&sets.values, &sets.step, &sets.spans}) {
      if (set->is_open()) h5::flush_dataset(*set);
    }
  }
}

void RecordingFile::write_index() {
  for (const std::unique_ptr<Pending>& pending : pending_)
    index_->append(std::as_bytes(std::span(&pending->row, 1)));
  index_->write();
  h5::flush_dataset(layout_.index);
}

// Size below what was written, or no name left: another program truncated, deleted or replaced the file.
void RecordingFile::check_still_ours() {
  struct stat info {};
  check(::fstat(sync_->descriptor(), &info) == 0, "an open file has a status");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (info.st_nlink == 0 || size < bytes_on_disk_) {
    is_taken_away_ = true;
    throw Error(info.st_nlink == 0 ? "another program deleted the file"
                                   : "another program truncated the file");
  }
  bytes_on_disk_ = size;
}

void RecordingFile::close() {
  workers_->wait_idle();
  check(pending_.empty(), "commit before closing");
  check_still_ours();
  {
    const h5::Lock lock;
    for (ChannelSets& sets : layout_.channels) {
      for (h5::Handle* set : {&sets.values, &sets.step, &sets.spans}) {
        if (!set->reset()) throw Error("closing a dataset failed");
      }
    }
    if (!layout_.index.reset()) throw Error("closing the index failed");
    h5::flush_file(layout_.file);
    if (!layout_.file.reset()) throw Error("closing the file failed");
  }
  sync_->finish();
  abandon();
}

void RecordingFile::abandon() noexcept {
  workers_.reset();
  pending_.clear();
  pending_bytes_ = 0;
  {
    const h5::Lock lock;
    const auto let_go = [&](h5::Handle& handle) {
      // Somebody else's bytes may lie under this name now: closing would write into them.
      if (is_taken_away_) handle.leak();
      handle.reset();
    };
    for (ChannelSets& sets : layout_.channels) {
      for (h5::Handle* set : {&sets.values, &sets.step, &sets.spans}) let_go(*set);
    }
    let_go(layout_.index);
    let_go(layout_.file);
  }
  if (!sync_) return;
  struct stat info {};
  if (::fstat(sync_->descriptor(), &info) == 0) {
    std::scoped_lock lock(written_mutex);
    written_files().erase(file_id(info));
  }
  sync_.reset();
}

}  // namespace sparsescope::record
