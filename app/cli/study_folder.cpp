#include "app/cli/study_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "app/user_folders.h"
#include "engine/experiments/study.h"
#include "engine/trace/error.h"

namespace sparsescope::app {
namespace {

namespace fs = std::filesystem;
using experiments::Manifest, experiments::ManifestArm, experiments::ManifestRun, experiments::Study;

[[noreturn]] void refuse_usage(const std::string& sentence) { throw Error(sentence, ExitCode::Usage); }

bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// Whether a text is given by its place rather than by a name that means the same everywhere.
bool is_place(const std::string& source) {
  std::error_code error;
  return source.find('/') != std::string::npos || fs::exists(source, error);
}

// A place as seen from the folder, and back.
std::string from_folder(const std::string& source, const std::string& folder) {
  if (!is_place(source)) return source;
  const fs::path relative =
      fs::absolute(source).lexically_normal().lexically_relative(fs::absolute(folder).lexically_normal());
  if (relative.empty()) return source;
  return relative.native().find('/') == std::string::npos ? "./" + relative.native() : relative.native();
}
std::string from_here(const std::string& source, const std::string& folder) {
  return source.find('/') == std::string::npos ? source
                                               : (fs::path(folder) / source).lexically_normal().string();
}

// The command as somebody else could type it: places as seen from the folder.
std::string command_words(const RunArguments& arguments, const std::string& folder) {
  std::string words = "train";
  if (!arguments.experiment.empty())
    words += " --experiment " + fs::path(arguments.experiment).filename().string();
  for (const std::string& set : arguments.sets) words += " --set " + set;
  if (arguments.steps > 0) words += fmt::format(" --steps {}", arguments.steps);
  for (const std::string& source : arguments.corpus) words += " --corpus " + from_folder(source, folder);
  if (arguments.device != "auto") words += " --device " + arguments.device;
  words += arguments.resume.empty() ? " --out " : " --resume ";
  return words + fs::absolute(folder).lexically_normal().filename().string();
}

Study study_of(const RunArguments& arguments, const std::string& profile) {
  if (arguments.seed >= 0)
    refuse_usage("--seed names one run, and this experiment has seeds of its own; leave it out");
  Study study = experiments::load_study(experiments::experiment_path(arguments.experiment), profile);
  for (const std::string& set : arguments.sets) {
    if (set.starts_with("train.seed="))
      refuse_usage("--set train.seed names one run, and this experiment has seeds of its own; leave it out");
  }
  for (experiments::Arm& arm : study.arms) {
    try {
      change(arm.experiment, arguments);
    } catch (const Error& error) {
      refuse_usage(fmt::format("arm {}: {}", arm.name, error.what()));
    }
  }
  experiments::validate(study);
  return study;
}

std::vector<ManifestArm> arms_of(const Study& study, const std::string& folder) {
  std::vector<ManifestArm> arms;
  for (const experiments::Arm& arm : study.arms) {
    experiments::Experiment experiment = arm.experiment;
    if (experiment.data.corpus.find('/') != std::string::npos)
      experiment.data.corpus = from_folder(experiment.data.corpus, folder);
    arms.push_back({arm.name, experiments::to_json(experiment), ""});
  }
  return arms;
}

Manifest new_manifest(const Study& study, const std::string& folder) {
  Manifest manifest;
  manifest.name = study.name, manifest.title = study.title, manifest.text = study.text;
  manifest.created_utc = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  manifest.seeds = study.seeds;
  manifest.arms = arms_of(study, folder);
  for (const experiments::StudyRun& run : experiments::runs_of(study))
    manifest.runs.push_back({.arm = run.arm, .seed = run.seed});
  return manifest;
}

// What differs between the folder's experiment and the one asked for, in words, or empty.
std::string difference(const Manifest& manifest, const Study& study, const std::string& folder) {
  if (manifest.seeds != study.seeds)
    return fmt::format("seeds: {} there, {} here", fmt::join(manifest.seeds, ", "),
                       fmt::join(study.seeds, ", "));
  const std::vector<ManifestArm> arms = arms_of(study, folder);
  const auto names = [](const std::vector<ManifestArm>& all) {
    std::vector<std::string> list;
    for (const ManifestArm& arm : all) list.push_back(arm.name);
    return fmt::format("{}", fmt::join(list, ", "));
  };
  if (names(manifest.arms) != names(arms))
    return fmt::format("arms: {} there, {} here", names(manifest.arms), names(arms));
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const auto there = experiments::experiment_from_json(manifest.arms[i].experiment_json);
    const auto here = experiments::experiment_from_json(arms[i].experiment_json);
    for (const experiments::Key& key : experiments::keys()) {
      const std::string a = experiments::get(there, key.name), b = experiments::get(here, key.name);
      if (a != b && key.name != "title" && key.name != "text")
        return fmt::format("{} of arm {}: {} there, {} here", key.name, arms[i].name, a, b);
    }
  }
  return "";
}

void check_place(const std::string& source) {
  std::error_code error;
  const bool is_glob = source.find_first_of("*?[") != std::string::npos;
  if (source.find('/') != std::string::npos && !is_glob && !fs::exists(source, error))
    throw refused(fmt::format(
        "the text of this experiment is not at {} on this machine; say where it is with --corpus", source));
}

}  // namespace

bool is_study(const RunArguments& arguments) {
  if (is_folder(arguments.resume)) return true;
  return !arguments.experiment.empty() &&
         experiments::is_study(experiments::experiment_path(arguments.experiment));
}

std::vector<std::string> StudyFolder::corpus() const {
  std::vector<std::string> sources;
  for (const std::string& source : manifest.corpus) sources.push_back(from_here(source, path));
  return sources;
}

experiments::Experiment StudyFolder::experiment(const ManifestRun& run) const {
  experiments::Experiment experiment =
      experiments::experiment_from_json(manifest.arm(run.arm).experiment_json);
  experiment.data.corpus = from_here(experiment.data.corpus, path);
  experiment.train.seed = run.seed;
  return experiment;
}

std::string study_folder_path(const RunArguments& arguments) {
  if (!arguments.resume.empty()) {
    const bool says_more = !arguments.experiment.empty() || !arguments.preset.empty() ||
                           !arguments.sets.empty() || arguments.steps > 0 || arguments.seed >= 0 ||
                           !arguments.out.empty();
    if (!is_folder(arguments.resume))
      refuse_usage("--resume of an experiment of arms x seeds takes its folder; give the same --out instead");
    if (says_more)
      refuse_usage(
          "--resume FOLDER goes on with what its manifest says; give only --corpus and --device beside it");
    return arguments.resume;
  }
  if (arguments.out.ends_with(".h5"))
    refuse_usage(fmt::format("--out {} names one recording, and this experiment makes many; name a folder",
                             arguments.out));
  if (!arguments.out.empty()) return arguments.out;
  const std::string name =
      experiments::load_study(experiments::experiment_path(arguments.experiment), "cpu").name;
  const fs::path fresh = new_recording_path(recordings_folder(), name);
  return (fresh.parent_path() / fresh.stem()).string();
}

StudyFolder open_study(const RunArguments& arguments, const std::string& path) {
  StudyFolder folder{path, {}, device_of(arguments)};
  const bool is_known = experiments::has_manifest(path);
  if (is_known || !arguments.resume.empty()) folder.manifest = experiments::load_manifest(path);
  if (arguments.resume.empty()) {
    // A folder that is there keeps the profile that it was begun with, on whatever machine it goes on.
    const std::string profile =
        is_known ? experiments::experiment_from_json(folder.manifest.arms.front().experiment_json).profile
                 : profile_of(folder.device);
    const Study study = study_of(arguments, profile);
    const std::string words = is_known ? difference(folder.manifest, study, path) : "";
    if (!words.empty())
      throw refused(
          fmt::format("{} was begun with another experiment ({}); choose another --out, or go on with "
                      "--resume {}",
                      path, words, path));
    if (!is_known) folder.manifest = new_manifest(study, path);
  }
  if (!arguments.corpus.empty()) {
    folder.manifest.corpus.clear();
    for (const std::string& source : arguments.corpus)
      folder.manifest.corpus.push_back(from_folder(source, path));
  }
  for (const std::string& source : folder.corpus()) check_place(source);
  if (folder.manifest.corpus.empty()) {
    for (const ManifestRun& run : folder.manifest.runs) check_place(folder.experiment(run).data.corpus);
  }
  folder.manifest.commands.push_back({fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))),
                                      command_words(arguments, path)});
  return folder;
}

}  // namespace sparsescope::app
