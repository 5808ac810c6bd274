// Records a synthetic run until it is killed, telling through shared memory how many frames are committed.
// Arguments: recording, file to map for the count, seed.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <iostream>

#include "tests/record/record_support.h"

int main(int argc, char** argv) {
  using namespace sparsescope;
  if (argc != 4) return 2;
  const int descriptor = ::open(argv[2], O_RDWR);
  void* memory =
      ::mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) return 2;
  auto& committed = *static_cast<std::atomic<std::uint64_t>*>(memory);
  try {
    const trace::SyntheticSource source(
        {trace::SyntheticOptions::Kind::EveryDtype, 1 << 20, std::strtoull(argv[3], nullptr, 10)});
    record::WriterOptions options = testing::writer_options(argv[1]);
    options.commit_nanos = 3'000'000;
    options.on_commit = [&](const record::WriterStats& stats) { committed = stats.frames_committed; };
    record::RecordingWriter writer(options);
    source.run(writer);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
