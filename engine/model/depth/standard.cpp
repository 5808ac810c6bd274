// The standard residual stream: x + v, normalised before each sublayer (pre) or after each sum (post), and
// before the head.
#include <string>
#include <vector>

#include "engine/model/depth/depth.h"
#include "engine/model/functions/residual_norm.h"
#include "engine/model/layers.h"

namespace sparsescope::model {
namespace {

struct Norms {
  experiments::NormPlacement placement;
  std::vector<Norm> sublayers;  // 2 L
  std::vector<Norm> head;       // 1
};

class StandardPass : public DepthPass {
 public:
  StandardPass(const Norms& norms, const at::Tensor& embedding) : norms_(norms), stream_(embedding) {}

  at::Tensor input(std::int64_t sublayer) override {
    if (sublayer == std::ssize(norms_.sublayers)) return norms_.head.front()(stream_);
    return norms_.placement == experiments::NormPlacement::Pre ? norms_.sublayers[sublayer](stream_)
                                                               : stream_;
  }

  void output(std::int64_t sublayer, const at::Tensor& v) override {
    stream_ = stream_ + v;
    if (norms_.placement == experiments::NormPlacement::Post) stream_ = norms_.sublayers[sublayer](stream_);
  }

 private:
  const Norms& norms_;
  at::Tensor stream_;  // [B,T,C]
};

// The same for a pre-norm RMSNorm stream, addition and norm in one kernel: what a sublayer made is added
// where the next one reads.
class FusedPass : public DepthPass {
 public:
  FusedPass(const Norms& norms, const at::Tensor& embedding) : norms_(norms), stream_(embedding) {}

  at::Tensor input(std::int64_t sublayer) override {
    const Norm& norm =
        sublayer == std::ssize(norms_.sublayers) ? norms_.head.front() : norms_.sublayers[sublayer];
    const ResidualNorm made = residual_norm(stream_, delta_, norm.gain(), norm.eps());
    stream_ = made.stream;
    return made.normed;
  }
  void output(std::int64_t, const at::Tensor& v) override { delta_ = v; }

 private:
  const Norms& norms_;
  at::Tensor stream_;  // [B,T,C] fp32
  at::Tensor delta_;   // [B,T,C] bf16, not yet added; undefined before the first sublayer
};

class Standard : public Depth {
 public:
  Standard(const experiments::ModelConfig& config, ParameterTable& parameters)
      : norms_{config.norm_placement, {}, {}} {
    for (std::int64_t sublayer = 0; sublayer < 2 * config.layers; ++sublayer) {
      norms_.sublayers.emplace_back(
          parameters, "blocks." + std::to_string(sublayer / 2) + (sublayer % 2 == 0 ? ".norm1" : ".norm2"),
          config);
    }
    norms_.head.emplace_back(parameters, "norm", config);
  }
  std::unique_ptr<DepthPass> begin(const at::Tensor& embedding, Kernels kernels) const override {
    const bool is_plain = norms_.placement == experiments::NormPlacement::Pre &&
                          norms_.head.front().kind() == experiments::NormKind::Rms;
    if (kernels == Kernels::Own && is_plain) return std::make_unique<FusedPass>(norms_, embedding);
    return std::make_unique<StandardPass>(norms_, embedding);
  }

 private:
  Norms norms_;
};

}  // namespace

std::unique_ptr<Depth> make_standard_depth(const experiments::ModelConfig& config,
                                           ParameterTable& parameters) {
  return std::make_unique<Standard>(config, parameters);
}

}  // namespace sparsescope::model
