// Commands of the trainer's live controls, generated from its list: each may be set, moved by a notch, or
// switched.
#include <fmt/format.h>

#include "viz/frame/command_builder.h"
#include "viz/frame/control_values.h"

namespace sparsescope::frame {
namespace {

struct ControlKeys {
  const char* control;
  const char* up;
  const char* down;
};
constexpr ControlKeys kKeys[] = {{"learning_rate_scale", "Alt+=", "Alt+-"},
                                 {"sparsity_weight", "Alt+]", "Alt+["},
                                 {"pace", "Ctrl+Up", "Ctrl+Down"}};
constexpr const char* kFreezeKey = "Alt+F";

std::vector<const char*> key_of(const std::string& control_name, Notch notch) {
  for (const ControlKeys& keys : kKeys) {
    if (control_name == keys.control) return {notch == Notch::Up ? keys.up : keys.down};
  }
  return {};
}

// Posts a value; until the trainer took it, it is what is shown.
void set(State& state, const std::string& name, double value) {
  state.wanted[name] = {value};
  post(state, trace::SetControl{name, value});
}

void add_switch(State& state, CommandBuilder& table, const trace::Control& control, const Reason& running) {
  const std::string name = control.name, title = control_title(control);
  const auto value = [&state, name] {
    const trace::Control* now = frame::control(state, name);
    return now != nullptr && control_value(state, *now) != 0;
  };
  table.add(
      "control." + name + ".toggle", title + ": on or off",
      name == "threshold_freeze" ? std::vector<const char*>{kFreezeKey} : std::vector<const char*>{},
      [&state, name, value] { set(state, name, value() ? 0 : 1); }, running, value);
  viz::CommandArgument argument{viz::CommandArgument::Kind::Choice, title};
  argument.choices = [] { return std::vector<std::string>{"on", "off"}; };
  argument.current = [value] { return value() ? "on" : "off"; };
  table.ask(
      "control." + name + ".set", title + "…", {}, std::move(argument),
      [&state, name](const std::string& text) { set(state, name, text == "on" ? 1 : 0); }, running);
}

void add_number(State& state, CommandBuilder& table, const trace::Control& control, const Reason& running) {
  const std::string name = control.name, title = control_title(control);
  const auto move = [&state, name](Notch notch) {
    return [&state, name, notch] {
      const trace::Control* now = frame::control(state, name);
      set(state, name, moved(*now, control_value(state, *now), notch));
    };
  };
  viz::CommandArgument argument{viz::CommandArgument::Kind::Number, title,
                                control.unit == "1" || control.unit == "x" ? "" : control.unit};
  argument.range = [low = control.minimum, high = control.maximum] { return viz::Range{low, high}; };
  argument.current = [&state, name] {
    const trace::Control* now = frame::control(state, name);
    return now != nullptr ? fmt::format("{:.6g}", control_value(state, *now)) : std::string();
  };
  table
      .ask(
          "control." + name + ".set", "Set " + title + "…", {}, std::move(argument),
          [&state, name](const std::string& text) { set(state, name, *viz::number_from_text(text)); },
          running)
      .add_held("control." + name + ".increase", "Increase " + title, key_of(name, Notch::Up),
                move(Notch::Up), running)
      .add_held("control." + name + ".decrease", "Decrease " + title, key_of(name, Notch::Down),
                move(Notch::Down), running);
  if (!is_typed(control)) return;
  table.add(
      "control." + name + ".none", title + ": none", {},
      [&state, name, none = value_of_none(control)] { set(state, name, none); }, running);
}

}  // namespace

void add_control_commands(State& state) {
  state.commands.remove("control.");
  CommandBuilder table(state);
  table.in("Live controls");
  const Reason running = [&state] { return why_no_trainer(state); };
  for (const trace::Control& control : state.trainer->controls)
    control.is_switch ? add_switch(state, table, control, running)
                      : add_number(state, table, control, running);
}

}  // namespace sparsescope::frame
