// An experiment on the disk: a folder with one recording a run and manifest.json, which says what belongs
// together and how far each run got. Nothing in it names a place outside the folder but by a relative path,
// so that it can be carried to another machine. No TOML, no training.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sparsescope::experiments {

// Letters, digits, '-', '_' and '.', beginning with none of the first and last of these: what is used in
// names of files.
bool is_file_name(const std::string& name);

enum class RunState { Waiting, Running, Finished, Failed, Stopped };
const char* state_name(RunState state);  // "waiting", ...

struct ManifestArm {
  std::string name;
  std::string experiment_json;  // of every run of it, but for the seed
  std::string text_json;  // corpus with its hash and licence, tokenizer, tokens, as recordings keep them;
                          // empty until the text was read for the first time
};

struct ManifestRun {
  std::string arm;
  std::uint64_t seed = 0;
  RunState state = RunState::Waiting;
  std::string message;             // one sentence: why it failed or where it stopped; or empty
  std::uint64_t steps = 0;         // trained when the state was written
  std::uint64_t resumed_at = 0;    // step of the checkpoint that its recording begins with; 0: the beginning
  std::int64_t earlier_parts = 0;  // recordings of what was interrupted: recording_part()
  double seconds = 0;              // all told, of the recording and its earlier parts
  std::string device, version, commit;  // that ran it last

  std::string name() const;                             // "ARM-seed-1"
  std::string recording() const;                        // "ARM-seed-1.h5"
  std::string recording_part(std::int64_t part) const;  // "ARM-seed-1.part-1.h5", from 1
};

struct ManifestCommand {
  std::string utc, words;  // of a command line that worked on the folder
};

struct Manifest {
  std::string name, title, text, created_utc;
  std::vector<std::string>
      corpus;  // as asked for, paths from the folder; empty: what each arm's experiment says
  std::vector<ManifestCommand> commands;
  std::vector<std::uint64_t> seeds;
  std::vector<ManifestArm> arms;
  std::vector<ManifestRun> runs;  // in the order in which they are trained

  const ManifestArm& arm(const std::string& name) const;  // of this manifest
  std::size_t count(RunState state) const;
};

inline constexpr const char* kManifestFile = "manifest.json";
// Whether the folder is an experiment: it has a manifest.
bool has_manifest(const std::string& folder);
// Throws Error (Refused) naming the file when it is missing, damaged, or lists what no manifest can;
// (NewerVersion) for one of a later program.
Manifest load_manifest(const std::string& folder);
// Whole or not at all. Throws Error.
void save_manifest(const std::string& folder, const Manifest& manifest);
std::string to_json(const Manifest& manifest);

// Paths of the recordings of finished runs, in order. Throws Error (Refused) when the folder is no experiment
// or no run of it is finished.
std::vector<std::string> finished_recordings(const std::string& folder);

}  // namespace sparsescope::experiments
