// The key table: one line per field of an experiment. Adding a field is adding its line here.
#include <algorithm>
#include <array>
#include <string_view>

#include "engine/experiments/fields.h"

namespace sparsescope::experiments {
namespace {

// Largest whole number that JSON readers keep exact.
constexpr double kMostExact = 9007199254740991.0;

template <typename Locate>
Field number(std::string name, Locate locate, std::string unit, double minimum, double maximum,
             std::string text) {
  using Pointer = decltype(locate(std::declval<Experiment&>()));
  Key::Type type = Key::Type::Number;
  if constexpr (std::is_same_v<Pointer, std::int64_t*> || std::is_same_v<Pointer, std::uint64_t*>)
    type = Key::Type::Integer;
  if constexpr (std::is_same_v<Pointer, std::vector<std::int64_t>*>) type = Key::Type::Integers;
  if constexpr (std::is_same_v<Pointer, std::vector<double>*>) type = Key::Type::Numbers;
  return {{std::move(name), type, std::move(unit), std::move(text), minimum, maximum, {}, true, true},
          [locate](Experiment& experiment) { return FieldRef(locate(experiment)); }};
}

template <typename Locate>
Field toggle(std::string name, Locate locate, std::string text) {
  return {{std::move(name), Key::Type::Switch, "", std::move(text), 0, 1, {}, true, true},
          [locate](Experiment& experiment) { return FieldRef(locate(experiment)); }};
}

template <typename Locate>
Field words(std::string name, Locate locate, std::string text) {
  return {{std::move(name), Key::Type::Text, "", std::move(text), 0, 0, {}, true, true},
          [locate](Experiment& experiment) { return FieldRef(locate(experiment)); }};
}

// `choices` in the order of the enum's values.
template <typename Locate>
Field choice(std::string name, Locate locate, std::vector<std::string> choices, std::string text) {
  return {{std::move(name), Key::Type::Choice, "", std::move(text), 0, 0, std::move(choices), true, true},
          [locate](Experiment& experiment) {
            auto* place = locate(experiment);
            using Enum = std::remove_pointer_t<decltype(place)>;
            return FieldRef(ChoiceRef{[place] { return static_cast<std::size_t>(*place); },
                                      [place](std::size_t index) { *place = static_cast<Enum>(index); }});
          }};
}

// A choice kept as its name, because its members register themselves elsewhere.
template <typename Locate>
Field named_choice(std::string name, Locate locate, std::vector<std::string> choices, std::string text) {
  return {{std::move(name), Key::Type::Choice, "", std::move(text), 0, 0, std::move(choices), true, true},
          [locate](Experiment& experiment) { return FieldRef(locate(experiment)); }};
}

#define AT(member) [](Experiment& e) { return &e.member; }

void add_model(std::vector<Field>& all) {
  all.insert(
      all.end(),
      {number("model.layers", AT(model.layers), "blocks", 1, 64, "Transformer blocks, L."),
       number("model.width", AT(model.width), "channels", 8, 8192, "Width of the residual stream, d."),
       number("model.heads", AT(model.heads), "heads", 1, 128,
              "Attention heads, H; they divide the width evenly."),
       number("model.context", AT(model.context), "tokens", 8, 32768, "Tokens of a training window, T."),
       number("model.max_positions", AT(model.max_positions), "tokens", 8, 1 << 20,
              "Length of the table of learned positions; beyond it nothing is defined."),
       choice("model.mixer", AT(model.mixer), {"dense", "window", "spark"}, "How tokens see one another."),
       number("model.window", AT(model.window), "tokens", 1, 32768,
              "Keys that a query of the window mixer sees, itself included."),
       choice("model.position", AT(model.position), {"rope", "alibi", "learned", "none"},
              "How a model knows where a token is."),
       choice("model.rope_layout", AT(model.rope_layout), {"interleaved", "half_split"},
              "Which channels RoPE turns together: neighbours, or one of each half."),
       number("model.rope_base", AT(model.rope_base), "1", 2, 1e9, "Base of the RoPE frequencies."),
       choice(
           "model.alibi_slopes", AT(model.alibi_slopes), {"geometric", "interleaved"},
           "ALiBi slopes when the heads are no power of two: one geometric series, or two interleaved ones."),
       choice("model.norm", AT(model.norm), {"rms", "layer"}, "RMSNorm or LayerNorm."),
       choice("model.norm_placement", AT(model.norm_placement), {"pre", "post"},
              "Norm before a sublayer or after its residual."),
       number("model.norm_eps", AT(model.norm_eps), "1", 0, 1e-2, "Added to the mean square inside a norm."),
       toggle("model.biases", AT(model.biases), "Biases in linear layers."),
       toggle("model.tied_head", AT(model.tied_head), "The output head is the embedding table."),
       number("model.init_std", AT(model.init_std), "1", 1e-4, 2,
              "Standard deviation of 2-D weights at the start."),
       toggle("model.depth_scaled_init", AT(model.depth_scaled_init),
              "Output projections start smaller by the square root of 2 L."),
       named_choice("model.depth", AT(model.depth), {"standard"},
                    "How the outputs of sublayers become the next input.")});
}

void add_spark(std::vector<Field>& all) {
  all.insert(
      all.end(),
      {number("spark.rank", AT(model.spark.rank), "channels", 1, 4096,
              "Width of declaration vectors and receiver addresses, r."),
       number("spark.kappa", AT(model.spark.kappa), "1", 1e-3, 1e3, "Scale of the routing scores."),
       number("spark.tau", AT(model.spark.tau), "1", 1e-3, 100,
              "Temperature of the soft gate that carries gradients."),
       number("spark.initial_theta_sigmas", AT(model.spark.initial_theta_sigmas), "sigmas", -20, 20,
              "Threshold at the start, in standard deviations of the scores of the untrained model; with "
              "spark.rule = top_k_offset the offset to the K-th best score."),
       choice(
           "spark.estimator", AT(model.spark.estimator),
           {"surrogate", "in_scope", "soft", "post_gate", "surrogate_split"},
           "Where gradients of the hard scope go. surrogate: to all past pairs; in_scope: to pairs in scope "
           "only; soft: nothing is hard, training is dense; post_gate: dense weights cut by the scope and "
           "not made whole again; surrogate_split: surrogate for scores, in_scope for queries and keys."),
       choice("spark.gate_pairs", AT(model.spark.gate_pairs), {"all", "direct"},
              "Pairs that carry the gate of the estimator in_scope."),
       toggle("spark.inheritance", AT(model.spark.inheritance),
              "A query also sees what its direct keys saw, one step deep."),
       toggle("spark.fallback", AT(model.spark.fallback),
              "A query that nothing was declared for sees the recent window."),
       number("spark.fallback_window", AT(model.spark.fallback_window), "tokens", 1, 32768,
              "Keys of that window, the query itself included, W."),
       number("spark.theta_lr_multiplier", AT(model.spark.theta_lr_multiplier), "1", 0, 1000,
              "Learning rate of thresholds relative to the model's: it bounds how far they can travel."),
       number("spark.sparsity_weight", AT(model.spark.sparsity_weight), "1", 0, 10,
              "Weight of the mean soft gate in the loss at the start; 0 leaves sparsity without a price."),
       choice("spark.rule", AT(model.spark.rule), {"threshold", "top_k", "top_k_offset"},
              "What a token declares: ids scored above a trained threshold; its K best; or those within a "
              "trained offset of the K-th."),
       number("spark.top_k", AT(model.spark.top_k), "ids", 1, 65536,
              "Ids of the vocabulary that a token declares by the rules top_k and top_k_offset, K.")});
}

void add_training(std::vector<Field>& all) {
  all.insert(
      all.end(),
      {number("optimizer.learning_rate", AT(optimizer.learning_rate), "1", 0, 10,
              "Peak learning rate of AdamW."),
       number("optimizer.beta1", AT(optimizer.beta1), "1", 0, 0.999999, "Decay of the gradient's average."),
       number("optimizer.beta2", AT(optimizer.beta2), "1", 0, 0.999999,
              "Decay of the squared gradient's average."),
       number("optimizer.eps", AT(optimizer.eps), "1", 1e-16, 1,
              "Added to the root of the squared gradient's average."),
       number("optimizer.weight_decay", AT(optimizer.weight_decay), "1", 0, 10,
              "Decoupled decay of 2-D weights."),
       number("optimizer.clip", AT(optimizer.clip), "1", 0, 1e6,
              "Largest global norm of a gradient; 0 does not clip."),
       number("optimizer.warmup_steps", AT(optimizer.warmup_steps), "steps", 0, 1e9,
              "Steps of rising learning rate."),
       number("optimizer.final_lr_fraction", AT(optimizer.final_lr_fraction), "1", 0, 1,
              "Share of the peak that the cosine schedule ends at."),
       words("data.corpus", AT(data.corpus),
             "Text to train on: a named corpus, a packed one, a file, a folder or a glob."),
       choice("data.tokenizer", AT(data.tokenizer), {"bpe", "bytes"},
              "Byte-pair encoding trained on the corpus, or plain bytes."),
       number("data.vocabulary", AT(data.vocabulary), "ids", 256, 65536,
              "Token ids, V; 256 with plain bytes."),
       number("data.max_bytes", AT(data.max_bytes), "bytes", 0, 1e9,
              "Most bytes of the corpus that are used; 0 is what a named corpus recommends, 8 MiB of other "
              "text."),
       number("data.validation_fraction", AT(data.validation_fraction), "1", 1e-3, 0.5,
              "Share of the text held out."),
       number("train.steps", AT(train.steps), "steps", 1, 1e9, "Planned optimizer steps, N."),
       number("train.batch", AT(train.batch), "windows", 1, 65536, "Windows in a step, B."),
       number("train.seed", AT(train.seed), "1", 0, kMostExact,
              "Every random stream of the run derives its own seed from this one."),
       number("train.pace", AT(train.pace), "steps/s", 0, 1000,
              "Most steps in a second, to watch; 0 is no limit."),
       number("train.checkpoint_every", AT(train.checkpoint_every), "steps", 0, 1e9,
              "Steps between checkpoints; 0 saves on demand and at the end."),
       number("train.threads", AT(train.threads), "threads", 0, 4096,
              "CPU threads of the training; 0 takes all."),
       choice("train.precision", AT(train.precision), {"auto", "fp32", "bf16"},
              "Type of matrix products; everything else is fp32. auto: bf16 on a GPU, fp32 on a CPU."),
       choice(
           "train.attention", AT(train.attention), {"own", "cudnn"},
           "Attention of the training step on a GPU. own: the same bits in every run. cudnn: dense attention "
           "without ALiBi only, faster at long contexts, but gradients differ from run to run."),
       toggle("train.capture", AT(train.capture),
              "On a GPU with bf16 products a step is one captured graph; off, the same kernels run one by "
              "one.")});
}

void add_observation(std::vector<Field>& all) {
  all.insert(
      all.end(),
      {number("evaluation.every", AT(evaluation.every), "steps", 0, 1e9,
              "Steps between validation losses; 0 is on demand."),
       number("evaluation.windows", AT(evaluation.windows), "windows", 1, 1e6,
              "Validation windows of a validation loss."),
       number("evaluation.needle_every", AT(evaluation.needle_every), "steps", 0, 1e9,
              "Steps between needle evaluations; 0 is on demand."),
       number("evaluation.needle_trials", AT(evaluation.needle_trials), "trials", 1, 65536,
              "Needles per depth."),
       number("evaluation.needle_length", AT(evaluation.needle_length), "tokens", 2, 1024,
              "Tokens of a needle, n."),
       number("evaluation.needle_cue", AT(evaluation.needle_cue), "tokens", 1, 1023,
              "Tokens of a needle shown in the query, c."),
       number("evaluation.needle_depths", AT(evaluation.needle_depths), "1", 0, 1,
              "Where needles lie, as shares of the context."),
       number("evaluation.needle_contexts", AT(evaluation.needle_contexts), "contexts", 1, 1024,
              "Lengths tested on the schedule, in multiples of model.context."),
       number("evaluation.needle_contexts_on_demand", AT(evaluation.needle_contexts_on_demand), "contexts", 1,
              1024, "Lengths tested on demand, in multiples of model.context."),
       number("evaluation.needle_seed", AT(evaluation.needle_seed), "1", 0, kMostExact,
              "Seed of the trials: runs on one corpus meet the same needles, whatever their own seed."),
       toggle("evaluation.needle_rejection", AT(evaluation.needle_rejection),
              "Needles whose cue already occurs in their context are drawn again."),
       number("probe.every", AT(probe.every), "steps", 0, 1e9,
              "Steps between probes; 0 switches the schedule off."),
       number("probe.edges_every", AT(probe.edges_every), "probes", 0, 1e9,
              "Probes between recordings of edges; 0 is on demand."),
       number("probe.sequences", AT(probe.sequences), "sequences", 1, 256, "Sequences of the probe batch."),
       number("probe.budget_percent", AT(probe.budget_percent), "percent", 0, 10,
              "Most that probes may cost of the training time; dearer ones come less often; 0 is no limit."),
       number("probe.measure_every_minutes", AT(probe.measure_every_minutes), "minutes", 0, 1440,
              "Minutes between measurements of what watching costs; 0 measures never."),
       number("sample.every", AT(sample.every), "steps", 0, 1e9,
              "Steps between texts that the model writes; 0 is on demand."),
       number("sample.tokens", AT(sample.tokens), "tokens", 1, 4096, "Tokens of such a text."),
       number("sample.temperature", AT(sample.temperature), "1", 0, 10,
              "Divides the logits before a token is drawn; 0 takes the likeliest."),
       words("sample.prompt", AT(sample.prompt), "What such a text begins with; empty begins a document."),
       number("recording.budget", AT(recording.budget_bytes), "bytes", 0, 1e15,
              "The recording ends below it: probes come ever more seldom and edges are left out first, what "
              "is of "
              "every step stays; 0 is no limit.")});
}

// What most runs are told apart by: the keys that a form shows first.
constexpr std::string_view kBasic[] = {"model.layers",
                                       "model.width",
                                       "model.heads",
                                       "model.context",
                                       "model.mixer",
                                       "model.position",
                                       "spark.rank",
                                       "spark.tau",
                                       "spark.initial_theta_sigmas",
                                       "spark.estimator",
                                       "spark.rule",
                                       "spark.inheritance",
                                       "spark.fallback",
                                       "spark.fallback_window",
                                       "spark.sparsity_weight",
                                       "optimizer.learning_rate",
                                       "data.corpus",
                                       "data.tokenizer",
                                       "data.vocabulary",
                                       "train.steps",
                                       "train.batch",
                                       "train.seed",
                                       "evaluation.every",
                                       "probe.every",
                                       "sample.every"};

// Keys, and beginnings of keys, that no parameter depends on once a run is under way: words, watching, and
// what a checkpoint already holds the result of. train.threads stands for the device's own count.
constexpr std::string_view kWithoutEffect[] = {"name",
                                               "title",
                                               "text",
                                               "profile",
                                               "evaluation.",
                                               "probe.",
                                               "sample.",
                                               "recording.",
                                               "data.corpus",
                                               "train.seed",
                                               "train.pace",
                                               "train.checkpoint_every",
                                               "train.threads",
                                               "train.capture",
                                               "model.init_std",
                                               "model.depth_scaled_init",
                                               "spark.initial_theta_sigmas"};

void classify(Key& key) {
  key.is_advanced = std::find(std::begin(kBasic), std::end(kBasic), key.name) == std::end(kBasic);
  key.changes_training = std::none_of(
      std::begin(kWithoutEffect), std::end(kWithoutEffect),
      [&key](auto name) { return name.back() == '.' ? key.name.starts_with(name) : key.name == name; });
}

}  // namespace

const std::vector<Field>& fields() {
  static const std::vector<Field> table = [] {
    std::vector<Field> all = {
        words("name", AT(name), "Short name of the experiment, usable in file names."),
        words("title", AT(title), "One line for the start page."),
        words("text", AT(text), "What it shows and why its values are what they are."),
        named_choice("profile", AT(profile), {"gpu", "cpu"},
                     "Which values are in force; follows from the device."),
    };
    add_model(all);
    add_spark(all);
    add_training(all);
    add_observation(all);
    for (Field& field : all) classify(field.key);
    return all;
  }();
  return table;
}
#undef AT

const std::vector<Key>& keys() {
  static const std::vector<Key> table = [] {
    std::vector<Key> all;
    for (const Field& field : fields()) all.push_back(field.key);
    return all;
  }();
  return table;
}

}  // namespace sparsescope::experiments
