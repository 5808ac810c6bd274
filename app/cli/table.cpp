// sparsescope-cli table: one channel of a recording as CSV, one line per row (dense) or element (ragged).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>

#include "app/cli/cli.h"
#include "app/cli/recording_walk.h"
#include "engine/trace/error.h"
#include "engine/trace/half.h"

namespace sparsescope::app {
namespace {

struct StepRange {
  std::uint64_t first = 0, last = std::numeric_limits<std::uint64_t>::max();
};

// "A:B", both inclusive, either may be missing.
StepRange parse_steps(const std::string& text) {
  StepRange range;
  if (text.empty()) return range;
  const auto refuse = [&] {
    throw Error(
        fmt::format("--steps {} is not a range; write A:B with whole steps, either may be left out", text),
        ExitCode::Usage);
  };
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) refuse();
  const auto number = [&](const std::string& digits, std::uint64_t missing) -> std::uint64_t {
    if (digits.empty()) return missing;
    if (digits.find_first_not_of("0123456789") != std::string::npos || digits.size() > 18) refuse();
    return std::stoull(digits);
  };
  range.first = number(text.substr(0, colon), range.first);
  range.last = number(text.substr(colon + 1), range.last);
  if (range.first > range.last) refuse();
  return range;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

template <typename T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// One number, shortest text that reads back to the same value.
std::string number_text(trace::DType dtype, const std::byte* at) {
  switch (dtype) {
    case trace::DType::F16:
      return fmt::format("{}", trace::float_from_half(load<std::uint16_t>(at)));
    case trace::DType::F32:
      return fmt::format("{}", load<float>(at));
    case trace::DType::F64:
      return fmt::format("{}", load<double>(at));
    case trace::DType::U8:
      return fmt::format("{}", load<std::uint8_t>(at));
    case trace::DType::U16:
      return fmt::format("{}", load<std::uint16_t>(at));
    case trace::DType::I32:
      return fmt::format("{}", load<std::int32_t>(at));
    case trace::DType::U32:
      return fmt::format("{}", load<std::uint32_t>(at));
    case trace::DType::U64:
      return fmt::format("{}", load<std::uint64_t>(at));
    default:
      break;
  }
  check(false, "not a number");
  return {};
}

// "theta"; a bare number says what it counts: "layer 3".
std::string index_label(const trace::Axis& axis, std::int64_t index) {
  if (axis.labels.empty()) return fmt::format("{} {}", axis.name, index);
  const std::string& label = axis.labels[static_cast<std::size_t>(index)];
  const bool is_number = label.find_first_not_of("0123456789.") == std::string::npos;
  return is_number ? axis.name + " " + label : label;
}

// Column names of one unit, last axis fastest: "layer 3.theta".
std::vector<std::string> unit_columns(const trace::Channel& channel) {
  std::vector<std::string> names = {""};
  for (const trace::Axis& axis : channel.axes) {
    std::vector<std::string> next;
    for (const std::string& name : names) {
      for (std::int64_t i = 0; i < axis.size; ++i) {
        next.push_back(name + (name.empty() ? "" : ".") + index_label(axis, i));
      }
    }
    names = std::move(next);
  }
  if (names.size() == 1 && names[0].empty()) names[0] = channel.name;
  return names;
}

std::vector<std::string> header(const trace::Channel& channel) {
  std::vector<std::string> columns = {"step"};
  if (channel.dtype == trace::DType::Record) {
    for (const trace::RecordField& field : channel.fields) columns.push_back(field.name);
  } else {
    for (std::string& name : unit_columns(channel)) columns.push_back(std::move(name));
  }
  return columns;
}

// The values of one row (dense) or element (ragged) as CSV fields.
void append_unit(const trace::Channel& channel, const std::byte* unit, std::vector<std::string>& fields) {
  if (channel.dtype == trace::DType::Record) {
    for (const trace::RecordField& field : channel.fields)
      fields.push_back(number_text(field.dtype, unit + field.offset));
    return;
  }
  if (channel.dtype == trace::DType::Text) {
    const char* begin = reinterpret_cast<const char*>(unit);
    fields.push_back(csv_field({begin, strnlen(begin, trace::dtype_bytes(channel.dtype))}));
    return;
  }
  if (channel.dtype == trace::DType::Bits) {
    const std::int64_t width = channel.axes.back().size, row_bytes = (width + 7) / 8;
    const std::int64_t rows = channel.unit_count() / width;
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t bit = 0; bit < width; ++bit) {
        const auto byte = static_cast<unsigned>(unit[row * row_bytes + bit / 8]);
        fields.push_back(byte >> (bit % 8) & 1u ? "1" : "0");
      }
    }
    return;
  }
  const std::size_t bytes = trace::dtype_bytes(channel.dtype);
  for (std::int64_t i = 0; i < channel.unit_count(); ++i) {
    fields.push_back(number_text(channel.dtype, unit + static_cast<std::size_t>(i) * bytes));
  }
}

void write_row(const trace::Channel& channel, std::uint64_t step, const std::vector<std::byte>& bytes,
               std::ostream& out) {
  const std::size_t unit = channel.unit_bytes();
  for (std::size_t at = 0; at + unit <= bytes.size(); at += unit) {
    std::vector<std::string> fields = {fmt::format("{}", step)};
    append_unit(channel, bytes.data() + at, fields);
    out << fmt::format("{}\n", fmt::join(fields, ","));
  }
}

const trace::Channel& find_channel(const trace::Schema& schema, const std::string& name) {
  if (const trace::Channel* channel = schema.find(name)) return *channel;
  std::vector<std::string> names;
  for (const trace::Channel& channel : schema.channels) names.push_back(channel.name);
  throw Error(fmt::format("this recording has no channel '{}'; it has {}", name, fmt::join(names, ", ")),
              ExitCode::Usage);
}

struct TableOptions {
  std::string path, channel, steps, output;
};

int write_table(const TableOptions& options) {
  const StepRange range = parse_steps(options.steps);
  if (!options.output.empty() && std::filesystem::exists(options.output)) {
    throw Error(fmt::format("{} exists and is never overwritten; choose another -o", options.output),
                ExitCode::Usage);
  }
  RecordingWalk walk(options.path);
  const trace::Channel& channel = find_channel(walk.schema(), options.channel);
  std::ofstream file;
  if (!options.output.empty()) {
    file.open(options.output);
    if (!file) throw Error(fmt::format("{} cannot be written: {}", options.output, std::strerror(errno)));
  }
  std::ostream& out = options.output.empty() ? std::cout : file;
  std::vector<std::string> columns = header(channel);
  for (std::string& column : columns) column = csv_field(column);
  out << fmt::format("{}\n", fmt::join(columns, ","));
  const trace::RunEnd end = walk.each_row([&](const trace::Frame& frame) {
    if (!frame.present.has(channel.id) || frame.step < range.first || frame.step > range.last) return;
    const trace::ChannelData* light = frame.find(channel.id);
    write_row(channel, frame.step, light != nullptr ? light->bytes : walk.read(frame.row, channel.id), out);
  });
  out.flush();
  if (!out) throw Error("the table could not be written whole: is the disk full?");
  if (walk.damage() != ExitCode::Done) throw Error(end.message, walk.damage());
  return 0;
}

}  // namespace

void add_table_command(CLI::App& parser, CommandAction& chosen) {
  auto options = std::make_shared<TableOptions>();
  CLI::App* command = parser.add_subcommand("table", "Print one channel of a recording as CSV");
  command->add_option("file", options->path, "the recording")->required();
  command->add_option("--channel", options->channel, "its name, as info lists it")->required();
  command->add_option("--steps", options->steps, "only steps A:B, both included");
  command->add_option("-o,--output", options->output, "a new file; default: standard output");
  command->callback([options, &chosen] { chosen = [options] { return write_table(*options); }; });
}

}  // namespace sparsescope::app
