// Rotary positions on the CPU in fp64: what the kernel is compared with.
#include "kernels/rope/rope.h"

namespace sparsescope::kernels {
namespace {

double value_of(double value) { return value; }
double value_of(Bfloat16 value) { return float_from_bfloat16(value); }
void assign(double& to, double value) { to = value; }
void assign(Bfloat16& to, double value) { to = bfloat16_from_float(float(value)); }

template <typename T>
void turn_all(T* qkv, const RotaryTables& tables, RopeShape shape, RotaryTurn turn) {
  if (tables.cosines == nullptr) return;
  const std::int64_t width = shape.head_width, half = width / 2;
  const bool interleaved = tables.layout == RotaryLayout::Interleaved;
  for (std::int64_t n = 0; n < shape.batch * shape.tokens; ++n) {
    const std::int64_t angles = n % shape.tokens * half;
    // q and k of a token are neighbours.
    for (std::int64_t head = 0; head < 2 * shape.heads; ++head) {
      T* row = qkv + (n * 3 * shape.heads + head) * width;
      for (std::int64_t i = 0; i < half; ++i) {
        T &first = row[interleaved ? 2 * i : i], &second = row[interleaved ? 2 * i + 1 : i + half];
        const double a = value_of(first), b = value_of(second), cosine = tables.cosines[angles + i];
        const double sine =
            turn == RotaryTurn::Forward ? tables.sines[angles + i] : -tables.sines[angles + i];
        assign(first, a * cosine - b * sine);
        assign(second, a * sine + b * cosine);
      }
    }
  }
}

}  // namespace

void rope_reference(double* qkv, const RotaryTables& tables, RopeShape shape, RotaryTurn turn) {
  turn_all(qkv, tables, shape, turn);
}
void rope_reference(Bfloat16* qkv, const RotaryTables& tables, RopeShape shape, RotaryTurn turn) {
  turn_all(qkv, tables, shape, turn);
}

}  // namespace sparsescope::kernels
