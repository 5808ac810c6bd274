// The language model: embedding, a stack of sublayers joined by a depth member, head, loss terms. It offers
// parameters, controls and observation points; it knows no optimizer, no probe and no recording.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/experiments/experiment.h"
#include "engine/model/control_block.h"
#include "engine/model/layers.h"
#include "engine/model/observation.h"
#include "engine/model/parameter_table.h"
#include "kernels/embedding/embedding_op.h"

namespace sparsescope::model {

inline constexpr std::int64_t kIgnoredLabel = -100;  // a target that is not predicted

enum class Statistics { Skip, Collect };
enum class Gates { AsTrained, Hard };  // Hard: SPaRK attends over its scope only, whatever its estimator does

struct ForwardOptions {
  Statistics statistics = Statistics::Skip;      // Collect on training batches: what spark_statistics needs
  Observer* observer = nullptr;                  // outlives the call
  const Interventions* interventions = nullptr;  // outlives the call
  Kernels kernels = Kernels::Own;                // what a model of bf16 products uses where it can
  // Of dense attention where own kernels would run: training may choose what is faster and does not repeat.
  experiments::AttentionKernels attention = experiments::AttentionKernels::Own;
  // Hidden: loss() forms logits chunk by chunk where it can; None: logits_of() forms some of them.
  enum class Head { Logits, Hidden, None } head = Head::Logits;
  Gates gates = Gates::AsTrained;
  bool has_all_terms = false;  // loss terms take part whatever their weight is now
};

// What one SPaRK layer leaves behind for the loss and the statistics. Small but for `penalty`'s graph.
struct SparkLayerResult {
  at::Tensor theta;        // [] as used, detached
  at::Tensor row_counts;   // [B,T,kernels::kScopeCounts] i32
  at::Tensor row_moments;  // [B,T,2] f64: sum of S and of S^2 over p < t
  at::Tensor
      penalty;  // [] mean over past pairs of sigma((S - theta)/tau); undefined unless collected or weighted
  at::Tensor declared_share;  // [V] f64, share of positions that declare each id; Collect only
  at::Tensor declarations;    // [B,T,r] z, where own kernels count instead; Collect only
};

struct ForwardResult {
  at::Tensor ids;                       // [B,T] i64
  at::Tensor logits;                    // [B,T,V] in the model's dtype; undefined with Head::Hidden
  at::Tensor hidden;                    // [B,T,C] what the head reads
  std::vector<SparkLayerResult> spark;  // one per SPaRK layer, in layer order; empty for other mixers
  kernels::GroupedIds groups;           // of ids; defined where own kernels form gradients
  bool has_all_terms = false;           // as asked for
  at::Tensor row_gates;   // [L,B,T] f64 of own kernels: sum of soft gates over p < t; Collect only
  at::Tensor non_finite;  // [] i64 on the device: scores at p <= t, thresholds and rows of logits that are
                          // not numbers; undefined where own kernels count in the loss and the statistics
};

struct LossTerm {
  std::string name;   // "cross_entropy", "sparsity"; the label in the channel `scalars`
  at::Tensor value;   // [] unweighted
  at::Tensor weight;  // [] fp32, live
};
struct Loss {
  at::Tensor total;  // [] sum of weight * value; its backward() fills the gradients
  std::vector<LossTerm> terms;
  at::Tensor non_finite;  // [1] i32 or [] i64: that of the result, with the logits that loss() formed
};

class LanguageModel {
 public:
  // `vocabulary` ids 0 .. vocabulary-1. Parameters and everything but matrix products are of type `dtype`;
  // products are too, or bf16 with sums in fp32. Throws Error (Usage) for a configuration that cannot be
  // built.
  enum class Products { Same, Bf16 };
  LanguageModel(const experiments::ModelConfig& config, std::int64_t vocabulary, at::Device device,
                at::ScalarType dtype, std::uint64_t init_seed, Products products = Products::Same);
  ~LanguageModel();
  LanguageModel(const LanguageModel&) = delete;
  LanguageModel& operator=(const LanguageModel&) = delete;

  // ids [B,T] i64 on the model's device, any T >= 1 (learned positions: at most max_positions, else Error).
  // Builds a graph when gradients are enabled. Uses no random numbers. One thread at a time (masks are kept
  // between calls).
  ForwardResult forward(const at::Tensor& ids, const ForwardOptions& options = {}) const;

  // Logits [...,V] of hidden states [...,C].
  at::Tensor logits_of(const at::Tensor& hidden) const;
  // Whether a forward pass that nobody observes forms no T x T matrix.
  bool has_own_attention() const;

  // targets [B,T] i64, kIgnoredLabel where nothing is predicted; cross-entropy is the mean in nats over the
  // others.
  Loss loss(const ForwardResult& result, const at::Tensor& targets) const;

  // Call around every optimizer update: thresholds that are frozen keep their value, the others stay inside
  // their clamp.
  void before_update();
  void after_update();

  // Writes a live scalar; thresholds follow a changed clamp at once. Throws Error (Usage), see
  // ControlBlock::set.
  void set_control(const std::string& name, double value);
  ControlBlock& controls() { return controls_; }  // the trainer may register its own scalars here
  const ControlBlock& controls() const { return controls_; }

  std::vector<Parameter>& parameters() { return parameters_.rows(); }
  const std::vector<Parameter>& parameters() const { return parameters_.rows(); }
  const ParameterTable& table() const { return parameters_; }
  ParameterTable& table() { return parameters_; }

  const experiments::ModelConfig& config() const { return config_; }
  std::int64_t vocabulary() const { return vocabulary_; }
  at::Device device() const { return parameters_.device(); }

  // SPaRK: thresholds by layer (the leaves), the shared addresses U [V,r]; empty and undefined for other
  // mixers.
  const std::vector<at::Tensor>& thetas() const;
  at::Tensor addresses() const;

 private:
  struct Stack;

  Kernels kernels_of(const ForwardOptions& options) const;
  bool can_chunk_head(Kernels kernels) const;
  at::Tensor mean_penalty(const ForwardResult& result) const;

  experiments::ModelConfig config_;
  std::int64_t vocabulary_;
  ControlBlock controls_;
  ParameterTable parameters_;
  std::unique_ptr<Stack> stack_;
};

// Pairs p < t of a batch, at least 1.
double past_pairs(std::int64_t batch, std::int64_t tokens);

// Standard deviation of SPaRK's scores S at initialisation: exact in expectation over the initial weights
// (not measured), kappa init_std sqrt(d) times the RMS of what layer `layer` reads: 1 behind a norm, that of
// the embedding in the first layer of a post-norm model. An initial threshold is given in multiples of it.
double initial_score_std(const experiments::ModelConfig& config, std::int64_t layer);

// Throws Error naming the first layer whose threshold or scores, or the logits, hold something that is not a
// finite number. Synchronises with the device: once a step, or on suspicion.
void raise_if_not_finite(const ForwardResult& result, std::uint64_t step);

}  // namespace sparsescope::model
