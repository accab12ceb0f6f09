package io.recur.device;

import io.recur.device.kernels.Bands;
import java.util.Arrays;

/** Products with band matrices, a column at a time, a diagonal at a time. */
final class CpuBands implements Bands {
  private final ThreadLocal<Lanes> lanes;

  CpuBands(ThreadLocal<Lanes> lanes) {
    this.lanes = lanes;
  }

  @Override
  public void multiply(
      int reach,
      int n,
      int blocks,
      Buffer w,
      Buffer x,
      int columns,
      float beta,
      Buffer y,
      int ldy) {
    Lanes lane = lanes.get();
    int stored = Bands.stored(reach, n);
    float[] values = lane.load(0, w, 0, blocks * stored);
    for (int j = 0; j < columns; j++) {
      float[] input = lane.load(1, x, (long) j * n, n);
      float[] output = start(lane, 2, y, (long) j * ldy, blocks * n, beta);
      for (int block = 0; block < blocks; block++) {
        int at = block * stored;
        for (int d = -reach; d <= reach; d++) {
          int length = n - Math.abs(d);
          addDiagonal(
              values, at, input, Math.max(d, 0), output, block * n + Math.max(-d, 0), length);
          at += length;
        }
      }
      Lanes.store(output, 0, y, (long) j * ldy, blocks * n);
    }
  }

  @Override
  public void multiplyTransposed(
      int reach,
      int n,
      int blocks,
      Buffer w,
      Buffer dy,
      int lddy,
      int columns,
      float beta,
      Buffer dx) {
    Lanes lane = lanes.get();
    int stored = Bands.stored(reach, n);
    float[] values = lane.load(0, w, 0, blocks * stored);
    for (int j = 0; j < columns; j++) {
      float[] upstream = lane.load(1, dy, (long) j * lddy, blocks * n);
      float[] output = start(lane, 2, dx, (long) j * n, n, beta);
      for (int block = 0; block < blocks; block++) {
        int at = block * stored;
        for (int d = -reach; d <= reach; d++) {
          int length = n - Math.abs(d);
          addDiagonal(
              values, at, upstream, block * n + Math.max(-d, 0), output, Math.max(d, 0), length);
          at += length;
        }
      }
      Lanes.store(output, 0, dx, (long) j * n, n);
    }
  }

  @Override
  public void addGradient(
      int reach, int n, int blocks, Buffer dy, int lddy, Buffer x, int columns, Buffer dw) {
    Lanes lane = lanes.get();
    int stored = Bands.stored(reach, n);
    float[] sum = lane.load(0, dw, 0, blocks * stored);
    for (int j = 0; j < columns; j++) {
      float[] upstream = lane.load(1, dy, (long) j * lddy, blocks * n);
      float[] input = lane.load(2, x, (long) j * n, n);
      for (int block = 0; block < blocks; block++) {
        int at = block * stored;
        for (int d = -reach; d <= reach; d++) {
          int length = n - Math.abs(d);
          addDiagonal(
              upstream, block * n + Math.max(-d, 0), input, Math.max(d, 0), sum, at, length);
          at += length;
        }
      }
    }
    Lanes.store(sum, 0, dw, 0, blocks * stored);
  }

  private static float[] start(Lanes lane, int number, Buffer y, long from, int n, float beta) {
    float[] values = lane.array(number, n);
    if (beta == 0) {
      Arrays.fill(values, 0, n, 0);
    } else {
      Lanes.load(y, from, values, 0, n);
      for (int i = 0; i < n; i++) {
        values[i] *= beta;
      }
    }
    return values;
  }

  private static void addDiagonal(
      float[] a, int fromA, float[] b, int fromB, float[] y, int fromY, int n) {
    for (int i = 0; i < n; i++) {
      y[fromY + i] += a[fromA + i] * b[fromB + i];
    }
  }
}
