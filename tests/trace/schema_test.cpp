// What a run may record, and how a finished schema stores it.
#include "engine/trace/schema.h"

#include <gtest/gtest.h>

#include <functional>

#include "engine/trace/error.h"

namespace sparsescope::trace {
namespace {

Channel dense(std::string name, DType dtype, std::vector<Axis> axes) {
  Channel channel;
  channel.name = std::move(name);
  channel.dtype = dtype;
  channel.axes = std::move(axes);
  return channel;
}

Channel finished(Channel channel) {
  Schema schema;
  schema.channels.push_back(std::move(channel));
  return finish_schema(std::move(schema)).channels.front();
}

TEST(Schema, SmallRowsArePackedRawAndLargeOnesStoredOnceCompressed) {
  const Channel small = finished(dense("a", DType::F32, {{"x", 4095, {}}}));
  EXPECT_EQ(small.storage, StorageClass::Packed);
  EXPECT_FALSE(small.deflate || small.shuffle);
  EXPECT_EQ(small.chunk, (std::vector<std::int64_t>{1, 4095}));
  const Channel large = finished(dense("a", DType::F32, {{"x", 4096, {}}}));
  EXPECT_EQ(large.storage, StorageClass::Once);
  EXPECT_TRUE(large.deflate && large.shuffle);
  EXPECT_EQ(finished(dense("a", DType::F64, {{"x", 4, {}}})).chunk, (std::vector<std::int64_t>{512, 4}));
}

TEST(Schema, BytesAreNotShuffledBecauseThereIsNothingToShuffle) {
  EXPECT_FALSE(finished(dense("a", DType::U8, {{"x", 1 << 20, {}}})).shuffle);
  EXPECT_FALSE(finished(dense("a", DType::Bits, {{"x", 1 << 20, {}}})).shuffle);
  EXPECT_TRUE(finished(dense("a", DType::U8, {{"x", 1 << 20, {}}})).deflate);
}

TEST(Schema, ChunksOfLargeRowsAreCutAlongLeadingAxesToHalfAMebibyte) {
  for (const std::int64_t layers : {1, 2, 6, 31}) {
    for (const std::int64_t side : {64, 300, 512, 1000}) {
      const Channel channel =
          finished(dense("a", DType::F16, {{"layer", layers, {}}, {"query", side, {}}, {"key", side, {}}}));
      if (channel.storage == StorageClass::Packed) continue;
      std::int64_t bytes = 2;
      for (const std::int64_t extent : channel.chunk) bytes *= extent;
      EXPECT_LE(bytes, 512 << 10);
      EXPECT_EQ(channel.chunk.front(), 1);
      EXPECT_EQ(channel.chunk.back(), side) << "the last axis stays whole";
      const bool is_cut = channel.chunk[1] < layers;
      EXPECT_TRUE(is_cut || bytes == layers * channel.chunk[2] * side * 2);
    }
  }
}

TEST(Schema, BitsPackTheLastAxis) {
  const Channel bits = dense("a", DType::Bits, {{"x", 3, {}}, {"y", 17, {}}});
  EXPECT_EQ(bits.unit_bytes(), 9u);
  EXPECT_EQ(bits.unit_count(), 51);
}

TEST(Schema, EveryDtypeHasANameOfItsOwn) {
  for (const DType dtype : {DType::F16, DType::F32, DType::F64, DType::U8, DType::U16, DType::I32, DType::U32,
                            DType::U64, DType::Bits, DType::Record, DType::Text}) {
    EXPECT_EQ(dtype_from_name(dtype_name(dtype)), dtype);
  }
  EXPECT_FALSE(dtype_from_name("f8").has_value());
}

TEST(Schema, LabelsAreFoundByAxisAndName) {
  const Channel channel = dense("a", DType::F32, {{"layer", 2, {}}, {"stat", 2, {"theta", "mean"}}});
  EXPECT_EQ(channel.label_index("stat", "mean"), 1);
  EXPECT_EQ(channel.label_index("stat", "median"), -1);
  EXPECT_EQ(channel.label_index("layer", "mean"), -1);
  EXPECT_EQ(channel.label_index("none", "mean"), -1);
}

TEST(Schema, WhatTheFormatCannotHoldIsRefusedWithTheChannelsName) {
  const auto refusal = [](const Channel& channel) -> std::string {
    try {
      finished(channel);
    } catch (const Error& error) {
      return error.code() == ExitCode::Refused ? error.what() : "wrong code";
    }
    return "";
  };
  const std::pair<Channel, const char*> cases[] = {
      {dense("Loss", DType::F32, {}), "a name is"},
      {dense("", DType::F32, {}), "a name is"},
      {dense(std::string(64, 'a'), DType::F32, {}), "a name is"},
      {dense("a", DType::F32, {{"values", 2, {}}}), "axis name 'values'"},
      {dense("a", DType::F32, {{"x", 2, {}}, {"x", 2, {}}}), "two axes"},
      {dense("a", DType::F32, {{"x", 0, {}}}), "size 0"},
      {dense("a", DType::F32, {{"x", 2, {"one"}}}), "labels"},
      {dense("a", DType::F32, std::vector<Axis>(8, {"x", 1, {}})), "more than 7 axes"},
      {dense("a", DType::F32, {{"x", (64 << 20) / 4 + 1, {}}}), "64 MiB"},
      {dense("a", DType::F32, {{"x", 1ll << 32, {}}, {"y", 1ll << 32, {}}, {"z", 1ll << 32, {}}}), "64 MiB"},
      {dense("a", DType::Bits, {}), "bits need an axis"},
      {dense("a", DType::Record, {}), "list fields"},
  };
  for (const auto& [channel, word] : cases)
    EXPECT_NE(refusal(channel).find(word), std::string::npos) << refusal(channel);
  EXPECT_EQ(refusal(dense(std::string(63, 'a'), DType::F32, {{"x", (64 << 20) / 4, {}}})), "");
}

TEST(Schema, AtMostTwoHundredAndFiftySixChannelsOfDifferentNames) {
  Schema schema;
  EXPECT_THROW(finish_schema(schema), Error);
  for (int i = 0; i < 256; ++i)
    schema.channels.push_back(dense(std::string("c").append(std::to_string(i)), DType::F32, {}));
  EXPECT_EQ(finish_schema(schema).channels[255].id, 255u);
  schema.channels[3].name = "c4";
  EXPECT_THROW(finish_schema(schema), Error);
  schema.channels[3].name = "c3";
  schema.channels.push_back(dense("one_more", DType::F32, {}));
  EXPECT_THROW(finish_schema(schema), Error);
}

}  // namespace
}  // namespace sparsescope::trace
