// Embedding, grouping of ids and the table's gradient on a GPU against the reference. Needs a GPU, skips
// itself without one.
#include "kernels/common/tolerance.h"
#include "tests/kernels/embedding_case.h"
#include "tests/kernels/gpu_test.h"

namespace sparsescope::kernels {
namespace {

EmbeddingResult run_kernel(const EmbeddingCase& made) {
  EmbeddingResult result(made);
  const std::int64_t tokens = made.tokens(), width = made.shape.width;
  DeviceArray<std::int64_t> ids(made.ids), sort_scratch(sort_ids_scratch(tokens));
  DeviceArray<float> table(made.table), d_rows(made.d_rows), rows(result.rows.size());
  DeviceArray<float> d_table(made.d_table_before), scratch(embedding_backward_scratch(tokens, width));
  DeviceArray<std::int32_t> order(tokens), sorted_ids(tokens), offsets(made.shape.vocabulary + 1);
  const IdGroups groups = {order.get(), sorted_ids.get(), offsets.get()};
  const TestStream stream;
  embed(table.get(), made.view(ids.get()), width, rows.get(), stream);
  sort_ids(made.view(ids.get()), made.shape.vocabulary, groups, sort_scratch.get(), stream);
  embedding_backward(d_rows.get(), groups, tokens, width, d_table.get(), scratch.get(), stream);
  stream.wait();
  result.rows = rows.fetch();
  result.order = order.fetch();
  result.sorted_ids = sorted_ids.fetch();
  result.offsets = offsets.fetch();
  result.d_table = d_table.fetch();
  return result;
}

void expect_close(const EmbeddingCase& made, const std::string& what) {
  const EmbeddingResult got = run_kernel(made), wanted = run_reference(made);
  EXPECT_EQ(got.rows, wanted.rows) << what;
  EXPECT_EQ(got.order, wanted.order) << what;
  EXPECT_EQ(got.sorted_ids, wanted.sorted_ids) << what;
  EXPECT_EQ(got.offsets, wanted.offsets) << what;
  // Up to N terms of order one in another order.
  EXPECT_EQ(first_outside(got.d_table, wanted.d_table, {3e-7 * double(made.tokens()) + 1e-5, kEpsilonF32, 8}),
            "")
      << what;
  EXPECT_LE(relative_error(got.d_table, wanted.d_table), 1e-6) << what;
}

using EmbeddingKernel = GpuTest;

TEST_F(EmbeddingKernel, AgreesWithTheReferenceOnSizesThatFitNothing) {
  std::uint32_t seed = 1;
  for (const std::int64_t length : {1, 3, 31, 33, 257}) {
    for (const std::int64_t vocabulary : {1, 2, 65, 256, 4099}) {
      for (const std::int64_t width : {1, 6, 64, 192}) {
        const std::int64_t batch = 1 + seed % 5;
        expect_close(make_embedding_case({batch, length, vocabulary, width}, seed++),
                     std::to_string(batch) + " x " + std::to_string(length) + " tokens, V " +
                         std::to_string(vocabulary) + ", C " + std::to_string(width));
      }
    }
  }
}

TEST_F(EmbeddingKernel, AgreesWithTheReferenceOnTheBatchesThatAreTrained) {
  expect_close(make_embedding_case({64, 256, 4096, 192}, 5), "config P");
  expect_close(make_embedding_case({16, 1024, 256, 384}, 6), "size M");
  expect_close(make_embedding_case({4, 4096, 50257, 64}, 7), "addresses");
}

TEST_F(EmbeddingKernel, AgreesWithTheReferenceWhereOneIdIsEverywhere) {
  for (const std::int64_t id : {0, 77, 99}) {
    EmbeddingCase made = make_embedding_case({9, 333, 100, 64}, 8);
    std::fill(made.ids.begin(), made.ids.end(), id);
    expect_close(made, "nothing but id " + std::to_string(id));
    made.ids[500] = (id + 50) % 100;
    expect_close(made, "hardly anything but id " + std::to_string(id));
  }
}

TEST_F(EmbeddingKernel, GivesTheSameBitsEveryTime) {
  const EmbeddingCase made = make_embedding_case({16, 257, 300, 192}, 9);
  const EmbeddingResult first = run_kernel(made);
  for (int repetition = 0; repetition < 3; ++repetition) EXPECT_EQ(run_kernel(made).d_table, first.d_table);
}

}  // namespace
}  // namespace sparsescope::kernels
