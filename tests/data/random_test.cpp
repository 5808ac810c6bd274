// Random streams: golden numbers of the published algorithms, laws of ranges and of saved states; and
// SHA-256.
#include "engine/data/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "engine/data/sha256.h"
#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

TEST(Random, GivesTheNumbersOfThePublishedAlgorithms) {
  // xoshiro256** from the state 1, 2, 3, 4: the vector that implementations share.
  Random random(0);
  const auto word = [](int digit) { return std::string(15, '0') + std::to_string(digit); };
  random.restore("xoshiro256**:" + word(1) + word(2) + word(3) + word(4));
  for (std::uint64_t expected :
       {11520ull, 0ull, 1509978240ull, 1215971899390074240ull, 1216172134540287360ull}) {
    EXPECT_EQ(random.next(), expected);
  }
  // Seeded by SplitMix64, whose first outputs for 1234567 are published: 6457827717110365317 and so on.
  EXPECT_EQ(Random(1234567).state().substr(13, 16), "599ed017fb08fc85");
  Random seeded(1234567);
  EXPECT_EQ(seeded.next(), 3504822795582309479u);
}

TEST(Random, ASavedStateContinuesWithTheSameNumbers) {
  Random random(7);
  for (int i = 0; i < 100; ++i) random.next();
  Random resumed(8);
  resumed.restore(random.state());
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(resumed.below(1000), random.below(1000));
}

TEST(Random, ADamagedStateIsRefusedAndChangesNothing) {
  Random random(7);
  const std::string good = random.state();
  std::string not_hexadecimal = good;
  not_hexadecimal[20] = 'x';
  for (const std::string& bad :
       {std::string(), good.substr(1), good + "0", not_hexadecimal, "xoshiro256**:" + std::string(64, '0')}) {
    EXPECT_THROW(random.restore(bad), Error) << bad;
    EXPECT_EQ(random.state(), good);
  }
}

TEST(Random, BelowStaysBelowAndReachesEverything) {
  Random random(3);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) ++counts.at(random.below(7));
  for (int count : counts) EXPECT_NEAR(count, 10000, 500);  // five standard deviations
  EXPECT_EQ(random.below(1), 0u);
  for (int i = 0; i < 100; ++i) EXPECT_LT(random.below((1ull << 63) + 1), (1ull << 63) + 1);
  for (int i = 0; i < 10000; ++i) {
    const double number = random.uniform();
    EXPECT_TRUE(number >= 0 && number < 1);
  }
}

TEST(Random, NamedStreamsHaveSeedsOfTheirOwn) {
  EXPECT_EQ(stream_seed(1, kDataStream), 12707369528676307565u);
  EXPECT_EQ(stream_seed(1, kInitStream), 16947537463921896955u);
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (std::string_view name : {kInitStream, kDataStream, kNeedleStream, kProbeStream, kTextStream}) {
      seeds.insert(stream_seed(seed, name));
    }
  }
  EXPECT_EQ(seeds.size(), 500u);
}

TEST(Sha256, GivesTheDigestsOfTheStandard) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheMessageIsCut) {
  const std::string message(300, 'm');
  for (std::size_t cut = 0; cut <= message.size(); ++cut) {
    EXPECT_EQ(Sha256().add(message.substr(0, cut)).add(message.substr(cut)).hex(), sha256_hex(message));
  }
}

}  // namespace
}  // namespace sparsescope::data
