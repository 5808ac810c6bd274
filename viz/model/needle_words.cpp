// The needle view in words and as a table.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/model/needle_query.h"

namespace sparsescope::viz {
namespace {

std::string count(std::int64_t number) { return format_count(number); }

std::string plain(double value) {
  std::string text = format_number(value, 9);
  std::erase(text, ',');
  return text;
}

const char* verdict(const NeedleMean& mean) {
  if (!is_distinguishable(mean.signal, mean.standard_error)) return "not distinguishable from 0";
  return mean.signal > 0 ? "the needle helps" : "the needle distracts";
}

std::string list(const std::vector<std::string>& parts) {
  std::string words;
  for (std::size_t i = 0; i < parts.size(); ++i)
    words += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
  return words;
}

void add_rows(const NeedlePicture& picture, const NeedleRun& run, Table& table) {
  for (const NeedleContext& context : run.contexts) {
    for (std::size_t depth = 0; depth < context.cells.size(); ++depth) {
      const NeedleCell& cell = context.cells[depth];
      const std::string step = context.step ? std::to_string(*context.step) : kAbsent;
      if (!cell.is_evaluated()) {
        table.rows.push_back({"signal by depth", run.letter, context.label, run.depth_labels[depth], step,
                              kAbsent, picture.unit, kAbsent, kAbsent, kAbsent, "0",
                              context.missing.empty() ? "not evaluated" : context.missing});
        continue;
      }
      const double value = shown(picture, cell.signal, cell.nll_without);
      const double error = shown(picture, cell.standard_error, cell.nll_without);
      table.rows.push_back(
          {"signal by depth", run.letter, context.label, run.depth_labels[depth], step, plain(value),
           picture.unit, plain(error), plain(value - error), plain(value + error),
           std::to_string(cell.trials),
           is_distinguishable(cell.signal, cell.standard_error) ? "" : "not distinguishable from 0"});
    }
  }
}

void add_grid(const NeedlePicture& picture, const NeedleRun& run, Table& table) {
  for (const NeedleContext& context : run.contexts) {
    for (std::size_t depth = 0; depth < context.cells.size(); ++depth) {
      const NeedleCell& cell = context.cells[depth];
      if (!cell.is_evaluated()) continue;
      const double share = accuracy_of(picture, cell);
      const Range interval = wilson_interval(share, cell.trials);
      table.rows.push_back({"accuracy", run.letter, context.label, run.depth_labels[depth],
                            std::to_string(*context.step), plain(share), "1", kAbsent,
                            plain(interval.minimum), plain(interval.maximum), std::to_string(cell.trials),
                            cell.has_enough_trials() ? "" : "fewer than 20 trials"});
    }
  }
}

void add_difference(const NeedlePicture& picture, Table& table) {
  const NeedleRun& run = picture.runs.front();
  for (std::size_t context = 0; context < picture.difference.cells.size(); ++context) {
    const std::vector<NeedleDelta>& deltas = picture.difference.cells[context];
    for (std::size_t depth = 0; depth < deltas.size(); ++depth) {
      const NeedleDelta& delta = deltas[depth];
      if (!delta.is_known()) continue;
      const double value = delta.delta(), error = delta.standard_error;
      table.rows.push_back({"difference", "B − A", run.contexts[context].label, run.depth_labels[depth],
                            std::to_string(picture.cursor_step), plain(value), picture.unit, plain(error),
                            plain(value - error), plain(value + error), std::to_string(delta.trials),
                            delta.is_beyond_error() ? "" : "within 2 SE of 0"});
    }
  }
}

void add_steps(const NeedlePicture& picture, Table& table) {
  for (const TrackPicture& track : picture.tracks) {
    for (const LinePicture& line : track.lines) {
      const std::size_t space = line.label.find(' ');
      const std::string letter = space == std::string::npos ? "" : line.label.substr(0, space);
      const std::string context = space == std::string::npos ? line.label : line.label.substr(space + 1);
      for (const Column& column : line.columns) {
        const Bucket& bucket = column.bucket;
        table.rows.push_back({"signal over steps", letter, context, "mean", std::to_string(column.step),
                              plain(bucket.last), picture.unit, plain(bucket.maximum - bucket.last),
                              plain(bucket.minimum), plain(bucket.maximum), std::to_string(bucket.count),
                              is_distinguishable(bucket.last, bucket.maximum - bucket.last)
                                  ? ""
                                  : "not distinguishable from 0"});
      }
    }
  }
}

}  // namespace

std::string signal_in_words(const NeedlePicture& picture, double signal, double standard_error,
                            double nll_without) {
  const double value = shown(picture, signal, nll_without);
  if (!std::isfinite(value)) return kAbsent;
  if (picture.as_share) {
    const auto [share, error] =
        rounded_to_error(100 * value, 100 * shown(picture, standard_error, nll_without));
    return fmt::format("{} ± {} % of the ceiling", share, error);
  }
  const auto [number, error] = rounded_to_error(value, standard_error);
  return fmt::format("{} ± {} nats", number, error);
}

std::string accuracy_in_words(double share, std::int64_t trials) {
  if (trials <= 0 || !std::isfinite(share)) return kAbsent;
  const Range interval = wilson_interval(share, trials);
  return fmt::format("{} [{}, {}], {} {}", format_percent(share), format_fixed(100 * interval.minimum, 0),
                     format_fixed(100 * interval.maximum, 0), count(trials),
                     trials == 1 ? "trial" : "trials");
}

std::string needle_in_words(const NeedlePicture& picture) {
  if (picture.runs.empty()) return {};
  std::vector<std::string> known, missing;
  bool any_signal = false;
  for (const NeedleContext& context : picture.runs.front().contexts)
    any_signal |= is_distinguishable(context.mean.signal, context.mean.standard_error);
  for (const NeedleContext& context : picture.runs.front().contexts) {
    if (!context.step) {
      missing.push_back(context.label);
      continue;
    }
    std::string words = fmt::format(
        "{} {}", context.label,
        signal_in_words(picture, context.mean.signal, context.mean.standard_error, context.mean.nll_without));
    if (any_signal) words += fmt::format(", {}", verdict(context.mean));
    known.push_back(std::move(words));
  }
  if (known.empty()) return "Nothing evaluated at or before this step";
  std::string words;
  for (const std::string& one : known) words += (words.empty() ? "" : any_signal ? "; " : ", ") + one;
  if (!any_signal) words = "No signal to tell from 0 yet: " + words;
  if (!missing.empty()) words += "; " + list(missing) + " not evaluated";
  return words;
}

Twin twin_of(const NeedlePicture& picture) {
  Twin twin = twin_of(static_cast<const PictureHead&>(picture));
  for (std::string& line : lines_of(picture.banner)) twin.lines.push_back(std::move(line));
  for (const NeedleRun& run : picture.runs) {
    for (const NeedleContext& context : run.contexts) {
      std::string words = (run.letter.empty() ? "" : run.letter + " ") + context.label;
      if (context.tokens > 0) words += fmt::format(", {} tokens", count(context.tokens));
      twin.lines.push_back(words + ": " +
                           (context.step
                                ? "evaluated at step " + count(static_cast<std::int64_t>(*context.step))
                                : context.missing));
    }
  }
  for (const FlagMark& flag : picture.flags)
    twin.lines.push_back("step " + count(static_cast<std::int64_t>(flag.step)) + ": " + flag.words);
  for (const GapMark& gap : picture.gaps)
    twin.lines.push_back(format_x(gap.from, picture.axis) + " to " + format_x(gap.to, picture.axis) + ": " +
                         gap.words);
  twin.table.header = {"pane",           "run", "context", "depth",  "step", "value", "unit",
                       "standard error", "low", "high",    "trials", "note"};
  for (const NeedleRun& run : picture.runs) add_rows(picture, run, twin.table);
  // The grid shows one or the other.
  if (picture.difference.is_shown()) {
    twin.lines.push_back(fmt::format(
        "Difference {} − {}, limits {} to {} {}{}", picture.difference.b, picture.difference.a,
        format_signed(picture.difference.limits.minimum, 3),
        format_signed(picture.difference.limits.maximum, 3), picture.unit, picture.difference.whose));
    add_difference(picture, twin.table);
  } else {
    for (const NeedleRun& run : picture.runs) add_grid(picture, run, twin.table);
  }
  add_steps(picture, twin.table);
  return twin;
}

}  // namespace sparsescope::viz
