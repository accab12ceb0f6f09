/* The optimisers and clipping: passes over parameters w, gradients g and what a rule remembers. */

/* One step; leaves g zero. The `count` settings change at every step, so the kernel reads them from memory: a graph
 * would repeat arguments. Slots that the rule has not are null. A thread reads all before it writes, since a read
 * cannot pass a write. */
KERNEL(recur_update, int64_t, rule, int64_t, count, const float *, settings, float *, w, float *, g, float *, slot0,
    float *, slot1, float *, slot2, int64_t, n)
{
  float s[6];
  for (int k = 0; k < 6; k++) s[k] = k < count ? settings[k] : 0;
  OVER(i, n) {
    float d = g[i], v = w[i], a = slot0 ? slot0[i] : 0, b = slot1 ? slot1[i] : 0, c = slot2 ? slot2[i] : 0;
    switch (rule) {
#define RULE(name, slots, step) case name: { step; } break;
      RULES(RULE)
    }
    g[i] = 0;
    w[i] = v;
    if (slot0) slot0[i] = a;
    if (slot1) slot1[i] = b;
    if (slot2) slot2[i] = c;
  }
}

/* Scales g so that a norm whose square is squares[0] becomes the limit, if it is above it and finite. */
KERNEL(recur_clip_norm, float, limit, const double *, squares, float *, g, int64_t, n)
{
  double norm = sqrt(squares[0]);
  if (!(norm > limit && norm < INFINITY)) return;
  float factor = (float)(limit / norm);
  FOURS(i, n, one[k] = g[i], g[i] = factor * one[k])
}
