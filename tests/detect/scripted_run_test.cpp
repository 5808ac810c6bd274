// Scripted runs: each spoils one thing in an otherwise healthy run, and exactly the detector made for it
// fires.
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>

#include "engine/detect/alarm.h"
#include "engine/detect/signals.h"

namespace sparsescope::detect {
namespace {

constexpr std::int64_t kPlanned = 2000;
constexpr std::int64_t kWindow = 8;
constexpr std::int64_t kLength = 256;

// What a probe sees of a healthy run.
struct Observed {
  std::int64_t non_finite = 0;
  double influence = 0.0, train = 3.0, held_out = 3.1, entropy = 0.6, sink = 0.1;
  std::vector<std::int32_t> sample;
  double scope_share = 0.2, theta = 0.0, reach = 10.0, empty = 0.1, direct = 0.1;
  std::vector<std::int64_t> in_edges = std::vector<std::int64_t>(kLength, 5);
  std::vector<std::vector<std::int32_t>> declared;
  std::vector<std::uint64_t> scope_before = std::vector<std::uint64_t>(8, 0);
  std::vector<std::uint64_t> scope_now = std::vector<std::uint64_t>(8, 0);
  double random_minus_learned = 0.5, standard_error = 0.05;
};

Observed healthy(std::int64_t step) {
  Observed seen;
  for (std::int32_t i = 0; i < 128; ++i) seen.sample.push_back(i * 37 % 101 + i);
  for (std::int32_t i = 0; i < 64; ++i) seen.declared.push_back({i, i + 1, i + 2});
  seen.train = 3.0 + 0.05 * static_cast<double>(step / 20 % 2);
  seen.theta = 0.01 * static_cast<double>(step / 20 % 2);
  return seen;
}

using Script = std::function<void(Observed&, std::int64_t step)>;

// The modes that became active or latched.
std::set<std::string> fired(const Script& script) {
  std::map<std::string, Alarm> alarms;
  for (const Detector& detector : detector_table()) alarms.emplace(detector.mode, Alarm(detector, kPlanned));
  Divergence divergence;
  EntropyDrop entropy(look_back_steps(500, kPlanned));
  ThresholdDrift drift(0.0);
  PruneSpiral spiral;
  std::set<std::string> result;
  const std::int64_t every = probe_interval_steps(kPlanned);
  for (std::int64_t step = 0; step <= kPlanned; step += every) {
    Observed seen = healthy(step);
    script(seen, step);
    std::vector<double> sizes;
    for (std::int64_t t = 0; t < kLength; ++t) sizes.push_back(seen.scope_share * static_cast<double>(t));
    const std::map<std::string, Reading> readings = {
        {"numeric", numeric(seen.non_finite)},
        {"leak", leak(seen.influence, seen.held_out, 0.5)},
        {"divergence", divergence.observe(seen.train)},
        {"memorisation", memorisation(seen.train, seen.held_out)},
        {"loop", loop(seen.sample)},
        {"entropy-collapse", entropy.observe(step, seen.entropy)},
        {"sink", sink(seen.sink)},
        {"densify", densify(sizes, kWindow)},
        {"threshold-drift", drift.observe(seen.theta, seen.reach)},
        {"starvation", starvation(seen.empty)},
        {"prune-spiral", spiral.observe(seen.direct, seen.theta)},
        {"hub", hub(seen.in_edges)},
        {"constant-declaration", constant_declaration(seen.declared)},
        {"churn", churn(seen.scope_before, seen.scope_now, 512, 1)},
        {"absorption", absorption(seen.random_minus_learned, seen.standard_error)}};
    for (const auto& [mode, reading] : readings) {
      const auto transition = alarms.at(mode).observe(step, reading);
      if (transition && (transition->to == State::Active || transition->to == State::Latched))
        result.insert(mode);
    }
  }
  return result;
}

// From half of the run on.
bool late(std::int64_t step) { return step >= kPlanned / 2; }

const std::map<std::string, Script>& scripts() {
  static const std::map<std::string, Script> table = {
      {"numeric", [](Observed& o, std::int64_t step) { o.non_finite = step == 40; }},
      {"leak", [](Observed& o, std::int64_t step) { o.influence = step == 40 ? 1e-7 : 0.0; }},
      {"divergence",
       [](Observed& o, std::int64_t step) {
         if (late(step)) o.train = o.held_out = 5.0;
       }},
      {"memorisation",
       [](Observed& o, std::int64_t step) {
         if (late(step)) o.train = 1.0;
       }},
      {"loop",
       [](Observed& o, std::int64_t step) {
         if (late(step)) o.sample.assign(128, 7);
       }},
      {"entropy-collapse",
       [](Observed& o, std::int64_t step) {
         if (late(step)) o.entropy = 0.05;
       }},
      {"sink",
       [](Observed& o, std::int64_t step) {
         if (late(step)) o.sink = 0.8;
       }},
      {"densify",
       [](Observed& o, std::int64_t step) {
         if (late(step)) o.scope_share = 0.8;
       }},
      {"threshold-drift",
       [](Observed& o, std::int64_t step) { o.theta = -0.004 * static_cast<double>(step); }},
      {"starvation",
       [](Observed& o, std::int64_t step) {
         if (late(step)) o.empty = 0.99;
       }},
      {"prune-spiral",
       [](Observed& o, std::int64_t step) {
         o.theta = 0.0005 * static_cast<double>(step);
         if (late(step)) o.direct = 0.01;
       }},
      {"hub",
       [](Observed& o, std::int64_t step) {
         if (late(step)) o.in_edges[3] = 5000;
       }},
      {"constant-declaration",
       [](Observed& o, std::int64_t step) {
         if (late(step)) o.declared.assign(64, {1, 2, 3});
       }},
      {"churn",
       [](Observed& o, std::int64_t step) {
         if (late(step)) o.scope_now.assign(8, ~0ull);
       }},
      {"absorption",
       [](Observed& o, std::int64_t step) {
         if (late(step)) o.random_minus_learned = 0.0;
       }},
  };
  return table;
}

TEST(ScriptedRun, AHealthyRunIsQuiet) {
  EXPECT_EQ(fired([](Observed&, std::int64_t) {}), std::set<std::string>());
}

TEST(ScriptedRun, EachDetectorFiresOnItsOwnScriptAndOnNoOther) {
  ASSERT_EQ(scripts().size(), detector_table().size());
  for (const auto& [mode, script] : scripts()) {
    EXPECT_EQ(fired(script), std::set<std::string>({mode})) << "script of " << mode;
  }
}

}  // namespace
}  // namespace sparsescope::detect
