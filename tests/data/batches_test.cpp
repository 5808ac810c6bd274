// Windows: where they lie, that they repeat after a resume, and that they stay inside their stream.
#include "engine/data/batches.h"

#include <numeric>
#include <set>

#include "tests/data/support.h"

namespace sparsescope::data {
namespace {

std::vector<std::int32_t> counting_stream(std::int32_t count) {
  std::vector<std::int32_t> stream(static_cast<std::size_t>(count));
  std::iota(stream.begin(), stream.end(), 0);
  return stream;
}

TEST(BatchSampler, GivesWindowsOfNeighboursAtEveryPossibleOffset) {
  const std::vector<std::int32_t> stream = counting_stream(50);
  BatchSampler sampler(stream, 4, 9, 1);
  std::set<std::int32_t> starts;
  for (int round = 0; round < 500; ++round) {
    const std::vector<std::int32_t> batch = sampler.next();  // [4, 10]
    ASSERT_EQ(batch.size(), 40u);
    for (std::size_t row = 0; row < 4; ++row) {
      starts.insert(batch[10 * row]);
      for (std::size_t t = 1; t < 10; ++t) ASSERT_EQ(batch[10 * row + t], batch[10 * row + t - 1] + 1);
    }
  }
  EXPECT_EQ(starts.size(), 41u) << "every offset from 0 to 40, the last token included";
}

TEST(BatchSampler, ContinuesBitForBitAfterARestore) {
  const std::vector<std::int32_t> stream = counting_stream(1000);
  BatchSampler sampler(stream, 8, 16, 5);
  for (int i = 0; i < 7; ++i) sampler.next();
  const std::string state = sampler.state();
  BatchSampler resumed(stream, 8, 16, 99);
  resumed.restore(state);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(resumed.next(), sampler.next());
}

TEST(BatchSampler, DependsOnItsSeedAlone) {
  const std::vector<std::int32_t> stream = counting_stream(1000);
  BatchSampler one(stream, 8, 16, 5), same(stream, 8, 16, 5), other(stream, 8, 16, 6);
  const std::vector<std::int32_t> batch = one.next();
  EXPECT_EQ(same.next(), batch);
  EXPECT_NE(other.next(), batch);
}

TEST(BatchSampler, RefusesAStreamShorterThanOneWindow) {
  const std::vector<std::int32_t> stream = counting_stream(16);
  EXPECT_NO_THROW(BatchSampler(stream, 1, 15, 1).next());
  EXPECT_NE(refusal([&] { BatchSampler(stream, 1, 16, 1); }).find("has 16 tokens and one window needs 17"),
            std::string::npos);
}

TEST(ValidationWindows, PredictEachTokenOnceAndSpanTheStream) {
  const std::vector<std::int32_t> stream = counting_stream(101);
  const std::vector<std::int32_t> all = validation_windows(stream, 1000, 10);  // [10, 11]
  ASSERT_EQ(all.size(), 110u);
  std::set<std::int32_t> predicted;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(i % 11 == 0 || predicted.insert(all[i]).second);
  }
  EXPECT_EQ(predicted.size(), 100u);
  const std::vector<std::int32_t> some = validation_windows(stream, 3, 10);
  ASSERT_EQ(some.size(), 33u);
  EXPECT_EQ(some[0], 0);
  EXPECT_EQ(some[11], 30);
  EXPECT_EQ(some[22], 60);
  EXPECT_THROW(validation_windows(counting_stream(10), 3, 10), Error);
}

TEST(CopyWindows, RefuseToLeaveTheStream) {
  const std::vector<std::int32_t> stream = counting_stream(10);
  EXPECT_EQ(copy_windows(stream, std::vector<std::int64_t>{0, 7}, 3),
            (std::vector<std::int32_t>{0, 1, 2, 7, 8, 9}));
  EXPECT_THROW(copy_windows(stream, std::vector<std::int64_t>{8}, 3), std::logic_error);
  EXPECT_THROW(copy_windows(stream, std::vector<std::int64_t>{-1}, 3), std::logic_error);
  EXPECT_THROW(copy_windows(stream, std::vector<std::int64_t>{0}, 11), Error);
}

}  // namespace
}  // namespace sparsescope::data
