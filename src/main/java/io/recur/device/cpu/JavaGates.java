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

  private final ThreadLocal<Workspace> workspaces;
  private final Pointwise pointwise;
  private final Columns byColumn;

  JavaGates(ThreadLocal<Workspace> workspaces, Pointwise pointwise, Columns byColumn) {
    this.workspaces = workspaces;
    this.pointwise = pointwise;
    this.byColumn = byColumn;
  }

  /** The rows of a gate in some columns, with the bias. */
  private static float[] sums(
      Workspace work,
      int number,
      Buffer gates,
      int height,
      int row,
      int units,
      int first,
      int columns,
      @Nullable Buffer bias) {
    float[] sums = work.load(number, gates, height, row, units, first, columns);
    if (bias != null) {
      addBias(work, bias, row, sums, units, columns);
    }
    return sums;
  }

  /** Adds H values of a bias to each column. */
  private static void addBias(
      Workspace work, Buffer bias, int from, float[] sums, int units, int columns) {
    float[] repeated = work.array(BIAS, columns * units);
    for (int j = 0; j < columns; j++) {
      Workspace.load(bias, from, repeated, j * units, units);
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
    Workspace work = workspaces.get();
    float[] slope = work.array(4, Workspace.TILE);
    for (int at = 0; at < n; at += Workspace.TILE) {
      int tile = Math.min(Workspace.TILE, n - at);
      float[] input = work.load(0, a, at, tile);
      float[] output = work.load(1, h, at, tile);
      float[] here = work.load(2, dy, at, tile);
      float[] later = work.load(3, dh, at, tile);
      function.derivative(work, input, output, slope, tile);
      for (int i = 0; i < tile; i++) {
        slope[i] *= here[i] + later[i];
      }
      Workspace.store(slope, 0, da, at, tile);
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
    Workspace work = workspaces.get();
    int tile = Math.max(1, Workspace.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] input = sums(work, 0, gates, 4 * units, 0, units, b, columns, bias);
      float[] forget = sums(work, 1, gates, 4 * units, units, units, b, columns, bias);
      float[] candidate = sums(work, 2, gates, 4 * units, 2 * units, units, b, columns, bias);
      float[] output = sums(work, 3, gates, 4 * units, 3 * units, units, b, columns, bias);
      float[] cell = work.load(4, cPrevious, units, 0, units, b, columns);
      Workspace.gate(input, n);
      Workspace.gate(forget, n);
      Workspace.tanh(candidate, n);
      Workspace.gate(output, n);
      for (int i = 0; i < n; i++) {
        cell[i] = forget[i] * cell[i] + input[i] * candidate[i];
      }
      float[] state = work.copy(5, cell, n);
      Workspace.tanh(state, n);
      for (int i = 0; i < n; i++) {
        state[i] *= output[i];
      }
      Workspace.store(input, gates, 4 * units, 0, units, b, columns);
      Workspace.store(forget, gates, 4 * units, units, units, b, columns);
      Workspace.store(candidate, gates, 4 * units, 2 * units, units, b, columns);
      Workspace.store(output, gates, 4 * units, 3 * units, units, b, columns);
      Workspace.store(cell, c, units, 0, units, b, columns);
      Workspace.store(state, h, units, 0, units, b, columns);
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
    Workspace work = workspaces.get();
    int tile = Math.max(1, Workspace.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] input = work.load(0, gates, 4 * units, 0, units, b, columns);
      float[] forget = work.load(1, gates, 4 * units, units, units, b, columns);
      float[] candidate = work.load(2, gates, 4 * units, 2 * units, units, b, columns);
      float[] output = work.load(3, gates, 4 * units, 3 * units, units, b, columns);
      float[] squashed = work.load(4, c, units, 0, units, b, columns);
      float[] before = work.load(5, cPrevious, units, 0, units, b, columns);
      float[] here = work.load(6, dy, units, 0, units, b, columns);
      float[] later = work.load(7, dh, units, 0, units, b, columns);
      float[] cell = work.load(8, dc, units, 0, units, b, columns);
      Workspace.tanh(squashed, n);
      lstmColumns(n, input, forget, candidate, output, squashed, before, here, later, cell);
      Workspace.store(cell, dc, units, 0, units, b, columns);
      Workspace.store(input, dgates, 4 * units, 0, units, b, columns);
      Workspace.store(forget, dgates, 4 * units, units, units, b, columns);
      Workspace.store(candidate, dgates, 4 * units, 2 * units, units, b, columns);
      Workspace.store(output, dgates, 4 * units, 3 * units, units, b, columns);
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
    Workspace work = workspaces.get();
    int tile = Math.max(1, Workspace.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] reset = sums(work, 0, gates, 3 * units, 0, units, b, columns, bias);
      float[] update = sums(work, 1, gates, 3 * units, units, units, b, columns, bias);
      float[] candidate = sums(work, 2, gates, 3 * units, 2 * units, units, b, columns, bias);
      float[] state = work.load(3, hPrevious, units, 0, units, b, columns);
      float[] product = work.load(4, recurrent, 3 * units, 2 * units, units, b, columns);
      if (recurrentBias != null) {
        addBias(work, recurrentBias, 0, product, units, columns);
        Workspace.store(product, recurrent, 3 * units, 2 * units, units, b, columns);
      }
      add(reset, work.load(5, recurrent, 3 * units, 0, units, b, columns), n);
      add(update, work.load(5, recurrent, 3 * units, units, units, b, columns), n);
      Workspace.gate(reset, n);
      Workspace.gate(update, n);
      for (int i = 0; i < n; i++) {
        candidate[i] += reset[i] * product[i];
      }
      blend(candidate, update, state, n);
      Workspace.store(reset, gates, 3 * units, 0, units, b, columns);
      Workspace.store(update, gates, 3 * units, units, units, b, columns);
      Workspace.store(candidate, gates, 3 * units, 2 * units, units, b, columns);
      Workspace.store(state, h, units, 0, units, b, columns);
    }
  }

  private static void add(float[] y, float[] x, int n) {
    for (int i = 0; i < n; i++) {
      y[i] += x[i];
    }
  }

  /** {@code n = tanh(n), h = (1−z)∘n + z∘h₋}. */
  private static void blend(float[] candidate, float[] update, float[] state, int n) {
    Workspace.tanh(candidate, n);
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
    Workspace work = workspaces.get();
    int tile = Math.max(1, Workspace.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] reset = work.load(0, gates, 3 * units, 0, units, b, columns);
      float[] update = work.load(1, gates, 3 * units, units, units, b, columns);
      float[] candidate = work.load(2, gates, 3 * units, 2 * units, units, b, columns);
      float[] product = work.load(3, recurrent, 3 * units, 2 * units, units, b, columns);
      float[] before = work.load(4, hPrevious, units, 0, units, b, columns);
      float[] here = work.load(5, dy, units, 0, units, b, columns);
      float[] later = work.load(6, dh, units, 0, units, b, columns);
      blendSlope(candidate, update, before, here, later, n);
      for (int i = 0; i < n; i++) {
        float r = reset[i];
        float d = candidate[i];
        reset[i] = d * product[i] * r * (1 - r);
        product[i] = d * r;
      }
      Workspace.store(later, dh, units, 0, units, b, columns);
      Workspace.store(reset, dgates, 3 * units, 0, units, b, columns);
      Workspace.store(update, dgates, 3 * units, units, units, b, columns);
      Workspace.store(candidate, dgates, 3 * units, 2 * units, units, b, columns);
      Workspace.store(reset, drecurrent, 3 * units, 0, units, b, columns);
      Workspace.store(update, drecurrent, 3 * units, units, units, b, columns);
      Workspace.store(product, drecurrent, 3 * units, 2 * units, units, b, columns);
    }
  }

  @Override
  public void gruV3Reset(
      int units, int batch, Buffer gates, @Nullable Buffer bias, Buffer hPrevious, Buffer q) {
    Workspace work = workspaces.get();
    int tile = Math.max(1, Workspace.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] reset = sums(work, 0, gates, 3 * units, 0, units, b, columns, bias);
      float[] update = sums(work, 1, gates, 3 * units, units, units, b, columns, bias);
      float[] state = work.load(2, hPrevious, units, 0, units, b, columns);
      Workspace.gate(reset, n);
      Workspace.gate(update, n);
      for (int i = 0; i < n; i++) {
        state[i] *= reset[i];
      }
      Workspace.store(reset, gates, 3 * units, 0, units, b, columns);
      Workspace.store(update, gates, 3 * units, units, units, b, columns);
      Workspace.store(state, q, units, 0, units, b, columns);
    }
  }

  @Override
  public void gruV3Candidate(
      int units, int batch, Buffer gates, @Nullable Buffer bias, Buffer hPrevious, Buffer h) {
    Workspace work = workspaces.get();
    int tile = Math.max(1, Workspace.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] update = work.load(0, gates, 3 * units, units, units, b, columns);
      float[] candidate = sums(work, 1, gates, 3 * units, 2 * units, units, b, columns, bias);
      float[] state = work.load(2, hPrevious, units, 0, units, b, columns);
      blend(candidate, update, state, n);
      Workspace.store(candidate, gates, 3 * units, 2 * units, units, b, columns);
      Workspace.store(state, h, units, 0, units, b, columns);
    }
  }

  @Override
  public void gruV3CandidateSlope(
      int units, int batch, Buffer gates, Buffer hPrevious, Buffer dy, Buffer dh, Buffer dgates) {
    Workspace work = workspaces.get();
    int tile = Math.max(1, Workspace.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] update = work.load(0, gates, 3 * units, units, units, b, columns);
      float[] candidate = work.load(1, gates, 3 * units, 2 * units, units, b, columns);
      float[] before = work.load(2, hPrevious, units, 0, units, b, columns);
      float[] here = work.load(3, dy, units, 0, units, b, columns);
      float[] later = work.load(4, dh, units, 0, units, b, columns);
      blendSlope(candidate, update, before, here, later, n);
      Workspace.store(later, dh, units, 0, units, b, columns);
      Workspace.store(update, dgates, 3 * units, units, units, b, columns);
      Workspace.store(candidate, dgates, 3 * units, 2 * units, units, b, columns);
    }
  }

  @Override
  public void gruV3ResetSlope(
      int units, int batch, Buffer gates, Buffer hPrevious, Buffer dq, Buffer dh, Buffer dgates) {
    Workspace work = workspaces.get();
    int tile = Math.max(1, Workspace.TILE / units);
    for (int b = 0; b < batch; b += tile) {
      int columns = Math.min(tile, batch - b);
      int n = columns * units;
      float[] reset = work.load(0, gates, 3 * units, 0, units, b, columns);
      float[] before = work.load(1, hPrevious, units, 0, units, b, columns);
      float[] product = work.load(2, dq, units, 0, units, b, columns);
      float[] sum = work.load(3, dh, units, 0, units, b, columns);
      for (int i = 0; i < n; i++) {
        float r = reset[i];
        sum[i] += product[i] * r;
        reset[i] = product[i] * before[i] * r * (1 - r);
      }
      Workspace.store(reset, dgates, 3 * units, 0, units, b, columns);
      Workspace.store(sum, dh, units, 0, units, b, columns);
    }
  }
}
