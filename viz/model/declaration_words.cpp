#include "viz/model/declaration_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

std::string step_text(std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); }

std::string many(std::int64_t count, const char* one, const char* more) {
  return format_count(count) + " " + (count == 1 ? one : more);
}

double rate(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole)
                   : std::numeric_limits<double>::quiet_NaN();
}

std::string window_words(const DeclarationSettings& settings) {
  return settings.window > 0 ? "within " + format_count(settings.window) + " tokens" : "later";
}

std::string value_name(const DeclarationContent& content) {
  switch (content.settings.value) {
    case DeclarationValue::Margin:
      return std::isnan(content.sample->theta) ? "score" : "score − θ";
    case DeclarationValue::Count:
      return content.settings.rows == DeclarationRows::Ids ? "declarations" : "declared";
    case DeclarationValue::HitRate:
      return "came true " + window_words(content.settings);
    case DeclarationValue::FirstStep:
      return "first declared at step";
  }
  return {};
}

void add_rows(const DeclarationContent& content, const ProbeText& text, DeclarationPicture& picture) {
  picture.rows.clear();
  for (const DeclarationGroup& group : content.groups) {
    DeclarationRow row;
    row.id = group.id;
    row.word = group.id >= 0 ? text.word(group.id) : "?";
    row.occurrences = std::ssize(group.positions);
    if (content.settings.rows == DeclarationRows::Positions) row.position = group.positions.front();
    for (std::int64_t position : group.positions) {
      const auto p = static_cast<std::size_t>(position);
      row.declared += content.counts.by_position[p].declared;
      row.came_true += content.counts.by_position[p].came_true;
      row.covered += content.counts.read_by_query[p] > 0 ? 1 : 0;
    }
    picture.rows.push_back(std::move(row));
  }
}

void add_columns(const DeclarationContent& content, const ProbeText& text, DeclarationPicture& picture) {
  picture.columns.clear();
  const bool has_labels = content.sample->layer.has_labels();
  for (const DeclarationContent::Column& from : content.columns) {
    DeclarationColumn column;
    column.id = from.id;
    column.word = has_labels ? text.word(from.id) : fmt::format("row {}", from.id);
    column.is_of_sequence = from.row >= 0;
    if (from.row >= 0) {
      const auto row = static_cast<std::size_t>(from.row);
      column.occurrences = content.places.occurrences[row];
      column.declared = content.counts.by_row[row].declared;
      column.came_true = content.counts.by_row[row].came_true;
    }
    picture.columns.push_back(std::move(column));
  }
}

std::string hidden_words(const DeclarationContent& content, const ProbeText& text) {
  const DeclarationCounts& counts = content.counts;
  std::string words;
  if (content.settings.value == DeclarationValue::Margin) {
    const bool has_theta = !std::isnan(content.sample->theta);
    words = !content.sample->top.is_known()
                ? "No scores are recorded at this step: declarations stand at 0, the least they can be"
                : fmt::format(
                      "Scores are recorded for the {} best ids of each position, bits for ids of the "
                      "sequence: {} of {} declarations have a score here, the others {}",
                      content.sample->top.ranks(), format_count(content.scored),
                      format_count(counts.total.declared),
                      has_theta ? "stand at 0, the least they can be" : "are left out");
    if (!has_theta) words += "; θ is not recorded at this step, so scores are shown instead of margins";
    if (content.others_scored > 0)
      words += fmt::format("; {} scored above θ stand outside the sequence and are no columns",
                           format_count(content.others_scored));
  } else {
    words = fmt::format(
        "Bits are recorded for the {} ids of the sequence{}", format_count(content.sample->layer.rows()),
        text.has_vocabulary() ? fmt::format("; what is declared of the vocabulary's other {} is not counted",
                                            format_count(static_cast<std::int64_t>(text.vocabulary()) -
                                                         content.sample->layer.rows()))
                              : "");
  }
  if (counts.unknown_positions > 0)
    words += fmt::format("; {} an id outside the recorded ones and {} no queries here",
                         counts.unknown_positions == 1
                             ? "1 position holds"
                             : format_count(counts.unknown_positions) + " positions hold",
                         counts.unknown_positions == 1 ? "is" : "are");
  if (content.other && content.settings.change == DeclarationChange::Difference)
    words += "; equal cells are blank";
  if (content.other && content.settings.change == DeclarationChange::OnlyChanged)
    words += "; what is no longer declared has the colour below the scale";
  return words;
}

std::string most_declaring(const DeclarationContent& content, const DeclarationPicture& picture) {
  const auto most = std::max_element(
      picture.rows.begin(), picture.rows.end(),
      [](const DeclarationRow& a, const DeclarationRow& b) { return a.declared < b.declared; });
  if (most == picture.rows.end() || most->declared == 0)
    return "Nothing is declared at this step: every token reads its recent window";
  const std::string ids = format_count(content.sample->layer.rows());
  if (most->position >= 0)
    return fmt::format("{} at position {} declares the most: {} of {} ids", most->word,
                       format_count(most->position), format_count(most->declared), ids);
  return fmt::format("{} declares the most: {} of {} ids on average over {}", most->word,
                     format_number(rate(most->declared, most->occurrences), 3), ids,
                     many(most->occurrences, "position", "positions"));
}

std::string coverage_words(const DeclarationCounts& counts) {
  return fmt::format(
      "Direct density {} of past pairs; coverage {} of queries, empty rows {}; {} of {} ids are declared",
      format_percent(counts.direct_density(), 1), format_percent(counts.coverage(), 1),
      format_percent(1 - counts.coverage(), 1), format_count(counts.rows_declared),
      format_count(std::ssize(counts.by_row)));
}

std::string since_words(const DeclaredToken& token, const HistoryProgress& history) {
  if (!token.is_of_sequence) return "since when is recorded only for ids of the sequence";
  if (!history.is_wanted) return {};
  const std::string so_far =
      history.is_done()
          ? ""
          : fmt::format(" ({} of {} probes read)", format_count(static_cast<std::int64_t>(history.read)),
                        format_count(static_cast<std::int64_t>(history.total)));
  if (token.first_step) return "since step " + step_text(*token.first_step) + so_far;
  return "at no recorded probe" + so_far;
}

}  // namespace

double DeclarationRow::hit_rate() const { return rate(came_true, declared); }
double DeclarationColumn::hit_rate() const { return rate(came_true, declared); }

std::string declaration_help() {
  return "A past token p declares the vocabulary id v when its score S[v,p] = κ/√r · u_v·z_p exceeds the "
         "layer's threshold θ; a later token with id v then reads p directly.\n"
         "Rows declare, columns are declared. score − θ is the margin, known for each position's 8 best ids "
         "of the whole vocabulary; bits (declared or not) are known for all ids of the probe sequence.\n"
         "Came true: the share of declarations whose id stands at one of the next N tokens. Near the end of "
         "the sequence fewer than N tokens follow.\n"
         "First declared at step: the first recorded probe with that declaration, over the whole recording.\n"
         "Strips: how many ids of the sequence a row declares, the share of them that came true, and whether "
         "the row's token is declared by any token before it (covered) or reads an empty row.\n"
         "Coverage is the share of queries with at least one declaration; empty rows are the rest.\n"
         "Orders: by frequency in the text, by first appearance, by how often declared, and by likeness, the "
         "first axis of a correspondence analysis of who declares what.";
}

// The scale, and in words whose it is when it is not that of the data.
const char* set_scale(const DeclarationContent& content, const DeclarationSettings& settings,
                      DeclarationScale& scale) {
  const DeclarationValue value = content.settings.value;
  scale.low = content.low;
  scale.high = content.high;
  scale.is_difference = content.other && content.settings.change == DeclarationChange::Difference;
  scale.is_logarithmic = value == DeclarationValue::Count && content.settings.rows == DeclarationRows::Ids &&
                         !scale.is_difference;
  const bool is_fixed =
      !scale.is_difference && (value == DeclarationValue::HitRate || value == DeclarationValue::FirstStep);
  scale.data_limit = is_fixed ? 0 : content.high;
  const double limit = is_fixed ? 0 : settings.limit > 0 ? settings.limit : settings.common_limit;
  if (limit <= 0) return "";
  scale.high = std::max(limit, scale.is_logarithmic ? 2 * scale.low : limit);
  if (scale.is_difference) {
    scale.low = -scale.high;
  } else if (value == DeclarationValue::Margin) {
    scale.low = -scale.high / 3;  // the least share of colours for scores below theta
  }
  return settings.limit > 0 ? ", an end that was chosen" : ", the same for all that is seen together";
}

void describe_content(const DeclarationContent& content, const ProbeText& text, DeclarationPicture& picture) {
  const DeclarationSettings wanted = std::exchange(picture.settings, content.settings);
  picture.settings.search = wanted.search;
  picture.settings.limit = wanted.limit;
  picture.settings.common_limit = wanted.common_limit;
  picture.settings.against = wanted.against;
  picture.theta = content.sample->theta;
  picture.counts = content.counts;
  add_rows(content, text, picture);
  add_columns(content, text, picture);
  picture.cells = content.cells;
  picture.value_name = value_name(content);
  const char* whose = set_scale(content, picture.settings, picture.scale);
  picture.limits =
      fmt::format("Step {}, {} rows × {} ids, θ {}; {} from {} to {}{}", step_text(picture.step),
                  format_count(std::ssize(picture.rows)), format_count(std::ssize(picture.columns)),
                  format_number(picture.theta, 3), picture.value_name, format_number(picture.scale.low, 3),
                  format_number(picture.scale.high, 3), whose);
  picture.hidden = hidden_words(content, text);
  picture.coverage = coverage_words(content.counts);
}

void set_detail(DeclarationPicture& picture) {
  const DeclarationSettings& settings = picture.settings;
  const char* value = settings.value == DeclarationValue::Margin    ? "score − θ"
                      : settings.value == DeclarationValue::Count   ? "declarations"
                      : settings.value == DeclarationValue::HitRate ? "hit rate"
                                                                    : "first declared at step";
  picture.detail = fmt::format("layer {}", picture.layer);
  // Declarations are recorded at fewer steps than the cursor has.
  if (picture.state == PictureState::Ready) picture.detail += ", step " + step_text(picture.step);
  picture.detail += fmt::format(", {}", picture.value_name.empty() ? value : picture.value_name);
  if (picture.other_step) {
    picture.detail +=
        settings.change == DeclarationChange::Difference ? ", difference to " : ", only what changed since ";
    if (settings.against == DeclarationAgainst::Baseline) picture.detail += "the pinned baseline at ";
    picture.detail += "step " + step_text(*picture.other_step);
  }
  picture.detail += fmt::format("; ids {}", order_words(settings.order));
}

void set_takeaway(const DeclarationContent& content, const ProbeText& text, DeclarationPicture& picture) {
  const DeclarationCounts& counts = content.counts;
  if (picture.settings.value == DeclarationValue::FirstStep && content.cells->value_count() > 0) {
    const double middle = static_cast<double>(content.cells->quantiles()[128]);
    picture.takeaway = fmt::format(
        "{} of all pairs are declared at some probe read so far; half of them first by step {}",
        format_percent(
            rate(content.cells->value_count(), std::ssize(picture.rows) * std::ssize(picture.columns)), 1),
        format_count(std::lround(middle)));
    return;
  }
  if (content.other) {
    picture.takeaway = fmt::format(
        "{} more and {} fewer than at {}", many(content.gained, "declaration", "declarations"),
        format_count(content.lost),
        content.settings.against == DeclarationAgainst::Baseline ? "the pinned baseline"
                                                                 : "step " + step_text(content.other->step));
    return;
  }
  picture.takeaway = most_declaring(content, picture);
  if (counts.total.declared == 0) return;
  const std::int64_t pairs = content.sample->layer.positions() * content.sample->layer.rows();
  picture.takeaway +=
      fmt::format("; {} of all pairs are declared", format_percent(rate(counts.total.declared, pairs), 1));
  if (!text.ids().empty())
    picture.takeaway += fmt::format(", {} of them come true {}", format_percent(counts.hit_rate()),
                                    window_words(content.settings));
}

DeclaredToken declared_token(const DeclarationContent& content, const DeclarationHistory& history,
                             const ProbeText& text, std::int64_t id, const DeclarationPicture& picture) {
  const DeclaredLayer& layer = content.sample->layer;
  DeclaredToken token;
  token.id = id;
  token.word = text.word(id);
  if (const auto column = content.column_of.find(id); column != content.column_of.end())
    token.column = column->second;
  const std::int64_t row = layer.has_labels() ? layer.row_of(id) : -1;
  token.is_of_sequence = row >= 0;
  if (row >= 0) {
    token.occurrences = content.places.occurrences[static_cast<std::size_t>(row)];
    token.came_true = content.counts.by_row[static_cast<std::size_t>(row)].came_true;
    for (std::int64_t p = 0; p < layer.positions(); ++p) {
      if (layer.declares(p, row)) token.declarers.push_back(p);
    }
    if (history.matches(layer)) token.first_step = history.first(row);
  } else {
    const TopScores& top = content.sample->top;
    for (std::int64_t p = 0; p < top.positions(); ++p) {
      for (std::int64_t rank = 0; rank < top.ranks(); ++rank) {
        const auto entry = top.at(p, rank);
        if (entry && entry->id == id && entry->score > content.sample->theta) token.declarers.push_back(p);
      }
    }
  }
  const std::int64_t declarers = std::ssize(token.declarers);
  token.sentence =
      fmt::format("{} (id {}): declared by {} of {} positions", token.word, id,
                  declarers == 0 ? "none" : format_count(declarers), format_count(layer.positions()));
  if (const std::string since = since_words(token, picture.history); !since.empty())
    token.sentence += ", " + since;
  if (row < 0) {
    token.sentence += "; it does not stand in the sequence, so only best-scored declarers are known";
  } else if (declarers > 0) {
    token.sentence += fmt::format("; {} came true {}", format_percent(rate(token.came_true, declarers)),
                                  window_words(content.settings));
  }
  return token;
}

}  // namespace sparsescope::viz
