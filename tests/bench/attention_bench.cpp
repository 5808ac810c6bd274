// Times of causal attention against cuDNN's in the same run: microseconds of a launch inside a captured
// graph, medians of interleaved rounds, data that rotate through more memory than the L2 cache holds. A
// table, then JSON. ALiBi and rotary positions stand against the same kernel without them.
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <c10/cuda/CUDAGuard.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "kernels/attention/attention.h"
#include "kernels/attention/ladder/attention_by_head.h"
#include "kernels/common/check.h"

namespace sparsescope::kernels {
namespace {

constexpr std::int64_t kRotatedBytes = 160'000'000;
constexpr int kLaunches = 24, kRounds = 7;

struct Set {
  at::Tensor qkv, output, lse, d_output, d_qkv, scratch;
};

Bfloat16* bf16(const at::Tensor& tensor) { return static_cast<Bfloat16*>(tensor.data_ptr()); }

// What one shape needs, for either contender.
struct Arena {
  explicit Arena(AttentionShape shape) : shape(shape) {
    const auto [b, t, h, d] = shape;
    const auto half = at::TensorOptions(at::kCUDA).dtype(at::kBFloat16), single = half.dtype(at::kFloat);
    const std::int64_t bytes = b * t * h * d * 16;
    for (std::int64_t i = 0; i < std::max<std::int64_t>(2, kRotatedBytes / bytes + 1); ++i) {
      sets.push_back({at::randn({b, t, 3, h, d}, half), at::empty({b, t, h, d}, half),
                      at::empty({b, h, t}, single), at::randn({b, t, h, d}, half),
                      at::empty({b, t, 3, h, d}, half),
                      at::empty({attention_backward_scratch(shape)}, single)});
    }
    std::vector<float> powers;
    for (std::int64_t head = 1; head <= h; ++head)
      powers.push_back(float(std::exp2(-8.0 * double(head) / double(h))));
    slopes = at::tensor(powers).to(at::kCUDA);
    const at::Tensor angles = at::randn({t, d / 2}, single);
    cosines = angles.cos();
    sines = angles.sin();
    plain.scale = float(1 / std::sqrt(double(d)));
    alibi = rotary = plain;
    alibi.slopes = slopes.data_ptr<float>();
    rotary.rotary = {cosines.data_ptr<float>(), sines.data_ptr<float>(), RotaryLayout::Interleaved};
  }

  void forward(int i, const AttentionRule& rule) {
    Set& set = at(i);
    attention({bf16(set.qkv), bf16(set.output), set.lse.data_ptr<float>()}, shape, rule, stream());
  }
  void backward(int i, const AttentionRule& rule) {
    Set& set = at(i);
    attention_backward({bf16(set.qkv), bf16(set.output), set.lse.data_ptr<float>(), bf16(set.d_output),
                        bf16(set.d_qkv), set.scratch.data_ptr<float>()},
                       shape, rule, stream());
  }
  void turn(const at::Tensor& qkv, RotaryTurn direction) {
    rope(bf16(qkv), rotary.rotary, {shape.batch, shape.tokens, shape.heads, shape.head_width}, direction,
         stream());
  }
  // The packed qkv as cuDNN takes it, without a copy.
  void cudnn(int i, bool with_backward) {
    Set& set = at(i);
    auto part = [&](int which) { return set.qkv.select(2, which).transpose(1, 2); };
    const at::Tensor q = part(0), k = part(1), v = part(2);
    const auto made =
        at::_scaled_dot_product_cudnn_attention(q, k, v, {}, true, 0.0, true, false, double(plain.scale));
    if (!with_backward) return;
    at::_scaled_dot_product_cudnn_attention_backward(set.d_output.transpose(1, 2), q, k, v, std::get<0>(made),
                                                     std::get<1>(made), std::get<6>(made), std::get<7>(made),
                                                     {}, std::get<2>(made), std::get<3>(made), shape.tokens,
                                                     shape.tokens, 0.0, true, double(plain.scale));
  }

  Set& at(int i) { return sets[std::size_t(i) % sets.size()]; }
  static Stream stream() { return at::cuda::getCurrentCUDAStream().stream(); }

  AttentionShape shape;
  std::vector<Set> sets;
  at::Tensor slopes, cosines, sines;
  AttentionRule plain, alibi, rotary;
};

// One captured graph of kLaunches calls, and its times.
class Contender {
 public:
  Contender(const std::function<void(int)>& call) {
    const at::cuda::CUDAStream stream = at::cuda::getStreamFromPool();
    const c10::cuda::CUDAStreamGuard guard(stream);
    for (int i = 0; i < 3; ++i) call(i);
    stream.synchronize();
    graph_.capture_begin();
    for (int i = 0; i < kLaunches; ++i) call(i);
    graph_.capture_end();
    graph_.replay();
    stream.synchronize();
  }

  void measure() {
    const c10::cuda::CUDAStreamGuard guard(at::cuda::getStreamFromPool());
    const cudaStream_t stream = at::cuda::getCurrentCUDAStream().stream();
    cudaEvent_t begin = nullptr, end = nullptr;
    check_cuda(cudaEventCreate(&begin), "an event");
    check_cuda(cudaEventCreate(&end), "an event");
    check_cuda(cudaEventRecord(begin, stream), "an event");
    graph_.replay();
    check_cuda(cudaEventRecord(end, stream), "an event");
    check_cuda(cudaEventSynchronize(end), "the graph");
    float milliseconds = 0;
    check_cuda(cudaEventElapsedTime(&milliseconds, begin, end), "an event");
    check_cuda(cudaEventDestroy(begin), "an event");
    check_cuda(cudaEventDestroy(end), "an event");
    times_.push_back(milliseconds * 1e3 / kLaunches);
  }

  double median() {
    std::sort(times_.begin(), times_.end());
    return times_[times_.size() / 2];
  }

 private:
  at::cuda::CUDAGraph graph_;
  std::vector<double> times_;
};

// Microseconds of every way, forward alone and with the backward pass.
struct Row {
  AttentionShape shape;
  double forward, both, cudnn_forward, cudnn_both, alibi_forward, alibi_both, rotary_both, turned_both;
  double by_head;  // the study version's forward pass; 0 where it does not apply
};

Row measure(AttentionShape shape) {
  Arena arena(shape);
  auto ours = [&](const AttentionRule& rule, bool with_backward) {
    return std::make_unique<Contender>([&arena, &rule, with_backward](int i) {
      arena.forward(i, rule);
      if (with_backward) arena.backward(i, rule);
    });
  };
  std::vector<std::unique_ptr<Contender>> contenders;
  contenders.push_back(ours(arena.plain, false));
  contenders.push_back(ours(arena.plain, true));
  contenders.push_back(std::make_unique<Contender>([&](int i) { arena.cudnn(i, false); }));
  contenders.push_back(std::make_unique<Contender>([&](int i) { arena.cudnn(i, true); }));
  contenders.push_back(ours(arena.alibi, false));
  contenders.push_back(ours(arena.alibi, true));
  contenders.push_back(ours(arena.rotary, true));
  // Rotary positions by kernels of their own, before and after.
  contenders.push_back(std::make_unique<Contender>([&](int i) {
    arena.turn(arena.at(i).qkv, RotaryTurn::Forward);
    arena.forward(i, arena.plain);
    arena.backward(i, arena.plain);
    arena.turn(arena.at(i).d_qkv, RotaryTurn::Back);
  }));
  if (shape.tokens <= 256) {
    contenders.push_back(std::make_unique<Contender>([&](int i) {
      Set& set = arena.at(i);
      attention_by_head({bf16(set.qkv), bf16(set.output), set.lse.data_ptr<float>()}, shape, arena.plain,
                        Arena::stream());
    }));
  }
  for (int round = 0; round < kRounds; ++round) {
    for (auto& contender : contenders) contender->measure();
  }
  std::vector<double> medians;
  for (auto& contender : contenders) medians.push_back(contender->median());
  return {shape,      medians[0], medians[1], medians[2], medians[3],
          medians[4], medians[5], medians[6], medians[7], shape.tokens <= 256 ? medians[8] : 0};
}

void print(const std::vector<Row>& rows) {
  fmt::print("{:22} {:>7} {:>7} {:>6}  {:>7} {:>7} {:>6}  {:>6} {:>6} {:>7} {:>10} {:>8}\n", "B, H, T, D",
             "fwd us", "cuDNN", "ratio", "f+b us", "cuDNN", "ratio", "ALiBi", "f+b", "rotary", "rope apart",
             "by head");
  for (const Row& row : rows) {
    const auto [b, t, h, d] = row.shape;
    fmt::print(
        "{:22} {:7.1f} {:7.1f} {:6.2f}  {:7.1f} {:7.1f} {:6.2f}  {:6.3f} {:6.3f} {:7.1f} {:10.1f} {:8.1f}\n",
        fmt::format("{}, {}, {}, {}", b, h, t, d), row.forward, row.cudnn_forward,
        row.cudnn_forward / row.forward, row.both, row.cudnn_both, row.cudnn_both / row.both,
        row.alibi_forward / row.forward, row.alibi_both / row.both, row.rotary_both, row.turned_both,
        row.by_head);
  }
  for (const Row& row : rows) {
    const auto [b, t, h, d] = row.shape;
    fmt::print(
        "{{\"batch\":{},\"heads\":{},\"tokens\":{},\"head_width\":{},\"forward_us\":{:.2f},"
        "\"forward_backward_us\":{:.2f},\"cudnn_forward_us\":{:.2f},\"cudnn_forward_backward_us\":{:.2f},"
        "\"alibi_forward_us\":{:.2f},\"alibi_forward_backward_us\":{:.2f},"
        "\"rotary_forward_backward_us\":{:.2f},\"rope_apart_forward_backward_us\":{:.2f}}}\n",
        b, h, t, d, row.forward, row.both, row.cudnn_forward, row.cudnn_both, row.alibi_forward,
        row.alibi_both, row.rotary_both, row.turned_both);
  }
}

}  // namespace
}  // namespace sparsescope::kernels

int main() {
  using namespace sparsescope::kernels;
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, 0), "a question to the GPU");
  fmt::print("{}\n", properties.name);
  std::vector<Row> rows;
  for (const AttentionShape shape :
       {AttentionShape{64, 256, 6, 32}, AttentionShape{64, 256, 6, 64}, AttentionShape{16, 1024, 6, 32},
        AttentionShape{16, 1024, 6, 64}, AttentionShape{4, 4096, 6, 32}, AttentionShape{4, 4096, 8, 64}})
    rows.push_back(measure(shape));
  print(rows);
}
