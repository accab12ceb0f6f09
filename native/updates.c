/* The optimisers' rules: one pass over parameters w, gradients g and what the rule remembers. */
#include <math.h>

#include "cuda/rules.h"
#include "pointwise.h"

enum { CUT = 64 };

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
  int64_t cuts = (p->n + CUT - 1) / CUT;
  int64_t from = part_begin(cuts, part, parts) * CUT, to = part_begin(cuts, part + 1, parts) * CUT;
  rules[p->rule](p->settings, p->w + from, p->g + from, p->slots[0] + from, p->slots[1] + from,
      p->slots[2] + from, (to < p->n ? to : p->n) - from);
}
