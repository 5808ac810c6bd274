// A GPU that is lost in the middle of a run. A process of its own: nothing can be computed there afterwards.
// Skips itself, saying so, where there is no GPU.
#include <gtest/gtest.h>

#include "tiny_run.h"

namespace sparsescope::train {

void write_through_a_null_pointer();  // lose_device.cu

namespace {

TEST(LostDevice, EndsTheRunInWordsAndIsRememberedByTheProgram) {
  if (const CudaAnswer answer = cuda_answer(); !answer.available)
    GTEST_SKIP() << "no GPU here: " << answer.reason;
  const TinyFolder folder;
  RunRequest request = tiny_request(folder);
  request.device = Device::Cuda;
  CollectingSink sink;
  {
    Trainer trainer(request, sink);
    sink.at_frame = [](const trace::Frame& frame) {
      if (frame.step == 7) write_through_a_null_pointer();
    };
    EXPECT_EQ(trainer.run().status, trace::RunStatus::Failed);
    sink.at_frame = nullptr;
    EXPECT_EQ(trainer.status().state, Status::State::Failed);
  }
  EXPECT_EQ(sink.order, "s" + std::string(sink.frames.size(), 'f') + "e");
  EXPECT_NE(sink.end.message.find("the GPU was lost"), std::string::npos) << sink.end.message;
  EXPECT_NE(sink.end.message.find("--resume"), std::string::npos) << sink.end.message;
  EXPECT_GE(sink.losses().size(), 7u);
  ASSERT_EQ(sink.events("end").size(), 1u);

  EXPECT_FALSE(cuda_answer().available);
  EXPECT_NE(cuda_answer().reason.find("started anew"), std::string::npos);
  request.device = Device::Auto;  // the CPU still trains
  CollectingSink again;
  Trainer trainer(request, again);
  EXPECT_EQ(trainer.run().status, trace::RunStatus::Finished) << again.end.message;
}

}  // namespace
}  // namespace sparsescope::train
