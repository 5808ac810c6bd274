// Times of SPaRK's mixer core on a GPU, forward and backward: each kernel and all of them, by size, estimator
// and measured density. Three layers' worth of data take turns, more than the L2 cache holds. A table, then
// JSON.
#include <cxxabi.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "tests/kernels/spark_run.h"

namespace sparsescope::kernels {
namespace {

constexpr int kLayers = 3, kRounds = 8, kReplays = 5;

// "spark_forward_kernel<64, true>" -> "spark_forward_kernel".
std::string kernel_name(void* function) {
  const char* mangled = nullptr;
  check_cuda(cudaFuncGetName(&mangled, function), "the name of a kernel");
  int status = 0;
  char* demangled = abi::__cxa_demangle(mangled, nullptr, nullptr, &status);
  std::string name = demangled != nullptr ? demangled : mangled;
  std::free(demangled);
  name = name.substr(0, name.find('<'));
  const std::size_t scope = name.find("spark_");
  return scope == std::string::npos ? name : name.substr(scope, name.find('(', scope) - scope);
}

// A captured sequence of launches of which single kernels can be timed: the others are switched off. Passing
// them still takes some microseconds a layer, so that kernels alone add up to more than all of them together.
class KernelTimes {
 public:
  template <typename Launch>
  explicit KernelTimes(Launch&& launch) {
    check_cuda(cudaStreamBeginCapture(stream_of(), cudaStreamCaptureModeThreadLocal), "a capture");
    for (int round = 0; round < kRounds; ++round)
      for (int layer = 0; layer < kLayers; ++layer) launch(stream_, layer);
    check_cuda(cudaStreamEndCapture(stream_of(), &graph_), "a capture");
    check_cuda(cudaGraphInstantiate(&executable_, graph_, 0), "a graph");
    check_cuda(cudaEventCreate(&begin_), "an event");
    check_cuda(cudaEventCreate(&end_), "an event");
    std::size_t count = 0;
    check_cuda(cudaGraphGetNodes(graph_, nullptr, &count), "the nodes of a graph");
    nodes_.resize(count);
    check_cuda(cudaGraphGetNodes(graph_, nodes_.data(), &count), "the nodes of a graph");
    for (const cudaGraphNode_t node : nodes_) {
      cudaKernelNodeParams parameters{};
      check_cuda(cudaGraphKernelNodeGetParams(node, &parameters), "a node of a graph");
      node_names_.push_back(kernel_name(parameters.func));
      if (std::find(names_.begin(), names_.end(), node_names_.back()) == names_.end())
        names_.push_back(node_names_.back());
    }
  }
  KernelTimes(const KernelTimes&) = delete;
  KernelTimes& operator=(const KernelTimes&) = delete;
  ~KernelTimes() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
    cudaGraphExecDestroy(executable_);
    cudaGraphDestroy(graph_);
  }

  const std::vector<std::string>& names() const { return names_; }
  // Microseconds a layer of one kernel, or of all when `name` is empty.
  double microseconds(const std::string& name) {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      check_cuda(cudaGraphNodeSetEnabled(executable_, nodes_[i], name.empty() || node_names_[i] == name),
                 "switching a node");
    std::vector<double> times;
    for (int replay = 0; replay <= kReplays; ++replay) {
      check_cuda(cudaEventRecord(begin_, stream_of()), "an event");
      check_cuda(cudaGraphLaunch(executable_, stream_of()), "a graph");
      check_cuda(cudaEventRecord(end_, stream_of()), "an event");
      stream_.wait();
      float milliseconds = 0;
      check_cuda(cudaEventElapsedTime(&milliseconds, begin_, end_), "an event");
      if (replay > 0) times.push_back(milliseconds * 1e3 / (kRounds * kLayers));
    }
    std::sort(times.begin(), times.end());
    return times[kReplays / 2];
  }

 private:
  cudaStream_t stream_of() { return static_cast<Stream>(stream_); }

  TestStream stream_;
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t executable_ = nullptr;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
  std::vector<cudaGraphNode_t> nodes_;
  std::vector<std::string> node_names_, names_;
};

struct Density {
  double direct, scope;
};

// Shares of past pairs.
Density density_of(SparkRun& run, const SparkSetting& setting) {
  const std::vector<std::int32_t> counts = run.row_counts.fetch();
  double direct = 0, others = 0;
  for (std::size_t row = 0; row < counts.size(); row += kScopeCounts) {
    direct += counts[row + kCountDirect];
    others += counts[row + kCountInherited] + counts[row + kCountFallback];
  }
  const double tokens = double(setting.tokens), pairs = double(setting.batch) * tokens * (tokens - 1) / 2;
  return {direct / pairs, (direct + others) / pairs};
}

std::string measure(const SparkSetting& setting) {
  const SparkCase made = make_spark_case(setting, 1);
  std::vector<std::unique_ptr<SparkRun>> layers;
  for (int layer = 0; layer < kLayers; ++layer) layers.push_back(std::make_unique<SparkRun>(made));
  TestStream stream;
  for (const auto& layer : layers) layer->run(stream);
  stream.wait();
  KernelTimes times([&](Stream captured, int layer) { layers[layer]->run(captured); });
  const Density density = density_of(*layers[0], setting);
  const char* estimator = setting.estimator == SparkEstimator::Surrogate ? "surrogate" : "in_scope";
  const double all = times.microseconds("");
  fmt::print("{:2} x {:4}  {} x {:2}  {:9}{:12}  direct {:.3f} scope {:.3f}", setting.batch, setting.tokens,
             setting.heads, setting.head_width, estimator, setting.scope.inheritance ? " inheritance" : "",
             density.direct, density.scope);
  std::string json = fmt::format(
      R"({{"batch":{},"tokens":{},"heads":{},"head_width":{},"rank":{},"estimator":"{}","inheritance":{},"direct":{:.4f},"scope":{:.4f},"all_us":{:.2f})",
      setting.batch, setting.tokens, setting.heads, setting.head_width, setting.rank, estimator,
      setting.scope.inheritance, density.direct, density.scope, all);
  double sum = 0;
  for (const std::string& name : times.names()) {
    const double one = times.microseconds(name);
    sum += one;
    const std::string brief = name.substr(6, name.rfind("_kernel") - 6);
    fmt::print("  {} {:.1f}", brief, one);
    json += fmt::format(R"(,"{}":{:.2f})", brief, one);
  }
  fmt::print("  sum {:.1f}  all {:.1f} us\n", sum, all);
  std::fflush(stdout);
  return json + "}";
}

int run() {
  cudaDeviceProp device{};
  check_cuda(cudaGetDeviceProperties(&device, 0), "asking for the device");
  fmt::print("{}; microseconds a layer, forward and backward; r 64, W 32\n", device.name);
  struct Size {
    std::int64_t batch, tokens, heads, width;
  };
  struct Load {
    float theta;  // standard deviations
    bool inheritance;
  };
  std::string json;
  for (const Size size : {Size{64, 256, 6, 32}, Size{64, 256, 6, 64}, Size{16, 1024, 6, 32},
                          Size{16, 1024, 6, 64}, Size{4, 4096, 6, 32}}) {
    for (const SparkEstimator estimator : {SparkEstimator::Surrogate, SparkEstimator::InScope}) {
      for (const Load load : {Load{100, false}, Load{1, false}, Load{1, true}}) {
        SparkSetting setting;
        setting.batch = size.batch, setting.tokens = size.tokens;
        setting.heads = size.heads, setting.head_width = size.width;
        setting.vocabulary = 4096;
        setting.scope = {load.inheritance, true, 32};
        setting.theta = load.theta;
        setting.estimator = estimator;
        json += (json.empty() ? "[" : ",\n") + measure(setting);
      }
    }
  }
  fmt::print("{}]\n", json);
  return 0;
}

}  // namespace
}  // namespace sparsescope::kernels

int main() {
  try {
    return sparsescope::kernels::run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
