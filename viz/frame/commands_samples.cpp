// Commands of text samples and of the cost of watching.
#include "viz/frame/command_builder.h"
#include "viz/frame/runs.h"
#include "viz/views/text_sample_view.h"

namespace sparsescope::frame {
namespace {

// The view that holds what is to be generated; nullptr: the table of views has none.
State::Slot* sample_slot(State& state) {
  for (State::Slot& slot : state.slots) {
    if (slot.view->id() == "samples") return &slot;
  }
  return nullptr;
}

const viz::TextSampleView* sample_view(State& state) {
  const State::Slot* slot = sample_slot(state);
  return slot != nullptr ? dynamic_cast<const viz::TextSampleView*>(slot->view.get()) : nullptr;
}

std::string why_not_generate(State& state) {
  const viz::Run* run = state.run();
  if (run == nullptr) return "there is no run yet: train a preset or open a recording";
  if (!state.is_trainers(*run))
    return "only a run that is trained in this window can write; a replay shows what was recorded";
  if (const std::string reason = why_no_trainer(state); !reason.empty()) return reason;
  if (run->schema() != nullptr && run->track("text_samples") == nullptr)
    return "this run records no text samples";
  return "";
}

}  // namespace

void add_sample_commands(State& state) {
  CommandBuilder table(state);
  table.in("Training")
      .add(
          "samples.generate", "Generate text now", {"G"},
          [&state] {
            if (const viz::TextSampleView* view = sample_view(state)) post(state, view->wish());
          },
          [&state] { return why_not_generate(state); })
      .add(
          "samples.prompt", "Type a prompt for the model", {"Shift+G"},
          [&state] {
            State::Slot& slot = *sample_slot(state);
            slot.is_open = true;
            state.view_to_show = slot.view->id();
            dynamic_cast<viz::TextSampleView&>(*slot.view).focus_prompt();
          },
          [&state] { return why_not_generate(state); })
      .add(
          "watching.show", "Cost of watching, in full", {"Alt+W"}, [&state] { state.shows_overhead = true; },
          [&state]() -> std::string {
            return state.run() != nullptr ? "" : "there is no run yet: train a preset or open a recording";
          });
}

}  // namespace sparsescope::frame
