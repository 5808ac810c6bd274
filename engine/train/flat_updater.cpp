// The update as kernels/adamw over flat buffers: every rate, counter and decision lies on the device.
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <cstring>

#include "engine/trace/error.h"
#include "engine/train/controls.h"
#include "engine/train/updater.h"
#include "kernels/adamw/adamw.h"
#include "kernels/common/dispatch_op.h"

namespace sparsescope::train {
namespace {

using kernels::AdamwBuffers;
using kernels::AdamwSegment;
using kernels::data_of;

bool is_threshold(const model::LanguageModel& model, const at::Tensor& value) {
  for (const at::Tensor& theta : model.thetas()) {
    if (theta.is_same(value)) return true;
  }
  return false;
}

// Plain values as bytes on the device.
template <typename T>
at::Tensor on_device(const std::vector<T>& values, at::Device device) {
  const at::Tensor host = at::from_blob(const_cast<T*>(values.data()),
                                        {static_cast<std::int64_t>(values.size() * sizeof(T))}, at::kByte);
  return host.clone().to(device);
}

class FlatUpdater : public Updater {
 public:
  FlatUpdater(model::LanguageModel& model, const experiments::Experiment& experiment);

  Outcome update(const at::Tensor& loss, const at::Tensor& non_finite) override;
  void set_step(std::uint64_t step) override { step_.fill_(static_cast<std::int64_t>(step)); }
  void restored() override;
  std::vector<State> state() const override;

 private:
  AdamwBuffers buffers() const;
  kernels::UpdateScalars scalars(const at::Tensor& loss, const at::Tensor& non_finite) const;
  at::Tensor part(const at::Tensor& flat, std::size_t index) const;

  model::LanguageModel& model_;
  kernels::ScheduleRule schedule_;
  kernels::AdamwRule rule_;
  std::vector<AdamwSegment> table_;
  at::Tensor segments_, map_;       // on the device, bytes
  at::Tensor m_, v_;                // [n] fp32
  at::Tensor step_, updates_;       // [1] i64
  at::Tensor rate_, norm_, found_;  // [] fp32
  at::Tensor factors_, partials_;   // [kUpdateFactors] fp32, [kNormPartials] f64
  at::Tensor updates_as_saved_;     // [] fp32: t of a checkpoint
};

FlatUpdater::FlatUpdater(model::LanguageModel& model, const experiments::Experiment& experiment)
    : model_(model),
      schedule_{experiment.optimizer.learning_rate, experiment.optimizer.final_lr_fraction,
                experiment.optimizer.warmup_steps, experiment.train.steps},
      rule_{experiment.optimizer.beta1, experiment.optimizer.beta2, experiment.optimizer.eps,
            experiment.optimizer.clip} {
  static_assert(kernels::kSegmentAlignment == model::kSegmentAlignment);
  model.table().lay_out_flat();
  const model::FlatParameters& flat = *model.table().flat();
  check(flat.gemm.defined(), "a flat update keeps bf16 copies; fp32 products use the library's");
  for (std::size_t i = 0; i < model.parameters().size(); ++i) {
    const model::Parameter& parameter = model.parameters()[i];
    AdamwSegment segment;
    segment.begin = flat.begins[i];
    segment.size = parameter.value.numel();
    segment.lr_multiplier = static_cast<float>(parameter.lr_multiplier);
    segment.weight_decay =
        parameter.weight_decay ? static_cast<float>(experiment.optimizer.weight_decay) : 0.0f;
    if (parameter.is_frozen) segment.freedom = AdamwSegment::Freedom::Frozen;
    if (is_threshold(model, parameter.value)) segment.role = AdamwSegment::Role::Threshold;
    table_.push_back(segment);
  }
  const at::TensorOptions options = flat.values.options();
  segments_ = on_device(table_, model.device());
  map_ = on_device(kernels::segment_map(table_, flat.values.numel()), model.device());
  m_ = at::zeros_like(flat.values);
  v_ = at::zeros_like(flat.values);
  step_ = at::zeros({1}, options.dtype(at::kLong));
  updates_ = at::zeros({1}, options.dtype(at::kLong));
  rate_ = at::zeros({}, options);
  norm_ = at::zeros({}, options);
  found_ = at::zeros({}, options);
  updates_as_saved_ = at::zeros({}, options);
  factors_ = at::zeros({kernels::kUpdateFactors}, options);
  partials_ = at::zeros({kernels::kNormPartials}, options.dtype(at::kDouble));
}

AdamwBuffers FlatUpdater::buffers() const {
  const model::FlatParameters& flat = *model_.table().flat();
  return {flat.values.numel(),
          data_of<float>(flat.values),
          data_of<float>(flat.gradients),
          data_of<float>(m_),
          data_of<float>(v_),
          data_of<kernels::Bfloat16>(flat.gemm),
          reinterpret_cast<const AdamwSegment*>(data_of<std::uint8_t>(segments_)),
          reinterpret_cast<const std::uint16_t*>(data_of<std::uint8_t>(map_))};
}

kernels::UpdateScalars FlatUpdater::scalars(const at::Tensor& loss, const at::Tensor& non_finite) const {
  const model::ControlBlock& controls = model_.controls();
  const auto control = [&](const char* name) { return controls.tensor(name).const_data_ptr<float>(); };
  kernels::UpdateScalars scalars;
  scalars.loss = data_of<float>(loss);
  scalars.non_finite = data_of<std::int32_t>(non_finite);
  scalars.learning_rate_scale = control(kLearningRateScale);
  if (!model_.thetas().empty()) {
    scalars.threshold_min = control("threshold_min");
    scalars.threshold_max = control("threshold_max");
    scalars.threshold_freeze = control(kThresholdFreeze);
  }
  scalars.step = data_of<std::int64_t>(step_);
  scalars.updates = data_of<std::int64_t>(updates_);
  scalars.learning_rate = data_of<float>(rate_);
  scalars.gradient_norm = data_of<float>(norm_);
  scalars.found_non_finite = data_of<float>(found_);
  scalars.factors = data_of<float>(factors_);
  return scalars;
}

Updater::Outcome FlatUpdater::update(const at::Tensor& loss, const at::Tensor& non_finite) {
  const c10::NoGradGuard no_graph;
  const at::Tensor total = loss.detach().contiguous(), count = non_finite.to(at::kInt);
  const AdamwBuffers flat = buffers();
  const kernels::UpdateScalars live = scalars(total, count);
  auto* partials = data_of<double>(partials_);
  kernels::dispatch(
      total,
      [&](kernels::Stream stream) {
        kernels::gradient_squares(flat, partials, stream);
        kernels::prepare_update(partials, schedule_, rule_, live, stream);
        kernels::adamw(flat, rule_, live, stream);
      },
      [&] {
        kernels::gradient_squares_reference(flat, partials);
        kernels::prepare_update_reference(partials, schedule_, rule_, live);
        kernels::adamw_reference(flat, rule_, live);
      });
  return {norm_, found_, rate_};
}

void FlatUpdater::restored() {
  model_.table().refresh_gemm_copies();
  updates_.copy_(updates_as_saved_);
}

at::Tensor FlatUpdater::part(const at::Tensor& flat, std::size_t index) const {
  const at::Tensor& value = model_.parameters()[index].value;
  return flat.narrow(0, table_[index].begin, value.numel()).view(value.sizes());
}

std::vector<Updater::State> FlatUpdater::state() const {
  updates_as_saved_.copy_(updates_.squeeze(0));
  std::vector<State> state;
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (table_[i].freedom == AdamwSegment::Freedom::Frozen) continue;
    const std::string& name = model_.parameters()[i].name;
    state.push_back({"optimizer.m." + name, part(m_, i)});
    state.push_back({"optimizer.v." + name, part(v_, i)});
    state.push_back({"optimizer.t." + name, updates_as_saved_});
  }
  return state;
}

}  // namespace

std::unique_ptr<Updater> make_flat_updater(model::LanguageModel& model,
                                           const experiments::Experiment& experiment) {
  return std::make_unique<FlatUpdater>(model, experiment);
}

}  // namespace sparsescope::train
