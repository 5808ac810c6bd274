// bench_recording FILE: opens a recording as the window does and prints times: schema, first frames, all
// light rows, 200 random heavy rows; and the memory it took, without what the frames themselves hold.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <random>
#include <thread>

#include "engine/record/reader_client.h"
#include "engine/trace/error.h"

namespace {

using namespace sparsescope;
using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// Notes when things arrived; keeps no frame.
class Stopwatch final : public trace::FrameSink {
 public:
  void on_schema(trace::SchemaPtr from) override {
    schema = std::move(from);
    schema_ms = ms_since(begin);
  }
  void on_frame(trace::FramePtr frame) override {
    if (rows == 0) first_ms = ms_since(begin);
    if (rows == 63) first_block_ms = ms_since(begin);
    for (const trace::Channel& channel : schema->channels) {
      if (frame->present.has(channel.id) && frame->find(channel.id) == nullptr)
        heavy.push_back({frame->row, channel.id});
    }
    light_bytes += frame->bytes();
    ++rows;
  }
  void on_end(const trace::RunEnd& from) override {
    std::scoped_lock lock(mutex_);
    end = from;
    all_ms = ms_since(begin);
    ended_.notify_all();
  }
  void wait_end() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return all_ms > 0; });
  }

  Clock::time_point begin = Clock::now();
  trace::SchemaPtr schema;
  trace::RunEnd end;
  double schema_ms = 0, first_ms = 0, first_block_ms = 0, all_ms = 0;
  std::uint64_t rows = 0, light_bytes = 0;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> heavy;  // row, channel

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
};

double seek_ms(record::ReaderClient& client, std::pair<std::uint64_t, std::uint32_t> place) {
  const auto begin = Clock::now();
  const std::uint64_t tag = client.request({place.first, place.first, {place.second}});
  while (true) {
    for (const trace::ReadAnswer& answer : client.poll()) {
      if (answer.tag != tag) continue;
      if (answer.kind == trace::ReadAnswer::Kind::Failed) throw Error(answer.message);
      if (answer.kind == trace::ReadAnswer::Kind::Done) return ms_since(begin);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
}

double peak_mib() {
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_recording FILE\n");
    return static_cast<int>(ExitCode::Usage);
  }
  try {
    Stopwatch watch;
    const auto client = record::open_recording(argv[1], watch);
    watch.wait_end();
    std::printf(
        "schema %.1f ms, first frame %.1f ms, 64 frames %.1f ms, all %llu light rows %.1f ms (%.1f MB)\n",
        watch.schema_ms, watch.first_ms, watch.first_block_ms, static_cast<unsigned long long>(watch.rows),
        watch.all_ms, static_cast<double>(watch.light_bytes) * 1e-6);
    if (watch.end.status != trace::RunStatus::Finished) std::printf("%s\n", watch.end.message.c_str());
    if (!watch.heavy.empty()) {
      std::mt19937_64 random(1);
      std::vector<double> times;
      for (int i = 0; i < 200; ++i)
        times.push_back(seek_ms(*client, watch.heavy[random() % watch.heavy.size()]));
      std::sort(times.begin(), times.end());
      std::printf("seek of %zu heavy rows: p50 %.2f ms, p99 %.2f ms, worst %.2f ms\n", watch.heavy.size(),
                  times[100], times[197], times[199]);
    }
    std::printf("peak resident memory %.1f MiB\n", peak_mib());
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
