#include "viz/model/declaration_content.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "engine/trace/error.h"

namespace sparsescope::viz {
namespace {

constexpr float kInvalid = std::numeric_limits<float>::quiet_NaN();
// Declared there and not here: below every scale.
constexpr float kLost = std::numeric_limits<float>::lowest();

void make_groups(DeclarationContent& content) {
  const std::int64_t positions = content.sample->layer.positions();
  const auto id_at = [&](std::int64_t p) {
    return p < std::ssize(content.text) ? std::int64_t{content.text[static_cast<std::size_t>(p)]} : -1;
  };
  if (content.settings.rows == DeclarationRows::Positions) {
    for (std::int64_t p = 0; p < positions; ++p) content.groups.push_back({id_at(p), {p}});
    return;
  }
  const DeclaredLayer& layer = content.sample->layer;
  std::vector<std::vector<std::int64_t>> positions_of(static_cast<std::size_t>(layer.rows()));
  for (std::int64_t p = 0; p < positions; ++p) {
    const std::int64_t row = layer.row_of(id_at(p));
    if (row >= 0) positions_of[static_cast<std::size_t>(row)].push_back(p);
  }
  for (std::int64_t row : ordered_rows(layer, content.counts, content.places, content.settings.order)) {
    auto& held = positions_of[static_cast<std::size_t>(row)];
    if (!held.empty())
      content.groups.push_back({layer.ids()[static_cast<std::size_t>(row)], std::move(held)});
  }
}

void add_column(DeclarationContent& content, std::int64_t id, std::int64_t row) {
  content.column_of[id] = std::ssize(content.columns);
  content.columns.push_back({id, row});
}

void make_columns(DeclarationContent& content) {
  const DeclaredLayer& layer = content.sample->layer;
  for (std::int64_t row : ordered_rows(layer, content.counts, content.places, content.settings.order))
    add_column(content, layer.ids()[static_cast<std::size_t>(row)], row);
  if (content.settings.value != DeclarationValue::Margin ||
      content.settings.ids == DeclarationIds::OfSequence || !layer.has_labels())
    return;
  // The others behind them, those that most positions score best first.
  std::unordered_map<std::int64_t, std::int64_t> counts;
  std::vector<std::int64_t> others;
  const TopScores& top = content.sample->top;
  for (std::int64_t p = 0; p < top.positions(); ++p) {
    for (std::int64_t rank = 0; rank < top.ranks(); ++rank) {
      const auto entry = top.at(p, rank);
      if (!entry || content.column_of.contains(entry->id)) continue;
      if (++counts[entry->id] == 1) others.push_back(entry->id);
    }
  }
  std::stable_sort(others.begin(), others.end(), [&](std::int64_t a, std::int64_t b) {
    return counts[a] != counts[b] ? counts[a] > counts[b] : a < b;
  });
  for (std::int64_t id : others) add_column(content, id, -1);
}

class Matrix {
 public:
  explicit Matrix(const DeclarationContent& content)
      : content_(content), columns_(content.columns.size()), groups_(content.groups.size()) {
    group_of_.assign(static_cast<std::size_t>(content.sample->layer.positions()), -1);
    for (std::size_t g = 0; g < groups_; ++g) {
      for (std::int64_t p : content.groups[g].positions)
        group_of_[static_cast<std::size_t>(p)] = static_cast<std::int64_t>(g);
    }
  }

  // Declarations whose score is not recorded stand at 0, the least they can be, or are left out.
  enum class Unscored { AtZero, LeftOut };
  std::vector<float> margins(const DeclarationSample& sample, Unscored unscored) const {
    std::vector<float> values(groups_ * columns_, Cells::absent());
    if (unscored == Unscored::AtZero) {
      values = counts(sample.layer, What::Declared);
      for (float& value : values) value = value > 0 ? 0 : Cells::absent();
    }
    const double theta = std::isnan(sample.theta) ? 0 : sample.theta;
    for (std::int64_t p = 0; p < sample.top.positions() && p < std::ssize(group_of_); ++p) {
      for (std::int64_t rank = 0; rank < sample.top.ranks(); ++rank) {
        const auto entry = sample.top.at(p, rank);
        const auto column = entry ? content_.column_of.find(entry->id) : content_.column_of.end();
        if (column == content_.column_of.end() || group_of_[static_cast<std::size_t>(p)] < 0) continue;
        float& value = at(values, p, column->second);
        const float margin =
            std::isfinite(entry->score) ? static_cast<float>(entry->score - theta) : kInvalid;
        if (Cells::is_absent(value) || std::isnan(margin) || margin > value) value = margin;
      }
    }
    return values;
  }

  // Declarations, or those of them that came true; 0 where there are none.
  enum class What { Declared, CameTrue };
  std::vector<float> counts(const DeclaredLayer& layer, What what) const {
    std::vector<float> values(groups_ * columns_, 0);
    const std::int64_t window = content_.settings.window > 0 ? content_.settings.window : kAllThatFollows - 1;
    for (std::size_t column = 0; column < columns_; ++column) {
      const std::int64_t row = content_.columns[column].row;
      if (row < 0) continue;
      std::vector<std::int64_t> next;
      if (what == What::CameTrue)
        next = distance_to_next(content_.text, layer.positions(), content_.columns[column].id);
      for (std::int64_t p = 0; p < layer.positions(); ++p) {
        if (!layer.declares(p, row) || group_of_[static_cast<std::size_t>(p)] < 0) continue;
        if (what == What::Declared || next[static_cast<std::size_t>(p)] <= window)
          at(values, p, static_cast<std::int64_t>(column)) += 1;
      }
    }
    return values;
  }

  std::vector<float> hit_rates(const DeclaredLayer& layer) const {
    std::vector<float> rates = counts(layer, What::CameTrue);
    const std::vector<float> declared = counts(layer, What::Declared);
    for (std::size_t i = 0; i < rates.size(); ++i)
      rates[i] = declared[i] > 0 ? rates[i] / declared[i] : Cells::absent();
    return rates;
  }

  std::vector<float> first_steps(const DeclarationHistory& history) const {
    std::vector<float> values(groups_ * columns_, Cells::absent());
    for (std::size_t column = 0; column < columns_; ++column) {
      for (std::int64_t p = 0; p < std::ssize(group_of_); ++p) {
        if (group_of_[static_cast<std::size_t>(p)] < 0) continue;
        const auto step = history.first(p, content_.columns[column].row);
        if (!step) continue;
        float& value = at(values, p, static_cast<std::int64_t>(column));
        const auto earlier = static_cast<float>(*step);
        value = Cells::is_absent(value) ? earlier : std::min(value, earlier);
      }
    }
    return values;
  }

  std::vector<float> values(const DeclarationSample& sample, const DeclarationHistory& history,
                            Unscored unscored) const {
    switch (content_.settings.value) {
      case DeclarationValue::Margin:
        return margins(sample, unscored);
      case DeclarationValue::Count:
        return counts(sample.layer, What::Declared);
      case DeclarationValue::HitRate:
        return hit_rates(sample.layer);
      case DeclarationValue::FirstStep:
        return first_steps(history);
    }
    return {};
  }

 private:
  float& at(std::vector<float>& values, std::int64_t position, std::int64_t column) const {
    return values[static_cast<std::size_t>(group_of_[static_cast<std::size_t>(position)]) * columns_ +
                  static_cast<std::size_t>(column)];
  }

  const DeclarationContent& content_;
  std::size_t columns_, groups_;
  std::vector<std::int64_t> group_of_;  // by position; -1: of none
};

// Zeros of counts are nothing to be seen; of a difference, cells that are equal.
void blank_zeros(std::vector<float>& values) {
  for (float& value : values) {
    if (value == 0) value = Cells::absent();
  }
}

// `values` become values - others; absent where one of both is.
void subtract(std::vector<float>& values, const std::vector<float>& others) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (Cells::is_absent(values[i]) || Cells::is_absent(others[i])) {
      values[i] = Cells::absent();
    } else {
      values[i] -= others[i];
    }
  }
}

// Whether any position of a group declares a column, in the sense that the value's channel knows.
std::vector<float> declared_marks(const DeclarationContent& content, const Matrix& matrix,
                                  const DeclarationSample& sample) {
  std::vector<float> marks = matrix.counts(sample.layer, Matrix::What::Declared);
  const std::size_t columns = content.columns.size();
  std::vector<float> margins;
  for (std::size_t column = 0; column < columns; ++column) {
    if (content.columns[column].row >= 0) continue;
    if (margins.empty()) margins = matrix.margins(sample, Matrix::Unscored::LeftOut);
    for (std::size_t g = 0; g < content.groups.size(); ++g) {
      const float margin = margins[g * columns + column];
      marks[g * columns + column] = margin > 0 ? 1 : 0;
    }
  }
  return marks;
}

void keep_changed(const DeclarationContent& content, const Matrix& matrix, std::vector<float>& values) {
  const std::vector<float> here = declared_marks(content, matrix, *content.sample),
                           there = declared_marks(content, matrix, *content.other);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if ((here[i] > 0) == (there[i] > 0)) {
      values[i] = Cells::absent();
    } else if (there[i] > 0) {
      values[i] = kLost;
    }
  }
}

void count_changes(DeclarationContent& content) {
  const DeclaredLayer &here = content.sample->layer, &there = content.other->layer;
  for (std::int64_t row = 0; row < here.rows(); ++row) {
    const auto now = here.bits(row), then = there.bits(row);
    for (std::size_t i = 0; i < now.size(); ++i) {
      content.gained += std::popcount(static_cast<std::uint8_t>(now[i] & ~then[i]));
      content.lost += std::popcount(static_cast<std::uint8_t>(then[i] & ~now[i]));
    }
  }
}

void count_scored(DeclarationContent& content) {
  const DeclarationSample& sample = *content.sample;
  for (std::int64_t p = 0; p < std::min(sample.top.positions(), sample.layer.positions()); ++p) {
    for (std::int64_t rank = 0; rank < sample.top.ranks(); ++rank) {
      const auto entry = sample.top.at(p, rank);
      if (!entry) continue;
      const std::int64_t row = sample.layer.has_labels() ? sample.layer.row_of(entry->id) : -1;
      if (row >= 0) content.scored += sample.layer.declares(p, row) ? 1 : 0;
      if (!content.column_of.contains(entry->id) && entry->score > sample.theta) ++content.others_scored;
    }
  }
}

void set_limits(DeclarationContent& content, const DeclarationHistory& history) {
  const std::optional<Range> extent = content.cells->extent();
  const bool is_difference = content.other && content.settings.change == DeclarationChange::Difference;
  switch (content.settings.value) {
    case DeclarationValue::Margin:
      // A quarter of the colours at least for scores below theta: declarations without a score stand out.
      content.high = std::max(extent ? extent->maximum : 0, 1e-6);
      content.low = std::min(extent && extent->minimum > static_cast<double>(kLost) ? extent->minimum : 0,
                             -content.high / 3);
      content.high = std::max(content.high, -content.low / 3);
      break;
    case DeclarationValue::Count:
      // By position there are only 0 and 1: 1 in the middle of the colours is legible on any ground.
      content.low = content.settings.rows == DeclarationRows::Ids ? 1 : 0;
      content.high = std::max(extent ? extent->maximum : 1, 2.0);
      break;
    case DeclarationValue::HitRate:
      break;
    case DeclarationValue::FirstStep:
      content.low = static_cast<double>(history.first_step());
      content.high = std::max(static_cast<double>(history.last_step()), content.low + 1);
      break;
  }
  if (!is_difference) return;
  const double least = content.settings.value == DeclarationValue::Count ? 2 : 1e-6;
  content.high = extent ? std::max({std::abs(extent->minimum), std::abs(extent->maximum), least}) : least;
  content.low = -content.high;
}

}  // namespace

TopScores::TopScores(const trace::Channel& channel, std::shared_ptr<const trace::ChannelData> row,
                     std::int64_t layer)
    : data_(std::move(row)) {
  const trace::Axis *layers = channel.axis("layer"), *positions = channel.axis("position"),
                    *ranks = channel.axis("rank"), *fields = channel.axis("field");
  id_field_ = channel.label_index("field", "id");
  score_field_ = channel.label_index("field", "score");
  if (channel.dtype != trace::DType::F32 || layers == nullptr || positions == nullptr || ranks == nullptr ||
      fields == nullptr || id_field_ < 0 || score_field_ < 0)
    throw Error("the channel 'declared_top' does not hold ids and scores by layer, position and rank");
  positions_ = positions->size;
  ranks_ = ranks->size;
  fields_ = fields->size;
  const auto one_layer = static_cast<std::size_t>(positions_ * ranks_ * fields_);
  if (layer < 0 || layer >= layers->size || data_->bytes.size() != channel.unit_bytes())
    throw Error("a row of the channel 'declared_top' has another size than its axes say");
  values_ = trace::values_as<float>(*data_).subspan(one_layer * static_cast<std::size_t>(layer), one_layer);
}

std::optional<TopScores::Entry> TopScores::at(std::int64_t position, std::int64_t rank) const {
  const auto base = static_cast<std::size_t>((position * ranks_ + rank) * fields_);
  const float id = values_[base + static_cast<std::size_t>(id_field_)];
  if (!(id >= 0) || id != std::floor(id)) return std::nullopt;
  return Entry{static_cast<std::int64_t>(id), values_[base + static_cast<std::size_t>(score_field_)]};
}

void fill_content(DeclarationContent& content, const DeclarationHistory& history) {
  const std::int64_t window = content.settings.window > 0 ? content.settings.window : kAllThatFollows - 1;
  content.counts = count_declarations(content.sample->layer, content.text, window);
  content.places = places_of(content.sample->layer, content.text);
  make_groups(content);
  make_columns(content);
  const Matrix matrix(content);
  const bool is_difference = content.other && content.settings.change == DeclarationChange::Difference;
  const bool has_theta = !std::isnan(content.sample->theta);
  const Matrix::Unscored unscored =
      is_difference || !has_theta ? Matrix::Unscored::LeftOut : Matrix::Unscored::AtZero;
  std::vector<float> values = matrix.values(*content.sample, history, unscored);
  if (is_difference) subtract(values, matrix.values(*content.other, history, unscored));
  if (is_difference || content.settings.value == DeclarationValue::Count) blank_zeros(values);
  if (content.other && !is_difference) keep_changed(content, matrix, values);
  if (content.other) {
    content.other_counts = count_declarations(content.other->layer, content.text, window);
    count_changes(content);
  }
  count_scored(content);
  content.cells =
      Cells::make(static_cast<int>(content.groups.size()), static_cast<int>(content.columns.size()),
                  std::move(values), is_difference ? Fold::LargestMagnitude : Fold::Largest);
  set_limits(content, history);
}

}  // namespace sparsescope::viz
