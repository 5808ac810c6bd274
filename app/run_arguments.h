// What a command line says about a run, and the run it means: shared by the desktop and the command-line
// program.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "app/training_run.h"

namespace sparsescope::app {

struct RunArguments {
  std::string preset;               // or `experiment`
  std::string experiment;           // path of a TOML file, or the name of one that ships
  std::vector<std::string> sets;    // "key=value", applied in order
  std::vector<std::string> corpus;  // empty: what the experiment says
  std::string device = "auto";
  std::int64_t steps = 0;                     // 0: what the experiment says
  std::int64_t seed = -1;                     // negative: what the experiment says
  std::string resume;                         // checkpoint, or folder of an experiment
  std::string out;                            // recording or folder; empty: a new name in `folder`
  std::string folder;                         // of new recordings; empty: the user's recordings folder
  std::uint64_t free_mib_at_start = 1024;     // refuse to record with less free space
  std::uint64_t free_mib_while_running = 64;  // stop recording below this, go on training
};

// Adds --preset, --corpus, --device, --steps, --seed, --out to a parser; `with_experiment` adds the rest.
enum class RunOptionSet { Desktop, Cli };
void add_run_options(CLI::App& parser, RunArguments& arguments, RunOptionSet set);

// Resolves device and profile, loads and changes the experiment. Throws Error with one sentence.
TrainingRunOptions run_from_arguments(const RunArguments& arguments);

// The pieces of it that one run of many needs, too.
train::Device device_of(const RunArguments& arguments);  // never Auto
std::string profile_of(train::Device device);
// Applies --set, --steps and --seed and validates. Throws Error (Usage).
void change(experiments::Experiment& experiment, const RunArguments& arguments);
// Records to `path`, checkpoints beside it under the same name.
TrainingRunOptions run_options(const RunArguments& arguments, const experiments::Experiment& experiment,
                               train::Device device, const std::string& path);

}  // namespace sparsescope::app
