// Tensor files: what is written is read, and what was damaged or made up is refused in words.
#include "engine/train/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>

#include "engine/trace/error.h"

namespace sparsescope::train {
namespace {

std::span<const std::byte> bytes_of(const std::vector<float>& values) {
  return std::as_bytes(std::span(values));
}

std::vector<std::byte> encoded(const std::map<std::string, std::string>& metadata,
                               const std::vector<NamedTensor>& tensors) {
  const EncodedTensors parts = encode_tensors(metadata, tensors);
  std::vector<std::byte> all(parts.header.size());
  std::memcpy(all.data(), parts.header.data(), all.size());
  for (const NamedTensor& tensor : tensors) all.insert(all.end(), tensor.bytes.begin(), tensor.bytes.end());
  return all;
}

// A file around any header text, its digest made right so that the check behind it is reached.
std::vector<std::byte> with_header(std::string text, std::size_t data_bytes) {
  const std::string zeros(64, '0');
  const auto assemble = [&] {
    const std::uint64_t length = text.size();
    std::vector<std::byte> all(8 + text.size() + data_bytes);
    std::memcpy(all.data(), &length, 8);
    std::memcpy(all.data() + 8, text.data(), text.size());
    return all;
  };
  const std::vector<std::byte> plain = assemble();
  const std::array<std::span<const std::byte>, 1> whole = {std::span<const std::byte>(plain)};
  const std::size_t place = text.find(zeros);
  if (place != std::string::npos) text.replace(place, 64, sha256_hex(whole));
  return assemble();
}

const std::string kMeta = R"("__metadata__":{"sha256":")" + std::string(64, '0') + R"("})";

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Refused);
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

std::string refusal(std::vector<std::byte> bytes) {
  return refusal([&] { parse_tensor_file(std::move(bytes), "file"); });
}

class TensorFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("sparsescope-tensors-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
  std::vector<float> a_ = {1, 2, 3, 4, 5, 6}, b_ = {-0.5f};
  std::vector<NamedTensor> tensors_ = {{"a", "F32", {2, 3}, bytes_of(a_)}, {"b", "F32", {}, bytes_of(b_)}};
  std::map<std::string, std::string> metadata_ = {{"step", "12"}, {"words", "quotes \" and ünïcode"}};
};

TEST_F(TensorFiles, WhatIsWrittenIsReadBackBitForBit) {
  const std::string path = folder_ / "x.safetensors";
  const std::string digest = write_tensor_file(path, metadata_, tensors_);
  const TensorFile file = read_tensor_file(path);
  EXPECT_EQ(file.sha256, digest);
  EXPECT_EQ(file.metadata, metadata_);
  ASSERT_EQ(file.tensors.size(), 2u);
  ASSERT_NE(file.find("a"), nullptr);
  EXPECT_EQ(file.find("a")->shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(std::memcmp(file.find("a")->bytes.data(), a_.data(), 24), 0);
  EXPECT_EQ(std::memcmp(file.find("b")->bytes.data(), b_.data(), 4), 0);
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
}

TEST_F(TensorFiles, TheDigestIsTheOneOfTheFileWithZerosInItsPlace) {
  std::vector<std::byte> all = encoded(metadata_, tensors_);
  const std::string digest = encode_tensors(metadata_, tensors_).sha256;
  std::string text(reinterpret_cast<const char*>(all.data()), all.size());
  const std::size_t place = text.find(digest);
  ASSERT_NE(place, std::string::npos);
  text.replace(place, 64, std::string(64, '0'));
  const std::array<std::span<const std::byte>, 1> parts = {std::as_bytes(std::span(text))};
  EXPECT_EQ(sha256_hex(parts), digest);
}

TEST_F(TensorFiles, TheDigestFunctionIsSha256) {
  const std::string abc = "abc";
  const std::array<std::span<const std::byte>, 1> parts = {std::as_bytes(std::span(abc))};
  EXPECT_EQ(sha256_hex(parts), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(TensorFiles, EveryTruncationIsRefused) {
  const std::vector<std::byte> all = encoded(metadata_, tensors_);
  for (std::size_t size = 0; size < all.size(); ++size) {
    EXPECT_NE(refusal({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size)}), "") << size;
  }
}

TEST_F(TensorFiles, EveryFlippedBitIsRefused) {
  const std::vector<std::byte> all = encoded(metadata_, tensors_);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (int bit = 0; bit < 8; bit += 3) {
      std::vector<std::byte> damaged = all;
      damaged[i] ^= std::byte(1 << bit);
      EXPECT_THROW(parse_tensor_file(damaged, "file"), Error) << "byte " << i << " bit " << bit;
    }
  }
}

TEST_F(TensorFiles, AWrongDigestIsNamed) {
  std::vector<std::byte> all = encoded(metadata_, tensors_);
  all.back() ^= std::byte(1);
  EXPECT_NE(refusal(std::move(all)).find("digest"), std::string::npos);
}

TEST_F(TensorFiles, AHugeHeaderIsRefusedWithoutReadingIt) {
  std::vector<std::byte> bytes(64);
  const std::uint64_t length = ~std::uint64_t{0};
  std::memcpy(bytes.data(), &length, 8);
  EXPECT_NE(refusal(std::move(bytes)).find("claims"), std::string::npos);
}

TEST_F(TensorFiles, MadeUpHeadersAreRefused) {
  const auto header = [](const std::string& tensors) { return "{" + kMeta + "," + tensors + "}"; };
  const std::map<std::string, std::string> attacks = {
      {"overlap",
       header(
           R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]})")},
      {"gap",
       header(
           R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]})")},
      {"behind the end", header(R"("a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]})")},
      {"reversed", header(R"("a":{"dtype":"F32","shape":[1],"data_offsets":[12,8]})")},
      {"shape and bytes", header(R"("a":{"dtype":"F32","shape":[5],"data_offsets":[0,12]})")},
      {"shape overflows",
       header(R"("a":{"dtype":"F32","shape":[1099511627776,1099511627776],"data_offsets":[0,0]})")},
      {"negative", header(R"("a":{"dtype":"F32","shape":[-3],"data_offsets":[0,12]})")},
      {"fraction", header(R"("a":{"dtype":"F32","shape":[3.5],"data_offsets":[0,12]})")},
      {"unknown type", header(R"("a":{"dtype":"Q7","shape":[3],"data_offsets":[0,12]})")},
      {"missing field", header(R"("a":{"dtype":"F32","shape":[3]})")},
      {"three offsets", header(R"("a":{"dtype":"F32","shape":[3],"data_offsets":[0,4,12]})")},
      {"twice",
       header(
           R"("a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]})")},
      {"too deep", header(R"("a":{"dtype":"F32","shape":[[[[[3]]]]],"data_offsets":[0,12]})")},
      {"no object", "[1,2,3]"},
      {"no JSON", "{{{{"},
      {"no metadata", R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})"},
      {"no digest", R"({"__metadata__":{"step":"1"},"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})"},
      {"metadata is no text",
       "{\"__metadata__\":{\"sha256\":\"" + std::string(64, '0') +
           "\",\"step\":3},\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}"},
      {"bytes that belong to nobody", "{" + kMeta + "}"},
      {"bad UTF-8", header("\"\xff\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}")},
  };
  for (const auto& [name, text] : attacks) EXPECT_NE(refusal(with_header(text, 12)), "") << name;
  // The frame of these attacks is sound: the same header without a fault is accepted.
  const TensorFile good = parse_tensor_file(
      with_header(header(R"("a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]})"), 12), "file");
  EXPECT_EQ(good.tensors.size(), 1u);
}

TEST_F(TensorFiles, AThousandNestedArraysAreRefused) {
  EXPECT_NE(refusal(with_header("{" + kMeta + ",\"a\":" + std::string(100000, '[') + "}", 0)).find("deep"),
            std::string::npos);
}

TEST_F(TensorFiles, WhatIsNoFileIsRefusedByName) {
  EXPECT_NE(refusal([&] { read_tensor_file(folder_ / "absent.safetensors"); }).find("absent"),
            std::string::npos);
  EXPECT_NE(refusal([&] { read_tensor_file(folder_); }).find("no file"), std::string::npos);
}

TEST_F(TensorFiles, AFolderThatIsGoneIsSaidAndLeavesNothing) {
  try {
    write_tensor_file(folder_ / "absent" / "x.safetensors", metadata_, tensors_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("cannot be written"), std::string::npos);
  }
}

TEST_F(TensorFiles, AnExistingFileIsReplacedWholeOrNotAtAll) {
  const std::string path = folder_ / "x.safetensors";
  write_tensor_file(path, metadata_, tensors_);
  metadata_["step"] = "13";
  write_tensor_file(path, metadata_, tensors_);
  EXPECT_EQ(read_tensor_file(path).metadata.at("step"), "13");
}

}  // namespace
}  // namespace sparsescope::train
