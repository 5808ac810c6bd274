// Laws of embedding, grouping of ids and the table's gradient on the CPU.
#include <gtest/gtest.h>

#include "tests/kernels/embedding_case.h"

namespace sparsescope::kernels {
namespace {

TEST(EmbeddingReference, GroupsEveryTokenOnceByIdAndInsideAnIdByPlace) {
  const EmbeddingCase made = make_embedding_case({3, 41, 17, 1}, 1);
  const EmbeddingResult result = run_reference(made);
  const TokenIds ids = made.view(made.ids.data());
  EXPECT_EQ(result.offsets.front(), 0);
  EXPECT_EQ(result.offsets.back(), made.tokens());
  std::vector<int> seen(made.tokens(), 0);
  for (std::int64_t place = 0; place < made.tokens(); ++place) {
    const std::int32_t n = result.order[place], id = result.sorted_ids[place];
    ++seen[n];
    EXPECT_EQ(ids[n], id);
    EXPECT_LE(result.offsets[id], place);
    EXPECT_LT(place, result.offsets[id + 1]);
    if (place > 0 && result.sorted_ids[place - 1] == id) {
      EXPECT_LT(result.order[place - 1], n);
    }
  }
  EXPECT_EQ(seen, std::vector<int>(made.tokens(), 1));
}

TEST(EmbeddingReference, HasTheTransposeOfItsForwardPassAsGradient) {
  EmbeddingCase made = make_embedding_case({2, 29, 11, 5}, 2);
  std::fill(made.d_table_before.begin(), made.d_table_before.end(), 0.0f);
  const EmbeddingResult result = run_reference(made);
  double of_rows = 0, of_table = 0;
  for (std::size_t i = 0; i < result.rows.size(); ++i) of_rows += double(result.rows[i]) * made.d_rows[i];
  for (std::size_t i = 0; i < made.table.size(); ++i) of_table += double(made.table[i]) * result.d_table[i];
  EXPECT_NEAR(of_rows, of_table, 1e-4);
}

TEST(EmbeddingReference, AddsToWhatTheGradientHeld) {
  EmbeddingCase made = make_embedding_case({1, 4, 50, 3}, 3);
  const EmbeddingResult result = run_reference(made);
  std::fill(made.d_rows.begin(), made.d_rows.end(), 0.0f);
  EXPECT_EQ(run_reference(made).d_table, made.d_table_before);
  EXPECT_NE(result.d_table, made.d_table_before);
}

}  // namespace
}  // namespace sparsescope::kernels
