package io.recur.device;

import org.jspecify.annotations.Nullable;

/** The gates, one column of the batch at a time through the thread's heap arrays. */
final class CpuGates implements Gates {
  private final ThreadLocal<Lanes> lanes;

  CpuGates(ThreadLocal<Lanes> lanes) {
    this.lanes = lanes;
  }

  @Override
  public void rnnSlope(
      Elementwise f, int n, Buffer a, Buffer h, Buffer dy, Buffer dh, Buffer da) {
    Lanes lane = lanes.get();
    float[] slope = lane.array(4, Lanes.TILE);
    for (int at = 0; at < n; at += Lanes.TILE) {
      int tile = Math.min(Lanes.TILE, n - at);
      float[] input = lane.load(0, a, at, tile);
      float[] output = lane.load(1, h, at, tile);
      float[] here = lane.load(2, dy, at, tile);
      float[] later = lane.load(3, dh, at, tile);
      f.slope(lane, input, output, slope, tile);
      for (int i = 0; i < tile; i++) {
        slope[i] *= here[i] + later[i];
      }
      Lanes.store(slope, 0, da, at, tile);
    }
  }

  @Override
  public void lstm(int units, int batch, Buffer gates, Buffer cPrevious, Buffer c, Buffer h) {
    Lanes lane = lanes.get();
    float[] out = lane.array(2, units);
    for (int b = 0; b < batch; b++) {
      float[] g = lane.load(0, gates, 4L * units * b, 4 * units);
      float[] cell = lane.load(1, cPrevious, (long) units * b, units);
      lane.sigmoid(g, 0, g, 0, 2 * units);
      Lanes.tanh(g, 2 * units, g, 2 * units, units);
      lane.sigmoid(g, 3 * units, g, 3 * units, units);
      for (int i = 0; i < units; i++) {
        cell[i] = g[units + i] * cell[i] + g[i] * g[2 * units + i];
      }
      Lanes.tanh(cell, 0, out, 0, units);
      for (int i = 0; i < units; i++) {
        out[i] *= g[3 * units + i];
      }
      Lanes.store(g, 0, gates, 4L * units * b, 4 * units);
      Lanes.store(cell, 0, c, (long) units * b, units);
      Lanes.store(out, 0, h, (long) units * b, units);
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
    float[] d = lane.array(6, 4 * units);
    for (int b = 0; b < batch; b++) {
      long at = (long) units * b;
      float[] g = lane.load(0, gates, 4 * at, 4 * units);
      float[] before = lane.load(1, cPrevious, at, units);
      float[] squashed = lane.load(2, c, at, units);
      float[] here = lane.load(3, dy, at, units);
      float[] later = lane.load(4, dh, at, units);
      float[] cell = lane.load(5, dc, at, units);
      Lanes.tanh(squashed, 0, squashed, 0, units);
      for (int i = 0; i < units; i++) {
        float output = g[3 * units + i];
        float total = here[i] + later[i];
        d[3 * units + i] = total * squashed[i] * output * (1 - output);
        cell[i] += total * output * (1 - squashed[i] * squashed[i]);
      }
      for (int i = 0; i < units; i++) {
        float input = g[i];
        float forget = g[units + i];
        float candidate = g[2 * units + i];
        d[i] = cell[i] * candidate * input * (1 - input);
        d[units + i] = cell[i] * before[i] * forget * (1 - forget);
        d[2 * units + i] = cell[i] * input * (1 - candidate * candidate);
        cell[i] *= forget;
      }
      Lanes.store(cell, 0, dc, at, units);
      Lanes.store(d, 0, dgates, 4 * at, 4 * units);
    }
  }

  @Override
  public void gru(
      int units,
      int batch,
      Buffer gates,
      Buffer recurrent,
      @Nullable Buffer bias,
      Buffer hPrevious,
      Buffer h) {
    Lanes lane = lanes.get();
    for (int b = 0; b < batch; b++) {
      long at = (long) units * b;
      float[] g = lane.load(0, gates, 3 * at, 3 * units);
      float[] q = lane.load(1, recurrent, 3 * at, 3 * units);
      float[] state = lane.load(2, hPrevious, at, units);
      if (bias != null) {
        float[] extra = lane.load(3, bias, 0, units);
        for (int i = 0; i < units; i++) {
          q[2 * units + i] += extra[i];
        }
        Lanes.store(q, 2 * units, recurrent, 3 * at + 2 * units, units);
      }
      for (int i = 0; i < 2 * units; i++) {
        g[i] += q[i];
      }
      lane.sigmoid(g, 0, g, 0, 2 * units);
      for (int i = 0; i < units; i++) {
        g[2 * units + i] += g[i] * q[2 * units + i];
      }
      candidate(g, state, units);
      Lanes.store(g, 0, gates, 3 * at, 3 * units);
      Lanes.store(state, 0, h, at, units);
    }
  }

  /** Activates the last third of g and blends it into the state: {@code h = (1−z)∘n + z∘h₋}. */
  private static void candidate(float[] g, float[] state, int units) {
    Lanes.tanh(g, 2 * units, g, 2 * units, units);
    for (int i = 0; i < units; i++) {
      float z = g[units + i];
      state[i] = (1 - z) * g[2 * units + i] + z * state[i];
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
    float[] d = lane.array(5, 3 * units);
    for (int b = 0; b < batch; b++) {
      long at = (long) units * b;
      float[] g = lane.load(0, gates, 3 * at, 3 * units);
      float[] q = lane.load(1, recurrent, 3 * at, 3 * units);
      float[] carried = candidateSlope(lane, units, at, g, hPrevious, dy, dh, d);
      for (int i = 0; i < units; i++) {
        float reset = g[i];
        d[i] = d[2 * units + i] * q[2 * units + i] * reset * (1 - reset);
      }
      Lanes.store(carried, 0, dh, at, units);
      Lanes.store(d, 0, dgates, 3 * at, 3 * units);
      for (int i = 0; i < units; i++) {
        d[2 * units + i] *= g[i];
      }
      Lanes.store(d, 0, drecurrent, 3 * at, 3 * units);
    }
  }

  /**
   * The derivative of {@link #candidate} for the column at {@code at}: fills the last two thirds of
   * d and returns the gradient of h₋ through z. Uses arrays 2 to 4.
   */
  private static float[] candidateSlope(
      Lanes lane,
      int units,
      long at,
      float[] g,
      Buffer hPrevious,
      Buffer dy,
      Buffer dh,
      float[] d) {
    float[] before = lane.load(2, hPrevious, at, units);
    float[] here = lane.load(3, dy, at, units);
    float[] later = lane.load(4, dh, at, units);
    for (int i = 0; i < units; i++) {
      float z = g[units + i];
      float n = g[2 * units + i];
      float total = here[i] + later[i];
      d[units + i] = total * (before[i] - n) * z * (1 - z);
      d[2 * units + i] = total * (1 - z) * (1 - n * n);
      later[i] = total * z;
    }
    return later;
  }

  @Override
  public void gruV3Reset(int units, int batch, Buffer gates, Buffer hPrevious, Buffer q) {
    Lanes lane = lanes.get();
    for (int b = 0; b < batch; b++) {
      long at = (long) units * b;
      float[] g = lane.load(0, gates, 3 * at, 2 * units);
      float[] state = lane.load(1, hPrevious, at, units);
      lane.sigmoid(g, 0, g, 0, 2 * units);
      for (int i = 0; i < units; i++) {
        state[i] *= g[i];
      }
      Lanes.store(g, 0, gates, 3 * at, 2 * units);
      Lanes.store(state, 0, q, at, units);
    }
  }

  @Override
  public void gruV3Candidate(int units, int batch, Buffer gates, Buffer hPrevious, Buffer h) {
    Lanes lane = lanes.get();
    for (int b = 0; b < batch; b++) {
      long at = (long) units * b;
      float[] g = lane.load(0, gates, 3 * at, 3 * units);
      float[] state = lane.load(1, hPrevious, at, units);
      candidate(g, state, units);
      Lanes.store(g, 2 * units, gates, 3 * at + 2 * units, units);
      Lanes.store(state, 0, h, at, units);
    }
  }

  @Override
  public void gruV3CandidateSlope(
      int units, int batch, Buffer gates, Buffer hPrevious, Buffer dy, Buffer dh, Buffer dgates) {
    Lanes lane = lanes.get();
    float[] d = lane.array(5, 3 * units);
    for (int b = 0; b < batch; b++) {
      long at = (long) units * b;
      float[] g = lane.load(0, gates, 3 * at, 3 * units);
      float[] carried = candidateSlope(lane, units, at, g, hPrevious, dy, dh, d);
      Lanes.store(carried, 0, dh, at, units);
      Lanes.store(d, units, dgates, 3 * at + units, 2 * units);
    }
  }

  @Override
  public void gruV3ResetSlope(
      int units, int batch, Buffer gates, Buffer hPrevious, Buffer dq, Buffer dh, Buffer dgates) {
    Lanes lane = lanes.get();
    float[] d = lane.array(4, units);
    for (int b = 0; b < batch; b++) {
      long at = (long) units * b;
      float[] reset = lane.load(0, gates, 3 * at, units);
      float[] before = lane.load(1, hPrevious, at, units);
      float[] product = lane.load(2, dq, at, units);
      float[] sum = lane.load(3, dh, at, units);
      for (int i = 0; i < units; i++) {
        d[i] = product[i] * before[i] * reset[i] * (1 - reset[i]);
        sum[i] += product[i] * reset[i];
      }
      Lanes.store(d, 0, dgates, 3 * at, units);
      Lanes.store(sum, 0, dh, at, units);
    }
  }
}
