// The right panel: the locked tokens, then exact values of every light channel at the cursor.
#include <fmt/format.h>

#include <cmath>

#include "viz/frame/state.h"
#include "viz/model/format.h"

namespace sparsescope::frame {
namespace {

std::string label_of(const trace::Axis& axis, std::int64_t index) {
  if (index < static_cast<std::int64_t>(axis.labels.size()))
    return axis.labels[static_cast<std::size_t>(index)];
  return std::to_string(index);
}

std::string words_of(std::string label) {
  for (char& c : label) {
    if (c == '_') c = ' ';
  }
  return label;
}

// Counts read better whole, everything else with enough digits to tell neighbours apart.
std::string value_words(const std::string& label, double value) {
  if (label.ends_with("_bytes") || label == "memory_bytes") return viz::format_bytes(value);
  if (label == "tokens_seen") return viz::format_count(std::llround(value));
  return viz::format_number(value, 6);
}

struct Sample {
  const trace::Channel& channel;
  viz::Run& run;
  const viz::Track& track;
  std::size_t index;
  double at(std::int64_t element) const {
    return run.series(track, static_cast<std::size_t>(element))->at(index);
  }
};

void section_heading(const Sample& sample, std::uint64_t cursor_step) {
  ImGui::Dummy({0, px(4)});
  const std::uint64_t step = sample.run.step_of_sample(sample.track, sample.index);
  std::string words = words_of(sample.channel.name);
  words[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(words[0])));
  if (sample.channel.unit != "1" && !sample.channel.unit.empty()) words += ", " + sample.channel.unit;
  ui::heading(words.c_str());
  ui::tooltip(sample.channel.text);
  if (step != cursor_step) {
    ImGui::SameLine();
    ui::muted("from step " + viz::format_count(static_cast<std::int64_t>(step)));
  }
}

// A label and its value; a click copies the number to nine digits.
void value_row(const std::string& label, double value) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const ImVec2 corner{at.x + ImGui::GetContentRegionAvail().x, at.y + px(24)};
  if (ImGui::IsWindowHovered() && ImGui::IsMouseHoveringRect(at, corner)) {
    ImGui::GetWindowDrawList()->AddRectFilled(at, corner, color(Token::Hover), px(3));
    ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
  }
  ui::row(words_of(label), value_words(label, value), Token::Text);
  const std::string exact = fmt::format("{:.9g}", value);
  ui::tooltip(exact, "Click copies it");
  if (ImGui::IsItemClicked()) ImGui::SetClipboardText(exact.c_str());
}

void list_rows(const Sample& sample) {
  const trace::Axis& axis = sample.channel.axes[0];
  for (std::int64_t i = 0; i < axis.size; ++i) {
    const std::string label = label_of(axis, i);
    value_row(label, sample.at(i));
  }
}

// A table: the first axis down (layers), one column of the second axis at a time, chosen by name.
void table_rows(State& state, const Sample& sample) {
  const trace::Axis& rows = sample.channel.axes[0];
  const trace::Axis& columns = sample.channel.axes[1];
  const bool is_locked = rows.name == "layer" && state.selection.locked.layer.has_value();
  const std::int64_t locked = is_locked ? *state.selection.locked.layer : rows.size - 1;
  for (std::int64_t r = 0; r < rows.size; ++r) {
    // Rows that a lock opens and closes forget nothing of those that a person did.
    ImGui::PushID(static_cast<int>(r + (is_locked ? rows.size : 0)));
    const bool is_chosen = is_locked && locked == r;
    const std::string title = fmt::format("{} {}", rows.name, label_of(rows, r));
    ImGui::SetNextItemOpen(locked == r, is_locked ? ImGuiCond_Always : ImGuiCond_Once);
    FontScope font(Font::Regular, kSmallText + 0.5f);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x;
    const bool open = ImGui::TreeNodeEx(
        title.c_str(), ImGuiTreeNodeFlags_SpanAvailWidth | (is_chosen ? ImGuiTreeNodeFlags_Selected : 0));
    if (ImGui::IsItemHovered() && rows.name == "layer") state.selection.hover.layer = r;
    const std::string first = value_words(label_of(columns, 0), sample.at(r * columns.size));
    const ImVec2 size = text_size(Font::Mono, kSmallText - 0.5f, first.c_str());
    if (!open)
      draw_text(ImGui::GetWindowDrawList(), Font::Mono, kSmallText - 0.5f,
                {at.x + width - size.x, at.y + px(2)}, color(Token::Muted), first.c_str());
    if (open) {
      for (std::int64_t c = 0; c < columns.size; ++c) {
        const std::string label = label_of(columns, c);
        value_row(label, sample.at(r * columns.size + c));
      }
      ImGui::TreePop();
    }
    ImGui::PopID();
  }
}

// Deeper arrays are pictures, not lists: say how large and leave them to their view.
void summary_row(const Sample& sample) {
  std::string shape;
  for (const trace::Axis& axis : sample.channel.axes)
    shape += (shape.empty() ? "" : " × ") + fmt::format("{} {}", axis.size, axis.name);
  ui::row(shape, "", Token::Muted);
}

void draw_values(State& state, viz::Run& run) {
  const std::uint64_t step = state.timeline.cursor().step();
  for (const trace::Channel& channel : run.schema()->channels) {
    const viz::Track* track = run.track(channel.id);
    if (track == nullptr || !track->is_light || track->elements.empty()) continue;
    const std::optional<std::size_t> index = run.sample_at_or_before(*track, step);
    if (!index) continue;
    const Sample sample{channel, run, *track, *index};
    ImGui::PushID(static_cast<int>(channel.id));
    section_heading(sample, step);
    if (channel.axes.size() == 1) {
      list_rows(sample);
    } else if (channel.axes.size() == 2) {
      table_rows(state, sample);
    } else {
      summary_row(sample);
    }
    ImGui::PopID();
  }
}

}  // namespace

void draw_inspector(State& state, const Area& area) {
  if (begin_region("inspector", area, Token::Panel, {14, 12}, Scroll::Vertical)) {
    viz::Run* run = state.run();
    const std::uint64_t step = state.timeline.cursor().step();
    if (run != nullptr && run->schema() != nullptr && run->track("probe_ids") != nullptr) {
      viz::ViewContext context{state.timeline, state.selection};
      context.size = ImGui::GetContentRegionAvail();
      state.token_panel.draw(context, *run);
      ImGui::Dummy({0, px(8)});
      ImGui::Separator();
      ImGui::Dummy({0, px(4)});
    }
    {
      FontScope font(Font::SemiBold, kBodyText);
      ImGui::Text("At step %s", viz::format_count(static_cast<std::int64_t>(step)).c_str());
    }
    if (run == nullptr || run->schema() == nullptr || run->rows() == 0) {
      ui::muted("Nothing has been recorded yet");
    } else {
      if (const std::optional<std::size_t> row = run->row_at_or_before(step)) {
        ui::muted(
            fmt::format("{} after the start", viz::format_duration(run->x(*row, viz::TimeAxis::WallTime))));
      }
      draw_values(state, *run);
    }
  }
  end_region();
}

}  // namespace sparsescope::frame
