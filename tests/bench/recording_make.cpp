// make_recording FILE [BYTES [PROBE_EVERY]]: writes a synthetic SPaRK run of about BYTES (default 1 GB)
// through the real writer. The run has a row of all light channels per step, tens of thousands in all, and a
// heavy map every few steps.
#include <cstdio>
#include <cstdlib>

#include "engine/record/recording_writer.h"
#include "engine/trace/error.h"
#include "engine/trace/synthetic_source.h"

int main(int argc, char** argv) {
  using namespace sparsescope;
  if (argc < 2) {
    std::fprintf(stderr, "usage: make_recording FILE [BYTES [PROBE_EVERY]]\n");
    return static_cast<int>(ExitCode::Usage);
  }
  const std::uint64_t bytes = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000'000;
  trace::SyntheticOptions wanted;
  wanted.frames = ~0ull;
  wanted.pooled = 128;
  wanted.probe_every = argc > 3 ? std::strtoll(argv[3], nullptr, 10) : 10;
  try {
    const trace::SyntheticSource source(wanted);
    record::WriterOptions options;
    options.path = argv[1];
    record::RecordingWriter writer(options);
    writer.on_schema(source.schema());
    std::uint64_t row = 0;
    while (writer.stats().bytes_on_disk < bytes && writer.stats().failure.empty())
      writer.on_frame(source.frame(row++));
    writer.on_end({trace::RunStatus::Finished, ""});
    const record::WriterStats stats = writer.wait_closed();
    std::printf("%llu frames, last step %llu, %llu bytes, sender blocked %.1f s\n",
                static_cast<unsigned long long>(stats.frames_committed),
                static_cast<unsigned long long>(stats.last_committed_step),
                static_cast<unsigned long long>(stats.bytes_on_disk),
                static_cast<double>(stats.blocked_nanos) * 1e-9);
    if (stats.failure.empty()) return 0;
    std::fprintf(stderr, "%s\n", stats.failure.c_str());
    return static_cast<int>(ExitCode::Failed);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
