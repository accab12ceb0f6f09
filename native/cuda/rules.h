/* The table of the optimisers' rules, one for the C kernels of native/updates.c and for the kernel of updates.cu. An entry
 * has a name, the number of its slots, and the statements that change the floats of one parameter: the parameter v and
 * what its slots hold, a, b and c, by the gradient d and the settings s. The order is that of the Java enum UpdateRule,
 * whose Javadoc has the formulas and the settings: the place of an entry is the rule's number. */
#ifndef RECUR_RULES_H
#define RECUR_RULES_H

#define LARGER(x, y) ((x) >= (y) ? (x) : (y))

#define RULES(R) \
  R(SGD, 0, v -= s[0] * d) \
  R(MOMENTUM, 1, a = s[1] * a + d; v -= s[0] * a) \
  R(NESTEROV, 1, a = s[1] * a + d; v -= s[0] * (d + s[1] * a)) \
  R(RMSPROP, 1, a = (1 - s[1]) * a + s[1] * d * d; v -= s[0] * d / (sqrtf(a) + s[2])) \
  R(ADAM, 2, a = (1 - s[1]) * a + s[1] * d; b = (1 - s[2]) * b + s[2] * d * d; \
      v = s[5] * v - s[0] * a / (sqrtf(b) * s[4] + s[3])) \
  R(ADAGRAD, 1, a += d * d; v -= s[0] * d / (sqrtf(a) + s[1])) \
  R(ADADELTA, 2, a = (1 - s[1]) * a + s[1] * d * d; \
      float change = sqrtf(b + s[2]) / sqrtf(a + s[2]) * d; \
      b = (1 - s[1]) * b + s[1] * change * change; v -= s[0] * change) \
  R(ADAMAX, 2, a = (1 - s[1]) * a + s[1] * d; \
      float top = fabsf(d) + s[3]; b = LARGER(s[2] * b, top); v -= s[0] * a / b) \
  R(NADAM, 2, a = (1 - s[1]) * a + s[1] * d; b = (1 - s[2]) * b + s[2] * d * d; \
      v -= (s[0] * d + s[5] * a) / (sqrtf(b) * s[4] + s[3])) \
  R(AMSGRAD, 3, a = (1 - s[1]) * a + s[1] * d; b = (1 - s[2]) * b + s[2] * d * d; \
      c = LARGER(c, b); v -= s[0] * a / (sqrtf(c) * s[4] + s[3])) \
  R(CENTRED, 3, a = (1 - s[1]) * a + s[1] * d * d; c = (1 - s[1]) * c + s[1] * d; \
      float spread = a - s[4] * c * c; spread = LARGER(spread, 0.0f); \
      b = s[3] * b + d / (sqrtf(spread) + s[2]); v -= s[0] * b) \
  R(LION, 1, float way = (1 - s[1]) * a + s[1] * d; \
      v = s[3] * v - s[0] * (float)((way > 0) - (way < 0)); a = (1 - s[2]) * a + s[2] * d)

#define RULE_NUMBER(name, slots, step) name,
enum { RULES(RULE_NUMBER) RULE_COUNT };

#endif
