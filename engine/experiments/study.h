// Many runs as one experiment: arms, which differ in their keys, times seeds. A study is data; each run of it
// is an ordinary Experiment. Where its recordings go and how far it got is manifest.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/experiments/experiment.h"

namespace sparsescope::experiments {

struct Arm {
  std::string name;       // file-name safe, one of its kind in the study
  Experiment experiment;  // complete but for the seed
};

struct Study {
  std::string name, title, text;
  std::vector<Arm> arms;
  std::vector<std::uint64_t> seeds;
};

struct StudyRun {
  std::string arm;
  std::uint64_t seed = 0;
  Experiment experiment;
};

// Whether the file has `arms` or `seeds`. False for a file that cannot be read as TOML.
bool is_study(const std::string& path);

// Reads a file of this form; everything but seeds and arms is optional:
//
//   title = "..."               text = "..."
//   seeds = [1, 2, 3]
//   base = "spark-collapse"     # a preset that all arms begin with; without it the defaults of the keys
//   train.steps = 2040          # keys of all arms; [cpu] holds those that differ on a CPU
//   [[arms]]
//   name = "in-scope"           # title = "...": what the run is called, else its name
//   base = "spark-in-scope"     # this arm begins with another preset; the keys of all arms come after it
//   spark.tau = 0.25            # keys of this arm, last; cpu.spark.tau on a CPU
//
// Without arms there is one, called like the file. Throws Error (Usage) naming file and line, one sentence
// for each mistake: an arm without name, a name twice or unfit for a file, arms that are the same experiment,
// seeds missing, twice or no whole numbers, train.seed beside seeds, unknown presets and keys, keys that
// contradict one another.
Study load_study(const std::string& path, const std::string& profile);
// The checks that need no file: seeds, names, equal arms, and validate() of each. Throws Error (Usage).
void validate(const Study& study);

// All runs, seed by seed, so that arms can be compared after the first round.
std::vector<StudyRun> runs_of(const Study& study);

// The studies of assets/experiments, by name.
std::vector<Preset> studies();

}  // namespace sparsescope::experiments
