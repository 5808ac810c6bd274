// Commands of needle retrieval: hide a needle in the probe text, take it out, evaluate at one context.
#include <fmt/format.h>

#include <string>

#include "viz/frame/command_builder.h"
#include "viz/model/format.h"
#include "viz/model/needle_query.h"

namespace sparsescope::frame {
namespace {

constexpr double kFirstDepth = 0.5;

// The depth of the needle that stands in the probe text now; nothing: none does.
std::optional<double> injected_depth(State& state) {
  const viz::Run* run = state.run();
  const auto needle = run != nullptr ? viz::injected_needle(*run, run->newest_step()) : std::nullopt;
  return needle ? std::optional(needle->depth) : std::nullopt;
}

viz::CommandArgument which_depth(State& state) {
  viz::CommandArgument depth{viz::CommandArgument::Kind::Number,
                             "depth, from 0 at the start to 1 at the end"};
  depth.range = [] { return viz::Range{0, 1}; };
  depth.current = [&state] { return viz::format_number(injected_depth(state).value_or(kFirstDepth), 3); };
  return depth;
}

viz::CommandArgument which_context(State& state) {
  viz::CommandArgument context{viz::CommandArgument::Kind::Choice,
                               "context, in multiples of the training context"};
  context.choices = [&state] {
    std::vector<std::string> choices;
    if (!state.trainer) return choices;
    for (const EvaluationEstimate& estimate : state.trainer->evaluation_estimates)
      choices.push_back(fmt::format("{}x", estimate.context_multiple));
    return choices;
  };
  return context;
}

std::string why_no_probe(State& state) {
  if (std::string reason = why_no_trainer(state); !reason.empty()) return reason;
  const viz::Run* run = state.run();
  if (run == nullptr || !state.trains(*run)) return "the selected run is not the one being trained";
  return run->track("probe_ids") != nullptr ? "" : "this run has no probe text";
}

std::string why_no_needle(State& state) {
  if (std::string reason = why_no_probe(state); !reason.empty()) return reason;
  return injected_depth(state) ? "" : "no needle stands in the probe text";
}

std::string why_no_evaluation(State& state) {
  if (std::string reason = why_no_trainer(state); !reason.empty()) return reason;
  if (state.trainer->state == TrainerStatus::State::Evaluating) return "an evaluation is under way";
  return state.trainer->evaluation_estimates.empty() ? "nothing can be evaluated before the first step" : "";
}

}  // namespace

void add_needle_commands(State& state) {
  CommandBuilder table(state);
  table.in("Needle")
      .ask(
          "needle.inject", "Hide a needle in the probe text…", {"Alt+N"}, which_depth(state),
          [&state](const std::string& value) {
            post(state, trace::InjectNeedle{*viz::number_from_text(value)});
          },
          [&state] { return why_no_probe(state); })
      .add(
          "needle.remove", "Take the needle out of the probe text", {"Alt+Shift+N"},
          [&state] { post(state, trace::InjectNeedle{-1}); }, [&state] { return why_no_needle(state); })
      .ask(
          "needle.evaluate", "Evaluate the needle at one context…", {"Alt+E"}, which_context(state),
          [&state](const std::string& value) { post(state, trace::EvaluateNow{{std::stoi(value)}}); },
          [&state] { return why_no_evaluation(state); });
}

}  // namespace sparsescope::frame
