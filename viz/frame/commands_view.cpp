// Commands of views: showing and closing each, copying what the front one shows, and its settings.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "imgui.h"
#include "viz/frame/command_builder.h"
#include "viz/model/format.h"

namespace sparsescope::frame {
namespace {

std::string why_no_view(State& state) {
  if (state.run() == nullptr) return why_no_run(state);
  return view_in_front(state) == nullptr ? "no view is open" : "";
}

std::size_t slot_of(const State& state, const viz::View* view) {
  const auto it = std::find_if(state.slots.begin(), state.slots.end(),
                               [&](const State::Slot& slot) { return slot.view.get() == view; });
  return static_cast<std::size_t>(it - state.slots.begin());
}

// The next open view after the front one, in the order of the table, round the end.
void show_neighbour(State& state, int by) {
  const auto size = static_cast<int>(state.slots.size());
  const auto front = static_cast<int>(slot_of(state, view_in_front(state)));
  for (int i = 1; i <= size; ++i) {
    State::Slot& slot = state.slots[static_cast<std::size_t>((front + by * i + size * i) % size)];
    if (!slot.is_open) continue;
    state.view_to_show = slot.view->id();
    return;
  }
}

void add_showing(State& state, CommandBuilder& table) {
  static constexpr const char* kKeys[] = {"Alt+1", "Alt+2", "Alt+3", "Alt+4", "Alt+5",
                                          "Alt+6", "Alt+7", "Alt+8", "Alt+9"};
  for (std::size_t i = 0; i < state.slots.size(); ++i) {
    const std::string id(state.slots[i].view->id()), title(state.slots[i].view->title());
    table.add(
        "view." + id, "Show " + title,
        i < std::size(kKeys) ? std::vector<const char*>{kKeys[i]} : std::vector<const char*>{},
        [&state, i] {
          state.slots[i].is_open = true;
          state.show_start_page = false;
          state.view_to_show = state.slots[i].view->id();
        },
        {}, [&state, i] { return state.slots[i].is_open; });
  }
  const Reason needs_view = [&state] { return why_no_view(state); };
  table
      .add(
          "view.close", "Close the view in front", {"Ctrl+F4"},
          [&state] { state.slots[slot_of(state, view_in_front(state))].is_open = false; }, needs_view)
      .add(
          "view.next", "Next view", {"Ctrl+PageDown"}, [&state] { show_neighbour(state, 1); }, needs_view)
      .add(
          "view.previous", "Previous view", {"Ctrl+PageUp"}, [&state] { show_neighbour(state, -1); },
          needs_view);
}

void add_copying(State& state, CommandBuilder& table) {
  const Reason needs_view = [&state] { return why_no_view(state); };
  const auto copy = [&state](auto text_of) {
    return [&state, text_of] {
      const viz::View& view = *view_in_front(state);
      viz::ViewContext context{state.timeline, state.selection};
      const std::string text = (view.*text_of)(context);
      ImGui::SetClipboardText(text.c_str());
      const auto lines = 1 + std::count(text.begin(), text.end() - (text.ends_with('\n') ? 1 : 0), '\n');
      state.notify(fmt::format("Copied {}: {} {}", view.title(), viz::format_count(lines),
                               lines == 1 ? "line" : "lines"),
                   ui::Tone::Ok);
    };
  };
  table
      .add("view.copy_value", "Copy the values under the pointer, or at the cursor", {"Ctrl+C"},
           copy(&viz::View::values_text), needs_view)
      .add("view.copy_table", "Copy the view in front as text with its table", {"Ctrl+Shift+C"},
           copy(&viz::View::text_twin), needs_view);
}

// --- one command for each switch and number among a view's settings ---

std::string words_of(std::string key) {
  std::replace(key.begin(), key.end(), '_', ' ');
  return key;
}

nlohmann::json setting_of(const State& state, std::size_t slot, const std::string& key) {
  const nlohmann::json settings = state.slots[slot].view->settings();
  return settings.contains(key) ? settings[key] : nlohmann::json();
}

void set_setting(State& state, std::size_t slot, const std::string& key, nlohmann::json value) {
  nlohmann::json settings = state.slots[slot].view->settings();
  settings[key] = std::move(value);
  state.slots[slot].view->set_settings(settings);
}

// One of several by its name; the setting keeps its place in their order, or the name itself.
void add_choice(State& state, CommandBuilder& table, std::size_t slot, const std::string& key,
                const std::vector<std::string>& names) {
  const viz::View& view = *state.slots[slot].view;
  viz::CommandArgument argument{viz::CommandArgument::Kind::Choice, words_of(key)};
  argument.choices = [names] { return names; };
  argument.current = [&state, slot, key, names] {
    const nlohmann::json now = setting_of(state, slot, key);
    return now.is_string() ? now.get<std::string>() : names.at(now.get<std::size_t>());
  };
  table.ask(fmt::format("view.{}.{}", view.id(), key), fmt::format("{}: {}…", view.title(), words_of(key)),
            {}, std::move(argument), [&state, slot, key, names](const std::string& name) {
              const auto place = std::ranges::find(names, name) - names.begin();
              const bool is_name = setting_of(state, slot, key).is_string();
              set_setting(state, slot, key, is_name ? nlohmann::json(name) : nlohmann::json(place));
            });
}

void add_setting(State& state, CommandBuilder& table, std::size_t slot, const std::string& key,
                 const nlohmann::json& value) {
  const viz::View& view = *state.slots[slot].view;
  const std::string id = fmt::format("view.{}.{}", view.id(), key);
  const std::string words = fmt::format("{}: {}", view.title(), words_of(key));
  if (value.is_boolean()) {
    const auto is_on = [&state, slot, key] { return setting_of(state, slot, key) == true; };
    table.add(
        id, words, {}, [&state, slot, key, is_on] { set_setting(state, slot, key, !is_on()); }, {}, is_on);
  } else if (const std::span<const char* const> names = view.choices(key); !names.empty()) {
    add_choice(state, table, slot, key, {names.begin(), names.end()});
  } else if (value.is_number()) {
    viz::CommandArgument argument{value.is_number_integer() ? viz::CommandArgument::Kind::WholeNumber
                                                            : viz::CommandArgument::Kind::Number,
                                  words_of(key)};
    argument.current = [&state, slot, key] { return setting_of(state, slot, key).dump(); };
    table.ask(id, words + "…", {}, std::move(argument), [&state, slot, key](const std::string& text) {
      const double number = *viz::number_from_text(text);
      const bool is_whole = setting_of(state, slot, key).is_number_integer();
      set_setting(state, slot, key,
                  is_whole ? nlohmann::json(static_cast<std::int64_t>(number)) : nlohmann::json(number));
    });
  }
}

}  // namespace

viz::View* view_in_front(State& state) {
  viz::View* first = nullptr;
  for (State::Slot& slot : state.slots) {
    if (!slot.is_open || !slot.was_visible) continue;
    if (slot.view->id() == state.focused_view) return slot.view.get();
    if (first == nullptr) first = slot.view.get();
  }
  return first;
}

void add_view_commands(State& state) {
  CommandBuilder table(state);
  table.in("View");
  add_showing(state, table);
  add_copying(state, table);
  table.in("View settings");
  for (std::size_t slot = 0; slot < state.slots.size(); ++slot) {
    const nlohmann::json settings = state.slots[slot].view->settings();
    for (const auto& [key, value] : settings.items()) add_setting(state, table, slot, key, value);
  }
}

}  // namespace sparsescope::frame
