#include "viz/model/row_cache.h"

#include <gtest/gtest.h>

#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

trace::FramePtr frame_with(std::uint64_t row, std::uint32_t channel, std::size_t bytes) {
  auto frame = std::make_shared<trace::Frame>();
  frame->row = row;
  trace::add_values<std::uint8_t>(*frame, channel,
                                  std::vector<std::uint8_t>(bytes, static_cast<std::uint8_t>(row)));
  return frame;
}

TEST(RowCache, KeepsWhatPassesWithinItsBudget) {
  RowCache cache(nullptr, 10'000);
  for (std::uint64_t row = 0; row < 100; ++row) {
    cache.put(frame_with(row, 2, 1000), 2);
    EXPECT_LE(cache.bytes(), 10'000u);
  }
  EXPECT_EQ(cache.get(99, 2).state, RowCache::State::Ready);
  EXPECT_EQ(cache.get(99, 2).data->bytes.size(), 1000u);
  EXPECT_EQ(cache.get(0, 2).state, RowCache::State::Missing);
}

TEST(RowCache, LetsGoOfWhatWasNotUsedLongest) {
  RowCache cache(nullptr, 4000);
  for (std::uint64_t row = 0; row < 3; ++row) cache.put(frame_with(row, 0, 1000), 0);
  cache.get(0, 0);
  cache.put(frame_with(3, 0, 1000), 0);
  EXPECT_EQ(cache.get(0, 0).state, RowCache::State::Ready);
  EXPECT_EQ(cache.get(1, 0).state, RowCache::State::Missing);
}

TEST(RowCache, ARowLargerThanTheBudgetIsStillShown) {
  RowCache cache(nullptr, 10);
  cache.put(frame_with(1, 0, 5000), 0);
  EXPECT_EQ(cache.get(1, 0).state, RowCache::State::Ready);
}

TEST(RowCache, ReadsBackWhatItLacks) {
  auto source = std::make_shared<test::ManualSource>();
  RowCache cache(source, 1 << 20);
  EXPECT_EQ(cache.get(7, 3).state, RowCache::State::Loading);
  EXPECT_EQ(cache.get(7, 3).state, RowCache::State::Loading);
  ASSERT_EQ(source->asked.size(), 1u) << "the same wish is not sent twice";
  EXPECT_EQ(source->asked[0].request.first_row, 7u);
  EXPECT_EQ(source->asked[0].request.channels, std::vector<std::uint32_t>{3});
  EXPECT_TRUE(cache.is_waiting());
  EXPECT_FALSE(cache.poll());
  source->answer(source->asked[0].tag, frame_with(7, 3, 100));
  EXPECT_TRUE(cache.poll());
  EXPECT_EQ(cache.get(7, 3).state, RowCache::State::Ready);
  EXPECT_FALSE(cache.is_waiting());
}

TEST(RowCache, TheNewestWishReplacesTheOneBefore) {
  auto source = std::make_shared<test::ManualSource>();
  RowCache cache(source, 1 << 20);
  for (std::uint64_t row = 0; row < 50; ++row) cache.get(row, 3);
  ASSERT_EQ(source->asked.size(), 50u);
  EXPECT_EQ(source->cancelled.size(), 49u) << "scrubbing never queues";
  cache.get(10, 4);
  EXPECT_EQ(source->cancelled.size(), 49u) << "another channel is another wish";
  cache.poll();
  source->answer(source->asked[49].tag, frame_with(49, 3, 100));
  cache.poll();
  EXPECT_EQ(cache.get(49, 3).state, RowCache::State::Ready);
}

TEST(RowCache, AFailureIsSaidAndTriedAgainOnDemand) {
  auto source = std::make_shared<test::ManualSource>();
  RowCache cache(source, 1 << 20);
  cache.get(7, 3);
  source->fail(1, "row 7 is damaged");
  cache.poll();
  EXPECT_EQ(cache.get(7, 3).state, RowCache::State::Failed);
  EXPECT_EQ(cache.get(7, 3).message, "row 7 is damaged");
  EXPECT_EQ(source->asked.size(), 1u);
  cache.retry();
  EXPECT_EQ(cache.get(7, 3).state, RowCache::State::Loading);
  EXPECT_EQ(source->asked.size(), 2u);
}

}  // namespace
}  // namespace sparsescope::viz
