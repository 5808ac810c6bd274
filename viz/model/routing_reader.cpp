#include "viz/model/routing_reader.h"

#include <algorithm>
#include <utility>

#include "engine/trace/error.h"
#include "viz/model/probe_text.h"

namespace sparsescope::viz {
namespace {

using Rolled = RoutingMemory::Rolled;

constexpr std::size_t kMostRolled = 6;  // roll-ups kept: this step, the other one, and a few to go back to

// Keeps the newest use first, and few of them.
const Rolled* keep(RoutingMemory& memory, Rolled made) {
  memory.rolled.insert(memory.rolled.begin(), std::move(made));
  if (memory.rolled.size() > kMostRolled) memory.rolled.pop_back();
  return &memory.rolled.front();
}

// The roll-up of the same pairs.
const Rolled* find(RoutingMemory& memory, const Rolled& like) {
  const auto found = std::find_if(memory.rolled.begin(), memory.rolled.end(), [&](const Rolled& rolled) {
    return rolled.run == like.run && rolled.row == like.row && rolled.head == like.head &&
           rolled.ids == like.ids;
  });
  if (found == memory.rolled.end()) return nullptr;
  std::rotate(memory.rolled.begin(), found, found + 1);
  return &memory.rolled.front();
}

}  // namespace

std::optional<std::uint64_t> routing_sample_step(const Run& run, const char* channel, std::uint64_t step) {
  const Track* track = run.track(channel);
  const auto sample = track != nullptr ? run.sample_at_or_before(*track, step) : std::nullopt;
  return sample ? std::optional(run.step_of_sample(*track, *sample)) : std::nullopt;
}

RoutingSide RoutingReader::latest(Run& run, std::uint64_t step, RoutingSource source) {
  const auto of_edges = routing_sample_step(run, "edges", step),
             of_declared = routing_sample_step(run, "declared", step);
  const bool takes_edges =
      of_edges && (!of_declared || *of_edges >= *of_declared || source == RoutingSource::LatestWeights);
  return takes_edges ? edges(run, step) : declared(run, step);
}

RoutingSide RoutingReader::edges(Run& run, std::uint64_t step) {
  const Run::Heavy row = run.heavy("edges", step);
  if (row.state != RowCache::State::Ready) return {row.state, row.message, row.step, nullptr, {}};
  const auto record_bytes = std::max<std::size_t>(1, run.schema()->find("edges")->record_bytes);
  Rolled wanted;
  wanted.run = run.id();
  wanted.row = row.data.get();
  wanted.held = row.data;
  wanted.head = head_.value_or(kAllHeads);
  auto deed = [schema = run.shared_schema(), row = row.data, layers = layers_, tokens = tokens_,
               head = head_](Rolled& rolled) {
    RecordedPairs made = routing_pairs_from_edges(*schema->find("edges"), *row, layers, tokens, head);
    rolled.heads = made.heads;
    rolled.rollup = std::make_shared<const EdgeRollup>(std::move(made.pairs));
  };
  return roll(row.step, std::move(wanted), static_cast<std::int64_t>(row.data->bytes.size() / record_bytes),
              std::move(deed));
}

RoutingSide RoutingReader::declared(Run& run, std::uint64_t step) {
  const Run::Heavy row = run.heavy("declared", step);
  if (row.state != RowCache::State::Ready) return {row.state, row.message, row.step, nullptr, {}};
  const ProbeText text(run, row.step);
  if (text.state() != RowCache::State::Ready) return {text.state(), text.message(), row.step, nullptr, {}};
  Rolled wanted;
  wanted.run = run.id();
  wanted.row = row.data.get();
  wanted.held = row.data;
  wanted.ids = text.ids();
  auto deed = [schema = run.shared_schema(), row = row.data](Rolled& rolled) {
    rolled.rollup = std::make_shared<const EdgeRollup>(routing_pairs_from_declared(
        *schema->find("declared"), *row, rolled.ids, scope_rules(schema->experiment_json)));
  };
  const std::int64_t tokens = std::ssize(text.ids());
  return roll(row.step, std::move(wanted), layers_ * tokens * (tokens + 1) / 2, std::move(deed));
}

RoutingSide RoutingReader::roll(std::uint64_t step, Rolled wanted, std::int64_t most_pairs,
                                std::function<void(Rolled&)> deed) {
  const Rolled* kept = find(memory_, wanted);
  if (kept == nullptr) {
    if (auto made = finished(memory_.rolling, work_)) keep(memory_, std::move(*made));
    kept = find(memory_, wanted);
  }
  if (kept == nullptr) {
    auto make = [made = std::move(wanted), deed = std::move(deed)]() mutable {
      try {
        deed(made);
      } catch (const Error& error) {
        made.problem = error.what();
      }
      return std::move(made);
    };
    if (work_ == RoutingWork::AsideWhenLarge && most_pairs > kLargeGraph) {
      if (!memory_.rolling.is_busy()) memory_.rolling.begin(std::move(make));
      waiting_.keep_busy();
      return {RowCache::State::Loading, {}, step, nullptr, {}, true};
    }
    kept = keep(memory_, make());
  }
  const auto state = kept->rollup ? RowCache::State::Ready : RowCache::State::Failed;
  return {state, kept->problem, step, kept->rollup, kept->heads};
}

}  // namespace sparsescope::viz
