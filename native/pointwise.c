#include "pointwise.h"

void NAME(map)(int f, const float *x, float *y, int64_t n) {
  for (int64_t i = 0; i < n; i += LANES) {
    vf a = load_part(x + i, n - i);
    store_part(y + i, f == TANH ? tanhv(a) : f == SIGMOID ? sigmoid(a) : f == RELU ? most(a, 0) : a, n - i);
  }
}

void NAME(slope)(int f, const float *x, const float *y, float *d, int64_t n) {
  (void)x;
  for (int64_t i = 0; i < n; i += LANES) {
    vf a = load_part(y + i, n - i);
    store_part(d + i, f == TANH ? 1.0f - a * a : f == SIGMOID ? a * (1.0f - a) : all(1), n - i);
  }
}
