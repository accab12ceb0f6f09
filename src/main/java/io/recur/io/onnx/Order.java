package io.recur.io.onnx;

import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.Arrays;

/**
 * The order in which the dimensions of floats on a device follow each other in memory, from the
 * slowest to the contiguous one. ONNX's own order is 0, 1, 2, …; a convolution computes in another
 * one, and a transposition changes the order alone.
 */
final class Order {
  private Order() {}

  /** ONNX's order. */
  static int[] plain(int rank) {
    int[] order = new int[rank];
    for (int i = 0; i < rank; i++) {
      order[i] = i;
    }
    return order;
  }

  /** Of {@code [batch, features, time]} the order of features × batch × time. */
  static int[] sequence() {
    return new int[] {2, 0, 1};
  }

  /** The shape of a tensor whose dimensions are in this order. */
  static Shape shape(Dims dims, int... order) {
    int rank = order.length;
    if (rank < 2) {
      return Shape.of(dims.count());
    }
    int rows = dims.size(order[rank - 1]);
    int batch = dims.size(order[rank - 2]);
    return rank == 2
        ? Shape.of(rows, batch)
        : Shape.of(rows, batch, dims.count() / Math.max(1, rows * batch));
  }

  /** Whether the values are as ONNX orders them; dimensions of size 1 may be anywhere. */
  static boolean isPlain(Dims dims, int... order) {
    int last = -1;
    for (int axis : order) {
      if (dims.size(axis) != 1) {
        if (axis < last) {
          return false;
        }
        last = axis;
      }
    }
    return true;
  }

  /** Whether two orders of the same values are the same bytes. */
  static boolean isSame(Dims dims, int[] first, int[] second) {
    int i = 0;
    for (int axis : first) {
      if (dims.size(axis) != 1) {
        while (dims.size(second[i]) == 1) {
          i++;
        }
        if (second[i++] != axis) {
          return false;
        }
      }
    }
    return true;
  }

  /** The values in another order: of the shape of the dimensions in that order. */
  static Tensor arranged(Value.OnTape x, int... order) {
    Dims dims = x.dims();
    Shape shape = shape(dims, order);
    int[] from = x.order();
    if (isSame(dims, from, order)) {
      return x.held().shape().equals(shape) ? x.held() : x.held().reshape(shape);
    }
    int run = 1; // values that stay together
    int together = order.length;
    while (together > 0 && order[together - 1] == from[together - 1]) {
      run *= dims.size(order[--together]);
    }
    int[] columns = places(x, run, Arrays.copyOf(order, together));
    return x.held().reshape(Shape.of(run, dims.count() / run)).take(columns).reshape(shape);
  }

  /** Where each run of values is, in the order of these dimensions. */
  private static int[] places(Value.OnTape x, int run, int... order) {
    int[] places = {0};
    for (int axis : order) {
      int size = x.dims().size(axis);
      int stride = inner(x.dims(), axis, x.order()) / run;
      int[] next = new int[places.length * size];
      int at = 0;
      for (int place : places) {
        for (int i = 0; i < size; i++) {
          next[at++] = place + i * stride;
        }
      }
      places = next;
    }
    return places;
  }

  /** The values from one index of a dimension to the next. */
  static int inner(Dims dims, int axis, int... order) {
    int inner = 1;
    for (int i = order.length - 1; order[i] != axis; i--) {
      inner *= dims.size(order[i]);
    }
    return inner;
  }

  /** The order after a transposition: dimension i of the result is {@code axes[i]} of this. */
  static int[] transposed(int[] order, int... axes) {
    int[] now = new int[axes.length];
    for (int i = 0; i < axes.length; i++) {
      now[axes[i]] = i;
    }
    int[] transposed = new int[order.length];
    for (int i = 0; i < order.length; i++) {
      transposed[i] = now[order[i]];
    }
    return transposed;
  }

  /** The order without a dimension. */
  static int[] without(int[] order, int axis) {
    return replaced(order, axis, 0);
  }

  /** The order with further dimensions, or none, in place of one. */
  static int[] replaced(int[] order, int axis, int by) {
    int[] now = new int[order.length + by - 1];
    int at = 0;
    for (int other : order) {
      if (other != axis) {
        now[at++] = other > axis ? other + by - 1 : other;
        continue;
      }
      for (int i = 0; i < by; i++) {
        now[at++] = axis + i;
      }
    }
    return now;
  }

  /** The order with a dimension of size 1 inserted before that of this number. */
  static int[] inserted(int[] order, int axis) {
    int[] now = new int[order.length + 1];
    now[0] = axis;
    for (int i = 0; i < order.length; i++) {
      now[i + 1] = order[i] >= axis ? order[i] + 1 : order[i];
    }
    return now;
  }

  /** The order with a dimension moved to the end, where it is contiguous. */
  static int[] contiguous(int[] order, int axis) {
    int[] now = new int[order.length];
    int at = 0;
    for (int other : order) {
      if (other != axis) {
        now[at++] = other;
      }
    }
    now[at] = axis;
    return now;
  }
}
