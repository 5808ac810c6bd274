#include "app/run_arguments.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "app/user_folders.h"
#include "engine/record/free_space.h"
#include "engine/trace/error.h"

namespace sparsescope::app {
namespace {

train::Device parse_device(const std::string& name) {
  if (name == "auto") return train::Device::Auto;
  if (name == "cpu") return train::Device::Cpu;
  if (name == "cuda") return train::Device::Cuda;
  throw Error(fmt::format("--device {} is unknown; it is auto, cpu or cuda", name), ExitCode::Usage);
}

// Checkpoints are named after the recording: those of an earlier run of that name must not be written over.
void refuse_old_checkpoints(const std::string& stem) {
  const std::filesystem::path path = stem;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with(path.filename().string() + ".step-") && name.ends_with(".safetensors"))
      throw refused(
          fmt::format("{} belongs to an earlier run of that name; choose another --out, or move it away",
                      it->path().string()));
  }
}

// Where recordings are made whose folder lies on a network: the data folder, or where that lies on one as
// well (a home on NFS), a folder of our own in the machine's own temporary space. Empty: there is none.
std::string local_recordings_folder() {
  std::error_code failure;
  const std::string own = fmt::format("sparsescope-{}", ::getuid());
  for (const std::filesystem::path& folder :
       {std::filesystem::path(recordings_folder()), std::filesystem::path("/var/tmp") / own,
        std::filesystem::temp_directory_path(failure) / own}) {
    if (record::lies_on_network(folder.parent_path())) continue;
    std::filesystem::create_directories(folder, failure);
    struct stat info {};
    const bool is_ours = ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
                         info.st_uid == ::getuid() && ::access(folder.c_str(), W_OK) == 0;
    if (is_ours && !record::lies_on_network(folder)) return folder.string();
  }
  return "";
}

void apply_set(experiments::Experiment& experiment, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw Error(fmt::format("--set {} has no value; write --set KEY=VALUE", text), ExitCode::Usage);
  }
  experiments::set(experiment, text.substr(0, equals), text.substr(equals + 1));
}

}  // namespace

void add_run_options(CLI::App& parser, RunArguments& arguments, RunOptionSet set) {
  CLI::Option* preset = parser.add_option(
      "--preset", arguments.preset, "an experiment that ships with the program (sparsescope-cli presets)");
  if (set == RunOptionSet::Cli) {
    parser
        .add_option(
            "--experiment", arguments.experiment,
            "an experiment file (TOML) or the name of one that ships; one of arms x seeds makes a folder")
        ->excludes(preset);
    parser
        .add_option("--set", arguments.sets, "KEY=VALUE: change one key of the experiment; may be repeated")
        ->allow_extra_args(false);
    parser.add_option(
        "--resume", arguments.resume,
        "continue from this checkpoint (.safetensors), or with what is left of an experiment's folder");
  }
  parser.add_option("--corpus", arguments.corpus,
                    "named corpus, packed corpus, or files, folders and globs to train on");
  parser.add_option("--device", arguments.device, "auto, cpu or cuda")->capture_default_str();
  parser.add_option("--steps", arguments.steps, "training steps; default: what the experiment says")
      ->check(CLI::PositiveNumber);
  parser.add_option("--seed", arguments.seed, "of the run; every random stream derives its own from it")
      ->check(CLI::NonNegativeNumber);
  parser.add_option(
      "--out", arguments.out,
      "the recording, a new .h5 file, or the folder of an experiment of arms x seeds; default: a new "
      "name in the recordings folder");
  parser
      .add_option("--free-at-start", arguments.free_mib_at_start,
                  "MiB that must be free to start a recording")
      ->capture_default_str();
  parser
      .add_option("--free-while-running", arguments.free_mib_while_running,
                  "MiB below which recording stops and training goes on")
      ->capture_default_str();
}

train::Device device_of(const RunArguments& arguments) {
  return train::resolve_device(parse_device(arguments.device));
}

std::string profile_of(train::Device device) { return device == train::Device::Cuda ? "gpu" : "cpu"; }

void change(experiments::Experiment& experiment, const RunArguments& arguments) {
  for (const std::string& text : arguments.sets) apply_set(experiment, text);
  if (arguments.steps > 0) experiments::set(experiment, "train.steps", std::to_string(arguments.steps));
  if (arguments.seed >= 0) experiments::set(experiment, "train.seed", std::to_string(arguments.seed));
  experiments::validate(experiment);
}

TrainingRunOptions run_options(const RunArguments& arguments, const experiments::Experiment& experiment,
                               train::Device device, const std::string& path) {
  TrainingRunOptions options;
  options.request.experiment = experiment;
  options.request.corpus = arguments.corpus;
  options.request.device = device;
  options.recorder.path = path;
  // Only for a recording on a network; checkpoints are renamed into place, which any file system does in
  // order, and go where they were asked for at once.
  const std::filesystem::path recording = std::filesystem::absolute(path);
  if (record::lies_on_network(recording.parent_path()))
    options.recorder.local_folder = local_recordings_folder();
  options.recorder.free_bytes_at_start = arguments.free_mib_at_start << 20;
  options.recorder.free_bytes_while_running = arguments.free_mib_while_running << 20;
  const std::filesystem::path place = path;
  options.request.checkpoint_stem = (place.parent_path() / place.stem()).string();
  return options;
}

TrainingRunOptions run_from_arguments(const RunArguments& arguments) {
  const train::Device device = device_of(arguments);
  if (arguments.preset.empty() == arguments.experiment.empty()) {
    throw Error("say what to train: --preset NAME or --experiment FILE.toml", ExitCode::Usage);
  }
  experiments::Experiment experiment =
      arguments.preset.empty() ? experiments::load_experiment(
                                     experiments::experiment_path(arguments.experiment), profile_of(device))
                               : experiments::load_preset(arguments.preset, profile_of(device));
  change(experiment, arguments);
  const std::string folder = arguments.folder.empty() ? recordings_folder() : arguments.folder;
  const std::string path =
      arguments.out.empty() ? new_recording_path(folder, experiment.name) : arguments.out;
  TrainingRunOptions options = run_options(arguments, experiment, device, path);
  options.request.resume_checkpoint = arguments.resume;
  refuse_old_checkpoints(options.request.checkpoint_stem);
  return options;
}

}  // namespace sparsescope::app
