// An experiment as typed data: model, optimizer, data, schedule, probes, evaluations. No training code, no
// torch. Every field is reachable by one key ("spark.initial_theta_sigmas"); the key table drives TOML,
// --set, JSON and help.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sparsescope::experiments {

enum class MixerKind { Dense, Window, Spark };
enum class PositionKind { Rope, Alibi, Learned, None };
enum class RopeLayout { Interleaved, HalfSplit };
enum class AlibiSlopes { Geometric, Interleaved };  // mechanisms.md 1.2
enum class NormKind { Rms, Layer };
enum class NormPlacement { Pre, Post };
enum class Estimator { Surrogate, InScope, Soft, PostGate, SurrogateSplit };  // mechanisms.md 2.2
enum class DeclarationRule { Threshold, TopK, TopKOffset };                   // mechanisms.md 2.1
enum class GatePairs { All, Direct };  // which in-scope pairs carry the gate of `in_scope`
enum class TokenizerKind { Bpe, Bytes };
enum class AttentionKernels { Own, Cudnn };  // of a training step on a GPU
enum class Precision { Auto, Fp32, Bf16 };   // of matrix products; mechanisms.md 0

struct SparkConfig {
  std::int64_t rank = 64;  // r, width of declaration vectors and receiver addresses
  double kappa = 1.0;      // score scale
  double tau = 0.5;        // gate temperature
  double initial_theta_sigmas =
      3.6;  // initial threshold in standard deviations of the scores at initialisation
  Estimator estimator = Estimator::Surrogate;
  GatePairs gate_pairs = GatePairs::All;
  bool inheritance = false;           // depth 1
  bool fallback = true;               // empty rows use the recent window
  std::int64_t fallback_window = 32;  // W, keys including self
  double theta_lr_multiplier = 1.0;
  double sparsity_weight = 0.0;  // lambda_s, initial value of the live control
  DeclarationRule rule = DeclarationRule::Threshold;
  std::int64_t top_k = 32;  // K, ids of the vocabulary that a token declares; both rules of top-K

  // Whether scores count from the K-th best id of their declarer, and theta is an offset to it.
  bool is_ranked() const { return rule != DeclarationRule::Threshold; }
  // Of theta; pure top-K has none that trains.
  double used_theta_lr_multiplier() const {
    return rule == DeclarationRule::TopK ? 0.0 : theta_lr_multiplier;
  }
  // Whether a fused kernel exists; everything else runs as LibTorch operations.
  bool has_fused_form() const {
    return !is_ranked() && (estimator == Estimator::Surrogate || estimator == Estimator::InScope);
  }
  bool operator==(const SparkConfig&) const = default;
};

struct ModelConfig {
  std::int64_t layers = 6;
  std::int64_t width = 192;  // d
  std::int64_t heads = 6;
  std::int64_t context = 256;         // T, tokens of a training window
  std::int64_t max_positions = 4096;  // learned positions only
  MixerKind mixer = MixerKind::Spark;
  std::int64_t window = 32;  // MixerKind::Window, keys including self
  PositionKind position = PositionKind::Rope;
  RopeLayout rope_layout = RopeLayout::Interleaved;
  double rope_base = 10000.0;
  AlibiSlopes alibi_slopes = AlibiSlopes::Geometric;
  NormKind norm = NormKind::Rms;
  NormPlacement norm_placement = NormPlacement::Pre;
  double norm_eps = 1e-6;
  bool biases = false;
  bool tied_head = true;
  double init_std = 0.02;
  bool depth_scaled_init = false;  // output projections at init_std / sqrt(2 layers)
  std::string depth = "standard";  // how sublayer outputs become the next input (engine/model/depth)
  SparkConfig spark;
  bool operator==(const ModelConfig&) const = default;
};

struct OptimizerConfig {  // AdamW, mechanisms.md 1.1
  double learning_rate = 2e-3;
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
  double weight_decay = 0.1;  // 2-D weights only
  double clip = 1.0;          // global gradient norm
  std::int64_t warmup_steps = 100;
  double final_lr_fraction = 0.1;  // cosine floor
  bool operator==(const OptimizerConfig&) const = default;
};

struct DataConfig {
  std::string corpus = "headers";  // a named or packed corpus; --corpus overrides it with names or paths
  TokenizerKind tokenizer = TokenizerKind::Bpe;
  std::int64_t vocabulary = 4096;  // V; 256 with TokenizerKind::Bytes
  std::int64_t max_bytes = 0;  // of the corpus; 0: as many as a named corpus recommends, 8 MiB of other text
  double validation_fraction = 0.05;
  bool operator==(const DataConfig&) const = default;
};

struct TrainConfig {
  std::int64_t steps = 850;
  std::int64_t batch = 64;                // windows per step
  std::uint64_t seed = 1;                 // every random stream derives its own logged seed from this one
  double pace = 0;                        // steps per second limit; 0 = none
  std::int64_t checkpoint_every = 0;      // steps; 0 = on demand and at the end
  std::int64_t threads = 0;               // CPU threads; 0 = all
  Precision precision = Precision::Auto;  // Auto: bf16 on a GPU, fp32 on a CPU
  AttentionKernels attention = AttentionKernels::Own;  // Cudnn: its gradients differ from run to run
  bool capture = true;  // on a GPU with bf16 products, the step is one captured graph
  bool operator==(const TrainConfig&) const = default;
};

struct EvaluationConfig {
  std::int64_t every = 50;          // steps between validation losses
  std::int64_t windows = 32;        // validation windows of `context` predicted tokens
  std::int64_t needle_every = 200;  // steps between needle evaluations; 0 = on demand
  std::int64_t needle_trials = 64;  // per depth
  std::int64_t needle_length = 8;   // n
  std::int64_t needle_cue = 4;      // c
  std::vector<double> needle_depths = {0.1, 0.3, 0.5, 0.7, 0.9};
  std::vector<std::int64_t> needle_contexts = {1, 4};  // multiples of `context`, on the schedule
  std::vector<std::int64_t> needle_contexts_on_demand = {1, 4, 16};
  std::int64_t needle_seed =
      0;  // of the trials, not derived from train.seed: every run of a corpus meets the same
  bool needle_rejection = true;  // redraw a needle whose cue already occurs in the base
  bool operator==(const EvaluationConfig&) const = default;
};

struct ProbeConfig {
  std::int64_t every = 25;           // steps between probes; 0 = off
  std::int64_t edges_every = 10;     // probes between edge recordings; 0 = on demand
  std::int64_t sequences = 4;        // probe batch
  double budget_percent = 2;         // of the training time; dearer probes come less often; 0 = they never do
  double measure_every_minutes = 5;  // between measurements of what watching costs; 0 = never
  bool operator==(const ProbeConfig&) const = default;
};

struct SampleConfig {        // text that the model writes while it trains
  std::int64_t every = 0;    // steps between samples; 0 = on demand
  std::int64_t tokens = 64;  // of a sample
  double temperature = 0.8;  // 0: always the likeliest
  std::string prompt;        // empty: from the start of a document
  bool operator==(const SampleConfig&) const = default;
};

struct RecordingConfig {
  double budget_bytes = 0;  // the recording ends below it: probes come logarithmically in steps; 0 = no limit
  bool operator==(const RecordingConfig&) const = default;
};

struct Experiment {
  std::string name;  // file-name safe
  std::string title;
  std::string text;             // why these values; shown on the start page
  std::string profile = "gpu";  // "gpu" or "cpu": which values of the preset are in force
  ModelConfig model;
  OptimizerConfig optimizer;
  DataConfig data;
  TrainConfig train;
  EvaluationConfig evaluation;
  ProbeConfig probe;
  SampleConfig sample;
  RecordingConfig recording;
  bool operator==(const Experiment&) const = default;
};

// One field of an experiment, by its dotted name. The table is in keys.cpp.
struct Key {
  enum class Type { Integer, Number, Switch, Choice, Text, Integers, Numbers };
  std::string name;  // "optimizer.learning_rate"
  Type type;
  std::string unit;                  // of numbers: "steps", "tokens", "1" without a dimension; else empty
  std::string text;                  // one sentence
  double minimum = 0, maximum = 0;   // Integer, Number and their lists
  std::vector<std::string> choices;  // Choice
  bool is_advanced = true;           // not among the few that most runs are told apart by
  bool changes_training = true;      // another value gives other parameters, in a resumed run too
};
const std::vector<Key>& keys();
// "a whole number between 1 and 64 blocks": what may stand there.
std::string what_fits(const Key& key);
// What a key is where neither file nor command line says anything, as TOML writes it.
std::string default_value(const std::string& key);

// The value of `key` as TOML writes it.
std::string get(const Experiment& experiment, const std::string& key);
// Sets `key` from text as TOML or the command line would write it (quotes and brackets may be left out).
// Throws Error (Usage) naming key, value and what fits: unknown keys name the nearest known one. `profile`
// follows from the device and cannot be set.
void set(Experiment& experiment, const std::string& key, const std::string& value);
// Checks what single keys cannot see (heads divide width, context fits, window sizes). Throws Error (Usage).
void validate(const Experiment& experiment);

// Reads an experiment file; its table [cpu] holds dotted keys that replace others in the profile "cpu". A
// file that says for itself which profile it is (as to_toml writes it) keeps that one. Throws Error (Usage)
// naming file, line and key.
Experiment load_experiment(const std::string& path, const std::string& profile);
struct Preset {
  std::string name, title, text, path;
};
inline constexpr const char* kDefaultPreset = "spark-collapse";
// The folder of the assets of one kind ("experiments", "corpora"): of $SPARSESCOPE_ASSETS, of the sources
// this was built from, or of the installed program. It need not exist.
std::string assets_folder(const std::string& kind);
// The experiments of one run in assets/experiments, the default first, the others by name.
std::vector<Preset> presets();
// The file that a person means: itself, or the one that ships under that name (of one run or of many,
// study.h). Throws Error (Usage) that lists what exists; a path that leads nowhere is returned as it is.
std::string experiment_path(const std::string& name_or_file);
// Throws Error (Usage) that lists what exists.
Experiment load_preset(const std::string& name, const std::string& profile);

std::string to_json(const Experiment& experiment);  // one object, nested like the keys; complete
std::string to_toml(const Experiment& experiment);  // loads back to an equal experiment
Experiment experiment_from_json(const std::string& json);

}  // namespace sparsescope::experiments
