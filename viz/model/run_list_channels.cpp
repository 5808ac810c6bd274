#include "viz/model/run_list_channels.h"

#include <fmt/format.h>

#include <algorithm>

#include "viz/model/format.h"
#include "viz/model/run_list.h"

namespace sparsescope::viz {
namespace {

std::string in_words(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string shape_of(const trace::Channel& channel, const Track* track) {
  if (channel.kind == trace::ChannelKind::Ragged) {
    const std::size_t samples = track != nullptr ? track->size() : 0;
    if (samples == 0) return kAbsent;
    return format_count(static_cast<std::int64_t>(samples)) + (samples == 1 ? " row" : " rows");
  }
  std::string shape;
  for (const trace::Axis& axis : channel.axes)
    shape += (shape.empty() ? "" : " × ") + format_count(axis.size);
  return shape.empty() ? "1" : shape;
}

std::string value_of(const trace::Channel& channel, const Series& series, std::size_t sample) {
  if (sample >= series.size() || sample < series.exact_from()) return kAbsent;
  const double value = series.at(sample);
  return format_unit(value, channel.unit == "1" ? "" : channel.unit);
}

}  // namespace

std::string cadence_in_words(const trace::Channel& channel) {
  if (channel.cadence == 0) return "when it happens";
  return channel.cadence == 1 ? "every step" : fmt::format("every {} steps", format_count(channel.cadence));
}

std::string element_label(const trace::Channel& channel, std::size_t element) {
  std::vector<std::string> parts;
  auto rest = static_cast<std::int64_t>(element);
  for (std::size_t i = channel.axes.size(); i-- > 0;) {
    const trace::Axis& axis = channel.axes[i];
    if (axis.size == 0) return "";
    const std::int64_t index = rest % axis.size;
    rest /= axis.size;
    const bool has_label = static_cast<std::size_t>(index) < axis.labels.size();
    const std::string label =
        has_label ? axis.labels[static_cast<std::size_t>(index)] : std::to_string(index);
    const bool is_number = label.find_first_not_of("0123456789.x") == std::string::npos;
    parts.push_back(is_number ? axis.name + " " + label : in_words(label));
  }
  std::string words;
  for (std::size_t i = parts.size(); i-- > 0;) words += (words.empty() ? "" : ", ") + parts[i];
  return words;
}

std::vector<ChannelRow> channel_rows(Run& run, std::uint64_t step, const ChannelSettings& settings) {
  std::vector<ChannelRow> rows;
  if (run.schema() == nullptr) return rows;
  const std::string& filter = settings.filter;
  for (const trace::Channel& channel : run.schema()->channels) {
    const Track* track = run.track(channel.id);
    const std::optional<std::size_t> sample =
        track != nullptr ? run.sample_at_or_before(*track, step) : std::nullopt;
    ChannelRow row;
    row.channel = channel.id;
    row.label = channel.name;
    row.shape = shape_of(channel, track);
    row.is_here = sample.has_value();
    row.can_open = track != nullptr && track->is_light && !track->elements.empty();
    const std::string unit = channel.unit == "1" || channel.unit.empty() ? "" : ", " + channel.unit;
    row.detail = fmt::format("{}{}, {}{}", trace::dtype_name(channel.dtype), unit, cadence_in_words(channel),
                             row.is_here ? "" : "; nothing recorded up to this step");
    const bool is_named = matches_filter(channel.name, filter) || matches_filter(row.detail, filter);
    std::vector<std::size_t> elements;
    const bool is_open = settings.open.contains(channel.name);
    if (row.can_open && (is_open || (!filter.empty() && !is_named))) {
      for (std::size_t i = 0; i < track->elements.size(); ++i) {
        if (is_named || matches_filter(element_label(channel, i), filter)) elements.push_back(i);
      }
    }
    if (!is_named && elements.empty()) continue;
    row.is_open = !elements.empty();
    rows.push_back(row);
    for (std::size_t i : elements) {
      ChannelRow element;
      element.channel = channel.id;
      element.element = i;
      element.is_here = row.is_here;
      if (rows.back().kind == ChannelRow::Kind::Element && i >= kElementsShown) {
        element.kind = ChannelRow::Kind::More;
        element.label = fmt::format(
            "{} more", format_count(static_cast<std::int64_t>(track->elements.size() - kElementsShown)));
        rows.push_back(std::move(element));
        break;
      }
      element.kind = ChannelRow::Kind::Element;
      element.label = element_label(channel, i);
      element.value = sample ? value_of(channel, track->elements[i], *sample) : kAbsent;
      element.detail = channel.text;
      rows.push_back(std::move(element));
    }
  }
  return rows;
}

}  // namespace sparsescope::viz
