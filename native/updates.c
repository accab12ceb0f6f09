/* The optimisers' rules: one pass over parameters w, gradients g and what the rule remembers. */
#include <math.h>

#include "cuda/rules.h"
#include "pointwise.h"

typedef void rule(const float *restrict s, float *restrict w, float *restrict g, float *restrict slot0,
    float *restrict slot1, float *restrict slot2, int64_t n);

/* Plain loops: nothing overlaps, so the compiler makes vectors of them. Slots that a rule has not are NULL. */
#define RULE(name, slots, step)                                                               \
  static void name##_rule(const float *restrict s, float *restrict w, float *restrict g,      \
      float *restrict slot0, float *restrict slot1, float *restrict slot2, int64_t n) {       \
    for (int64_t i = 0; i < n; i++) {                                                         \
      float d = g[i], v = w[i];                                                               \
      float a = slots > 0 ? slot0[i] : 0, b = slots > 1 ? slot1[i] : 0, c = slots > 2 ? slot2[i] : 0; \
      step;                                                                                   \
      g[i] = 0;                                                                               \
      w[i] = v;                                                                               \
      if (slots > 0) slot0[i] = a;                                                            \
      if (slots > 1) slot1[i] = b;                                                            \
      if (slots > 2) slot2[i] = c;                                                            \
    }                                                                                         \
  }
RULES(RULE)

#define ENTRY(name, slots, step) name##_rule,
static rule *const rules[] = {RULES(ENTRY)};

void NAME(update)(const void *job, int64_t number, int part, int parts) {
  (void)number;
  const update_pass *p = job;
  range values = rows_of(p->n, part, parts);
  rules[p->rule](p->settings, p->w + values.from, p->g + values.from, p->slots[0] + values.from,
      p->slots[1] + values.from, p->slots[2] + values.from, values.to - values.from);
}
