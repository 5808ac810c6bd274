// Attention and its gradient on the CPU in fp64: what the kernels are compared with.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/attention/attention.h"

namespace sparsescope::kernels {
namespace {

// Where the values of one head lie.
struct Head {
  std::int64_t q, part, stride, output, output_stride, row;
};

Head head_of(AttentionShape shape, std::int64_t batch, std::int64_t head) {
  const std::int64_t part = shape.heads * shape.head_width;
  return {batch * shape.tokens * 3 * part + head * shape.head_width,
          part,
          3 * part,
          batch * shape.tokens * part + head * shape.head_width,
          part,
          (batch * shape.heads + head) * shape.tokens};
}

double dot(const double* a, const double* b, std::int64_t width) {
  double sum = 0;
  for (std::int64_t i = 0; i < width; ++i) sum += a[i] * b[i];
  return sum;
}

void add(double* to, double factor, const double* from, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i) to[i] += factor * from[i];
}

// One query of one head; `qkv` is turned already.
void attend(const double* qkv, const Head& head, std::int64_t t, std::int64_t width, double scale,
            std::int64_t window, double slope, const AttentionValues& values) {
  const std::int64_t first = t < window ? 0 : t - window + 1;
  const double* query = qkv + head.q + t * head.stride;
  std::vector<double> weights(t - first + 1);
  for (std::int64_t p = first; p <= t; ++p)
    weights[p - first] =
        scale * dot(query, qkv + head.q + head.part + p * head.stride, width) - slope * double(t - p);
  const double largest = *std::max_element(weights.begin(), weights.end());
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp(weight - largest);
  std::vector<double> output(width);
  for (std::int64_t p = first; p <= t; ++p)
    add(output.data(), weights[p - first] /= sum, qkv + head.q + 2 * head.part + p * head.stride, width);
  const std::int64_t at = head.output + t * head.output_stride;
  if (values.output != nullptr) std::copy(output.begin(), output.end(), values.output + at);
  if (values.lse != nullptr) values.lse[head.row + t] = largest + std::log(sum);
  if (values.d_qkv == nullptr) return;
  const double* d_output = values.d_output + at;
  const double delta = dot(output.data(), d_output, width);
  for (std::int64_t p = first; p <= t; ++p) {
    const double* row = qkv + head.q + p * head.stride;
    double* d_row = values.d_qkv + head.q + p * head.stride;
    const double weight = weights[p - first];
    const double d_logit = weight * (dot(d_output, row + 2 * head.part, width) - delta) * scale;
    add(values.d_qkv + head.q + t * head.stride, d_logit, row + head.part, width);
    add(d_row + head.part, d_logit, query, width);
    add(d_row + 2 * head.part, weight, d_output, width);
  }
}

std::vector<double> doubles(const Bfloat16* from, std::int64_t count) {
  std::vector<double> values(count);
  std::transform(from, from + count, values.begin(), float_from_bfloat16);
  return values;
}

void round_to(Bfloat16* to, const std::vector<double>& from) {
  std::transform(from.begin(), from.end(), to,
                 [](double value) { return bfloat16_from_float(float(value)); });
}

}  // namespace

void attention_reference(const AttentionValues& values, AttentionShape shape, const AttentionRule& rule) {
  const std::int64_t count = shape.batch * shape.tokens * 3 * shape.heads * shape.head_width;
  std::vector<double> qkv(values.qkv, values.qkv + count);
  const RopeShape rope_shape{shape.batch, shape.tokens, shape.heads, shape.head_width};
  rope_reference(qkv.data(), rule.rotary, rope_shape, RotaryTurn::Forward);
  if (values.d_qkv != nullptr) std::fill(values.d_qkv, values.d_qkv + count, 0.0);
  for (std::int64_t batch = 0; batch < shape.batch; ++batch) {
    for (std::int64_t head = 0; head < shape.heads; ++head) {
      const double slope = rule.slopes == nullptr ? 0.0 : rule.slopes[head];
      for (std::int64_t t = 0; t < shape.tokens; ++t)
        attend(qkv.data(), head_of(shape, batch, head), t, shape.head_width, rule.scale, rule.window, slope,
               values);
    }
  }
  if (values.d_qkv != nullptr) rope_reference(values.d_qkv, rule.rotary, rope_shape, RotaryTurn::Back);
}

void attention_reference(const AttentionForward& arrays, AttentionShape shape, const AttentionRule& rule) {
  const std::int64_t count = shape.batch * shape.tokens * shape.heads * shape.head_width;
  const std::vector<double> qkv = doubles(arrays.qkv, 3 * count);
  std::vector<double> output(count), lse(shape.batch * shape.heads * shape.tokens);
  attention_reference({qkv.data(), output.data(), lse.data(), nullptr, nullptr}, shape, rule);
  round_to(arrays.output, output);
  std::copy(lse.begin(), lse.end(), arrays.lse);
}

void attention_backward_reference(const AttentionBackward& arrays, AttentionShape shape,
                                  const AttentionRule& rule) {
  const std::int64_t count = shape.batch * shape.tokens * shape.heads * shape.head_width;
  const std::vector<double> qkv = doubles(arrays.qkv, 3 * count), d_output = doubles(arrays.d_output, count);
  std::vector<double> d_qkv(3 * count);
  attention_reference({qkv.data(), nullptr, nullptr, d_output.data(), d_qkv.data()}, shape, rule);
  round_to(arrays.d_qkv, d_qkv);
}

}  // namespace sparsescope::kernels
