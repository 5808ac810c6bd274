#include "engine/model/functions/embedding.h"

#include <torch/csrc/autograd/custom_function.h>

#include "engine/model/functions/gradient.h"

namespace sparsescope::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

struct EmbeddingFunction : torch::autograd::Function<EmbeddingFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& ids, const at::Tensor& table,
                            const kernels::GroupedIds* groups) {
    context->save_for_backward({ids, table, groups->order, groups->sorted_ids, groups->offsets});
    return kernels::embed(table.detach(), ids).view({ids.size(0), ids.size(1), table.size(1)});
  }
  static tensor_list backward(AutogradContext* context, tensor_list upstream) {
    const tensor_list saved = context->get_saved_variables();
    const at::Tensor& table = saved[1];
    kernels::embedding_backward(upstream[0].reshape({-1, table.size(1)}).contiguous(), saved[0],
                                {saved[2], saved[3], saved[4]}, gradient_of(table));
    return {{}, {}, {}};
  }
};

}  // namespace

at::Tensor embedding(const at::Tensor& ids, const at::Tensor& table, const kernels::GroupedIds& groups) {
  return EmbeddingFunction::apply(ids, table, &groups);
}

}  // namespace sparsescope::model
