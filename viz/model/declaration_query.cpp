// From a run and a cursor to the picture of a declaration map: which samples it needs, what state they are
// in.
#include "viz/model/declaration_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/trace/error.h"
#include "viz/model/declaration_content.h"
#include "viz/model/declaration_words.h"
#include "viz/model/probe_text.h"

namespace sparsescope::viz {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostFound = 6;
constexpr std::size_t kLargeMap = std::size_t{1} << 18;  // cells; below, a map takes a few milliseconds
// A locked id makes the walk through the probes begin by itself when all of them are no more than this.
constexpr std::size_t kWalkUnasked = std::size_t{64} << 20;  // bytes

std::string step_text(std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); }

// θ at a probe. Before the first step no threshold is recorded, but the first one tells how far it came.
double theta_at(const Run& run, std::int64_t layer, std::uint64_t step) {
  const Track* track = run.track("threshold");
  const Series* theta = run.series("threshold", {std::to_string(layer), "theta"});
  if (theta == nullptr || track->size() == 0) return kUnknown;
  const auto sample = run.sample_at_or_before(*track, step);
  if (sample) return run.step_of_sample(*track, *sample) == step ? theta->at(*sample) : kUnknown;
  const Series* moved = run.series("threshold", {std::to_string(layer), "displacement"});
  return moved != nullptr && step == 0 ? theta->at(0) - moved->at(0) : kUnknown;
}

// Bits and scores of a run at a step, as far as they are at hand.
struct Sides {
  RowCache::State state = RowCache::State::Missing;
  std::string message;
  std::uint64_t step = 0;
  ChannelDataPtr bits, top;
};

Sides read_side(Run& run, std::uint64_t step) {
  Sides side;
  Run::Heavy bits = run.heavy("declared", step);
  side.state = bits.state;
  side.message = bits.message;
  side.step = bits.step;
  side.bits = bits.data;
  if (run.track("declared_top") == nullptr) return side;
  // Of the same probe: an older one would lie about this one.
  Run::Heavy top = run.heavy("declared_top", bits.step);
  if (top.step == bits.step) side.top = top.data;
  if (side.state == RowCache::State::Ready && top.state == RowCache::State::Loading) side.state = top.state;
  return side;
}

DeclarationSample sample_of(const Run& run, const Sides& side, std::int64_t layer) {
  DeclarationSample sample{DeclaredLayer(*run.schema()->find("declared"), side.bits, layer),
                           {},
                           theta_at(run, layer, side.step),
                           side.step};
  if (side.top) sample.top = TopScores(*run.schema()->find("declared_top"), side.top, layer);
  return sample;
}

// Rows of light channels are put together anew each time, so their bytes are compared.
bool is_same(const ChannelDataPtr& a, const ChannelDataPtr& b) {
  return a == b || (a && b && a->bytes == b->bytes);
}

// Whether two maps show the same: compares what they are made of.
bool is_made_of_the_same(const DeclarationContent& a, const DeclarationContent& b) {
  const auto step = [](const DeclarationContent& content) {
    return content.other ? std::optional(content.other->step) : std::nullopt;
  };
  return a.run == b.run && a.other_run == b.other_run && a.layer_index == b.layer_index &&
         a.settings == b.settings && a.sample->step == b.sample->step && step(a) == step(b) &&
         is_same(a.bits, b.bits) && is_same(a.top, b.top) && is_same(a.other_bits, b.other_bits) &&
         is_same(a.other_top, b.other_top) && a.text == b.text && a.history_version == b.history_version;
}

bool is_equal(Run& a, Run& b, const char* channel, bool& is_loading) {
  const bool has_a = a.track(channel) != nullptr, has_b = b.track(channel) != nullptr;
  if (!has_a && !has_b) return true;
  if (has_a != has_b) return false;
  const Run::Heavy of_a = a.heavy(channel, a.newest_step()), of_b = b.heavy(channel, b.newest_step());
  is_loading |= of_a.state == RowCache::State::Loading || of_b.state == RowCache::State::Loading;
  if (!of_a.data || !of_b.data) return of_a.state == of_b.state;
  return of_a.data->bytes == of_b.data->bytes;
}

class Query {
 public:
  Query(const QueryFrame& frame, const DeclarationSettings& settings, DeclarationMemory& memory)
      : frame_(frame), run_(frame.run), memory_(memory) {
    picture_.settings = settings;
  }

  DeclarationPicture picture(const CellBlock& visible) {
    begin_head(frame_, "declarations", "declared", picture_);
    picture_.title = "Declaration map";
    picture_.help = declaration_help();
    if (run_.schema() != nullptr && run_.track("declared") == nullptr) return not_declaring();
    picture_.newest_step = run_.newest_step();
    choose_layer();
    set_no_baseline();
    set_shape();
    if (picture_.state == PictureState::Ready) read();
    set_detail(picture_);
    picture_.visible = visible.rows > 0 && visible.columns > 0
                           ? visible
                           : CellBlock{0, 0, static_cast<int>(picture_.rows.size()),
                                       static_cast<int>(picture_.columns.size())};
    return std::move(picture_);
  }

 private:
  DeclarationPicture not_declaring() {
    picture_.state = PictureState::Empty;
    picture_.words =
        "This model makes no declarations. The presets spark-collapse and spark-in-scope do; they record the "
        "channel 'declared'";
    picture_.action = Action{"Train spark-collapse", "train.preset.spark-collapse"};
    return std::move(picture_);
  }

  void choose_layer() {
    const trace::Channel* channel = run_.schema() != nullptr ? run_.schema()->find("declared") : nullptr;
    const trace::Axis* layers = channel != nullptr ? channel->axis("layer") : nullptr;
    picture_.layers = layers != nullptr ? layers->size : 0;
    const std::int64_t wanted = frame_.locked.layer.value_or(picture_.settings.layer);
    picture_.layer = wanted < 0 ? picture_.layers - 1 : std::min(wanted, picture_.layers - 1);
  }

  void set_no_baseline() {
    const auto& pinned = frame_.comparison.baseline;
    Run* other = pinned ? frame_.timeline.find(*pinned) : nullptr;
    if (other == nullptr) {
      picture_.no_baseline = "Pick a second run to see the difference to it";
    } else if (other->id() == run_.id()) {
      picture_.no_baseline = "This run is the pinned baseline itself";
    } else if (other->track("declared") == nullptr) {
      picture_.no_baseline = "The pinned baseline makes no declarations";
    } else if (picture_.settings.value == DeclarationValue::FirstStep) {
      picture_.no_baseline = "The map of first steps is of one run; choose another value to compare";
    } else {
      bool is_loading = false;
      const bool same_words = is_equal(run_, *other, "vocabulary", is_loading) &&
                              is_equal(run_, *other, "vocabulary_ends", is_loading);
      const bool same_text = is_equal(run_, *other, "probe_ids", is_loading);
      if (is_loading) {
        picture_.no_baseline = "Reading the vocabulary of the pinned baseline";
      } else if (!same_words) {
        picture_.no_baseline = "The pinned baseline has another vocabulary, so its ids mean other words";
      } else if (!same_text) {
        picture_.no_baseline = "The pinned baseline was probed on another text, so its positions differ";
      }
    }
  }

  void read() {
    const ProbeText text(run_, picture_.cursor_step);
    const Sides side = read_side(run_, picture_.cursor_step);
    picture_.step = side.step;
    const RowCache::State words = run_.heavy("vocabulary", picture_.cursor_step).state;
    if (!text.has_vocabulary() && words != RowCache::State::Loading)
      picture_.title = "Declaration map, ids as numbers";
    if (text.state() == RowCache::State::Loading || side.state == RowCache::State::Loading)
      return wait("Reading step " + step_text(side.step));
    if (text.state() == RowCache::State::Failed) return fail(text.message());
    if (side.state != RowCache::State::Ready) {
      heavy_sample(frame_, "declared", picture_);  // says why
      return;
    }
    try {
      show(text, side);
    } catch (const Error& error) {
      fail(error.what());
    }
  }

  void wait(std::string words) {
    picture_.state = PictureState::Loading;
    picture_.words = std::move(words);
    picture_.unread_rows = std::ssize(picture_.rows);
  }
  void fail(std::string words) {
    picture_.state = PictureState::Failed;
    picture_.words = std::move(words);
  }

  // As many rows and columns as there will be, so that a map that is still being read has its axes.
  void set_shape() {
    const trace::Channel* channel = run_.schema() != nullptr ? run_.schema()->find("declared") : nullptr;
    const trace::Axis* ids = channel != nullptr ? channel->axis("id") : nullptr;
    const trace::Axis* positions = channel != nullptr ? channel->axis("position") : nullptr;
    if (ids == nullptr || positions == nullptr) return;
    const bool by_position = picture_.settings.rows == DeclarationRows::Positions;
    picture_.rows.resize(static_cast<std::size_t>(by_position ? positions->size : ids->size));
    picture_.columns.resize(static_cast<std::size_t>(ids->size));
  }

  void show(const ProbeText& text, const Sides& side) {
    auto content = std::make_shared<DeclarationContent>();
    content->run = run_.id();
    content->layer_index = picture_.layer;
    content->settings = picture_.settings;
    // What does not change the values.
    content->settings.search.clear();
    content->settings.limit = content->settings.common_limit = 0;
    content->bits = side.bits;
    content->top = side.top;
    content->text = text.ids();
    content->sample = std::make_shared<const DeclarationSample>(sample_of(run_, side, picture_.layer));
    if (!add_other(*content)) return;
    walk(text);
    content->history_version = history_version();
    if (!memory_.content || !is_made_of_the_same(*memory_.content, *content)) {
      if (!make(std::move(content))) return wait("Putting together the map of step " + step_text(side.step));
    }
    picture_.content = memory_.content;
    describe_content(*memory_.content, text, picture_);
    find_tokens(text);
    set_takeaway(*memory_.content, text, picture_);
  }

  // False: it is being made aside; the run is kept busy until it is there.
  bool make(std::shared_ptr<DeclarationContent> content) {
    const bool is_large = picture_.rows.size() * picture_.columns.size() > kLargeMap;
    if (!is_large || memory_.work == DeclarationWork::Here) {
      fill_content(*content, memory_.history);
      memory_.content = std::move(content);
      return true;
    }
    if (const auto made = memory_.making.take(); made && is_made_of_the_same(**made, *content)) {
      memory_.content = *made;
      return true;
    }
    if (!memory_.making.is_busy()) {
      DeclarationHistory history;
      if (content->settings.value == DeclarationValue::FirstStep) history = memory_.history;
      memory_.making.begin([content, history = std::move(history)] {
        fill_content(*content, history);
        // The levels of a map that fits a window, so that drawing it for the first time makes none.
        const Cells& cells = *content->cells;
        for (const auto& [down, across] : {std::pair{2, 2}, {3, 2}})
          cells.level(std::min(down, cells.levels_down()), std::min(across, cells.levels_across()));
        return content;
      });
    }
    run_.keep_busy();
    return false;
  }

  // The sample it is compared with; false when it is still being read.
  bool add_other(DeclarationContent& content) {
    DeclarationSettings& settings = content.settings;
    if (settings.value == DeclarationValue::FirstStep) settings.against = DeclarationAgainst::Nothing;
    if (settings.against == DeclarationAgainst::Baseline && !picture_.no_baseline.empty()) {
      settings.against = DeclarationAgainst::Nothing;
      picture_.behind = picture_.no_baseline;
    }
    if (settings.against == DeclarationAgainst::Nothing) return true;
    Run& other = settings.against == DeclarationAgainst::Step
                     ? run_
                     : *frame_.timeline.find(*frame_.comparison.baseline);
    const std::uint64_t step =
        settings.against == DeclarationAgainst::Step ? settings.against_step : picture_.cursor_step;
    const Sides side = read_side(other, step);
    if (side.state == RowCache::State::Loading) {
      wait("Reading step " + step_text(side.step) + " to compare with");
      return false;
    }
    if (side.state != RowCache::State::Ready) {
      picture_.problem = "Nothing to compare with: " + side.message;
      settings.against = DeclarationAgainst::Nothing;
      return true;
    }
    content.other_run = other.id();
    content.other_bits = side.bits;
    content.other_top = side.top;
    auto sample = std::make_shared<const DeclarationSample>(sample_of(other, side, picture_.layer));
    if (sample->layer.ids() != content.sample->layer.ids() ||
        sample->layer.positions() != content.sample->layer.positions()) {
      picture_.problem = "Nothing to compare with: the two probe sequences hold different ids";
      settings.against = DeclarationAgainst::Nothing;
      return true;
    }
    if (settings.value == DeclarationValue::Margin &&
        std::isnan(sample->theta) != std::isnan(content.sample->theta)) {
      picture_.problem = "θ is recorded at one of the two steps only, so margins cannot be compared";
      settings.against = DeclarationAgainst::Nothing;
      return true;
    }
    content.other = std::move(sample);
    picture_.other_step = side.step;
    return true;
  }

  void walk(const ProbeText& text) {
    const DeclarationSettings& settings = picture_.settings;
    const trace::Channel& channel = *run_.schema()->find("declared");
    const std::size_t bytes = channel.unit_bytes() * run_.track("declared")->size();
    HistoryProgress& progress = picture_.history;
    progress.is_wanted = settings.value == DeclarationValue::FirstStep ||
                         ((!settings.search.empty() || frame_.locked.vocabulary_id) && bytes <= kWalkUnasked);
    if (!progress.is_wanted || text.state() != RowCache::State::Ready) return;
    DeclarationHistory& history = memory_.history;
    history.advance(run_, picture_.layer);
    progress.is_cancelled = history.is_cancelled();
    progress.read = history.read();
    progress.total = history.total();
    progress.missing = history.missing();
    progress.message = history.message();
  }

  // The map of first steps is made again when something new became known; of large maps in sixteen goes, so
  // that reading is not slowed down by drawing.
  std::uint64_t history_version() const {
    if (picture_.settings.value != DeclarationValue::FirstStep) return 0;
    const DeclarationHistory& history = memory_.history;
    const bool is_large = picture_.rows.size() * picture_.columns.size() > kLargeMap;
    const bool goes_on = !history.is_done() && !history.is_cancelled();
    if (!is_large || !goes_on) return history.version() + 1;
    return (std::uint64_t{1} << 63) +
           (history.read() + history.missing()) * 16 / std::max<std::size_t>(1, history.total());
  }

  void find_tokens(const ProbeText& text) {
    std::vector<std::int64_t> ids;
    const std::string& wanted = picture_.settings.search;
    if (!wanted.empty()) {
      ids = text.find(wanted, kMostFound);
      const std::string digits = wanted[0] == '#' ? wanted.substr(1) : wanted;
      std::int64_t id = -1;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
      if (ids.empty() && !text.has_vocabulary() && error == std::errc() &&
          end == digits.data() + digits.size())
        ids.push_back(id);
      // Those of the sequence first: about them everything is recorded.
      std::stable_partition(ids.begin(), ids.end(), [&](std::int64_t found) {
        return memory_.content->sample->layer.row_of(found) >= 0;
      });
      if (ids.empty())
        picture_.search_words = text.has_vocabulary()
                                    ? "No piece of the vocabulary contains '" + wanted + "'"
                                    : "This run records no vocabulary; look for an id by its number, as #17";
    } else if (frame_.locked.vocabulary_id) {
      ids.push_back(*frame_.locked.vocabulary_id);
    }
    for (std::int64_t id : ids)
      picture_.found.push_back(declared_token(*memory_.content, memory_.history, text, id, picture_));
  }

  const QueryFrame& frame_;
  Run& run_;
  DeclarationMemory& memory_;
  DeclarationPicture picture_;
};

}  // namespace

DeclarationPicture declaration_query(const QueryFrame& frame, const DeclarationSettings& settings,
                                     DeclarationMemory& memory, const CellBlock& visible) {
  return Query(frame, settings, memory).picture(visible);
}

DeclarationPicture declaration_picture(const QueryFrame& frame, const DeclarationSettings& settings) {
  DeclarationMemory memory;
  return declaration_query(frame, settings, memory);
}

}  // namespace sparsescope::viz
