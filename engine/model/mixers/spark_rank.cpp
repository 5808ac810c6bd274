#include "engine/model/mixers/spark_rank.h"

#include <ATen/ops/full_like.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/nextafter.h>
#include <ATen/ops/topk.h>
#include <torch/csrc/autograd/custom_function.h>

#include <limits>

namespace sparsescope::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Forward from the table, backward by two products: a gradient of gathered elements would be summed in no
// fixed order.
struct RankedScoresFunction : torch::autograd::Function<RankedScoresFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& declaration,
                            const at::Tensor& address, const RankedInput* input, std::int64_t k) {
    context->save_for_backward({declaration, address});
    context->saved_data["scale"] = input->scale;
    const std::int64_t batch = input->ids.size(0), tokens = input->ids.size(1);
    const at::Tensor table = relative_to_rank(
        at::matmul(declaration.detach() * input->scale, input->addresses.detach().t()), k);  // [B,T,V]
    const at::Tensor index = input->ids.unsqueeze(1).expand({batch, tokens, tokens});        // [B,p,t]
    return table.gather(-1, index).transpose(1, 2).contiguous();
  }
  static tensor_list backward(AutogradContext* context, tensor_list upstream) {
    const tensor_list saved = context->get_saved_variables();
    const double scale = context->saved_data["scale"].toDouble();
    return {at::matmul(upstream[0].transpose(1, 2), saved[1]).mul_(scale),
            at::matmul(upstream[0], saved[0]).mul_(scale),
            {},
            {}};
  }
};

}  // namespace

at::Tensor relative_to_rank(const at::Tensor& table, std::int64_t k) {
  return table - std::get<0>(at::topk(table, k, -1)).narrow(-1, k - 1, 1);
}

at::Tensor ranked_scores(const RankedInput& input, std::int64_t k) {
  return RankedScoresFunction::apply(input.declaration, input.address, &input, k);
}

at::Tensor just_below(const at::Tensor& theta) {
  return at::nextafter(theta, at::full_like(theta, -std::numeric_limits<double>::infinity()));
}

}  // namespace sparsescope::model
