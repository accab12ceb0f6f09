/* The optimisers' rules: one pass over parameters w, gradients g and what the rule remembers. */
#include "pointwise.h"

enum { CUT = 64 };

#define ROOT(x) __builtin_sqrtf(x)
#define LARGER(x, y) ((x) >= (y) ? (x) : (y))

/* In the order of the Java enum UpdateRule, whose Javadoc has the formulas and the settings s. d is
 * the gradient, a, b and c are the slots. */
#define TABLE(R)                                                                              \
  R(SGD, w[i] -= s[0] * d)                                                                    \
  R(MOMENTUM, a[i] = s[1] * a[i] + d; w[i] -= s[0] * a[i])                                    \
  R(NESTEROV, a[i] = s[1] * a[i] + d; w[i] -= s[0] * (d + s[1] * a[i]))                       \
  R(RMSPROP, a[i] = (1 - s[1]) * a[i] + s[1] * d * d; w[i] -= s[0] * d / (ROOT(a[i]) + s[2]))  \
  R(ADAM, a[i] = (1 - s[1]) * a[i] + s[1] * d; b[i] = (1 - s[2]) * b[i] + s[2] * d * d;       \
      w[i] = s[5] * w[i] - s[0] * a[i] / (ROOT(b[i]) * s[4] + s[3]))                          \
  R(ADAGRAD, a[i] += d * d; w[i] -= s[0] * d / (ROOT(a[i]) + s[1]))                           \
  R(ADADELTA, a[i] = (1 - s[1]) * a[i] + s[1] * d * d;                                        \
      float change = ROOT(b[i] + s[2]) / ROOT(a[i] + s[2]) * d;                               \
      b[i] = (1 - s[1]) * b[i] + s[1] * change * change; w[i] -= s[0] * change)               \
  R(ADAMAX, a[i] = (1 - s[1]) * a[i] + s[1] * d;                                              \
      float top = __builtin_fabsf(d) + s[3]; b[i] = LARGER(s[2] * b[i], top);                 \
      w[i] -= s[0] * a[i] / b[i])                                                             \
  R(NADAM, a[i] = (1 - s[1]) * a[i] + s[1] * d; b[i] = (1 - s[2]) * b[i] + s[2] * d * d;      \
      w[i] -= (s[0] * d + s[5] * a[i]) / (ROOT(b[i]) * s[4] + s[3]))                          \
  R(AMSGRAD, a[i] = (1 - s[1]) * a[i] + s[1] * d; b[i] = (1 - s[2]) * b[i] + s[2] * d * d;    \
      c[i] = LARGER(c[i], b[i]); w[i] -= s[0] * a[i] / (ROOT(c[i]) * s[4] + s[3]))

typedef void rule(const float *restrict s, float *restrict w, float *restrict g, float *restrict a,
    float *restrict b, float *restrict c, int64_t n);

/* Plain loops: nothing overlaps, so the compiler makes vectors of them. */
#define RULE(name, step)                                                                      \
  static void name(const float *restrict s, float *restrict w, float *restrict g,             \
      float *restrict a, float *restrict b, float *restrict c, int64_t n) {                   \
    (void)a, (void)b, (void)c;                                                                \
    for (int64_t i = 0; i < n; i++) {                                                         \
      float d = g[i];                                                                         \
      g[i] = 0;                                                                               \
      step;                                                                                   \
    }                                                                                         \
  }
TABLE(RULE)

#define ENTRY(name, step) name,
static rule *const rules[] = {TABLE(ENTRY)};

void NAME(update)(const void *job, int64_t number, int part, int parts) {
  (void)number;
  const update_pass *p = job;
  int64_t cuts = (p->n + CUT - 1) / CUT;
  int64_t from = part_begin(cuts, part, parts) * CUT, to = part_begin(cuts, part + 1, parts) * CUT;
  rules[p->rule](p->settings, p->w + from, p->g + from, p->slots[0] + from, p->slots[1] + from,
      p->slots[2] + from, (to < p->n ? to : p->n) - from);
}
