// Chunks and the schema's JSON: known values, round trips, limits.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "engine/record/chunk_codec.h"
#include "engine/record/chunk_plan.h"
#include "engine/record/schema_json.h"
#include "tests/record/record_support.h"

namespace sparsescope::record {
namespace {

std::vector<std::byte> random_bytes(std::size_t size, std::uint64_t seed, unsigned values) {
  std::mt19937_64 random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() % values);
  return bytes;
}

TEST(ChunkCodec, Crc32cOfTheCheckStringIsTheOneInTheStandard) {
  const char digits[] = "123456789";
  const auto bytes = std::as_bytes(std::span(digits, 9));
  EXPECT_EQ(crc32c(bytes), 0xe3069283u);
  EXPECT_EQ(crc32c(bytes.subspan(4), crc32c(bytes.first(4))), 0xe3069283u) << "in two pieces";
}

TEST(ChunkCodec, EveryChunkComesBackWhateverItsFiltersAndSizes) {
  for (const std::size_t element : {1, 2, 3, 4, 8, 20}) {
    for (const std::size_t count : {1, 2, 7, 1000, 30000}) {
      for (const Filters filters : {Filters{false, false}, Filters{false, true}, Filters{true, true}}) {
        for (const unsigned values : {1u, 4u, 256u}) {
          const std::vector<std::byte> raw = random_bytes(element * count, element * 31 + count, values);
          const EncodedChunk chunk = encode_chunk(raw, element, filters);
          EXPECT_LE(chunk.bytes.size(), raw.size());
          std::vector<std::byte> back(raw.size());
          ASSERT_TRUE(decode_chunk(chunk.bytes, chunk.filter_mask, element, filters, back));
          EXPECT_EQ(back, raw);
        }
      }
    }
  }
}

TEST(ChunkCodec, WhatCannotBeCompressedIsStoredRawWithEveryFilterSkipped) {
  const std::vector<std::byte> raw = random_bytes(20000, 3, 256);
  const EncodedChunk shuffled = encode_chunk(raw, 2, {true, true}),
                     plain = encode_chunk(raw, 1, {false, true});
  EXPECT_EQ(shuffled.filter_mask, 3u);
  EXPECT_EQ(plain.filter_mask, 1u);
  EXPECT_EQ(plain.bytes, raw);
}

TEST(ChunkCodec, ShuffleMakesRampsSmaller) {
  std::vector<std::byte> ramp(40000);
  for (std::uint32_t i = 0; i < 10000; ++i) std::memcpy(ramp.data() + 4 * i, &i, 4);
  EXPECT_LT(encode_chunk(ramp, 4, {true, true}).bytes.size() * 2,
            encode_chunk(ramp, 4, {false, true}).bytes.size());
}

TEST(ChunkCodec, AChunkThatDoesNotFillItsSizeExactlyIsDamage) {
  const std::vector<std::byte> raw = random_bytes(5000, 4, 3);
  const EncodedChunk chunk = encode_chunk(raw, 1, {false, true});
  std::vector<std::byte> smaller(4999), larger(5001), same(5000);
  EXPECT_FALSE(decode_chunk(chunk.bytes, 0, 1, {false, true}, smaller));
  EXPECT_FALSE(decode_chunk(chunk.bytes, 0, 1, {false, true}, larger));
  EXPECT_FALSE(decode_chunk(std::span(chunk.bytes).first(chunk.bytes.size() / 2), 0, 1, {false, true}, same));
  EXPECT_FALSE(decode_chunk(chunk.bytes, 2, 1, {true, true}, same)) << "some filters skipped";
  EXPECT_FALSE(decode_chunk(std::span(raw).first(4000), 1, 1, {false, true}, same));
}

TEST(ChunkPlan, GatheringAndScatteringEveryChunkRebuildsTheRow) {
  const std::tuple<Extents, Extents> shapes[] = {{{}, {}},
                                                 {{5}, {5}},
                                                 {{5}, {2}},
                                                 {{3, 7}, {1, 7}},
                                                 {{3, 7}, {2, 7}},
                                                 {{2, 5, 4}, {1, 2, 4}},
                                                 {{4, 3, 3}, {3, 2, 2}}};
  for (const auto& [dims, chunk] : shapes) {
    std::size_t count = 1, chunk_count = 1;
    for (const std::uint64_t extent : dims) count *= extent;
    for (const std::uint64_t extent : chunk) chunk_count *= extent;
    const std::size_t element = 3;
    const std::vector<std::byte> row = random_bytes(count * element, count, 256);
    std::vector<std::byte> back(row.size()), buffer(chunk_count * element, std::byte{0xee});
    std::size_t visited = 0;
    for_each_chunk(dims, chunk, [&](const Extents& origin) {
      gather_chunk(row, element, dims, chunk, origin, buffer);
      scatter_chunk(buffer, element, dims, chunk, origin, back);
      ++visited;
    });
    EXPECT_EQ(back, row);
    std::size_t expected = 1;
    for (std::size_t axis = 0; axis < dims.size(); ++axis)
      expected *= (dims[axis] + chunk[axis] - 1) / chunk[axis];
    EXPECT_EQ(visited, expected);
  }
}

std::string refusal_of_json(const std::string& json, ExitCode code) {
  try {
    schema_from_json(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  check(at != std::string::npos, "nothing to replace: " + from);
  return text.replace(at, from.size(), to);
}

std::string json_of(trace::SyntheticOptions::Kind kind) {
  return schema_to_json(*trace::SyntheticSource({kind, 1, 1}).schema());
}

TEST(SchemaJson, ComesBackTheSame) {
  trace::Schema schema = *trace::SyntheticSource({trace::SyntheticOptions::Kind::EveryDtype, 1, 1}).schema();
  schema.parent = trace::Parent{"uuid of the parent", 1234, "abc", "[{\"kind\":\"pause\"}]"};
  schema.seed = ~0ull;
  schema.title = "quotes \" and \xCE\xB8";
  const trace::Schema back = schema_from_json(schema_to_json(schema));
  EXPECT_TRUE(testing::same_schema(back, schema));
  EXPECT_EQ(back.parent->step, 1234u);
  EXPECT_EQ(back.parent->changes_json, schema.parent->changes_json);
  EXPECT_EQ(back.seed, ~0ull);
  EXPECT_EQ(back.title, schema.title);
  EXPECT_EQ(back.experiment_json, schema.experiment_json);
  ASSERT_EQ(back.channels.size(), schema.channels.size());
  for (std::size_t i = 0; i < back.channels.size(); ++i) {
    const trace::Channel &a = back.channels[i], &b = schema.channels[i];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.kind, b.kind);
    EXPECT_EQ(a.dtype, b.dtype);
    EXPECT_EQ(a.storage, b.storage);
    EXPECT_EQ(a.chunk, b.chunk);
    EXPECT_EQ(a.shuffle, b.shuffle);
    EXPECT_EQ(a.deflate, b.deflate);
    EXPECT_EQ(a.cadence, b.cadence);
    EXPECT_EQ(a.record_bytes, b.record_bytes);
    EXPECT_EQ(a.unit_bytes(), b.unit_bytes());
    ASSERT_EQ(a.axes.size(), b.axes.size());
    for (std::size_t axis = 0; axis < a.axes.size(); ++axis)
      EXPECT_EQ(a.axes[axis].labels, b.axes[axis].labels);
  }
}

TEST(SchemaJson, UnknownKeysAreIgnoredAndNewerMajorsRefused) {
  const std::string json = json_of(trace::SyntheticOptions::Kind::Spark);
  EXPECT_EQ(refusal_of_json(replaced(json, "{\"format\"", "{\"new_key\":[1],\"format\""), ExitCode::Done),
            "");
  EXPECT_EQ(refusal_of_json(replaced(json, "\"version\":[1,0]", "\"version\":[1,7]"), ExitCode::Done), "");
  EXPECT_NE(refusal_of_json(replaced(json, "\"version\":[1,0]", "\"version\":[3,2]"), ExitCode::NewerVersion)
                .find("format 3.2"),
            std::string::npos);
  const std::string newer = replaced(replaced(json, "\"version\":[1,0]", "\"version\":[1,7]"),
                                     "\"dtype\":\"f64\"", "\"dtype\":\"f8\"");
  EXPECT_NE(refusal_of_json(newer, ExitCode::NewerVersion).find("f8"), std::string::npos);
}

TEST(SchemaJson, WhatIsOutOfLimitsIsRefused) {
  const std::string json = json_of(trace::SyntheticOptions::Kind::Spark);
  const std::string deep = std::string(33, '[') + std::string(33, ']');
  const std::pair<std::string, const char*> cases[] = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {json.substr(0, json.size() / 2), "not a JSON object"},
      {json + std::string(1 << 20, ' '), "1 MiB"},
      {std::string(900'000, '['), "deeper"},
      {replaced(json, "\"experiment\":{", "\"experiment\":{\"deep\":" + deep + ","), "deeper"},
      {replaced(json, "synthetic", "synth\xC3tic"), "UTF-8"},
      {replaced(json, "\"recovered\":null", "\"recovered\":null,\"recovered\":null"), "twice"},
      {replaced(json, "sparsescope-recording", "other"), "not of a Sparsescope recording"},
      {replaced(json, "\"version\":[1,0]", "\"version\":[1]"), "version"},
      {replaced(json, "\"version\":[1,0]", "\"version\":[-1,0]"), "version"},
      {replaced(json, "\"dtype\":\"f64\"", "\"dtype\":\"f8\""), "unknown type 'f8'"},
      {replaced(json, "\"id\":1", "\"id\":2"), "id 2"},
      {replaced(json, "\"name\":\"threshold\"", "\"name\":\"scalars\""), "two channels"},
      {replaced(json, "\"name\":\"threshold\"", "\"name\":\"../x\""), "a name is"},
      {replaced(json, "\"size\":14", "\"size\":-14"), "not a whole number"},
      {replaced(json, "\"size\":14", "\"size\":1e9"), "not a whole number"},
      {replaced(json, "\"filters\":[]", "\"filters\":[\"szip\"]"), "filters other than"},
      {replaced(json, "\"filters\":[]", "\"filters\":[\"deflate\",\"shuffle\"]"), "filters other than"},
      {replaced(json, "\"filters\":[]", "\"filters\":[\"deflate\"]"), "no filters"},
      {replaced(json, "\"chunk\":[146,14]", "\"chunk\":[146]"), "rank"},
      {replaced(json, "\"chunk\":[146,14]", "\"chunk\":[146,13]"), "does not fit"},
      {replaced(json, "\"chunk\":[146,14]", "\"chunk\":[0,14]"), "empty"},
      {replaced(json, "\"chunk\":[146,14]", "\"chunk\":[1073741824,14]"), "64 MiB"},
  };
  for (const auto& [text, word] : cases) {
    const std::string sentence = refusal_of_json(text, ExitCode::Refused);
    EXPECT_NE(sentence.find(word), std::string::npos) << word << " / " << sentence;
  }
}

TEST(SchemaJson, ARunWhoseSchemaIsTooLargeIsRefusedBeforeItIsRecorded) {
  trace::Schema schema = *trace::SyntheticSource().schema();
  schema.channels[0].text = std::string(1 << 20, 'x');
  EXPECT_THROW(schema_to_json(schema), Error);
  schema.channels[0].text = "\xC3";
  EXPECT_THROW(schema_to_json(schema), Error);
  schema.channels[0].text = "";
  schema.experiment_json = "{";
  EXPECT_THROW(schema_to_json(schema), Error);
}

TEST(SchemaJson, NoDamagedTextCrashesOrHangs) {
  const std::string json = json_of(trace::SyntheticOptions::Kind::EveryDtype);
  std::mt19937_64 random(9);
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string changed = json;
    for (int i = 0; i < 1 + round % 3; ++i)
      changed[random() % changed.size()] = static_cast<char>(random() % 256);
    try {
      schema_from_json(changed);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace sparsescope::record
