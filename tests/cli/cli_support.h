// What the tests of the command-line program share: the program, a corpus and an experiment that takes a
// second.
#pragma once

#include <string>
#include <vector>

#include "tests/support/process.h"

namespace sparsescope::test {

inline std::string cli() { return SPARSESCOPE_CLI; }

// Forty documents of a language with a grammar of its own, about 20 kB: enough for windows and validation.
inline std::string small_corpus() {
  static const char* const kWords[] = {"river", "stone",  "lamp", "field",
                                       "cloud", "bridge", "seed", "harbour"};
  std::string text;
  std::uint32_t state = 7;
  for (int document = 0; document < 40; ++document) {
    for (int word = 0; word < 80; ++word) {
      state = state * 1664525u + 1013904223u;
      text += kWords[state >> 29];
      text += (word % 10 == 9) ? ".\n" : " ";
    }
    text += "\n\n";
  }
  return text;
}

inline std::string tiny_experiment() {
  return R"(name = "tiny"
title = "A model that trains in a second"
text = "For tests."

[model]
layers = 2
width = 16
heads = 2
context = 16
mixer = "spark"

[spark]
rank = 4
fallback_window = 4
initial_theta_sigmas = 1.0

[optimizer]
warmup_steps = 2

[data]
tokenizer = "bytes"
vocabulary = 256

[train]
steps = 20
batch = 2
threads = 1

[evaluation]
every = 10
windows = 2
needle_every = 10
needle_trials = 2
needle_contexts = [2]
needle_contexts_on_demand = [2]

[probe]
every = 5
edges_every = 2
budget_percent = 0
sequences = 1
)";
}

// A folder with the two, and the arguments of a run in it.
class TinyRun {
 public:
  TinyRun() {
    corpus = folder.write("corpus.txt", small_corpus());
    experiment = folder.write("tiny.toml", tiny_experiment());
    recording = folder / "run.h5";
  }
  std::vector<std::string> arguments(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {cli(),
                                    "train",
                                    "--experiment",
                                    experiment,
                                    "--corpus",
                                    corpus,
                                    "--device",
                                    "cpu",
                                    "--free-at-start",
                                    "1",
                                    "--free-while-running",
                                    "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<std::string> with_output(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = arguments({"--out", recording});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  TemporaryFolder folder;
  std::string corpus, experiment, recording;
};

}  // namespace sparsescope::test
