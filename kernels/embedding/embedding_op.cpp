#include "kernels/embedding/embedding_op.h"

#include <ATen/ops/empty.h>

#include "kernels/common/dispatch_op.h"
#include "kernels/common/token_ids_op.h"
#include "kernels/embedding/embedding.h"

namespace sparsescope::kernels {

at::Tensor embed(const at::Tensor& table, const at::Tensor& ids) {
  const TokenIds tokens = token_ids(ids);
  const at::Tensor rows = at::empty({tokens.count(), table.size(1)}, table.options());
  const auto* from = data_of<float>(table);
  auto* to = data_of<float>(rows);
  dispatch(
      table, [&](Stream on) { embed(from, tokens, table.size(1), to, on); },
      [&] { embed_reference(from, tokens, table.size(1), to); });
  return rows;
}

GroupedIds group_ids(const at::Tensor& ids, std::int64_t vocabulary) {
  const TokenIds tokens = token_ids(ids);
  const at::TensorOptions options = ids.options().dtype(at::kInt);
  const GroupedIds made{at::empty({tokens.count()}, options), at::empty({tokens.count()}, options),
                        at::empty({vocabulary + 1}, options)};
  const IdGroups groups{data_of<std::int32_t>(made.order), data_of<std::int32_t>(made.sorted_ids),
                        data_of<std::int32_t>(made.offsets)};
  dispatch(
      ids,
      [&](Stream on) {
        const at::Tensor scratch = at::empty({sort_ids_scratch(tokens.count())}, ids.options());
        sort_ids(tokens, vocabulary, groups, data_of<std::int64_t>(scratch), on);
      },
      [&] { sort_ids_reference(tokens, vocabulary, groups); });
  return made;
}

void embedding_backward(const at::Tensor& d_rows, const at::Tensor& ids, const GroupedIds& groups,
                        const at::Tensor& gradient) {
  const TokenIds tokens = token_ids(ids);
  const auto* from = data_of<float>(d_rows);
  auto* to = data_of<float>(gradient);
  const std::int64_t width = gradient.size(1);
  dispatch(
      d_rows,
      [&](Stream on) {
        const at::Tensor scratch =
            at::empty({embedding_backward_scratch(tokens.count(), width)}, d_rows.options());
        const IdGroups sorted{data_of<std::int32_t>(groups.order), data_of<std::int32_t>(groups.sorted_ids),
                              data_of<std::int32_t>(groups.offsets)};
        embedding_backward(from, sorted, tokens.count(), width, to, data_of<float>(scratch), on);
      },
      [&] { embedding_backward_reference(from, tokens, gradient.size(0), width, to); });
}

}  // namespace sparsescope::kernels
