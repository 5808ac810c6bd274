// How a run grows: schema, frames, end. Looking things up is in run_lookup.cpp.
#include "viz/model/run.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/trace/error.h"
#include "engine/trace/half.h"
#include "engine/trace/text.h"

namespace sparsescope::viz {
namespace {

using trace::DType;

// Rows below this size have their whole history kept; the recording calls the same ones "packed".
constexpr std::size_t kLightRowBytes = 16 << 10;

bool is_light(const trace::Channel& channel) {
  const bool is_number =
      channel.dtype != DType::Bits && channel.dtype != DType::Record && channel.dtype != DType::Text;
  return channel.kind == trace::ChannelKind::Dense && is_number && channel.unit_bytes() < kLightRowBytes;
}

template <typename T>
void append_values(const trace::ChannelData& data, std::vector<Series>& elements) {
  const auto values = trace::values_as<T>(data);
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i].append(static_cast<double>(values[i]));
}

void append_halves(const trace::ChannelData& data, std::vector<Series>& elements) {
  const auto values = trace::values_as<std::uint16_t>(data);
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i].append(trace::float_from_half(values[i]));
}

Series::Precision precision_of(DType dtype) {
  return dtype == DType::F16 || dtype == DType::F32 || dtype == DType::U8 || dtype == DType::U16
             ? Series::Precision::Single
             : Series::Precision::Double;
}

// A number at a path like "/train/steps", or 0.
double number_at(const nlohmann::json& json, const char* path) {
  const nlohmann::json::json_pointer pointer(path);
  if (!json.is_object() || !json.contains(pointer) || !json.at(pointer).is_number()) return 0;
  return json.at(pointer).get<double>();
}

}  // namespace

Run::Run(std::uint32_t id, std::shared_ptr<trace::RowSource> source, std::size_t heavy_bytes)
    : id_(id), cache_(std::move(source), heavy_bytes) {}

void Run::take(trace::SchemaPtr schema) {
  ++version_;
  if (schema_) {
    problem_ = "The source sent a second schema; it is ignored";
    return;
  }
  schema_ = std::move(schema);
  tracks_.resize(schema_->channels.size());
  for (const trace::Channel& channel : schema_->channels) {
    Track& track = tracks_[channel.id];
    track.channel = channel.id;
    track.is_light = is_light(channel);
    for (std::int64_t i = 0; track.is_light && i < channel.unit_count(); ++i)
      track.elements.emplace_back(precision_of(channel.dtype));
    if (channel.name == "events" && channel.dtype == DType::Text) events_channel_ = channel.id;
    if (channel.name == "scalars") {
      scalars_channel_ = channel.id;
      for (const char* label : {"tokens_seen", "tokens"}) {
        if (tokens_element_ < 0) tokens_element_ = channel.label_index("name", label);
      }
    }
  }
  read_experiment();
}

void Run::read_experiment() {
  const auto json = nlohmann::json::parse(schema_->experiment_json, nullptr, false);
  planned_steps_ = static_cast<std::uint64_t>(std::max(0.0, number_at(json, "/train/steps")));
  tokens_per_step_ = number_at(json, "/train/batch") * number_at(json, "/model/context");
}

void Run::take(const trace::FramePtr& frame) {
  ++version_;
  const auto refuse = [&](const std::string& why) {
    if (problem_.empty())
      problem_ =
          "Frame " + format_count(static_cast<std::int64_t>(frame->row)) + " " + why + "; it is not shown";
  };
  if (!schema_) return refuse("came before the schema");
  if (end_) return refuse("came after the end of the run");
  if (!rows_.empty() && frame->row <= rows_.back().row) return refuse("came twice or late");
  if (!rows_.empty() && frame->step < rows_.back().step) return refuse("goes back to an earlier step");

  const std::uint64_t expected = rows_.empty() ? 0 : rows_.back().row + 1;
  if (frame->row > expected) {
    const std::uint64_t before = rows_.empty() ? frame->step : rows_.back().step;
    gaps_.push_back({rows_.empty() ? 0 : rows_.size() - 1, before, frame->step, frame->row - expected});
  } else if ((frame->flags & trace::kFlagAfterGap) != 0 && !rows_.empty()) {
    gaps_.push_back({rows_.size() - 1, rows_.back().step, frame->step, 0});
  }
  const auto position = static_cast<std::uint32_t>(rows_.size());
  Row row{frame->row,
          frame->step,
          frame->mono_nanos,
          rows_.empty() ? 0 : rows_.back().tokens,
          presence_index(frame->present),
          frame->flags};
  rows_.push_back(row);

  for (Track& track : tracks_) {
    if (!frame->present.has(track.channel)) continue;
    const trace::ChannelData* data = frame->find(track.channel);
    const bool is_events = track.channel == events_channel_;
    if ((track.is_light || is_events) && data == nullptr) {
      refuse("lacks channel '" + schema_->channels[track.channel].name + "' although it was recorded");
      continue;
    }
    if (track.is_light && !take_light(*data, track)) {
      refuse("has channel '" + schema_->channels[track.channel].name +
             "' in another size than the schema says");
      continue;
    }
    if (is_events) take_events(*data, *frame);
    if (!track.is_light && !is_events && data != nullptr) cache_.put(frame, track.channel);
    track.samples.push_back(position);
    if (track.channel == scalars_channel_ && tokens_element_ >= 0) {
      rows_.back().tokens = std::max(
          row.tokens, track.elements[static_cast<std::size_t>(tokens_element_)].at(track.size() - 1));
    }
  }
}

bool Run::take_light(const trace::ChannelData& data, Track& track) {
  const trace::Channel& channel = schema_->channels[track.channel];
  if (data.bytes.size() != channel.unit_bytes()) return false;
  switch (channel.dtype) {
    case DType::F16:
      append_halves(data, track.elements);
      break;
    case DType::F32:
      append_values<float>(data, track.elements);
      break;
    case DType::F64:
      append_values<double>(data, track.elements);
      break;
    case DType::U8:
      append_values<std::uint8_t>(data, track.elements);
      break;
    case DType::U16:
      append_values<std::uint16_t>(data, track.elements);
      break;
    case DType::I32:
      append_values<std::int32_t>(data, track.elements);
      break;
    case DType::U32:
      append_values<std::uint32_t>(data, track.elements);
      break;
    case DType::U64:
      append_values<std::uint64_t>(data, track.elements);
      break;
    default:
      check(false, "a light channel holds numbers");
  }
  return true;
}

void Run::take_events(const trace::ChannelData& data, const trace::Frame& frame) {
  std::string_view payload;
  const trace::Channel* channel = schema_->find("event_payloads");
  if (const trace::ChannelData* bytes = channel != nullptr ? frame.find(channel->id) : nullptr)
    payload = {reinterpret_cast<const char*>(bytes->bytes.data()), bytes->bytes.size()};
  for (std::string& text : trace::texts_of(data))
    events_.push_back(event_from_json(whole_event(std::move(text), payload), frame.step, frame.mono_nanos));
}

std::uint32_t Run::presence_index(const trace::Presence& presence) {
  // Runs have a handful of patterns (every step, probe, evaluation, ...), and the last ones come again.
  for (std::size_t i = presences_.size(); i-- > 0;) {
    if (presences_[i] == presence) return static_cast<std::uint32_t>(i);
  }
  presences_.push_back(presence);
  return static_cast<std::uint32_t>(presences_.size() - 1);
}

void Run::take(const trace::RunEnd& end) {
  ++version_;
  if (end_) {
    problem_ = "The source ended the run twice";
    return;
  }
  end_ = end;
}

void Run::set_dropped(std::uint64_t frames) {
  if (frames == dropped_) return;
  dropped_ = frames;
  ++version_;
}

bool Run::poll() {
  smoothing_trails_ = picture_trails_ = false;
  const bool changed = cache_.poll();
  if (changed) ++version_;
  return changed;
}

std::size_t Run::history_bytes() const {
  std::size_t sum = rows_.bytes();
  for (const Track& track : tracks_) {
    sum += track.samples.bytes();
    for (const Series& series : track.elements) sum += series.bytes();
  }
  for (const Smoothed& smoothed : smoothed_) sum += smoothed.series.bytes();
  return sum;
}

void Run::thin_history(std::size_t byte_budget) {
  // From the oldest half on, halving what stays exact, until it fits or nothing is left to let go.
  for (std::size_t keep = 2; keep <= 16 && history_bytes() > byte_budget; keep *= 2) {
    for (Track& track : tracks_) {
      for (Series& series : track.elements) series.thin_before(series.size() - series.size() / keep);
    }
    for (Smoothed& smoothed : smoothed_)
      smoothed.series.thin_before(smoothed.series.size() - smoothed.series.size() / keep);
    ++version_;
  }
}

}  // namespace sparsescope::viz
