// A linear map whose weight is kept in fp32 and multiplied in another type.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/model/parameter_table.h"

namespace sparsescope::model {

// y = x W^T: x [...,inputs] -> [...,outputs] in type `out`, operands in the type of weight.gemm, sums in
// fp32. Backward: dx in the type of x; dW is added to weight.value's gradient in fp32 without a tensor of its
// own. With weight.gemm the same tensor as weight.value this is at::linear.
at::Tensor linear(const at::Tensor& x, const Weight& weight, at::ScalarType out);

// gradient of `leaf` += dy^T x for dy [n,outputs], x [n,inputs] of one type; sums in fp32.
void add_weight_gradient(const at::Tensor& leaf, const at::Tensor& dy, const at::Tensor& x);

// a b for matrices of one type, in type `out`, sums in fp32.
at::Tensor product(const at::Tensor& a, const at::Tensor& b, at::ScalarType out);

}  // namespace sparsescope::model
