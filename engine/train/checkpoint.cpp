#include "engine/train/checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/data/sha256.h"
#include "engine/trace/error.h"

namespace sparsescope::train {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kFormat = "sparsescope-checkpoint";
constexpr const char* kVersion = "1";

// A tensor of the state with its name in the file.
struct StateTensor {
  std::string name;
  at::Tensor value;
};

std::vector<StateTensor> tensors_of(const TrainingState& state) {
  std::vector<StateTensor> tensors;
  for (const model::Parameter& parameter : state.model().parameters())
    tensors.push_back({"model." + parameter.name, parameter.value});
  for (const Updater::State& entry : state.updater().state()) tensors.push_back({entry.name, entry.value});
  return tensors;
}

const char* type_name(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "F32";
    case at::kDouble:
      return "F64";
    case at::kBFloat16:
      return "BF16";
    case at::kHalf:
      return "F16";
    default:
      return "";
  }
}

std::string shape_words(at::IntArrayRef shape) {
  std::string words = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) words += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return words + "]";
}

std::string tokenizer_digest(const data::PreparedData& data) {
  return data::sha256_hex(data.tokenizer->serialized());
}

std::map<std::string, std::string> metadata_of(const TrainingState& state, const data::PreparedData& data,
                                               const std::string& run_uuid) {
  Json controls, streams;
  for (const trace::Control& control : state.model().controls().controls())
    controls[control.name] = control.value;
  for (std::string_view name : {data::kInitStream, data::kDataStream, data::kProbeStream}) {
    streams[std::string(name)] = data::stream_seed(state.experiment().train.seed, name);
  }
  const TrainingState::Counters& counters = state.counters();
  return {{"format", kFormat},
          {"version", kVersion},
          {"step", std::to_string(counters.steps)},
          {"run_uuid", run_uuid},
          {"experiment", experiments::to_json(state.experiment())},
          {"counters", Json({{"reach", counters.reach}, {"initial_thetas", counters.initial_thetas}}).dump()},
          {"controls", controls.dump()},
          {"data_sampler", state.sampler().state()},
          {"stream_seeds", streams.dump()},
          {"data", data::to_json(data)},
          {"corpus_sha256", data.corpus.sha256},
          {"tokenizer_sha256", tokenizer_digest(data)},
          {"device", device_json(state.setup())},
          {"build", build_json()}};
}

const std::string& metadata(const Checkpoint& checkpoint, const std::string& key) {
  const auto found = checkpoint.file.metadata.find(key);
  if (found == checkpoint.file.metadata.end())
    throw Error("the checkpoint lacks '" + key + "' and cannot be resumed", ExitCode::Refused);
  return found->second;
}

Json json_of(const Checkpoint& checkpoint, const std::string& key) {
  Json json = Json::parse(metadata(checkpoint, key), nullptr, false);
  if (json.is_discarded()) throw Error("the checkpoint's '" + key + "' is not readable", ExitCode::Refused);
  return json;
}

void copy_in(const StateTensor& into, const TensorFile& file) {
  const NamedTensor* stored = file.find(into.name);
  if (stored == nullptr)
    throw Error("the checkpoint has no tensor '" + into.name + "'; it belongs to another model",
                ExitCode::Refused);
  if (stored->dtype != type_name(into.value.scalar_type()) ||
      at::IntArrayRef(stored->shape) != into.value.sizes()) {
    throw Error("tensor '" + into.name + "' of the checkpoint is " + stored->dtype + " " +
                    shape_words(stored->shape) + ", this experiment needs " +
                    type_name(into.value.scalar_type()) + " " + shape_words(into.value.sizes()) +
                    "; resume with the experiment it was made by",
                ExitCode::Refused);
  }
  const at::Tensor host = at::from_blob(const_cast<std::byte*>(stored->bytes.data()), into.value.sizes(),
                                        into.value.options().device(at::kCPU).requires_grad(false));
  into.value.copy_(host);
}

// Leaves of two JSON objects that differ, as "key: a there, b here".
void add_differences(std::vector<std::string>& words, const Json& there, const Json& here,
                     const std::string& path) {
  for (const auto& [key, value] : there.items()) {
    const std::string name = path.empty() ? key : path + "." + key;
    if (!here.contains(key)) continue;
    if (value.is_object() && here[key].is_object()) {
      add_differences(words, value, here[key], name);
    } else if (value != here[key]) {
      words.push_back(name + ": " + value.dump() + " there, " + here[key].dump() + " here");
    }
  }
}

// The same for the keys of two experiments that change training.
void add_experiment_differences(std::vector<std::string>& words, const experiments::Experiment& there,
                                const experiments::Experiment& here) {
  for (const experiments::Key& key : experiments::keys()) {
    if (!key.changes_training) continue;
    const std::string a = experiments::get(there, key.name), b = experiments::get(here, key.name);
    if (a != b) words.push_back(key.name + ": " + a + " there, " + b + " here");
  }
}

// Live scalars as they stood, but for those whose initial value this experiment sets to something else.
void restore_controls(TrainingState& state, const Checkpoint& checkpoint) {
  const experiments::Experiment there = experiments::experiment_from_json(checkpoint.experiment_json);
  const experiments::Experiment& here = state.experiment();
  const Json controls = json_of(checkpoint, "controls");
  for (const auto& [name, value] : controls.items()) {
    const bool is_reset =
        name == kWatching ||  // a new run is watched
        (name == kPace && there.train.pace != here.train.pace) ||
        (name == kProbeBudget && there.probe.budget_percent != here.probe.budget_percent) ||
        (name == "sparsity_weight" && there.model.spark.sparsity_weight != here.model.spark.sparsity_weight);
    if (!is_reset && state.model().controls().has(name)) state.set_control(name, value.get<double>());
  }
}

}  // namespace

Checkpoint read_checkpoint(const std::string& path) {
  Checkpoint checkpoint;
  checkpoint.file = read_tensor_file(path);
  const auto& all = checkpoint.file.metadata;
  if (const auto format = all.find("format"); format == all.end() || format->second != kFormat) {
    throw Error(path + " is a tensor file but no checkpoint of this program", ExitCode::Refused);
  }
  if (metadata(checkpoint, "version") != kVersion) {
    throw Error(path + " is a checkpoint of version " + metadata(checkpoint, "version") +
                    "; this program reads version " + kVersion,
                ExitCode::NewerVersion);
  }
  const std::string& step = metadata(checkpoint, "step");
  try {
    checkpoint.step = std::stoull(step);
  } catch (const std::exception&) {
    throw Error(path + " has the impossible step '" + step + "'", ExitCode::Refused);
  }
  checkpoint.run_uuid = metadata(checkpoint, "run_uuid");
  checkpoint.experiment_json = metadata(checkpoint, "experiment");
  checkpoint.sha256 = checkpoint.file.sha256;
  return checkpoint;
}

CheckpointSnapshot take_snapshot(const TrainingState& state, const data::PreparedData& data,
                                 const std::string& run_uuid) {
  CheckpointSnapshot snapshot;
  snapshot.step = state.counters().steps;
  snapshot.metadata = metadata_of(state, data, run_uuid);
  for (const StateTensor& tensor : tensors_of(state)) {
    const at::Tensor host = tensor.value.detach().to(at::kCPU).contiguous();
    // On a CPU `host` is the parameter itself, which the next step changes.
    snapshot.values.push_back(host.is_alias_of(tensor.value) ? host.clone() : host);
    const at::Tensor& value = snapshot.values.back();
    snapshot.tensors.push_back(
        {tensor.name,
         type_name(value.scalar_type()),
         value.sizes().vec(),
         {static_cast<const std::byte*>(value.const_data_ptr()), static_cast<std::size_t>(value.nbytes())}});
  }
  return snapshot;
}

SavedCheckpoint write_snapshot(const std::string& stem, const CheckpointSnapshot& snapshot) {
  SavedCheckpoint saved;
  saved.path = fmt::format("{}.step-{:09}.safetensors", stem, snapshot.step);
  saved.name = std::filesystem::path(saved.path).filename().string();
  saved.sha256 = write_tensor_file(saved.path, snapshot.metadata, snapshot.tensors);
  std::error_code error;
  saved.bytes = std::filesystem::file_size(saved.path, error);
  return saved;
}

void restore_checkpoint(TrainingState& state, const Checkpoint& checkpoint, const data::PreparedData& data) {
  if (metadata(checkpoint, "tokenizer_sha256") != tokenizer_digest(data)) {
    const std::string text = data::text_differences(metadata(checkpoint, "data"), data);
    throw Error("the checkpoint was trained with another tokenizer, so its weights mean other tokens" +
                    (text.empty() ? std::string() : " (" + text + ")") +
                    "; give the corpus and vocabulary it was made with",
                ExitCode::Refused);
  }
  const at::NoGradGuard no_grad;
  const std::vector<StateTensor> tensors = tensors_of(state);
  for (const StateTensor& tensor : tensors) copy_in(tensor, checkpoint.file);
  if (checkpoint.file.tensors.size() != tensors.size()) {
    throw Error("the checkpoint holds " + std::to_string(checkpoint.file.tensors.size()) +
                    " tensors, this experiment needs " + std::to_string(tensors.size()) +
                    "; resume with the experiment it was made by",
                ExitCode::Refused);
  }
  state.sampler().restore(metadata(checkpoint, "data_sampler"));
  try {
    const Json counters = json_of(checkpoint, "counters");
    state.restore_counters({checkpoint.step, counters.at("reach").get<double>(),
                            counters.at("initial_thetas").get<std::vector<double>>()});
    restore_controls(state, checkpoint);
  } catch (const nlohmann::json::exception&) {
    throw Error("the checkpoint's counters or controls are not readable", ExitCode::Refused);
  }
  if (state.counters().initial_thetas.size() != state.model().thetas().size()) {
    throw Error("the checkpoint lists another number of thresholds than its model has", ExitCode::Refused);
  }
}

std::vector<std::string> differences(const TrainingState& state, const Checkpoint& checkpoint,
                                     const data::PreparedData& data) {
  std::vector<std::string> words;
  Json there = json_of(checkpoint, "device"), here = Json::parse(device_json(state.setup()));
  there.erase("device");  // words for the GPU and the threads, which stand for themselves
  add_differences(words, there, here, "");
  // A commit changes bits only with the version or the libraries; most change none.
  there = json_of(checkpoint, "build"), here = Json::parse(build_json());
  there.erase("commit");
  add_differences(words, there, here, "");
  if (metadata(checkpoint, "corpus_sha256") != data.corpus.sha256)
    words.push_back(data::text_differences(metadata(checkpoint, "data"), data));
  add_experiment_differences(words, experiments::experiment_from_json(checkpoint.experiment_json),
                             state.experiment());
  return words;
}

}  // namespace sparsescope::train
