package io.recur.io.onnx;

import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The order in which the dimensions of floats on a device follow each other in memory, from the
 * slowest to the contiguous one. ONNX's own order is 0, 1, 2, …; a convolution computes in another
 * one, and a transposition changes the order alone.
 */
final class Order {
  /** Of {@code [batch, features, time]} the order of features × batch × time. */
  static final int[] SEQUENCE = {2, 0, 1};

  private Order() {}

  /** ONNX's order. */
  static int[] plain(int rank) {
    return IntStream.range(0, rank).toArray();
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
    Shape shape = dims.permute(order).shape();
    if (isSame(dims, x.order(), order)) {
      return x.held().shape().equals(shape) ? x.held() : x.held().reshape(shape);
    }
    int run = 1; // values that stay together
    int together = order.length;
    while (together > 0 && order[together - 1] == x.order()[together - 1]) {
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
    return Arrays.stream(order).map(axis -> now[axis]).toArray();
  }

  /** The order without a dimension. */
  static int[] without(int[] order, int axis) {
    return Arrays.stream(order).filter(a -> a != axis).map(a -> a > axis ? a - 1 : a).toArray();
  }

  /** The order with further dimensions in place of one. */
  static int[] replaced(int[] order, int axis, int by) {
    return Arrays.stream(order)
        .flatMap(
            a ->
                a == axis
                    ? IntStream.range(axis, axis + by)
                    : IntStream.of(a > axis ? a + by - 1 : a))
        .toArray();
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
}
