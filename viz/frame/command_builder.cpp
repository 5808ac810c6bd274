#include "viz/frame/command_builder.h"

namespace sparsescope::frame {

CommandBuilder& CommandBuilder::add(std::string id, std::string words, std::vector<const char*> keys,
                                    Deed run, Reason why_disabled, std::function<bool()> is_on) {
  viz::UiCommand command{std::move(id),  std::move(words),        category_,       {},
                         std::move(run), std::move(why_disabled), std::move(is_on)};
  for (const char* key : keys) command.keys.push_back(viz::chord_from_text(key));
  command.view = view_;
  state_.commands.add(std::move(command));
  return *this;
}

CommandBuilder& CommandBuilder::add_owner(std::string id, std::string words, std::vector<const char*> keys,
                                          Deed run, std::function<bool()> owns_keys, std::string why_not) {
  const Reason reason = [owns_keys, why_not] { return owns_keys() ? std::string() : why_not; };
  viz::UiCommand command{std::move(id), std::move(words), category_, {}, std::move(run), reason, {}};
  for (const char* key : keys) command.keys.push_back(viz::chord_from_text(key));
  command.view = view_;
  command.repeat = viz::KeyRepeat::WhileHeld;
  command.owns_keys = std::move(owns_keys);
  state_.commands.add(std::move(command));
  return *this;
}

CommandBuilder& CommandBuilder::add_held(std::string id, std::string words, std::vector<const char*> keys,
                                         Deed run, Reason why_disabled) {
  viz::UiCommand command{std::move(id),  std::move(words),        category_, {},
                         std::move(run), std::move(why_disabled), {}};
  for (const char* key : keys) command.keys.push_back(viz::chord_from_text(key));
  command.view = view_;
  command.repeat = viz::KeyRepeat::WhileHeld;
  state_.commands.add(std::move(command));
  return *this;
}

CommandBuilder& CommandBuilder::ask(std::string id, std::string words, std::vector<const char*> keys,
                                    viz::CommandArgument argument,
                                    std::function<void(const std::string&)> run_with, Reason why_disabled) {
  Deed question = [&state = state_, id] { ask_in_palette(state, id); };
  viz::UiCommand command{std::move(id),       std::move(words),        category_, {},
                         std::move(question), std::move(why_disabled), {}};
  for (const char* key : keys) command.keys.push_back(viz::chord_from_text(key));
  command.view = view_;
  command.argument = std::move(argument);
  command.run_with = std::move(run_with);
  state_.commands.add(std::move(command));
  return *this;
}

std::string why_no_run(State& state) {
  return state.run() != nullptr && state.run()->rows() > 0
             ? ""
             : "there is no run yet: train a preset or open a recording";
}

std::string why_no_trainer(State& state) {
  if (!state.trainer) return "no training run in this window";
  if (state.trainer->is_over()) return "the run is over";
  return "";
}

void ask_in_palette(State& state, const std::string& command) {
  open_palette(state, "");
  state.palette.asks_for = command;
  const viz::UiCommand* asked = state.commands.find(command);
  if (asked->argument->kind != viz::CommandArgument::Kind::Choice && asked->argument->current)
    state.palette.query = asked->argument->current();
}

}  // namespace sparsescope::frame
