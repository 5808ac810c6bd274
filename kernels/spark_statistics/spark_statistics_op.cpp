#include "kernels/spark_statistics/spark_statistics_op.h"

#include <ATen/ops/empty.h>

#include "kernels/common/dispatch_op.h"

namespace sparsescope::kernels {

at::Tensor spark_statistics(const SparkStatisticsTensors& tensors, const at::Tensor& non_finite) {
  check(!tensors.layers.empty() && std::ssize(tensors.layers) <= kStatisticsLayers,
        "statistics are of 1 to 64 layers");
  SparkStatisticsInput input;
  for (const SparkStatisticsTensors::Layer& layer : tensors.layers) {
    input.layers[input.count++] = {data_of<std::int32_t>(layer.row_counts),
                                   data_of<double>(layer.row_moments),
                                   data_of<double>(layer.row_gates),
                                   data_of<float>(layer.declarations),
                                   data_of<float>(layer.theta),
                                   data_of<float>(layer.gradient)};
  }
  const at::Tensor& declarations = tensors.layers.front().declarations;
  input.batch = declarations.size(0);
  input.tokens = declarations.size(1);
  input.rank = declarations.size(2);
  input.vocabulary = tensors.addresses.size(0);
  input.addresses = data_of<float>(tensors.addresses);
  input.offsets = data_of<std::int32_t>(tensors.offsets);
  input.score_scale = static_cast<float>(tensors.score_scale);

  const at::TensorOptions options = declarations.options().dtype(at::kDouble);
  const at::Tensor figures = at::empty({input.count, kSparkFigures}, options),
                   penalties = at::empty({input.count}, options);
  auto *to = data_of<double>(figures), *means = data_of<double>(penalties);
  auto* bad = data_of<std::int32_t>(non_finite);
  dispatch(
      declarations,
      [&](Stream on) {
        const at::Tensor scratch =
            at::empty({spark_statistics_scratch(input.count, input.vocabulary)}, options);
        spark_statistics(input, to, means, bad, data_of<double>(scratch), on);
      },
      [&] { spark_statistics_reference(input, to, means, bad); });
  return figures;
}

}  // namespace sparsescope::kernels
