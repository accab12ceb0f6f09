/* The optimisers' rules and clipping: passes over parameters w, gradients g and what a rule remembers. */

#define LARGER(x, y) ((x) >= (y) ? (x) : (y))

/* In the order of the Java enum UpdateRule, whose Javadoc has the formulas and the settings s. d is the gradient, v the
 * parameter; a, b and c are the slots. */
#define RULES(R) \
  R(SGD, v -= s[0] * d) \
  R(MOMENTUM, a[i] = s[1] * a[i] + d; v -= s[0] * a[i]) \
  R(NESTEROV, a[i] = s[1] * a[i] + d; v -= s[0] * (d + s[1] * a[i])) \
  R(RMSPROP, a[i] = s[1] * a[i] + (1 - s[1]) * d * d; v -= s[0] * d / (sqrtf(a[i]) + s[2])) \
  R(ADAM, a[i] = s[1] * a[i] + (1 - s[1]) * d; b[i] = s[2] * b[i] + (1 - s[2]) * d * d; \
      v = s[5] * v - s[0] * a[i] / (sqrtf(b[i]) * s[4] + s[3])) \
  R(ADAGRAD, a[i] += d * d; v -= s[0] * d / (sqrtf(a[i]) + s[1])) \
  R(ADADELTA, a[i] = s[1] * a[i] + (1 - s[1]) * d * d; \
      float change = sqrtf(b[i] + s[2]) / sqrtf(a[i] + s[2]) * d; \
      b[i] = s[1] * b[i] + (1 - s[1]) * change * change; v -= s[0] * change) \
  R(ADAMAX, a[i] = s[1] * a[i] + (1 - s[1]) * d; \
      float top = fabsf(d) + s[3]; b[i] = LARGER(s[2] * b[i], top); v -= s[0] * a[i] / b[i]) \
  R(NADAM, a[i] = s[1] * a[i] + (1 - s[1]) * d; b[i] = s[2] * b[i] + (1 - s[2]) * d * d; \
      v -= (s[0] * d + s[5] * a[i]) / (sqrtf(b[i]) * s[4] + s[3])) \
  R(AMSGRAD, a[i] = s[1] * a[i] + (1 - s[1]) * d; b[i] = s[2] * b[i] + (1 - s[2]) * d * d; \
      c[i] = LARGER(c[i], b[i]); v -= s[0] * a[i] / (sqrtf(c[i]) * s[4] + s[3]))

#define RULE_NUMBER(rule, step) rule,
enum { RULES(RULE_NUMBER) };

/* One step; leaves g zero. The `count` settings change at every step, so they lie in memory and not in a graph's arguments. Slots
 * that the rule has not are null. No two arrays overlap, so that all reads may be under way together. */
#define APART float *__restrict__
KERNEL9(recur_update, int64_t, rule, int64_t, count, const float *, settings, APART, w, APART, g, APART, a, APART, b,
    APART, c, int64_t, n)
{
  float s[6];
  for (int k = 0; k < 6; k++) s[k] = k < count ? settings[k] : 0;
  OVER(i, n) {
    float d = g[i], v = w[i];
    g[i] = 0;
    switch (rule) {
#define RULE(rule, step) case rule: { step; } break;
      RULES(RULE)
    }
    w[i] = v;
  }
}

/* A not-a-number stays so. */
KERNEL3(recur_clamp, float, limit, float *, g, int64_t, n)
{
  FOURS(i, n, one[k] = g[i], g[i] = one[k] < -limit ? -limit : one[k] > limit ? limit : one[k])
}

/* Scales g so that a norm whose square is squares[0] becomes the limit, if it is above it and finite. */
KERNEL4(recur_clip_norm, float, limit, const double *, squares, float *, g, int64_t, n)
{
  double norm = sqrt(squares[0]);
  if (!(norm > limit && norm < INFINITY)) return;
  float factor = (float)(limit / norm);
  FOURS(i, n, one[k] = g[i], g[i] = factor * one[k])
}
