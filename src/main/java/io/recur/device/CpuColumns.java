package io.recur.device;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

/** Kernels on columns: a column at a time goes through the thread's heap arrays. */
final class CpuColumns implements Columns {
  private final ThreadLocal<Lanes> lanes;

  CpuColumns(ThreadLocal<Lanes> lanes) {
    this.lanes = lanes;
  }

  @Override
  public void add(int m, int n, Buffer x, Buffer b, Buffer y) {
    Lanes lane = lanes.get();
    float[] bias = lane.load(0, b, 0, m);
    for (int j = 0; j < n; j++) {
      float[] column = lane.load(1, x, (long) j * m, m);
      addTo(column, bias, m);
      Lanes.store(column, 0, y, (long) j * m, m);
    }
  }

  @Override
  public void addSum(int m, int n, Buffer x, Buffer y) {
    Lanes lane = lanes.get();
    float[] sum = lane.load(0, y, 0, m);
    for (int j = 0; j < n; j++) {
      addTo(sum, lane.load(1, x, (long) j * m, m), m);
    }
    Lanes.store(sum, 0, y, 0, m);
  }

  @Override
  public void repeat(int m, int n, Buffer b, Buffer y) {
    float[] column = lanes.get().load(0, b, 0, m);
    for (int j = 0; j < n; j++) {
      Lanes.store(column, 0, y, (long) j * m, m);
    }
  }

  @Override
  public void block(int m, int n, Buffer x, int ldx, boolean accumulate, Buffer y, int ldy) {
    Lanes lane = lanes.get();
    for (int j = 0; j < n; j++) {
      float[] column = lane.load(0, x, (long) j * ldx, m);
      if (accumulate) {
        addTo(column, lane.load(1, y, (long) j * ldy, m), m);
      }
      Lanes.store(column, 0, y, (long) j * ldy, m);
    }
  }

  @Override
  public void gather(int m, int n, Buffer w, Buffer index, Buffer y) {
    float[] column = lanes.get().array(0, m);
    for (int j = 0; j < n; j++) {
      int from = index.segment().getAtIndex(JAVA_INT, j);
      Lanes.load(w, (long) from * m, column, 0, m);
      Lanes.store(column, 0, y, (long) j * m, m);
    }
  }

  @Override
  public void scatterAdd(int m, int n, Buffer y, Buffer index, Buffer w) {
    Lanes lane = lanes.get();
    for (int j = 0; j < n; j++) {
      long to = (long) index.segment().getAtIndex(JAVA_INT, j) * m;
      float[] sum = lane.load(0, w, to, m);
      addTo(sum, lane.load(1, y, (long) j * m, m), m);
      Lanes.store(sum, 0, w, to, m);
    }
  }

  @Override
  public void softmax(int m, int n, boolean logarithm, Buffer x, Buffer y) {
    Lanes lane = lanes.get();
    float[] p = lane.array(1, m);
    for (int j = 0; j < n; j++) {
      float[] column = lane.load(0, x, (long) j * m, m);
      double total = exponentials(lane, column, p, m);
      if (logarithm) {
        addTo(column, -(float) Math.log(total), m);
        Lanes.store(column, 0, y, (long) j * m, m);
      } else {
        scale(p, (float) (1 / total), m);
        Lanes.store(p, 0, y, (long) j * m, m);
      }
    }
  }

  @Override
  public void addSoftmaxSlope(int m, int n, boolean logarithm, Buffer y, Buffer dy, Buffer dx) {
    Lanes lane = lanes.get();
    for (int j = 0; j < n; j++) {
      long at = (long) j * m;
      float[] output = lane.load(0, y, at, m);
      float[] upstream = lane.load(1, dy, at, m);
      float[] sum = lane.load(2, dx, at, m);
      if (logarithm) {
        lane.exp(output, 0, output, 0, m);
        float total = (float) sum(upstream, m);
        for (int i = 0; i < m; i++) {
          sum[i] += upstream[i] - output[i] * total;
        }
      } else {
        double dot = 0;
        for (int i = 0; i < m; i++) {
          dot += (double) output[i] * upstream[i];
        }
        float mean = (float) dot;
        for (int i = 0; i < m; i++) {
          sum[i] += output[i] * (upstream[i] - mean);
        }
      }
      Lanes.store(sum, 0, dx, at, m);
    }
  }

  @Override
  public void crossEntropy(int m, int n, Buffer x, Buffer index, Buffer p, Buffer loss) {
    Lanes lane = lanes.get();
    float[] exponentials = lane.array(1, m);
    double sum = 0;
    for (int j = 0; j < n; j++) {
      float[] column = lane.load(0, x, (long) j * m, m);
      double total = exponentials(lane, column, exponentials, m);
      sum += Math.log(total) - column[index.segment().getAtIndex(JAVA_INT, j)];
      scale(exponentials, (float) (1 / total), m);
      Lanes.store(exponentials, 0, p, (long) j * m, m);
    }
    loss.segment().set(JAVA_FLOAT, 0, (float) (sum / n));
  }

  @Override
  public void addCrossEntropySlope(
      int m, int n, Buffer p, Buffer index, Buffer dloss, Buffer dx) {
    Lanes lane = lanes.get();
    float factor = dloss.segment().get(JAVA_FLOAT, 0) / n;
    for (int j = 0; j < n; j++) {
      float[] share = lane.load(0, p, (long) j * m, m);
      float[] sum = lane.load(1, dx, (long) j * m, m);
      share[index.segment().getAtIndex(JAVA_INT, j)] -= 1;
      for (int i = 0; i < m; i++) {
        sum[i] += factor * share[i];
      }
      Lanes.store(sum, 0, dx, (long) j * m, m);
    }
  }

  /** Subtracts the column's largest value from it, puts the exponentials into p; their sum. */
  private static double exponentials(Lanes lane, float[] column, float[] p, int m) {
    float largest = column[0];
    for (int i = 1; i < m; i++) {
      largest = Math.max(largest, column[i]);
    }
    addTo(column, -largest, m);
    lane.exp(column, 0, p, 0, m);
    return sum(p, m);
  }

  private static double sum(float[] x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += x[i];
    }
    return sum;
  }

  private static void addTo(float[] y, float[] x, int n) {
    for (int i = 0; i < n; i++) {
      y[i] += x[i];
    }
  }

  private static void addTo(float[] y, float x, int n) {
    for (int i = 0; i < n; i++) {
      y[i] += x;
    }
  }

  private static void scale(float[] y, float factor, int n) {
    for (int i = 0; i < n; i++) {
      y[i] *= factor;
    }
  }
}
