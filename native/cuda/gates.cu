/* The gates of the recurrent cells, as io.recur.device.kernels.Gates asks for them: a thread for each unit of each
 * column, which reads all that it needs before it writes: a read cannot pass a write. States are H x B, stacked gates
 * kH x B. A bias has a value for each row and is added to the sums; null: none is. */

#define SLOPE_OF_SIGMOID(y) ((y) * (1.0f - (y)))
#define SLOPE_OF_TANH(y) (1.0f - (y) * (y))

DEVICE float biased(float sum, const float *bias, int64_t row) { return bias ? sum + bias[row] : sum; }

/* a in: the sums; out: with the bias. */
KERNEL(recur_rnn, int64_t, function, int64_t, units, int64_t, batch, float *, a, const float *, bias, float *, h)
{
  OVER(at, units * batch) {
    float sum = biased(a[at], bias, at % units);
    if (bias) a[at] = sum;
    h[at] = value_of(function, sum);
  }
}

KERNEL(recur_rnn_slope, int64_t, function, int64_t, n, const float *, a, const float *, h, const float *, dy,
    const float *, dh, float *, da)
{
  FOURS(i, n, (one[k] = a[i], two[k] = h[i], three[k] = dy[i] + dh[i]), da[i] = three[k] * derivative_of(function, one[k], two[k]))
}

/* gates in: the sums; out: i, f, g, o. c may be before. */
KERNEL(recur_lstm, int64_t, units, int64_t, batch, float *, gates, const float *, bias, const float *, before,
    float *, c, float *, h)
{
  OVER(at, units * batch) {
    int64_t unit = at % units;
    float *gate = gates + at / units * 4 * units + unit;
    float in = sigmoid(biased(gate[0], bias, unit)), forget = sigmoid(biased(gate[units], bias, units + unit));
    float candidate = tanh_of(biased(gate[2 * units], bias, 2 * units + unit));
    float out = sigmoid(biased(gate[3 * units], bias, 3 * units + unit));
    float cell = forget * before[at] + in * candidate;
    gate[0] = in;
    gate[units] = forget;
    gate[2 * units] = candidate;
    gate[3 * units] = out;
    c[at] = cell;
    h[at] = out * tanh_of(cell);
  }
}

/* dc in: from the next step; out: of the cell before. */
KERNEL(recur_lstm_slope, int64_t, units, int64_t, batch, const float *, gates, const float *, before, const float *, c,
    const float *, dy, const float *, dh, float *, dc, float *, dgates)
{
  OVER(at, units * batch) {
    int64_t place = at / units * 4 * units + at % units;
    const float *gate = gates + place;
    float *slope = dgates + place;
    float in = gate[0], forget = gate[units], candidate = gate[2 * units], out = gate[3 * units];
    float squashed = tanh_of(c[at]), up = dy[at] + dh[at];
    float cell = dc[at] + up * out * SLOPE_OF_TANH(squashed);
    slope[0] = cell * candidate * SLOPE_OF_SIGMOID(in);
    slope[units] = cell * before[at] * SLOPE_OF_SIGMOID(forget);
    slope[2 * units] = cell * in * SLOPE_OF_TANH(candidate);
    slope[3 * units] = up * squashed * SLOPE_OF_SIGMOID(out);
    dc[at] = cell * forget;
  }
}

/* h = (1 - z) n + z before */
DEVICE float blend(float update, float candidate, float before) {
  return (1.0f - update) * candidate + update * before;
}

/* gates in: Wi x; out: r, z, n. recurrent in: Wh before; out: its last third has the recurrent bias, of H values,
 * added; null: none is. */
KERNEL(recur_gru, int64_t, units, int64_t, batch, float *, gates, const float *, bias, float *, recurrent,
    const float *, recurrent_bias, const float *, before, float *, h)
{
  OVER(at, units * batch) {
    int64_t unit = at % units, place = at / units * 3 * units + unit;
    float *gate = gates + place, *product = recurrent + place;
    float reset = sigmoid(biased(gate[0], bias, unit) + product[0]);
    float update = sigmoid(biased(gate[units], bias, units + unit) + product[units]);
    float sum = biased(gate[2 * units], bias, 2 * units + unit);
    float last = biased(product[2 * units], recurrent_bias, unit), state = before[at];
    if (recurrent_bias) product[2 * units] = last;
    float candidate = tanh_of(sum + reset * last);
    gate[0] = reset;
    gate[units] = update;
    gate[2 * units] = candidate;
    h[at] = blend(update, candidate, state);
  }
}

/* dh in: from the next step; out: what does not pass Wh. */
KERNEL(recur_gru_slope, int64_t, units, int64_t, batch, const float *, gates, const float *, recurrent,
    const float *, before, const float *, dy, float *, dh, float *, dgates, float *, drecurrent)
{
  OVER(at, units * batch) {
    int64_t place = at / units * 3 * units + at % units;
    const float *gate = gates + place;
    float *slope = dgates + place, *product = drecurrent + place;
    float reset = gate[0], update = gate[units], candidate = gate[2 * units], up = dy[at] + dh[at];
    float dupdate = up * (before[at] - candidate) * SLOPE_OF_SIGMOID(update);
    float dcandidate = up * (1.0f - update) * SLOPE_OF_TANH(candidate);
    float dreset = dcandidate * recurrent[place + 2 * units] * SLOPE_OF_SIGMOID(reset);
    slope[0] = product[0] = dreset;
    slope[units] = product[units] = dupdate;
    slope[2 * units] = dcandidate;
    product[2 * units] = dcandidate * reset;
    dh[at] = up * update;
  }
}

/* r, z from their sums, in place; q = r before. */
KERNEL(recur_gru_v3_reset, int64_t, units, int64_t, batch, float *, gates, const float *, bias,
    const float *, before, float *, q)
{
  OVER(at, units * batch) {
    int64_t unit = at % units;
    float *gate = gates + at / units * 3 * units + unit;
    float reset = sigmoid(biased(gate[0], bias, unit)), update = sigmoid(biased(gate[units], bias, units + unit));
    float state = before[at];
    gate[0] = reset;
    gate[units] = update;
    q[at] = reset * state;
  }
}

/* n from its sum, in place; h. */
KERNEL(recur_gru_v3_candidate, int64_t, units, int64_t, batch, float *, gates, const float *, bias,
    const float *, before, float *, h)
{
  OVER(at, units * batch) {
    int64_t unit = at % units;
    float *gate = gates + at / units * 3 * units + unit, state = before[at];
    float update = gate[units], candidate = tanh_of(biased(gate[2 * units], bias, 2 * units + unit));
    gate[2 * units] = candidate;
    h[at] = blend(update, candidate, state);
  }
}

/* Writes the last two thirds of dgates; dh in: from the next step; out: what passes z alone. */
KERNEL(recur_gru_v3_candidate_slope, int64_t, units, int64_t, batch, const float *, gates, const float *, before,
    const float *, dy, float *, dh, float *, dgates)
{
  OVER(at, units * batch) {
    int64_t place = at / units * 3 * units + at % units;
    float update = gates[place + units], candidate = gates[place + 2 * units], up = dy[at] + dh[at];
    float state = before[at];
    dgates[place + units] = up * (state - candidate) * SLOPE_OF_SIGMOID(update);
    dgates[place + 2 * units] = up * (1.0f - update) * SLOPE_OF_TANH(candidate);
    dh[at] = up * update;
  }
}

/* Writes the first third of dgates, adds to dh. */
KERNEL(recur_gru_v3_reset_slope, int64_t, units, int64_t, batch, const float *, gates, const float *, before,
    const float *, dq, float *, dh, float *, dgates)
{
  OVER(at, units * batch) {
    int64_t place = at / units * 3 * units + at % units;
    float reset = gates[place], up = dq[at], state = before[at];
    dh[at] += up * reset;
    dgates[place] = up * state * SLOPE_OF_SIGMOID(reset);
  }
}
