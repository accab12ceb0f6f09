package io.recur.device.cpu;

import io.recur.device.Buffer;
import io.recur.device.Columns;
import io.recur.device.Elementwise;
import io.recur.device.Pointwise;
import io.recur.device.kernels.Gates;
import org.jspecify.annotations.Nullable;

/**
 * The gates, some columns of the batch at a time, each gate in a heap array of its own: long enough
 * that the compiler's vector loops outweigh their scalar ends.
 */
final class JavaGates implements Gates {
  /** The array of a repeated bias, behind those that a step takes. */
  private static final int BIAS = 6;

  private final ThreadLocal<Lanes> lanes;
  private final Pointwise pointwise;
  private final Columns byColumn;

  JavaGates(ThreadLocal<Lanes> lanes, Pointwise pointwise, Columns byColumn) {
    this.lanes = lanes;
    this.pointwise = pointwise;
    this.byColumn = byColumn;
  }

  /** The rows of a gate in some columns, with the bias. */
  private static float[] sums(
      Lanes lane,
      int number,
      Buffer gates,
      int height,
      int row,
      int units,
      int first,
      int columns,
      @Nullable Buffer bias) {
    float[] sums = lane.load(number, gates, height, row, units, first, columns);
    if (bias != null) {
      addBias(lane, bias, row, sums, units, columns);
    }
    return sums;
  }

  /** Adds H values of a bias to each column. */
  private static void addBias(
      Lanes lane, Buffer bias, int from, float[] sums, int units, int columns) {
    float[] repeated = lane.array(BIAS, columns * units);
    for (int j = 0; j < columns; j++) {
      Lanes.load(bias, from, repeated, j * units, units);
    }
    add(sums, repeated, columns * units);
  }

  @Override
  public void rnn(Elementwise f, int units, int batch, Buffer a, @Nullable Buffer bias, Buffer h) {
    if (bias != null) {
      byColumn.add(units, batch, a, bias, a);
    }
    pointwise.map(f, a, h, (long) units * batch);
  }

  @Override
  public void rnnSlope(Elementwise f, int n, Buffer a, Buffer h, Buffer dy, Buffer dh, Buffer da) {
    JavaFunction function = JavaFunction.of(f);
    Lanes lane = lanes.get();
    float[] slope = lane.array(4, Lanes.TILE);
    for (int at = 0; at < n; at += Lanes.TILE) {
      int tile = Math.min(Lanes.TILE, n - at);
      float[] input = lane.load(0, a, at, tile);
      float[] output = lane.load(1, h, at, tile);
      float[] here = lane.load(2, dy, at, tile);
      float[] later = lane.load(3, dh, at, tile);
      function.derivative(lane, input, output, slope, tile);
      for (int i = 0; i < tile; i++) {
        slope[i] *= here[i] + later[i];
      }
      Lanes.store(slope, 0, da, at, tile);
    }
  }

  @Override
  public void lstm(
      int units,
      int batch,
      Buffer gates,
      @Nullable Buffer bias,
      Buffer cPrevious,
      Buffer c,
      Buffer h) {
    Lanes lane = lanes.get();
    int tile = Math.max(1, Lanes.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] input = sums(lane, 0, gates, 4 * units, 0, units, b, columns, bias);
      float[] forget = sums(lane, 1, gates, 4 * units, units, units, b, columns, bias);
      float[] candidate = sums(lane, 2, gates, 4 * units, 2 * units, units, b, columns, bias);
      float[] output = sums(lane, 3, gates, 4 * units, 3 * units, units, b, columns, bias);
      float[] cell = lane.load(4, cPrevious, units, 0, units, b, columns);
      Lanes.gate(input, n);
      Lanes.gate(forget, n);
      Lanes.tanh(candidate, n);
      Lanes.gate(output, n);
      for (int i = 0; i < n; i++) {
        cell[i] = forget[i] * cell[i] + input[i] * candidate[i];
      }
      float[] state = lane.copy(5, cell, n);
      Lanes.tanh(state, n);
      for (int i = 0; i < n; i++) {
        state[i] *= output[i];
      }
      Lanes.store(input, gates, 4 * units, 0, units, b, columns);
      Lanes.store(forget, gates, 4 * units, units, units, b, columns);
      Lanes.store(candidate, gates, 4 * units, 2 * units, units, b, columns);
      Lanes.store(output, gates, 4 * units, 3 * units, units, b, columns);
      Lanes.store(cell, c, units, 0, units, b, columns);
      Lanes.store(state, h, units, 0, units, b, columns);
    }
  }

  @Override
  public void lstmSlope(
      int units,
      int batch,
      Buffer gates,
      Buffer cPrevious,
      Buffer c,
      Buffer dy,
      Buffer dh,
      Buffer dc,
      Buffer dgates) {
    Lanes lane = lanes.get();
    int tile = Math.max(1, Lanes.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] input = lane.load(0, gates, 4 * units, 0, units, b, columns);
      float[] forget = lane.load(1, gates, 4 * units, units, units, b, columns);
      float[] candidate = lane.load(2, gates, 4 * units, 2 * units, units, b, columns);
      float[] output = lane.load(3, gates, 4 * units, 3 * units, units, b, columns);
      float[] squashed = lane.load(4, c, units, 0, units, b, columns);
      float[] before = lane.load(5, cPrevious, units, 0, units, b, columns);
      float[] here = lane.load(6, dy, units, 0, units, b, columns);
      float[] later = lane.load(7, dh, units, 0, units, b, columns);
      float[] cell = lane.load(8, dc, units, 0, units, b, columns);
      Lanes.tanh(squashed, n);
      lstmColumns(n, input, forget, candidate, output, squashed, before, here, later, cell);
      Lanes.store(cell, dc, units, 0, units, b, columns);
      Lanes.store(input, dgates, 4 * units, 0, units, b, columns);
      Lanes.store(forget, dgates, 4 * units, units, units, b, columns);
      Lanes.store(candidate, dgates, 4 * units, 2 * units, units, b, columns);
      Lanes.store(output, dgates, 4 * units, 3 * units, units, b, columns);
    }
  }

  /** Turns gates into their gradients and dc into the gradient of the cell before. */
  private static void lstmColumns(
      int n,
      float[] input,
      float[] forget,
      float[] candidate,
      float[] output,
      float[] squashed,
      float[] before,
      float[] here,
      float[] later,
      float[] cell) {
    for (int i = 0; i < n; i++) {
      float total = here[i] + later[i];
      float o = output[i];
      float t = squashed[i];
      cell[i] += total * o * (1 - t * t);
      output[i] = total * t * o * (1 - o);
    }
    for (int i = 0; i < n; i++) {
      float d = cell[i];
      float in = input[i];
      float f = forget[i];
      float g = candidate[i];
      input[i] = d * g * in * (1 - in);
      forget[i] = d * before[i] * f * (1 - f);
      candidate[i] = d * in * (1 - g * g);
      cell[i] = d * f;
    }
  }

  @Override
  public void gru(
      int units,
      int batch,
      Buffer gates,
      @Nullable Buffer bias,
      Buffer recurrent,
      @Nullable Buffer recurrentBias,
      Buffer hPrevious,
      Buffer h) {
    Lanes lane = lanes.get();
    int tile = Math.max(1, Lanes.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] reset = sums(lane, 0, gates, 3 * units, 0, units, b, columns, bias);
      float[] update = sums(lane, 1, gates, 3 * units, units, units, b, columns, bias);
      float[] candidate = sums(lane, 2, gates, 3 * units, 2 * units, units, b, columns, bias);
      float[] state = lane.load(3, hPrevious, units, 0, units, b, columns);
      float[] product = lane.load(4, recurrent, 3 * units, 2 * units, units, b, columns);
      if (recurrentBias != null) {
        addBias(lane, recurrentBias, 0, product, units, columns);
        Lanes.store(product, recurrent, 3 * units, 2 * units, units, b, columns);
      }
      add(reset, lane.load(5, recurrent, 3 * units, 0, units, b, columns), n);
      add(update, lane.load(5, recurrent, 3 * units, units, units, b, columns), n);
      Lanes.gate(reset, n);
      Lanes.gate(update, n);
      for (int i = 0; i < n; i++) {
        candidate[i] += reset[i] * product[i];
      }
      blend(candidate, update, state, n);
      Lanes.store(reset, gates, 3 * units, 0, units, b, columns);
      Lanes.store(update, gates, 3 * units, units, units, b, columns);
      Lanes.store(candidate, gates, 3 * units, 2 * units, units, b, columns);
      Lanes.store(state, h, units, 0, units, b, columns);
    }
  }

  private static void add(float[] y, float[] x, int n) {
    for (int i = 0; i < n; i++) {
      y[i] += x[i];
    }
  }

  /** {@code n = tanh(n), h = (1−z)∘n + z∘h₋}. */
  private static void blend(float[] candidate, float[] update, float[] state, int n) {
    Lanes.tanh(candidate, n);
    for (int i = 0; i < n; i++) {
      float z = update[i];
      state[i] = (1 - z) * candidate[i] + z * state[i];
    }
  }

  /**
   * The derivative of {@link #blend}: turns z and n into their gradients and what comes from the
   * next step into the gradient of h₋ through z.
   */
  private static void blendSlope(
      float[] candidate, float[] update, float[] before, float[] here, float[] later, int n) {
    for (int i = 0; i < n; i++) {
      float z = update[i];
      float value = candidate[i];
      float total = here[i] + later[i];
      update[i] = total * (before[i] - value) * z * (1 - z);
      candidate[i] = total * (1 - z) * (1 - value * value);
      later[i] = total * z;
    }
  }

  @Override
  public void gruSlope(
      int units,
      int batch,
      Buffer gates,
      Buffer recurrent,
      Buffer hPrevious,
      Buffer dy,
      Buffer dh,
      Buffer dgates,
      Buffer drecurrent) {
    Lanes lane = lanes.get();
    int tile = Math.max(1, Lanes.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] reset = lane.load(0, gates, 3 * units, 0, units, b, columns);
      float[] update = lane.load(1, gates, 3 * units, units, units, b, columns);
      float[] candidate = lane.load(2, gates, 3 * units, 2 * units, units, b, columns);
      float[] product = lane.load(3, recurrent, 3 * units, 2 * units, units, b, columns);
      float[] before = lane.load(4, hPrevious, units, 0, units, b, columns);
      float[] here = lane.load(5, dy, units, 0, units, b, columns);
      float[] later = lane.load(6, dh, units, 0, units, b, columns);
      blendSlope(candidate, update, before, here, later, n);
      for (int i = 0; i < n; i++) {
        float r = reset[i];
        float d = candidate[i];
        reset[i] = d * product[i] * r * (1 - r);
        product[i] = d * r;
      }
      Lanes.store(later, dh, units, 0, units, b, columns);
      Lanes.store(reset, dgates, 3 * units, 0, units, b, columns);
      Lanes.store(update, dgates, 3 * units, units, units, b, columns);
      Lanes.store(candidate, dgates, 3 * units, 2 * units, units, b, columns);
      Lanes.store(reset, drecurrent, 3 * units, 0, units, b, columns);
      Lanes.store(update, drecurrent, 3 * units, units, units, b, columns);
      Lanes.store(product, drecurrent, 3 * units, 2 * units, units, b, columns);
    }
  }

  @Override
  public void gruV3Reset(
      int units, int batch, Buffer gates, @Nullable Buffer bias, Buffer hPrevious, Buffer q) {
    Lanes lane = lanes.get();
    int tile = Math.max(1, Lanes.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] reset = sums(lane, 0, gates, 3 * units, 0, units, b, columns, bias);
      float[] update = sums(lane, 1, gates, 3 * units, units, units, b, columns, bias);
      float[] state = lane.load(2, hPrevious, units, 0, units, b, columns);
      Lanes.gate(reset, n);
      Lanes.gate(update, n);
      for (int i = 0; i < n; i++) {
        state[i] *= reset[i];
      }
      Lanes.store(reset, gates, 3 * units, 0, units, b, columns);
      Lanes.store(update, gates, 3 * units, units, units, b, columns);
      Lanes.store(state, q, units, 0, units, b, columns);
    }
  }

  @Override
  public void gruV3Candidate(
      int units, int batch, Buffer gates, @Nullable Buffer bias, Buffer hPrevious, Buffer h) {
    Lanes lane = lanes.get();
    int tile = Math.max(1, Lanes.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] update = lane.load(0, gates, 3 * units, units, units, b, columns);
      float[] candidate = sums(lane, 1, gates, 3 * units, 2 * units, units, b, columns, bias);
      float[] state = lane.load(2, hPrevious, units, 0, units, b, columns);
      blend(candidate, update, state, n);
      Lanes.store(candidate, gates, 3 * units, 2 * units, units, b, columns);
      Lanes.store(state, h, units, 0, units, b, columns);
    }
  }

  @Override
  public void gruV3CandidateSlope(
      int units, int batch, Buffer gates, Buffer hPrevious, Buffer dy, Buffer dh, Buffer dgates) {
    Lanes lane = lanes.get();
    int tile = Math.max(1, Lanes.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] update = lane.load(0, gates, 3 * units, units, units, b, columns);
      float[] candidate = lane.load(1, gates, 3 * units, 2 * units, units, b, columns);
      float[] before = lane.load(2, hPrevious, units, 0, units, b, columns);
      float[] here = lane.load(3, dy, units, 0, units, b, columns);
      float[] later = lane.load(4, dh, units, 0, units, b, columns);
      blendSlope(candidate, update, before, here, later, n);
      Lanes.store(later, dh, units, 0, units, b, columns);
      Lanes.store(update, dgates, 3 * units, units, units, b, columns);
      Lanes.store(candidate, dgates, 3 * units, 2 * units, units, b, columns);
    }
  }

  @Override
  public void gruV3ResetSlope(
      int units, int batch, Buffer gates, Buffer hPrevious, Buffer dq, Buffer dh, Buffer dgates) {
    Lanes lane = lanes.get();
    int tile = Math.max(1, Lanes.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] reset = lane.load(0, gates, 3 * units, 0, units, b, columns);
      float[] before = lane.load(1, hPrevious, units, 0, units, b, columns);
      float[] product = lane.load(2, dq, units, 0, units, b, columns);
      float[] sum = lane.load(3, dh, units, 0, units, b, columns);
      for (int i = 0; i < n; i++) {
        float r = reset[i];
        sum[i] += product[i] * r;
        reset[i] = product[i] * before[i] * r * (1 - r);
      }
      Lanes.store(reset, dgates, 3 * units, 0, units, b, columns);
      Lanes.store(sum, dh, units, 0, units, b, columns);
    }
  }
}
