// Which layouts there are, which one a kind of run opens with, and their commands.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "viz/frame/command_builder.h"
#include "viz/frame/layouts.h"
#include "viz/frame/time_choices.h"

namespace sparsescope::frame {
namespace {

using nlohmann::json;
constexpr const char* kFallback = "overview";  // for runs that no other stock layout is for

bool records_all(const viz::Run& run, const json& channels) {
  for (const json& channel : channels) {
    if (!channel.is_string() || run.schema()->find(channel.get<std::string>()) == nullptr) return false;
  }
  return true;
}

// A name that is a file name too.
std::string why_no_name(const std::string& name) {
  if (name.empty()) return "a layout has a name";
  const bool is_plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == ' ' || c == '-' || c == '_' || c >= 128;
  });
  return is_plain && name.size() <= 60 ? "" : "a name has letters, digits, spaces, - and _, at most 60";
}

std::string saved_name(const State& state) {
  const Layout* own = default_layout(state, state.layouts.kind);
  return own != nullptr && own->origin == KeptLayout::Origin::User ? own->name : "My " + state.layouts.kind;
}

void save(State& state, const std::string& name) {
  Layouts& layouts = state.layouts;
  int newest = 0;
  for (const Layout& layout : layouts.all) newest = std::max(newest, layout.json.value("saved", 0));
  json data = layout_now(state);
  data["title"] = name;
  data["kind"] = layouts.kind;
  data["side_panels"] = state.show_side_panels;
  data["time"] = time_choices_now(state);
  data["side_by_side"] = pairs_now(state);
  data["saved"] = newest + 1;
  const std::string failure = state.host.keep_layout({name, data.dump(2) + "\n", KeptLayout::Origin::User});
  if (!failure.empty()) return state.notify(failure, ui::Tone::Warn);
  const bool is_new = std::none_of(layouts.all.begin(), layouts.all.end(), [&](const Layout& layout) {
    return layout.origin == KeptLayout::Origin::User && layout.name == name;
  });
  std::erase_if(layouts.all, [&](const Layout& layout) {
    return layout.origin == KeptLayout::Origin::User && layout.name == name;
  });
  layouts.all.push_back({name, name, std::move(data), KeptLayout::Origin::User});
  state.notify(
      fmt::format("{} is {} for {} runs", name, is_new ? "the layout" : "now the layout", layouts.kind),
      ui::Tone::Ok);
  state.layouts_changed = true;
}

std::string why_not_drawn(State& state) {
  return state.layouts.is_drawn ? "" : "no view is on screen: train a preset or open a recording";
}

// Which of two layouts of one name is meant is told by its origin.
std::string command_of(const Layout& layout) {
  return std::string(layout.origin == KeptLayout::Origin::Stock ? "layout.stock." : "layout.mine.") +
         layout.name;
}

bool has_some_view(const State& state, const json& node) {
  if (!node.is_object()) return false;
  if (!node.contains("views"))
    return has_some_view(state, node.value("first", json())) ||
           has_some_view(state, node.value("second", json()));
  return std::any_of(node["views"].begin(), node["views"].end(), [&](const json& id) {
    return std::any_of(state.slots.begin(), state.slots.end(), [&](const State::Slot& slot) {
      return id.is_string() && slot.view->id() == id.get_ref<const std::string&>();
    });
  });
}

// A person may have edited the file: what the program reads without looking again is of the right kind.
bool is_well_formed(const json& layout) {
  const auto is = [&](const char* key, auto is_right) {
    const auto found = layout.find(key);
    return found == layout.end() || is_right(*found);
  };
  const auto is_pair = [](const json& value) {
    return value.is_array() && value.size() == 2 && value[0].is_number() && value[1].is_number();
  };
  const auto is_floating = [&](const json& list) {
    return list.is_array() && std::all_of(list.begin(), list.end(), [&](const json& entry) {
             return entry.is_object() && entry.contains("at") && entry.contains("size") &&
                    is_pair(entry["at"]) && is_pair(entry["size"]);
           });
  };
  return is("saved", [](const json& value) { return value.is_number_integer(); }) &&
         is("kind", [](const json& value) { return value.is_string(); }) && is("floating", is_floating);
}

}  // namespace

void load_layouts(State& state) {
  for (const KeptLayout& kept : state.host.layouts()) {
    json data = json::parse(kept.text, nullptr, false, true);
    if (!data.is_object() || !is_well_formed(data) || !has_some_view(state, data.value("tree", json()))) {
      state.notes.push_back(fmt::format("The layout {} is not one and is left alone", kept.name));
      continue;
    }
    const json title = data.value("title", json(kept.name));
    state.layouts.all.push_back(
        {kept.name, title.is_string() ? title.get<std::string>() : kept.name, std::move(data), kept.origin});
  }
}

const Layout* stock_layout(const State& state, const std::string& kind) {
  for (const Layout& layout : state.layouts.all) {
    if (layout.origin == KeptLayout::Origin::Stock && layout.name == kind) return &layout;
  }
  return nullptr;
}

const Layout* default_layout(const State& state, const std::string& kind) {
  const Layout* best = nullptr;
  for (const Layout& layout : state.layouts.all) {
    if (layout.origin != KeptLayout::Origin::User || layout.json.value("kind", std::string()) != kind)
      continue;
    if (best == nullptr || layout.json.value("saved", 0) > best->json.value("saved", 0)) best = &layout;
  }
  return best != nullptr ? best : stock_layout(state, kind);
}

std::string kind_of(const State& state, const viz::Run& run) {
  for (const Layout& layout : state.layouts.all) {
    const json channels = layout.json.value("channels", json::array());
    if (layout.origin == KeptLayout::Origin::Stock && channels.is_array() && !channels.empty() &&
        records_all(run, channels))
      return layout.name;
  }
  return kFallback;
}

void add_layout_commands(State& state) {
  state.commands.remove("layout.");
  CommandBuilder table(state);
  table.in("Layout");
  for (const Layout& layout : state.layouts.all) {
    const bool is_stock = layout.origin == KeptLayout::Origin::Stock;
    table.add(
        command_of(layout), fmt::format("Layout: {}{}", layout.title, is_stock ? "" : " (mine)"), {},
        [&state, data = layout.json] { show_layout(state, data); },
        [&state] { return why_not_drawn(state); });
  }
  viz::CommandArgument name{viz::CommandArgument::Kind::Text, "name"};
  name.current = [&state] { return saved_name(state); };
  name.why_not = why_no_name;
  table
      .ask(
          "layout.save", "Save the layout under a name…", {"Ctrl+S"}, std::move(name),
          [&state](const std::string& text) { save(state, text); }, [&state] { return why_not_drawn(state); })
      .add(
          "layout.reset_stock", "Reset to the stock layout", {"Alt+0"},
          [&state] { show_layout(state, stock_layout(state, state.layouts.kind)->json); },
          [&state]() -> std::string {
            if (const std::string reason = why_not_drawn(state); !reason.empty()) return reason;
            return stock_layout(state, state.layouts.kind) != nullptr ? "" : "no stock layout is installed";
          })
      .add(
          "layout.reset_mine", "Reset to my default layout", {"Alt+Shift+0"},
          [&state] { show_layout(state, default_layout(state, state.layouts.kind)->json); },
          [&state]() -> std::string {
            if (const std::string reason = why_not_drawn(state); !reason.empty()) return reason;
            const Layout* own = default_layout(state, state.layouts.kind);
            return own != nullptr && own->origin == KeptLayout::Origin::User
                       ? ""
                       : "no layout was saved for this kind of run; Ctrl+S saves one";
          });
}

}  // namespace sparsescope::frame
