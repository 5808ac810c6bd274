// Laws of the mailbox: order, who blocks, who drops and how both count.
#include "engine/trace/mailbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace sparsescope::trace {
namespace {

using std::chrono::milliseconds;

FramePtr frame_of(std::uint64_t row, std::size_t bytes) {
  Frame frame;
  frame.row = row;
  frame.data.push_back({0, std::vector<std::byte>(bytes)});
  return std::make_shared<const Frame>(std::move(frame));
}

std::vector<std::uint64_t> rows_of(const std::vector<Message>& messages) {
  std::vector<std::uint64_t> rows;
  for (const Message& message : messages) {
    if (const auto* frame = std::get_if<FramePtr>(&message)) rows.push_back((*frame)->row);
  }
  return rows;
}

TEST(Mailbox, HandsOverSchemaFramesAndEndInOrder) {
  Mailbox mailbox(1 << 20, Overflow::Block);
  mailbox.on_schema(std::make_shared<const Schema>());
  for (std::uint64_t row = 0; row < 5; ++row) mailbox.on_frame(frame_of(row, 10));
  mailbox.on_end({RunStatus::Stopped, "by hand"});
  const std::vector<Message> messages = mailbox.drain();
  ASSERT_EQ(messages.size(), 7u);
  EXPECT_TRUE(std::holds_alternative<SchemaPtr>(messages.front()));
  EXPECT_EQ(rows_of(messages), (std::vector<std::uint64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(std::get<RunEnd>(messages.back()).message, "by hand");
  EXPECT_TRUE(mailbox.drain().empty());
  EXPECT_EQ(mailbox.counts().waiting_bytes, 0u);
}

TEST(Mailbox, TheScreensDropsTheOldestAndDropsAreSentMinusKept) {
  Mailbox mailbox(10'000, Overflow::DropOldest);
  mailbox.on_schema(std::make_shared<const Schema>());
  std::uint64_t kept = 0;
  for (std::uint64_t row = 0; row < 200; ++row) {
    mailbox.on_frame(frame_of(row, 1000));
    if (row % 50 == 20) kept += rows_of(mailbox.drain()).size();
  }
  mailbox.on_end({});
  const std::vector<Message> messages = mailbox.drain();
  const std::vector<std::uint64_t> rows = rows_of(messages);
  kept += rows.size();
  EXPECT_EQ(rows.back(), 199u) << "the newest stays";
  for (std::size_t i = 1; i < rows.size(); ++i) EXPECT_EQ(rows[i], rows[i - 1] + 1);
  EXPECT_TRUE(std::holds_alternative<RunEnd>(messages.back()));
  const Mailbox::Counts counts = mailbox.counts();
  EXPECT_EQ(counts.sent, 200u);
  EXPECT_GT(counts.dropped, 0u);
  EXPECT_EQ(counts.dropped, counts.sent - kept);
  EXPECT_EQ(counts.blocked_nanos, 0);
}

TEST(Mailbox, TheScreensKeepsAFrameThatAloneIsTooLarge) {
  Mailbox mailbox(100, Overflow::DropOldest);
  mailbox.on_frame(frame_of(0, 5000));
  mailbox.on_frame(frame_of(1, 5000));
  EXPECT_EQ(rows_of(mailbox.drain()), std::vector<std::uint64_t>{1});
}

TEST(Mailbox, TheRecordersBlocksTheSenderAndLosesNothing) {
  Mailbox mailbox(5'000, Overflow::Block);
  std::thread sender([&] {
    for (std::uint64_t row = 0; row < 300; ++row) mailbox.on_frame(frame_of(row, 1000));
    mailbox.on_end({});
  });
  std::vector<std::uint64_t> rows;
  std::size_t most_waiting = 0;
  for (bool has_ended = false; !has_ended;) {
    std::this_thread::sleep_for(milliseconds(1));
    most_waiting = std::max(most_waiting, mailbox.counts().waiting_bytes);
    const std::vector<Message> messages = mailbox.wait_and_drain(1'000'000'000);
    for (const std::uint64_t row : rows_of(messages)) rows.push_back(row);
    has_ended = !messages.empty() && std::holds_alternative<RunEnd>(messages.back());
  }
  sender.join();
  ASSERT_EQ(rows.size(), 300u);
  for (std::uint64_t row = 0; row < 300; ++row) EXPECT_EQ(rows[row], row);
  EXPECT_LE(most_waiting, 5'000u);
  EXPECT_EQ(mailbox.counts().dropped, 0u);
  EXPECT_GT(mailbox.counts().blocked_nanos, 0);
}

TEST(Mailbox, ClosingFreesASenderThatWaits) {
  Mailbox mailbox(100, Overflow::Block);
  mailbox.on_frame(frame_of(0, 1000));
  std::atomic<bool> is_through = false;
  std::thread sender([&] {
    mailbox.on_frame(frame_of(1, 1000));
    is_through = true;
  });
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_FALSE(is_through);
  mailbox.close();
  sender.join();
  EXPECT_EQ(mailbox.counts().dropped, 1u);
  mailbox.on_frame(frame_of(2, 1));
  EXPECT_EQ(mailbox.counts().dropped, 2u);
}

TEST(Mailbox, AWaitEndsByTimeByMessageAndByWaking) {
  Mailbox mailbox(1 << 20, Overflow::Block);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(mailbox.wait_and_drain(30'000'000).empty());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(29));
  for (const bool by_message : {true, false}) {
    std::thread other([&] {
      std::this_thread::sleep_for(milliseconds(10));
      by_message ? mailbox.on_frame(frame_of(0, 1)) : mailbox.wake();
    });
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(mailbox.wait_and_drain(20'000'000'000).size(), by_message ? 1u : 0u);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
    other.join();
  }
}

TEST(Mailbox, RingsWhenSomethingComesIntoAnEmptyOneAndNotForEachFrame) {
  Mailbox mailbox(1 << 20, Overflow::DropOldest);
  mailbox.on_frame(frame_of(0, 10));
  int rung = 0;
  mailbox.set_bell([&] { ++rung; });
  EXPECT_EQ(rung, 1);  // something waits already
  for (std::uint64_t row = 1; row < 100; ++row) mailbox.on_frame(frame_of(row, 10));
  EXPECT_EQ(rung, 1);
  mailbox.drain();
  mailbox.on_frame(frame_of(100, 10));
  EXPECT_EQ(rung, 2);
  mailbox.drain();
  mailbox.close();
  mailbox.on_frame(frame_of(101, 10));
  EXPECT_EQ(rung, 2);
}

TEST(FanOut, PassesEverythingToEverySinkInTheOrderGiven) {
  struct Log final : FrameSink {
    Log(std::vector<std::string>& to, std::string as) : lines(to), name(std::move(as)) {}
    void on_schema(SchemaPtr) override { lines.push_back(name + " schema"); }
    void on_frame(FramePtr frame) override { lines.push_back(name + " " + std::to_string(frame->row)); }
    void on_end(const RunEnd&) override { lines.push_back(name + " end"); }
    std::vector<std::string>& lines;
    std::string name;
  };
  std::vector<std::string> lines;
  Log first(lines, "a"), second(lines, "b");
  FanOut both({&first, &second});
  both.on_schema(nullptr);
  both.on_frame(frame_of(3, 1));
  both.on_end({});
  EXPECT_EQ(lines, (std::vector<std::string>{"a schema", "b schema", "a 3", "b 3", "a end", "b end"}));
}

}  // namespace
}  // namespace sparsescope::trace
