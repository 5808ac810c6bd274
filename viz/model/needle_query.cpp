#include "viz/model/needle_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace sparsescope::viz {
namespace {

using Json = nlohmann::json;

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr Dash kDashes[] = {Dash::Solid, Dash::Dashed, Dash::Dotted};  // by context
constexpr const char* kNoEvaluation = "No retrieval evaluation recorded";

constexpr const char* kHelp =
    "A needle of independent tokens is hidden in held-out text and its beginning is repeated at the end.\n"
    "Signal = mean log p(answer | needle present) − mean log p(answer | needle absent), in nats per answer "
    "token, over paired trials: the same text and needle for every step and run. Below zero the needle "
    "distracts. Bars: ±1 standard error (sd / √trials; over depths √Σ SE² / depths). Hollow: within 2 "
    "standard "
    "errors of 0, not distinguishable from it. The ceiling is the loss without the needle.\n"
    "Depth: 0 at the start of the context, 1 just before the query. Context: multiples of the training "
    "context.\n"
    "Grid: share of trials whose whole answer is the likeliest at every token (or share of answer tokens, "
    "with "
    "the trials as its count), with the 95 % Wilson interval; hatched below 20 trials.\n"
    "Difference: B − A of the signal, error √(SE_A² + SE_B²) as of independent trials; within 2 standard "
    "errors "
    "of 0 a cell is grey and hatched, whatever its value.\n"
    "Each context shows its latest evaluation at or before the cursor.";

// Where the fields of the channel lie.
struct Layout {
  std::size_t contexts = 0, depths = 0, fields = 0;
  std::int64_t signal = -1, error = -1, without = -1, tokens = -1, exact = -1, trials = -1;
  std::vector<std::string> context_labels, depth_labels;
};

std::vector<std::string> labels_of(const trace::Axis& axis) {
  if (!axis.labels.empty()) return axis.labels;
  std::vector<std::string> labels;
  for (std::int64_t i = 0; i < axis.size; ++i) labels.push_back(std::to_string(i));
  return labels;
}

// Nothing: the channel is not what this view reads.
std::optional<Layout> layout_of(const Run& run) {
  const trace::Channel* channel = run.schema() != nullptr ? run.schema()->find("needle") : nullptr;
  if (channel == nullptr || channel->axes.size() != 3) return std::nullopt;
  const trace::Axis *context = channel->axis("context"), *depth = channel->axis("depth"),
                    *field = channel->axis("field");
  if (context == nullptr || depth == nullptr || field == nullptr) return std::nullopt;
  Layout layout{static_cast<std::size_t>(context->size), static_cast<std::size_t>(depth->size),
                static_cast<std::size_t>(field->size)};
  layout.context_labels = labels_of(*context);
  layout.depth_labels = labels_of(*depth);
  const auto place = [&](const char* name) { return channel->label_index("field", name); };
  layout.signal = place("signal");
  layout.error = place("se");
  layout.without = place("nll_without");
  layout.tokens = place("token_accuracy");
  layout.exact = place("exact_accuracy");
  layout.trials = place("trials");
  return layout.signal < 0 ? std::nullopt : std::optional(layout);
}

// Old samples may be thinned: then the last value of a summary stands for them, as in every picture.
double value_at(const Series& series, std::size_t sample) {
  if (sample >= series.exact_from()) return series.at(sample);
  const Bucket bucket = series.fold(sample, std::min(sample + Series::kFanOut, series.size()));
  return bucket.has_value() ? bucket.last : kUnknown;
}

NeedleCell cell_at(const Track& track, const Layout& layout, std::size_t sample, std::size_t context,
                   std::size_t depth) {
  const std::size_t first = (context * layout.depths + depth) * layout.fields;
  const auto field = [&](std::int64_t place) {
    return place < 0 ? kUnknown : value_at(track.elements[first + static_cast<std::size_t>(place)], sample);
  };
  NeedleCell cell{field(layout.signal), field(layout.error), field(layout.without),
                  field(layout.tokens), field(layout.exact), 0};
  const double trials = field(layout.trials);
  if (std::isfinite(trials)) cell.trials = std::llround(trials);
  return cell;
}

std::vector<NeedleCell> cells_at(const Track& track, const Layout& layout, std::size_t sample,
                                 std::size_t context) {
  std::vector<NeedleCell> cells;
  for (std::size_t depth = 0; depth < layout.depths; ++depth)
    cells.push_back(cell_at(track, layout, sample, context, depth));
  return cells;
}

bool any_evaluated(const std::vector<NeedleCell>& cells) {
  return std::ranges::any_of(cells, &NeedleCell::is_evaluated);
}

double number_in(const std::string& text) {
  double value = kUnknown;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end != text.data() ? value : kUnknown;
}

std::int64_t training_context(const Run& run) {
  const Json json = Json::parse(run.schema()->experiment_json, nullptr, false);
  const Json::json_pointer place("/model/context");
  return json.is_object() && json.contains(place) && json.at(place).is_number_integer()
             ? json.at(place).get<std::int64_t>()
             : 0;
}

// What the experiment evaluates when nothing is named.
std::vector<int> scheduled_multiples(const Run& run) {
  std::vector<int> multiples;
  const Json json = Json::parse(run.schema()->experiment_json, nullptr, false);
  const Json::json_pointer place("/evaluation/needle_contexts");
  if (!json.is_object() || !json.contains(place) || !json.at(place).is_array()) return multiples;
  for (const Json& multiple : json.at(place)) {
    if (multiple.is_number_integer()) multiples.push_back(multiple.get<int>());
  }
  return multiples;
}

// Why a context has no numbers, where the run says so: its text needs more tokens than there are, or it ran
// out of memory after the step of the last evaluation.
std::string reason_of(const Run& run, const std::string& label, std::uint64_t up_to) {
  const double multiple = number_in(label);
  std::string reason = "not evaluated";
  for (const Event& event : run.events()) {
    if (event.step > up_to) break;
    if (event.kind == "note" && event.words.find("needle at " + label + " is not applicable") == 0)
      reason = event.words.substr(event.words.find("not applicable"));
    if (event.kind != "warning") continue;
    const Json json = Json::parse(event.json, nullptr, false);
    const auto context = json.is_object() ? json.find("context") : json.end();
    if (json.is_object() && json.value("what", "") == "evaluation" && context != json.end() &&
        context->is_number() && context->get<double>() == multiple)
      reason = event.words;
  }
  return reason;
}

NeedleContext context_at(const Run& run, const Track& track, const Layout& layout, std::size_t context,
                         std::uint64_t step) {
  NeedleContext made;
  made.label = layout.context_labels[context];
  const double multiple = number_in(made.label);
  if (const std::int64_t tokens = training_context(run); tokens > 0 && std::isfinite(multiple))
    made.tokens = std::llround(multiple * static_cast<double>(tokens));
  made.cells.resize(layout.depths);
  const std::optional<std::size_t> newest = run.sample_at_or_before(track, step);
  for (std::size_t i = newest ? *newest + 1 : 0; i-- > 0;) {
    std::vector<NeedleCell> cells = cells_at(track, layout, i, context);
    if (!any_evaluated(cells)) continue;
    made.cells = std::move(cells);
    made.step = run.step_of_sample(track, i);
    break;
  }
  made.mean = mean_over_depths(made.cells);
  if (!made.step) made.missing = reason_of(run, made.label, step);
  return made;
}

NeedleRun run_at(const Run& run, const Layout& layout, const std::string& letter, std::uint64_t step) {
  const Track& track = *run.track("needle");
  NeedleRun made{run.id(), letter, layout.depth_labels, {}, {}};
  for (std::size_t depth = 0; depth < layout.depths; ++depth) {
    const double at = number_in(layout.depth_labels[depth]);
    made.depths.push_back(std::isfinite(at) ? at : static_cast<double>(depth));
  }
  for (std::size_t context = 0; context < layout.contexts; ++context)
    made.contexts.push_back(context_at(run, track, layout, context, step));
  return made;
}

// How a context is drawn: by colour and dash; in the run's colour where there are several runs.
void style(LinePicture& line, std::size_t context, bool is_comparison) {
  line.ink = is_comparison ? Ink::Run : Ink::Part;
  line.place = static_cast<double>(context);
  line.dash = kDashes[context % std::size(kDashes)];
  line.has_dots = line.has_errors = true;
}

// The mean over depths of one context over the visible steps.
LinePicture line_over_steps(const QueryFrame& frame, const Track& track, const Layout& layout,
                            std::size_t context, std::size_t lines, const NeedlePicture& picture) {
  const std::vector<std::size_t> boundaries = column_boundaries(frame, track, lines);
  LinePicture line;
  line.label = layout.context_labels[context];
  line.at_cursor = kUnknown;
  for (std::size_t i = 0; i + 1 < boundaries.size(); ++i) {
    for (std::size_t sample = boundaries[i + 1]; sample-- > boundaries[i];) {
      const NeedleMean mean = mean_over_depths(cells_at(track, layout, sample, context));
      if (!mean.is_known()) continue;
      const double value = shown(picture, mean.signal, mean.nll_without);
      const double error = shown(picture, mean.standard_error, mean.nll_without);
      Column column{
          frame.run.x_of_sample(track, sample, picture.axis), frame.run.step_of_sample(track, sample), {}};
      column.bucket = {
          value - error, value + error, value, value, static_cast<std::uint64_t>(mean.trials), 0};
      if (column.step <= frame.cursor_step()) line.at_cursor = value;
      line.columns.push_back(column);
      break;
    }
  }
  return line;
}

TrackPicture steps_track(const QueryFrame& frame, const std::vector<ComparedRun>& runs,
                         const NeedlePicture& picture) {
  TrackPicture track;
  track.id = "needle_steps";
  track.title = "Signal over training";
  track.detail = "mean over depths, ±1 SE, hollow within 2 SE of 0";
  track.unit = picture.unit;
  track.help = kHelp;
  track.levels.push_back({0, "below 0 the needle distracts", Ink::Text, Weight::Strong, "", 0});
  const auto add = [&](const QueryFrame& own, const std::string& letter) {
    const std::optional<Layout> layout = layout_of(own.run);
    const Track* needle = own.run.track("needle");
    if (!layout || needle == nullptr || !needle->is_light) return;
    const std::size_t lines = layout->contexts * std::max<std::size_t>(1, runs.size());
    for (std::size_t context = 0; context < layout->contexts; ++context) {
      LinePicture line = line_over_steps(own, *needle, *layout, context, lines, picture);
      if (line.columns.empty()) continue;
      if (!letter.empty()) line.label = letter + " " + line.label;
      if (&own.run != &frame.run) line.run = own.run.id();
      style(line, context, !runs.empty());
      track.lines.push_back(std::move(line));
    }
  };
  if (runs.empty()) add(frame, "");
  for (const ComparedRun& one : runs) add(one.is_selected ? frame : frame_of(frame, *one.run), one.letter);
  if (track.lines.empty()) track.missing = "No evaluation in this part of the time axis";
  fit_y(track);
  track.y.minimum = std::min(track.y.minimum, 0.0);
  track.y.maximum = std::max(track.y.maximum, 0.0);
  return track;
}

// The range of all curves with their bars and 0.
Range range_by_depth(const NeedlePicture& picture) {
  double least = 0, most = 0;
  for (const NeedleRun& run : picture.runs) {
    for (const NeedleContext& context : run.contexts) {
      for (const NeedleCell& cell : context.cells) {
        if (!cell.is_evaluated()) continue;
        const double value = shown(picture, cell.signal, cell.nll_without);
        const double error =
            std::isfinite(cell.standard_error) ? shown(picture, cell.standard_error, cell.nll_without) : 0.0;
        least = std::min(least, value - error);
        most = std::max(most, value + error);
      }
    }
  }
  return most > least ? nice_range(least, most, 4) : Range{-1, 1};
}

void add_runs(const QueryFrame& frame, NeedlePicture& picture) {
  const std::vector<ComparedRun>& compared = picture.banner.runs;
  const auto letter_of = [&](const Run& run) {
    const auto found = std::ranges::find(compared, &run, &ComparedRun::run);
    return found != compared.end() ? found->letter : std::string();
  };
  picture.runs.push_back(run_at(frame.run, *layout_of(frame.run), letter_of(frame.run), frame.cursor_step()));
  for (const ComparedRun& one : compared) {
    if (one.is_selected) continue;
    const std::optional<Layout> layout = layout_of(*one.run);
    const Track* track = one.run->track("needle");
    if (!layout || track == nullptr || !track->is_light) {
      picture.hidden += (picture.hidden.empty() ? "" : "; ") + one.letter + " records no needle evaluations";
      continue;
    }
    picture.runs.push_back(run_at(*one.run, *layout, one.letter, locked_step(frame, *one.run)));
    if (one.is_baseline) {
      picture.baseline = picture.runs.size() - 1;
      picture.may_subtract = comparable(*one.run, frame.run, frame.cursor_step()).allows_losses();
    }
  }
}

std::string at_step(std::uint64_t step) { return "step " + format_count(static_cast<std::int64_t>(step)); }

// Colours end where a person chose, else where those of pictures that are seen together do.
void set_limits(const NeedleSettings& settings, NeedleDifference& difference) {
  const double limit = settings.limit > 0 ? settings.limit : settings.common_limit;
  if (!difference.is_shown() || limit <= 0) return;
  difference.limits = {-limit, limit};
  difference.whose =
      settings.limit > 0 ? ", an end that was chosen" : ", the same for all that is seen together";
}

// A is a step of the picture's own run, else the pinned baseline.
void add_difference(const QueryFrame& frame, const NeedleSettings& settings, NeedlePicture& picture) {
  const NeedleRun& own = picture.runs.front();
  if (settings.against_step >= 0) {
    const auto step = static_cast<std::uint64_t>(settings.against_step);
    picture.difference = needle_difference(picture, run_at(frame.run, *layout_of(frame.run), "", step));
    picture.difference.a = at_step(step);
    picture.difference.b = at_step(picture.cursor_step);
    return;
  }
  picture.difference.is_wanted = true;
  if (!picture.baseline) {
    picture.difference.missing =
        frame.comparison.baseline == frame.run.id()
            ? "the selected run is the pinned baseline; select another run, or a step to compare with"
            : "pick a second run that records needle evaluations, or choose a step to compare with";
    return;
  }
  if (!picture.may_subtract) {
    picture.difference.missing = "these runs' signals may not be subtracted: their tokenizer or text differ";
    return;
  }
  const NeedleRun& before = picture.runs[*picture.baseline];
  picture.difference = needle_difference(picture, before);
  picture.difference.a =
      before.letter + " at " + at_step(locked_step(frame, *frame.timeline.find(before.run)));
  picture.difference.b = own.letter + " at " + at_step(picture.cursor_step);
}

// Without any sample: what would bring one.
void say_none(const QueryFrame& frame, NeedlePicture& picture) {
  const trace::Channel& channel = *frame.run.schema()->find("needle");
  if (frame.run.end() != nullptr || channel.cadence <= 0) {
    picture.state = PictureState::Empty;
    picture.words = kNoEvaluation;
    picture.action = {"Evaluate now", "train.evaluate"};
  } else {
    picture.words = fmt::format("First evaluation expected at step {}",
                                format_count(static_cast<std::int64_t>(frame.run.first_due_step(channel))));
  }
}

}  // namespace

double shown(const NeedlePicture& picture, double nats, double nll_without) {
  if (!picture.as_share) return nats;
  return nll_without > 0 ? nats / nll_without : kUnknown;
}

double accuracy_of(const NeedlePicture& picture, const NeedleCell& cell) {
  return picture.accuracy == NeedleAccuracy::WholeAnswers ? cell.exact_accuracy : cell.token_accuracy;
}

std::optional<InjectedNeedle> injected_needle(const Run& run, std::uint64_t step) {
  std::optional<InjectedNeedle> needle;
  for (const Event& event : run.events()) {
    if (event.step > step) break;
    if (event.kind != "needle_injected") continue;
    needle.reset();
    const Json json = Json::parse(event.json, nullptr, false);
    const auto depth = json.is_object() ? json.find("depth") : json.end();
    if (!json.is_object() || depth == json.end() || !depth->is_number() || depth->get<double>() < 0) continue;
    needle = {event.step, depth->get<double>(), {}};
    const auto positions = json.find("positions");
    for (const Json& position : positions != json.end() ? *positions : Json::array()) {
      if (position.is_number_integer()) needle->positions.push_back(position.get<std::int64_t>());
    }
  }
  return needle;
}

NeedlePicture needle_query(const QueryFrame& frame, const NeedleSettings& settings) {
  NeedlePicture picture;
  static_cast<Picture&>(picture) = begin_picture(frame, "needle", "needle");
  picture.title = "Needle retrieval";
  picture.as_share = settings.as_share;
  picture.accuracy = settings.accuracy;
  picture.unit = settings.as_share ? "of the ceiling" : "nats";
  picture.detail = settings.as_share ? "signal as a share of the loss without the needle"
                                     : "signal in nats per answer token";
  picture.help = kHelp;
  if (picture.state == PictureState::NotApplicable) {
    picture.words = "This run records no needle evaluations; every training preset does";
    return picture;
  }
  if (frame.run.schema() == nullptr) return picture;
  if (!layout_of(frame.run)) {
    picture.state = PictureState::Failed;
    picture.words =
        "The channel 'needle' has other axes than context, depth and field; its numbers cannot be read";
    return picture;
  }
  const bool has_samples = frame.run.track("needle")->size() > 0;
  if (!has_samples && picture.state != PictureState::Loading && picture.state != PictureState::Failed)
    say_none(frame, picture);
  picture.banner = comparison_banner(frame);
  picture.scheduled = scheduled_multiples(frame.run);
  picture.injected = injected_needle(frame.run, frame.cursor_step());
  add_runs(frame, picture);
  picture.tracks.push_back(steps_track(frame, picture.banner.runs, picture));
  picture.signal_y = range_by_depth(picture);
  if (settings.show_difference) {
    add_difference(frame, settings, picture);
    set_limits(settings, picture.difference);
  }
  if (picture.state != PictureState::Ready) return picture;
  picture.takeaway = needle_in_words(picture);
  if (settings.show_difference)
    picture.takeaway += (picture.takeaway.empty() ? "" : "; ") + difference_in_words(picture);
  picture.detail += ", step " + format_count(static_cast<std::int64_t>(picture.cursor_step));
  return picture;
}

}  // namespace sparsescope::viz
