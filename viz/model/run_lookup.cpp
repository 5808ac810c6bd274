// How a run is read: rows by step, places on the time axis, series by label, heavy rows.
#include <algorithm>
#include <charconv>

#include "engine/trace/error.h"
#include "engine/trace/half.h"
#include "viz/model/run.h"

namespace sparsescope::viz {
namespace {

constexpr std::size_t kSmoothedPerCall = 200'000;  // samples; about 6 ms

// First index in [0, size) for which `is_past` holds, or size. `is_past` never goes back to false.
template <typename Predicate>
std::size_t first_where(std::size_t size, Predicate is_past) {
  std::size_t low = 0;
  while (low < size) {
    const std::size_t middle = low + (size - low) / 2;
    if (is_past(middle)) {
      size = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// Index of a label on an axis; axes without labels are addressed by number.
std::int64_t index_on(const trace::Axis& axis, const std::string& label) {
  const auto it = std::find(axis.labels.begin(), axis.labels.end(), label);
  if (it != axis.labels.end()) return it - axis.labels.begin();
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), number);
  if (error != std::errc() || end != label.data() + label.size() || number >= axis.size) return -1;
  return number;
}

template <typename T>
void append(std::vector<std::byte>& bytes, T value) {
  const auto* begin = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), begin, begin + sizeof(value));
}

// A row of a light channel, put together again from its histories; nothing once they were thinned.
ChannelDataPtr row_of(const Track& track, std::size_t sample, trace::DType dtype) {
  auto row = std::make_shared<trace::ChannelData>();
  row->channel = track.channel;
  for (const Series& element : track.elements) {
    if (sample < element.exact_from()) return nullptr;
    const double value = element.at(sample);
    switch (dtype) {
      case trace::DType::F16:
        append(row->bytes, trace::half_from_float(static_cast<float>(value)));
        break;
      case trace::DType::F32:
        append(row->bytes, static_cast<float>(value));
        break;
      case trace::DType::U8:
        append(row->bytes, static_cast<std::uint8_t>(value));
        break;
      case trace::DType::U16:
        append(row->bytes, static_cast<std::uint16_t>(value));
        break;
      case trace::DType::I32:
        append(row->bytes, static_cast<std::int32_t>(value));
        break;
      case trace::DType::U32:
        append(row->bytes, static_cast<std::uint32_t>(value));
        break;
      case trace::DType::F64:
        append(row->bytes, value);
        break;
      default:  // U64 does not go through a double unharmed
        return nullptr;
    }
  }
  return row;
}

}  // namespace

const std::string& Run::uuid() const {
  static const std::string kNone;
  return schema_ ? schema_->run_uuid : kNone;
}

std::string Run::title() const {
  if (!schema_) return "Opening";
  return (schema_->title.empty() ? "Untitled run" : schema_->title) + ", seed " +
         std::to_string(schema_->seed);
}

std::optional<std::size_t> Run::row_at_or_before(std::uint64_t step) const {
  const std::size_t after = first_where(rows_.size(), [&](std::size_t i) { return rows_[i].step > step; });
  return after == 0 ? std::nullopt : std::optional(after - 1);
}

double Run::x(std::size_t position, TimeAxis axis) const {
  const Row& row = rows_[position];
  switch (axis) {
    case TimeAxis::Step:
      return static_cast<double>(row.step);
    case TimeAxis::Tokens:
      return row.tokens;
    case TimeAxis::WallTime:
      return static_cast<double>(row.mono_nanos) * 1e-9;
    case TimeAxis::RelativeStep:
      return static_cast<double>(row.step - rows_[0].step);
  }
  return 0;
}

std::uint64_t Run::step_at(double x_value, TimeAxis axis) const {
  const std::size_t after = first_where(rows_.size(), [&](std::size_t i) { return x(i, axis) > x_value; });
  return after == 0 ? first_step() : rows_[after - 1].step;
}

double Run::x_of_step(std::uint64_t step, TimeAxis axis) const {
  if (axis == TimeAxis::Step || rows_.empty()) return static_cast<double>(step);
  const std::optional<std::size_t> before = row_at_or_before(step);
  if (!before) return x(0, axis);
  const Row& here = rows_[*before];
  if (here.step == step || *before + 1 == rows_.size()) return x(*before, axis);
  const double share =
      static_cast<double>(step - here.step) / static_cast<double>(rows_[*before + 1].step - here.step);
  return x(*before, axis) + share * (x(*before + 1, axis) - x(*before, axis));
}

const Track* Run::track(std::string_view channel) const {
  const trace::Channel* found = schema_ ? schema_->find(channel) : nullptr;
  return found == nullptr ? nullptr : &tracks_[found->id];
}

const Track* Run::track(std::uint32_t channel) const {
  return channel < tracks_.size() ? &tracks_[channel] : nullptr;
}

const Series* Run::series(std::string_view channel, const std::vector<std::string>& labels) const {
  const Track* found = track(channel);
  if (found == nullptr || !found->is_light) return nullptr;
  const std::vector<trace::Axis>& axes = schema_->channels[found->channel].axes;
  if (labels.size() != axes.size()) return nullptr;
  std::int64_t element = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t index = index_on(axes[i], labels[i]);
    if (index < 0) return nullptr;
    element = element * axes[i].size + index;
  }
  return &found->elements[static_cast<std::size_t>(element)];
}

const Series* Run::series(const Track& track, std::size_t element) const {
  return element < track.elements.size() ? &track.elements[element] : nullptr;
}

std::uint64_t Run::step_of_sample(const Track& track, std::size_t sample) const {
  return rows_[track.samples[sample]].step;
}

double Run::x_of_sample(const Track& track, std::size_t sample, TimeAxis axis) const {
  return x(track.samples[sample], axis);
}

std::optional<std::size_t> Run::sample_at_or_before(const Track& track, std::uint64_t step) const {
  const std::size_t after =
      first_where(track.size(), [&](std::size_t i) { return step_of_sample(track, i) > step; });
  return after == 0 ? std::nullopt : std::optional(after - 1);
}

std::optional<std::size_t> Run::nearest_sample(const Track& track, std::uint64_t step) const {
  if (track.size() == 0) return std::nullopt;
  const std::optional<std::size_t> before = sample_at_or_before(track, step);
  if (!before) return 0;
  if (*before + 1 == track.size()) return before;
  const std::uint64_t left = step - step_of_sample(track, *before),
                      right = step_of_sample(track, *before + 1) - step;
  return right < left ? *before + 1 : *before;
}

std::size_t Run::first_sample_from(const Track& track, double x_value, TimeAxis axis) const {
  return first_where(track.size(), [&](std::size_t i) { return x_of_sample(track, i, axis) >= x_value; });
}

std::uint64_t Run::first_due_step(const trace::Channel& channel) const {
  const auto cadence = static_cast<std::uint64_t>(std::max<std::int64_t>(1, channel.cadence));
  const std::uint64_t next = rows_.empty() ? 0 : newest_step() + 1;
  return (next + cadence - 1) / cadence * cadence;
}

const Series& Run::smoothed(const Track& track, std::size_t element, double window) {
  const Series& raw = track.elements[element];
  auto found = smoothed_.end();
  std::size_t windows = 0;
  auto oldest = smoothed_.end();
  for (auto it = smoothed_.begin(); it != smoothed_.end(); ++it) {
    if (it->of != &raw) continue;
    ++windows;
    oldest = it;
    if (it->window == window) found = it;
  }
  if (found == smoothed_.end()) {
    if (windows == kWindowsKept) smoothed_.erase(oldest);
    smoothed_.push_front({&raw, window, Smoother(window), Series(Series::Precision::Single)});
  } else {
    smoothed_.splice(smoothed_.begin(), smoothed_, found);
  }
  Smoothed& smoothed = smoothed_.front();
  const std::size_t end = std::min(raw.size(), smoothed.series.size() + kSmoothedPerCall);
  for (std::size_t i = smoothed.series.size(); i < end; ++i) {
    double value = raw.at(i);
    // Where only summaries are left, the last value of its summary stands for a sample.
    if (i < raw.exact_from()) value = raw.fold(i, std::min(i + Series::kFanOut, raw.size())).last;
    smoothed.series.append(smoothed.smoother.add(value));
  }
  if (smoothed.series.size() < raw.size()) {
    smoothing_trails_ = true;
    ++version_;
  }
  return smoothed.series;
}

Run::Heavy Run::heavy(std::string_view channel, std::uint64_t step) {
  const Track* found = track(channel);
  if (found == nullptr)
    return {RowCache::State::Missing, nullptr, 0, "This run has no channel '" + std::string(channel) + "'"};
  const std::optional<std::size_t> sample = sample_at_or_before(*found, step);
  if (!sample) {
    return {RowCache::State::Missing, nullptr, 0,
            "No sample of '" + std::string(channel) + "' at or before step " +
                format_count(static_cast<std::int64_t>(step))};
  }
  const Row& row = rows_[found->samples[*sample]];
  if (found->is_light) {
    if (ChannelDataPtr data = row_of(*found, *sample, schema_->channels[found->channel].dtype))
      return {RowCache::State::Ready, std::move(data), row.step, {}};
  }
  RowCache::Answer answer = cache_.get(row.row, found->channel);
  return {answer.state, std::move(answer.data), row.step, std::move(answer.message)};
}

}  // namespace sparsescope::viz
