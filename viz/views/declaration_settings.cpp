// The settings of a declaration map: its popover, and their JSON.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "viz/model/annotations.h"
#include "viz/model/format.h"
#include "viz/views/comparison_row.h"
#include "viz/views/declaration_view.h"
#include "viz/widgets/controls.h"

namespace sparsescope::viz {
namespace {

constexpr std::size_t kMostBookmarks = 8;  // offered to compare with

// In the order of the enumerations.
constexpr const char* kValueNames[] = {"score − θ", "declarations", "hit rate", "first step"};
constexpr const char* kRowNames[] = {"by position", "by id"};
constexpr const char* kOrderNames[] = {"frequency", "first appearance", "declared most", "likeness"};
constexpr const char* kIdNames[] = {"of the sequence", "and other best-scored"};
constexpr const char* kAgainstNames[] = {"nothing", "a step", "pinned baseline"};
constexpr const char* kChangeNames[] = {"difference", "only what changed"};

std::span<const Bookmark> bookmarks_of(const ViewContext& context) {
  return context.annotations != nullptr ? std::span<const Bookmark>(context.annotations->bookmarks())
                                        : std::span<const Bookmark>();
}

template <typename Choice>
bool choose(const char* id, std::span<const char* const> names, Choice& choice) {
  int index = static_cast<int>(choice);
  if (!ui::segmented(id, names, index)) return false;
  choice = static_cast<Choice>(index);
  return true;
}

}  // namespace

bool DeclarationView::choose_value() { return choose("value", kValueNames, settings_.value); }

bool DeclarationView::choose_rows() { return choose("rows", kRowNames, settings_.rows); }

bool DeclarationView::draw_settings(ViewContext& context) {
  constexpr const char* kWindowNames[] = {"8", "32", "128", "all that follow"};
  constexpr std::int64_t kWindows[] = {8, 32, 128, 0};
  ui::muted("Value");
  bool changed = choose_value();
  ui::muted("Rows: who declares");
  changed |= choose_rows();
  ui::muted("Order of ids");
  changed |= choose("order", kOrderNames, settings_.order);
  if (settings_.value == DeclarationValue::Margin) {
    ui::muted("Columns: ids");
    changed |= choose("ids", kIdNames, settings_.ids);
  }
  ui::muted("Came true within N tokens");
  const auto* found = std::find(std::begin(kWindows), std::end(kWindows), settings_.window);
  int window = static_cast<int>(found - std::begin(kWindows));
  if (ui::segmented("window", kWindowNames, window)) {
    settings_.window = kWindows[window];
    changed = true;
  }
  if (!has_picture()) return changed;
  changed |= choose_limit();
  if (picture().layers > 1) {
    ui::muted(context.selection.locked.layer ? "Layer, locked: Esc releases it" : "Layer");
    double layer = static_cast<double>(picture().layer);
    if (ui::slider("layer", layer, 0, static_cast<double>(picture().layers - 1), ui::Steps::Linear, 160,
                   std::to_string(picture().layer))) {
      settings_.layer = static_cast<std::int64_t>(layer + 0.5);
      if (context.selection.locked.layer) context.selection.locked.layer = settings_.layer;
      changed = true;
    }
  }
  return draw_comparison_settings(context) || changed;
}

bool DeclarationView::choose_limit() {
  const DeclarationScale& scale = picture().scale;
  if (scale.data_limit <= 0) return false;
  bool is_chosen = settings_.limit > 0;
  ui::muted("Colours end");
  bool changed = ui::toggle("at a value of my choice", is_chosen);
  if (changed) settings_.limit = is_chosen ? scale.high : 0;
  if (settings_.limit > 0)
    changed |= ui::slider("limit", settings_.limit, scale.data_limit / 10, scale.data_limit * 10,
                          ui::Steps::Logarithmic, 160, format_number(settings_.limit, 3));
  return changed;
}

std::span<const char* const> DeclarationView::choices(std::string_view setting) const {
  if (setting == "value") return kValueNames;
  if (setting == "rows") return kRowNames;
  if (setting == "order") return kOrderNames;
  if (setting == "ids") return kIdNames;
  if (setting == "against") return kAgainstNames;
  if (setting == "change") return kChangeNames;
  return {};
}

std::optional<double> DeclarationView::data_limit() const {
  if (!has_picture() || picture().scale.data_limit <= 0) return std::nullopt;
  return picture().scale.data_limit;
}

void DeclarationView::set_common_limit(double limit) {
  if (limit == settings_.common_limit) return;
  settings_.common_limit = limit;
  forget();
}

bool DeclarationView::draw_comparison_settings(const ViewContext& context) {
  const DeclarationPicture& shown = picture();
  ui::muted("Compare with");
  if (settings_.value == DeclarationValue::FirstStep) {
    ui::muted("the map of first steps covers all steps already");
    return false;
  }
  DeclarationAgainst against = settings_.against;
  bool changed = false;
  if (choose("against", kAgainstNames, against)) {
    const bool is_possible =
        against != DeclarationAgainst::Baseline || shown.no_baseline.empty() || pick_second_run(context);
    if (is_possible) {
      settings_.against = against;
      changed = true;
    }
  }
  if (!shown.no_baseline.empty()) ui::muted(shown.no_baseline);
  offer_second_run(context);
  if (settings_.against == DeclarationAgainst::Nothing) return changed;
  ui::muted("Show");
  changed |= choose("change", kChangeNames, settings_.change);
  if (settings_.against != DeclarationAgainst::Step) return changed;
  const auto last = static_cast<double>(std::max<std::uint64_t>(1, std::max(shown.newest_step, shown.step)));
  double step = static_cast<double>(settings_.against_step);
  if (ui::slider("against step", step, 0, last, ui::Steps::Linear, 160,
                 "step " + format_count(static_cast<std::int64_t>(settings_.against_step)))) {
    settings_.against_step = static_cast<std::uint64_t>(step + 0.5);
    changed = true;
  }
  if (ImGui::SmallButton("The step at the cursor")) {
    settings_.against_step = shown.cursor_step;
    changed = true;
  }
  std::size_t listed = 0;
  for (const Bookmark& bookmark : bookmarks_of(context)) {
    if (++listed > kMostBookmarks) break;
    ImGui::PushID(static_cast<int>(bookmark.id));
    if (ImGui::SmallButton(words_of(bookmark).c_str())) {
      settings_.against_step = bookmark.step;
      changed = true;
    }
    ImGui::PopID();
  }
  return changed;
}

nlohmann::json DeclarationView::settings() const {
  nlohmann::json json = {{"value", static_cast<int>(settings_.value)},
                         {"rows", static_cast<int>(settings_.rows)},
                         {"order", static_cast<int>(settings_.order)},
                         {"ids", static_cast<int>(settings_.ids)},
                         {"layer", settings_.layer},
                         {"window", settings_.window},
                         {"against", static_cast<int>(settings_.against)},
                         {"change", static_cast<int>(settings_.change)},
                         {"against_step", settings_.against_step},
                         {"limit", settings_.limit},
                         {"search", settings_.search}};
  const auto range = [](const plot::AxisRange& axis) {
    return nlohmann::json{axis.shown.minimum, axis.shown.maximum};
  };
  if (!camera_.ids.follows) json["camera_ids"] = range(camera_.ids);
  if (!camera_.rows.follows) json["camera_rows"] = range(camera_.rows);
  return json;
}

void DeclarationView::set_settings(const nlohmann::json& json) {
  if (!json.is_object()) return;
  const auto number = [&](const char* name, std::int64_t least, std::int64_t most, std::int64_t otherwise) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_number_integer()) return otherwise;
    const auto value = found->get<std::int64_t>();
    return value >= least && value <= most ? value : otherwise;
  };
  const auto choice = [&](const char* name, int count, auto& value) {
    using Choice = std::remove_reference_t<decltype(value)>;
    value = static_cast<Choice>(number(name, 0, count - 1, static_cast<int>(value)));
  };
  choice("value", 4, settings_.value);
  choice("rows", 2, settings_.rows);
  choice("order", kDeclarationOrders, settings_.order);
  choice("ids", 2, settings_.ids);
  choice("against", 3, settings_.against);
  choice("change", 2, settings_.change);
  settings_.layer = number("layer", -1, 1 << 20, settings_.layer);
  settings_.window = number("window", 0, std::int64_t{1} << 40, settings_.window);
  settings_.against_step = static_cast<std::uint64_t>(
      number("against_step", 0, std::int64_t{1} << 53, static_cast<std::int64_t>(settings_.against_step)));
  if (const auto limit = json.find("limit"); limit != json.end() && limit->is_number())
    settings_.limit = std::max(0.0, limit->get<double>());
  if (const auto search = json.find("search"); search != json.end() && search->is_string())
    settings_.search = search->get<std::string>();
  const auto range = [&](const char* name, plot::AxisRange& axis) {
    const auto found = json.find(name);
    axis = {};
    if (found == json.end() || !found->is_array() || found->size() != 2 || !(*found)[0].is_number() ||
        !(*found)[1].is_number())
      return;
    const Range shown{(*found)[0].get<double>(), (*found)[1].get<double>()};
    if (shown.width() > 0) axis = {shown, false};
  };
  range("camera_ids", camera_.ids);
  range("camera_rows", camera_.rows);
  forget();
}

}  // namespace sparsescope::viz
