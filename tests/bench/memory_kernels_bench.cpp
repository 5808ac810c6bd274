// Times of the memory-bound kernels of a training step against a copy of the same run: microseconds, and
// bytes per second as a share of the copy's. "cold": the data rotate through more memory than the L2 cache
// holds; "warm": the same data every time, as where one kernel reads what the last one wrote. A table, then
// JSON.
#include <cuda_bf16.h>
#include <fmt/format.h>

#include <cstdio>
#include <functional>

#include "kernels/adamw/adamw.h"
#include "kernels/adamw/ladder/adamw_ladder.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/embedding/embedding.h"
#include "kernels/gelu/gelu.h"
#include "kernels/gelu/ladder/gelu_ladder.h"
#include "kernels/rms_norm/rms_norm.h"
#include "tests/kernels/device.h"
#include "tests/kernels/random_arrays.h"

namespace sparsescope::kernels {
namespace {

constexpr std::int64_t kArenaBytes = std::int64_t(2) << 30, kRotated = std::int64_t(512) << 20;

// Two gibibytes of bf16 numbers of order one, which are also fp32 numbers of order one.
class Arena {
 public:
  Arena() : memory_(kArenaBytes / 2) {
    const std::vector<Bfloat16> numbers = rounded(normal_floats(1 << 20, 1));
    for (std::int64_t i = 0; i < kArenaBytes / 2; i += 1 << 20) {
      check_cuda(cudaMemcpy(memory_.get() + i, numbers.data(), numbers.size() * 2, cudaMemcpyHostToDevice),
                 "a fill");
    }
  }
  char* begin() { return reinterpret_cast<char*>(memory_.get()); }

 private:
  DeviceArray<Bfloat16> memory_;
};

// Arrays cut from the arena one behind the other.
class Cut {
 public:
  explicit Cut(char* at) : at_(at) {}
  float* floats(std::int64_t count) { return take<float>(count); }
  Bfloat16* bfloat16s(std::int64_t count) { return take<Bfloat16>(count); }
  template <typename T>
  T* take(std::int64_t count) {
    T* const taken = reinterpret_cast<T*>(at_);
    at_ += (count * std::int64_t(sizeof(T)) + 255) / 256 * 256;
    return taken;
  }
  char* at() const { return at_; }

 private:
  char* at_;
};

struct Row {
  std::string kernel, size;
  double bytes, cold_us, warm_us;
};

class Table {
 public:
  // `launch(stream, cut)` takes its arrays from `cut`; `bytes` is what it must read and write.
  void measure(const std::string& kernel, const std::string& size, double bytes,
               const std::function<void(Stream, Cut&)>& launch) {
    Cut probe(arena_.begin());
    TestStream stream;
    launch(stream, probe);
    stream.wait();
    const std::int64_t taken = std::max<std::int64_t>(256, probe.at() - arena_.begin());
    const std::int64_t sets = std::clamp<std::int64_t>(kRotated / taken + 1, 2, kArenaBytes / taken);
    const auto rotating = [&](Stream on, int i) {
      Cut cut(arena_.begin() + i % sets * taken);
      launch(on, cut);
    };
    const auto same = [&](Stream on, int) {
      Cut cut(arena_.begin());
      launch(on, cut);
    };
    rows_.push_back({kernel, size, bytes, microseconds(rotating), microseconds(same)});
  }

  void print() const {
    const double copy = rows_.front().bytes / rows_.front().cold_us;
    std::string json;
    fmt::print("{:<34}{:<22}{:>10}{:>10}{:>10}{:>12}{:>10}\n", "kernel", "size", "MB", "cold us", "warm us",
               "cold GB/s", "of copy");
    for (const Row& row : rows_) {
      const double rate = row.bytes / row.cold_us;
      fmt::print("{:<34}{:<22}{:>10.2f}{:>10.2f}{:>10.2f}{:>12.0f}{:>10.2f}\n", row.kernel, row.size,
                 row.bytes / 1e6, row.cold_us, row.warm_us, rate / 1e3, rate / copy);
      json +=
          fmt::format("{}{{\"kernel\":\"{}\",\"size\":\"{}\",\"bytes\":{},\"cold_us\":{},\"warm_us\":{}}}",
                      json.empty() ? "" : ",", row.kernel, row.size, row.bytes, row.cold_us, row.warm_us);
    }
    fmt::print("[{}]\n", json);
  }

 private:
  Arena arena_;
  std::vector<Row> rows_;
};

struct ModelSize {
  std::string name;
  std::int64_t width, hidden, vocabulary, parameters;
};
constexpr std::int64_t kTokens = 16384;

void measure_copy(Table& table) {
  constexpr std::int64_t kBytes = 256 << 20;
  table.measure("copy", "256 MiB", 2.0 * kBytes, [](Stream stream, Cut& cut) {
    char *from = cut.take<char>(kBytes), *to = cut.take<char>(kBytes);
    check_cuda(cudaMemcpyAsync(to, from, kBytes, cudaMemcpyDeviceToDevice, stream), "a copy");
  });
}

void measure_norm(Table& table, const ModelSize& size) {
  const std::int64_t count = kTokens * size.width;
  const RmsNormShape shape = {kTokens, size.width};
  table.measure("residual_rms_norm", size.name, 12.0 * count, [=](Stream stream, Cut& cut) {
    float* const x = cut.floats(count);
    residual_rms_norm(
        {x, cut.bfloat16s(count), cut.floats(shape.width), x, cut.bfloat16s(count), cut.floats(kTokens)},
        shape, 1e-6f, stream);
  });
  table.measure("residual_rms_norm_backward", size.name, 16.0 * count, [=](Stream stream, Cut& cut) {
    float *const x = cut.floats(count), *const d = cut.floats(count);
    residual_rms_norm_backward({x, cut.floats(kTokens), cut.floats(shape.width), cut.bfloat16s(count), d, d,
                                cut.bfloat16s(count), cut.floats(rms_norm_gain_partials(shape.width))},
                               shape, stream);
  });
  table.measure("add_gain_gradients, 13 norms", size.name, 13.0 * 4 * kRmsNormPartials * shape.width,
                [=](Stream stream, Cut& cut) {
                  GainGradients gradients;
                  gradients.count = 13;
                  const float* partials = cut.floats(13 * rms_norm_gain_partials(shape.width));
                  for (int i = 0; i < 13; ++i) gradients.targets[i] = cut.floats(shape.width);
                  add_gain_gradients(partials, shape.width, gradients, stream);
                });
}

void measure_gelu(Table& table, const ModelSize& size) {
  const std::int64_t count = kTokens * size.hidden;
  const auto forward = [&](const char* name, auto kernel) {
    table.measure(name, size.name, 4.0 * count, [=](Stream stream, Cut& cut) {
      const Bfloat16* const h = cut.bfloat16s(count);
      kernel(h, count, cut.bfloat16s(count), stream);
    });
  };
  const auto backward = [&](const char* name, auto kernel) {
    table.measure(name, size.name, 6.0 * count, [=](Stream stream, Cut& cut) {
      const Bfloat16* const h = cut.bfloat16s(count);
      Bfloat16* const d = cut.bfloat16s(count);
      kernel(h, d, count, d, stream);
    });
  };
  forward("gelu", gelu);
  forward("gelu ladder: erff", ladder::gelu_erff);
  backward("gelu_backward", gelu_backward);
  backward("gelu_backward ladder: scalar", ladder::gelu_backward_scalar);
  backward("gelu_backward ladder: erff", ladder::gelu_backward_erff);
}

void measure_embedding(Table& table, const ModelSize& size) {
  DeviceArray<std::int64_t> ids(zipfian_ids(64 * 257, size.vocabulary, 1));
  DeviceArray<std::int32_t> order(kTokens), sorted_ids(kTokens), offsets(size.vocabulary + 1);
  const TokenIds tokens = {ids.get(), 64, 256, 257};
  const IdGroups groups = {order.get(), sorted_ids.get(), offsets.get()};
  table.measure("sort_ids", size.name, 16.0 * kTokens, [&](Stream stream, Cut& cut) {
    sort_ids(tokens, size.vocabulary, groups, cut.take<std::int64_t>(kTokens), stream);
  });
  for (const std::int64_t width : {size.width, std::int64_t(64)}) {
    const std::int64_t count = kTokens * width;
    const std::string name = fmt::format("{} C {}", size.name, width);
    table.measure("embed", name, 4.0 * count + 4.0 * size.vocabulary * width, [&](Stream stream, Cut& cut) {
      const float* const from = cut.floats(size.vocabulary * width);
      embed(from, tokens, width, cut.floats(count), stream);
    });
    table.measure("embedding_backward, both", name, 4.0 * count + 8.0 * size.vocabulary * width,
                  [&](Stream stream, Cut& cut) {
                    const float* const rows = cut.floats(count);
                    float* const d_table = cut.floats(size.vocabulary * width);
                    embedding_backward(rows, groups, kTokens, width, d_table,
                                       cut.floats(embedding_backward_scratch(kTokens, width)), stream);
                  });
  }
}

void measure_cross_entropy(Table& table, const ModelSize& size) {
  DeviceArray<std::int64_t> ids(zipfian_ids(64 * 257, size.vocabulary, 1));
  const TokenIds targets = {ids.get() + 1, 64, 256, 257};
  for (const std::int64_t rows : {std::int64_t(2048), kTokens}) {
    const double count = double(rows * size.vocabulary);
    const std::string name = fmt::format("{} V {} rows {}", size.name.substr(0, 1), size.vocabulary, rows);
    const CrossEntropyChunk chunk = {targets, 0, rows, size.vocabulary};
    table.measure("cross_entropy fp32", name, 6.0 * count, [&](Stream stream, Cut& cut) {
      const float* const logits = cut.floats(rows * size.vocabulary);
      Bfloat16* const gradient = cut.bfloat16s(rows * size.vocabulary);
      cross_entropy(logits, chunk, cut.floats(1), {cut.floats(rows), gradient, cut.take<std::int32_t>(1)},
                    stream);
    });
    table.measure("cross_entropy bf16 in place", name, 4.0 * count, [&](Stream stream, Cut& cut) {
      Bfloat16* const logits = cut.bfloat16s(rows * size.vocabulary);
      cross_entropy(logits, chunk, cut.floats(1), {cut.floats(rows), logits, cut.take<std::int32_t>(1)},
                    stream);
    });
  }
  table.measure("count_targets", size.name, 8.0 * kTokens, [&](Stream stream, Cut& cut) {
    count_targets(targets, cut.floats(1), cut.take<std::int32_t>(1), stream);
  });
  table.measure("mean_nll", size.name, 4.0 * kTokens, [&](Stream stream, Cut& cut) {
    const float* const nll = cut.floats(kTokens);
    mean_nll(nll, kTokens, cut.floats(1), cut.floats(1), stream);
  });
}

// Segments as a model has them: `count` equal weights.
void measure_update(Table& table, const ModelSize& size) {
  constexpr int kSegments = 80;
  const std::int64_t each = size.parameters / kSegments / kSegmentAlignment * kSegmentAlignment;
  const std::int64_t n = each * kSegments;
  std::vector<AdamwSegment> segments(kSegments);
  for (int s = 0; s < kSegments; ++s) segments[s] = {s * each, each, 1, s % 2 == 0 ? 0.1f : 0.0f};
  DeviceArray<AdamwSegment> on_device(segments);
  DeviceArray<std::uint16_t> map(segment_map(segments, n));
  DeviceArray<float> values(std::vector<float>{1, 1, 1e-3f, 1, 0, 1, 0.1f, 0.3f});
  DeviceArray<std::int64_t> counters(std::vector<std::int64_t>{10, 10});
  float* const at = values.get();
  const UpdateScalars scalars = {at,      nullptr, at + 1,         nullptr,
                                 nullptr, nullptr, counters.get(), counters.get() + 1,
                                 at + 2,  at + 3,  at + 4,         at + 5};
  const auto buffers_of = [&](Cut& cut) {
    float *const p = cut.floats(n), *const g = cut.floats(n), *const m = cut.floats(n),
                 *const v = cut.floats(n);
    return AdamwBuffers{n, p, g, m, v, cut.bfloat16s(n), on_device.get(), map.get()};
  };
  const AdamwRule rule = {0.9, 0.95, 1e-8, 1};
  table.measure("adamw", size.name, 30.0 * n,
                [&](Stream stream, Cut& cut) { adamw(buffers_of(cut), rule, scalars, stream); });
  table.measure("adamw ladder: scalar", size.name, 30.0 * n, [&](Stream stream, Cut& cut) {
    ladder::adamw_scalar(buffers_of(cut), kSegments, rule, scalars, stream);
  });
  const auto ladder_step = [&](const char* name, auto kernel) {
    table.measure(name, size.name, 30.0 * n,
                  [&, kernel](Stream stream, Cut& cut) { kernel(buffers_of(cut), rule, scalars, stream); });
  };
  ladder_step("adamw ladder: streaming", ladder::adamw_streaming);
  ladder_step("adamw ladder: two packs", ladder::adamw_two_packs);
  ladder_step("adamw ladder: two streaming", ladder::adamw_two_streaming);
  table.measure("gradient_squares", size.name, 4.0 * n, [&](Stream stream, Cut& cut) {
    float* const gradients = cut.floats(n);
    const AdamwBuffers buffers = {n,       nullptr, gradients,       nullptr,
                                  nullptr, nullptr, on_device.get(), map.get()};
    gradient_squares(buffers, cut.take<double>(kNormPartials), stream);
  });
  DeviceArray<double> partials(std::vector<double>(kNormPartials, 0.5));
  table.measure("prepare_update", size.name, 8.0 * kNormPartials, [&](Stream stream, Cut&) {
    prepare_update(partials.get(), {1e-3, 0.1, 100, 1000000}, rule, scalars, stream);
  });
}

}  // namespace
}  // namespace sparsescope::kernels

int main() {
  using namespace sparsescope::kernels;
  cudaDeviceProp device;
  check_cuda(cudaGetDeviceProperties(&device, 0), "asking for the GPU");
  fmt::print("{}, {} SMs, L2 {} MiB; 50 launches in a graph, median of 5\n", device.name,
             device.multiProcessorCount, device.l2CacheSize >> 20);
  Table table;
  measure_copy(table);
  for (const ModelSize& size :
       {ModelSize{"P", 192, 768, 4096, 4200000}, ModelSize{"M", 384, 1536, 256, 10700000}}) {
    measure_norm(table, size);
    measure_gelu(table, size);
    measure_embedding(table, size);
    measure_cross_entropy(table, size);
    measure_update(table, size);
  }
  table.print();
}
