package io.recur.nn;

import static io.recur.Reference.sigmoid;

import io.recur.Reference;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import java.util.Random;

/**
 * The cells once more, from the equations of their papers, in double precision, one column of the
 * batch after the other and one unit after the other. Shares no code with the library.
 *
 * @param kind the cell
 * @param function σ of the RNN
 * @param wi how Wi is stored
 * @param wh how Wh (and GRUv3's Wh̃) is stored
 */
record ReferenceCell(
    Kind kind,
    Elementwise function,
    Structure wi,
    Structure wh,
    int in,
    int out,
    int batch,
    int time) {

  enum Kind {
    RNN(1, 1),
    LSTM(4, 4),
    GRU(3, 3),
    GRU_WITH_BIAS(3, 3),
    GRU_V3(3, 2);

    final int gates;
    final int recurrentGates;

    Kind(int gates, int recurrentGates) {
      this.gates = gates;
      this.recurrentGates = recurrentGates;
    }
  }

  enum Structure {
    DENSE,
    DIAGONAL,
    TRIDIAGONAL;

    Matrix matrix(int rows, int columns) {
      return switch (this) {
        case DENSE -> Matrix.dense(rows, columns);
        case DIAGONAL -> Matrix.diagonal(rows, columns);
        case TRIDIAGONAL -> Matrix.tridiagonal(rows, columns);
      };
    }

    /** The whole matrix, column-major, from what is stored: of each block its diagonals. */
    double[] whole(int rows, int columns, double[] stored) {
      if (this == DENSE) {
        return stored;
      }
      int bandwidth = this == DIAGONAL ? 0 : 1;
      double[] whole = new double[rows * columns];
      int at = 0;
      for (int block = 0; block < rows / columns; block++) {
        for (int d = -bandwidth; d <= bandwidth; d++) {
          for (int row = 0; row < columns; row++) {
            int column = row + d;
            if (column >= 0 && column < columns) {
              whole[block * columns + row + column * rows] = stored[at++];
            }
          }
        }
      }
      return whole;
    }
  }

  /** What comes out: y out × B × T, the last h and, for the LSTM, the last c. */
  record Result(double[] y, double[] h, double[] c) {}

  /** The library's cell of this kind with random parameters. */
  Cell cell() {
    Matrix input = wi.matrix(kind.gates * out, in);
    Matrix recurrent = wh.matrix(kind.recurrentGates * out, out);
    Parameter b = Cells.random(kind.gates * out);
    Parameter h0 = Cells.random(out, 1);
    return switch (kind) {
      case RNN -> new RNNCell(function, input, recurrent, b, h0);
      case LSTM -> new LSTMCell(input, recurrent, b, h0, Cells.random(out, 1));
      case GRU -> new GRUCell(input, recurrent, b, null, h0);
      case GRU_WITH_BIAS -> new GRUCell(input, recurrent, b, Cells.random(out), h0);
      case GRU_V3 -> new GRUv3Cell(input, recurrent, wh.matrix(out, out), b, h0);
    };
  }

  Shape inputShape() {
    return Shape.of(in, batch, time);
  }

  float[] input(Random random) {
    return Cells.values(random, in * batch * time);
  }

  /**
   * Runs the sequence.
   *
   * @param p the parameters in the order of {@link Cell#parameters}
   * @param x in × B × T
   */
  Result run(double[][] p, double[] x) {
    double[] y = new double[out * batch * time];
    double[] lastH = new double[out * batch];
    double[] lastC = new double[out * batch];
    boolean extra = kind == Kind.GRU_WITH_BIAS || kind == Kind.GRU_V3;
    double[] weights = wi.whole(kind.gates * out, in, p[0]);
    double[] recurrent = wh.whole(kind.recurrentGates * out, out, p[1]);
    double[] bias = p[extra ? 3 : 2];
    double[] h0 = p[extra ? 4 : 3];
    for (int j = 0; j < batch; j++) {
      double[] h = h0.clone();
      double[] c = kind == Kind.LSTM ? p[4].clone() : new double[out];
      for (int t = 0; t < time; t++) {
        double[] column = new double[in];
        System.arraycopy(x, in * (j + batch * t), column, 0, in);
        double[] a = Reference.matmul(kind.gates * out, in, weights, column);
        for (int i = 0; i < a.length; i++) {
          a[i] += bias[i];
        }
        h = step(a, Reference.matmul(kind.recurrentGates * out, out, recurrent, h), h, c, p[2]);
        System.arraycopy(h, 0, y, out * (j + batch * t), out);
      }
      System.arraycopy(h, 0, lastH, out * j, out);
      System.arraycopy(c, 0, lastC, out * j, out);
    }
    return new Result(y, lastH, lastC);
  }

  /** One step of one column: a is Wi·x + b, u is Wh·h; c is changed in place. */
  private double[] step(double[] a, double[] u, double[] h, double[] c, double[] third) {
    double[] next = new double[out];
    double[] gated = new double[out];
    for (int i = 0; kind == Kind.GRU_V3 && i < out; i++) {
      gated[i] = sigmoid(a[i] + u[i]) * h[i];
    }
    double[] candidate =
        kind == Kind.GRU_V3
            ? Reference.matmul(out, out, wh.whole(out, out, third), gated)
            : new double[out];
    for (int i = 0; i < out; i++) {
      int second = out + i;
      int last = 2 * out + i;
      next[i] =
          switch (kind) {
            case RNN -> Reference.value(function, a[i] + u[i]);
            case LSTM -> {
              c[i] =
                  sigmoid(a[second] + u[second]) * c[i]
                      + sigmoid(a[i] + u[i]) * Math.tanh(a[last] + u[last]);
              yield sigmoid(a[3 * out + i] + u[3 * out + i]) * Math.tanh(c[i]);
            }
            case GRU, GRU_WITH_BIAS -> {
              double inner = u[last] + (kind == Kind.GRU ? 0 : third[i]);
              double n = Math.tanh(a[last] + sigmoid(a[i] + u[i]) * inner);
              yield blend(sigmoid(a[second] + u[second]), n, h[i]);
            }
            case GRU_V3 ->
                blend(sigmoid(a[second] + u[second]), Math.tanh(a[last] + candidate[i]), h[i]);
          };
    }
    return next;
  }

  private static double blend(double z, double candidate, double h) {
    return (1 - z) * candidate + z * h;
  }
}
