// SPaRK's attention and both gradient estimators for one sequence in fp64: what the kernels are compared
// with.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/spark_attention/spark_attention.h"

namespace sparsescope::kernels {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

double dot(const double* a, const double* b, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
double log_sigmoid(double x) { return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x))); }

// Turns logits (-inf: absent) into weights, in place; returns ln of the sum of their exponentials.
double softmax(double* row, std::int64_t count) {
  const double highest = *std::max_element(row, row + count);
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += row[i] = std::exp(row[i] - highest);
  for (std::int64_t i = 0; i < count; ++i) row[i] /= sum;
  return highest + std::log(sum);
}

class Reference {
 public:
  Reference(const SparkAttentionCase& input, const SparkAttentionCaseResult& result)
      : in_(input), out_(result), tokens_(input.tokens), width_(input.head_width), gaps_(tokens_ * tokens_) {
    const double factor = in_.kappa / std::sqrt(double(in_.rank));
    for (std::int64_t query = 0; query < tokens_; ++query) {
      for (std::int64_t key = 0; key <= query; ++key) {
        const double score =
            factor * dot(in_.addresses + query * in_.rank, in_.declarations + key * in_.rank, in_.rank);
        gaps_[query * tokens_ + key] = (score - in_.theta) / in_.tau;
      }
    }
  }

  void run() {
    clear();
    for (std::int64_t head = 0; head < in_.heads; ++head) {
      for (std::int64_t query = 0; query < tokens_; ++query) {
        forward_row(head, query);
        backward_row(head, query);
      }
    }
    finish_scores();
  }

 private:
  std::uint8_t reason(std::int64_t query, std::int64_t key) const {
    return in_.reasons[query * tokens_ + key];
  }
  // g = s: direct, or out of scope and past.
  bool is_soft(std::int64_t query, std::int64_t key) const {
    return key < query && (reason(query, key) == 0 || (reason(query, key) & kDirect) != 0);
  }
  // d ln(gate)/dS that the estimator gives a pair.
  double slope(std::int64_t query, std::int64_t key) const {
    const double gate = sigmoid(gaps_[query * tokens_ + key]);
    if (in_.estimator == SparkEstimator::Surrogate) return is_soft(query, key) ? (1 - gate) / in_.tau : 0;
    const bool carries =
        in_.gate_pairs == SparkGatePairs::All ? reason(query, key) != 0 : (reason(query, key) & kDirect) != 0;
    return carries ? gate * (1 - gate) / in_.tau : 0;
  }

  void clear() {
    const std::int64_t vectors = in_.heads * tokens_ * width_;
    for (double* array : {out_.output, out_.soft_output, out_.d_queries, out_.d_keys, out_.d_values})
      std::fill_n(array, vectors, 0.0);
    std::fill_n(out_.d_scores, tokens_ * tokens_, 0.0);
    std::fill_n(out_.d_addresses, tokens_ * in_.rank, 0.0);
    std::fill_n(out_.d_declarations, tokens_ * in_.rank, 0.0);
    *out_.d_theta = out_.mass[0] = out_.mass[1] = 0;
  }

  void forward_row(std::int64_t head, std::int64_t query) {
    const std::int64_t row = head * tokens_ + query;
    double *hard = out_.hard_weights + row * tokens_, *soft = out_.soft_weights + row * tokens_;
    for (std::int64_t key = 0; key < tokens_; ++key) {
      hard[key] = soft[key] = kNever;
      if (key > query) continue;
      const double bias = in_.slopes != nullptr ? -in_.slopes[head] * double(query - key) : 0;
      const double logit =
          in_.scale * dot(in_.queries + row * width_, in_.keys + (head * tokens_ + key) * width_, width_) +
          bias;
      if (reason(query, key) != 0) hard[key] = logit;
      soft[key] = logit + (is_soft(query, key) ? log_sigmoid(gaps_[query * tokens_ + key]) : 0);
    }
    out_.lse_hard[row] = softmax(hard, tokens_);
    out_.lse_soft[row] = softmax(soft, tokens_);
    for (std::int64_t key = 0; key <= query; ++key) {
      for (std::int64_t i = 0; i < width_; ++i) {
        const double value = in_.values[(head * tokens_ + key) * width_ + i];
        out_.output[row * width_ + i] += hard[key] * value;
        out_.soft_output[row * width_ + i] += soft[key] * value;
      }
    }
  }

  void backward_row(std::int64_t head, std::int64_t query) {
    const bool is_surrogate = in_.estimator == SparkEstimator::Surrogate;
    const std::int64_t row = head * tokens_ + query;
    const double* upstream = in_.d_output + row * width_;
    const double* hard = out_.hard_weights + row * tokens_;
    const double* weights = is_surrogate ? out_.soft_weights + row * tokens_ : hard;
    const double* own_output = is_surrogate ? out_.soft_output : out_.output;
    const double* output = in_.saved_output != nullptr ? in_.saved_output : own_output;
    const double mean = dot(upstream, output + row * width_, width_);
    for (std::int64_t key = 0; key <= query; ++key) {
      const std::int64_t column = head * tokens_ + key;
      const double d_logit = weights[key] * (dot(upstream, in_.values + column * width_, width_) - mean);
      for (std::int64_t i = 0; i < width_; ++i) {
        out_.d_queries[row * width_ + i] += in_.scale * d_logit * in_.keys[column * width_ + i];
        out_.d_keys[column * width_ + i] += in_.scale * d_logit * in_.queries[row * width_ + i];
        out_.d_values[column * width_ + i] += hard[key] * upstream[i];
      }
      out_.d_scores[query * tokens_ + key] += d_logit * slope(query, key);
    }
  }

  void finish_scores() {
    const double factor = in_.kappa / std::sqrt(double(in_.rank));
    for (std::int64_t query = 0; query < tokens_; ++query) {
      for (std::int64_t key = 0; key <= query; ++key) {
        double& d_score = out_.d_scores[query * tokens_ + key];
        out_.mass[0] += std::abs(d_score);
        if (reason(query, key) == 0) out_.mass[1] += std::abs(d_score);
        const double gate = sigmoid(gaps_[query * tokens_ + key]);
        if (key < query) d_score += in_.penalty * gate * (1 - gate) / in_.tau;
        *out_.d_theta -= d_score;
        for (std::int64_t k = 0; k < in_.rank; ++k) {
          out_.d_addresses[query * in_.rank + k] += factor * d_score * in_.declarations[key * in_.rank + k];
          out_.d_declarations[key * in_.rank + k] += factor * d_score * in_.addresses[query * in_.rank + k];
        }
      }
    }
  }

  const SparkAttentionCase& in_;
  const SparkAttentionCaseResult& out_;
  std::int64_t tokens_, width_;
  std::vector<double> gaps_;  // [T,T] (S - theta)/tau
};

}  // namespace

void spark_attention_reference(const SparkAttentionCase& input, const SparkAttentionCaseResult& result) {
  Reference(input, result).run();
}

}  // namespace sparsescope::kernels
