// Events as elements of the text channel, long ones in the payload channel, and frames that hold them.
#include "engine/train/events.h"

#include <gtest/gtest.h>

#include "engine/trace/error.h"
#include "engine/train/frame_builder.h"
#include "engine/train/inbox.h"

namespace sparsescope::train {
namespace {

nlohmann::json parsed(const std::array<char, kEventBytes>& element) {
  return nlohmann::json::parse(std::string(element.data(), strnlen(element.data(), element.size())));
}

TEST(Events, AnElementSaysItsStepAndKind) {
  EventLog log;
  log.add(7, EventKind::Command, {{"command", "set"}, {"name", "pace"}, {"old", 0}, {"new", 5}});
  const auto taken = log.take();
  ASSERT_EQ(taken.elements.size(), 1u);
  EXPECT_EQ(
      parsed(taken.elements[0]),
      nlohmann::json::parse(R"({"step":7,"kind":"command","command":"set","name":"pace","old":0,"new":5})"));
  EXPECT_TRUE(taken.payload.empty());
  EXPECT_TRUE(log.is_empty());
}

TEST(Events, ALongEventLiesWholeInThePayload) {
  EventLog log;
  const std::string words(3000, 'w');
  log.add(1, EventKind::Note, {{"text", "short"}});
  log.add(1, EventKind::Warning, {{"text", words}});
  log.add(1, EventKind::Warning, {{"text", words + "2"}});
  const auto taken = log.take();
  ASSERT_EQ(taken.elements.size(), 3u);
  const nlohmann::json reference = parsed(taken.elements[2]);
  EXPECT_EQ(reference["kind"], "warning");
  EXPECT_EQ(reference["payload_row"], 0);
  const std::string payload(taken.payload.begin(), taken.payload.end());
  const std::size_t begin = reference["payload_begin"], end = reference["payload_end"];
  EXPECT_EQ(nlohmann::json::parse(payload.substr(begin, end - begin))["text"], words + "2");

  log.add(2, EventKind::Note, {{"text", words}});
  EXPECT_EQ(parsed(log.take().elements[0])["payload_row"], 1);
}

TEST(Events, AnEventOfExactlyTheElementsSizeStaysWhole) {
  EventLog log;
  const std::size_t frame = nlohmann::json({{"step", 1}, {"kind", "note"}, {"text", ""}}).dump().size();
  log.add(1, EventKind::Note, {{"text", std::string(kEventBytes - frame, 'x')}});
  const auto taken = log.take();
  EXPECT_TRUE(taken.payload.empty());
  EXPECT_EQ(taken.elements[0][kEventBytes - 1], '}');
}

TEST(Events, BytesThatAreNoTextAreReplacedNotThrown) {
  EventLog log;
  log.add(1, EventKind::Warning, {{"text", "file \xff"}});
  EXPECT_NE(parsed(log.take().elements[0])["text"].get<std::string>().find("\xEF\xBF\xBD"),
            std::string::npos);
}

trace::SchemaPtr small_schema() {
  trace::Schema schema;
  trace::Channel dense, ragged;
  dense.name = "dense";
  dense.axes = {{"x", 3, {}}};
  ragged.name = "ragged";
  ragged.kind = trace::ChannelKind::Ragged;
  ragged.dtype = trace::DType::U32;
  schema.channels = {dense, ragged};
  return std::make_shared<trace::Schema>(trace::finish_schema(schema));
}

TEST(Frames, CarryWhatWasSetInRisingIdsAndRows) {
  FrameBuilder builder(small_schema());
  builder.set("ragged", std::vector<std::uint32_t>{1, 2});
  builder.set("dense", std::vector<float>{1, 2, 3});
  builder.flag(trace::kFlagNonFinite);
  const trace::FramePtr first = builder.take(5);
  EXPECT_EQ(first->row, 0u);
  EXPECT_EQ(first->step, 5u);
  EXPECT_EQ(first->flags & trace::kFlagNonFinite, trace::kFlagNonFinite);
  ASSERT_EQ(first->data.size(), 2u);
  EXPECT_LT(first->data[0].channel, first->data[1].channel);
  EXPECT_TRUE(first->present.has(0) && first->present.has(1));
  builder.set("dense", std::vector<float>{1, 2, 3});
  const trace::FramePtr second = builder.take(5);
  EXPECT_EQ(second->row, 1u);
  EXPECT_EQ(second->flags, 0u);
  EXPECT_FALSE(second->present.has(1));
  EXPECT_GE(second->mono_nanos, first->mono_nanos);
}

TEST(Frames, RefuseWhatTheSchemaDoesNotKnow) {
  FrameBuilder builder(small_schema());
  EXPECT_THROW(builder.set("absent", std::vector<float>{1}), std::logic_error);
  EXPECT_THROW(builder.set("dense", std::vector<float>{1, 2}), std::logic_error);
  builder.set("dense", std::vector<float>{1, 2, 3});
  EXPECT_THROW(builder.set("dense", std::vector<float>{1, 2, 3}), std::logic_error);
  builder.take(3);
  EXPECT_THROW(builder.take(2), std::logic_error);
}

TEST(Inbox, GivesCommandsInOrderAndLetsOnlyTwoInterrupt) {
  Inbox inbox;
  inbox.post(trace::Pause{});
  EXPECT_EQ(inbox.interrupt(), Inbox::Interrupt::None);
  inbox.post(trace::CancelEvaluation{});
  EXPECT_EQ(inbox.interrupt(), Inbox::Interrupt::CancelEvaluation);
  EXPECT_EQ(inbox.interrupt(), Inbox::Interrupt::None);
  inbox.post(trace::Stop{});
  EXPECT_EQ(inbox.interrupt(), Inbox::Interrupt::Stop);
  EXPECT_TRUE(std::holds_alternative<trace::Pause>(*inbox.take()));
  EXPECT_TRUE(std::holds_alternative<trace::Stop>(*inbox.take()));
  EXPECT_FALSE(inbox.take().has_value());
}

}  // namespace
}  // namespace sparsescope::train
