package io.recur.io.onnx;

import io.recur.device.Dimension;
import io.recur.grad.Functions;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Sums, means, products and extremes over some dimensions, which keep size 1: of floats on a
 * device, and of floats and integers on the host.
 */
enum Reducing {
  /** The sum. */
  SUM,
  /** The mean. */
  MEAN,
  /** The largest value. */
  MAX,
  /** The smallest value. */
  MIN,
  /** The product. */
  PRODUCT;

  Value over(Call call, Value x, int... axes) {
    return x instanceof Value.OnTape on
        ? onTape(call, Rearranging.lifted(call, on), axes)
        : onHost(call, x, axes);
  }

  // On a device.

  /** Dimensions that follow each other in memory are reduced at once. */
  private Value.OnTape onTape(Call call, Value.OnTape x, int... axes) {
    if (this == MIN) {
      Tensor negated = Functions.negate(x.held());
      Value.OnTape largest = MAX.onTape(call, new Value.OnTape(x.dims(), x.order(), negated), axes);
      return new Value.OnTape(largest.dims(), largest.order(), Functions.negate(largest.held()));
    }
    Value.OnTape result = x;
    int[] order = x.order();
    int end = order.length;
    while (end > 0) {
      int begin = end;
      while (begin > 0 && isIn(axes, order[begin - 1], result.dims())) {
        begin--;
      }
      if (begin < end) {
        result = run(result, order, begin, end);
      }
      end = begin == end ? end - 1 : begin;
    }
    return result;
  }

  /** A dimension of size 1 interrupts nothing. */
  private static boolean isIn(int[] axes, int axis, Dims dims) {
    return dims.size(axis) == 1 || Arrays.stream(axes).anyMatch(a -> a == axis);
  }

  /** Over the dimensions from place to place of an order of the same bytes. */
  private Value.OnTape run(Value.OnTape x, int[] order, int begin, int end) {
    Dims dims = x.dims();
    int length = 1;
    for (int i = begin; i < end; i++) {
      length *= dims.size(order[i]);
      dims = dims.with(order[i], 1);
    }
    if (length == 1) {
      return x;
    }
    int inner = 1;
    for (int i = end; i < order.length; i++) {
      inner *= dims.size(order[i]);
    }
    int outer = x.dims().count() / (inner * length);
    Tensor held = Order.arranged(x, order);
    Tensor y =
        this == PRODUCT
            ? product(held.reshape(Shape.of(inner, length, outer)), length)
            : inner == 1
                ? reduce(held.reshape(Shape.of(length, outer)), Dimension.ROWS)
                : reduce(held.reshape(Shape.of(inner, length, outer)), Dimension.COLUMNS);
    return new Value.OnTape(dims, order, y);
  }

  private Tensor reduce(Tensor x, Dimension over) {
    return switch (this) {
      case SUM -> x.sum(over);
      case MEAN -> x.mean(over);
      case MAX -> x.max(over);
      default -> throw new IllegalStateException(toString());
    };
  }

  private static Tensor product(Tensor x, int length) {
    Tensor product = x.columns(0, 1);
    for (int i = 1; i < length; i++) {
      product = product.mul(x.columns(i, i + 1));
    }
    return product;
  }

  // On the host.

  private Value onHost(Call call, Value x, int... axes) {
    Dims dims = x.dims();
    int[] kept =
        IntStream.range(0, dims.rank())
            .filter(i -> Arrays.stream(axes).noneMatch(a -> a == i))
            .toArray();
    int[] last = IntStream.concat(Arrays.stream(kept), Arrays.stream(axes)).toArray();
    Value moved = Rearranging.permute(call, x, last);
    Dims result = dims;
    for (int axis : axes) {
      result = result.with(axis, 1);
    }
    int length = moved.dims().product(kept.length, dims.rank());
    if (length == 0 && (this == MEAN || moved instanceof Value.Integers)) {
      throw call.refuse("no value in dimensions %s of %s".formatted(Arrays.toString(axes), dims));
    }
    if (moved instanceof Value.Integers integers) {
      long[] results = new long[result.count()];
      for (int i = 0; i < results.length; i++) {
        results[i] = integers.type().narrow(of(integers.values(), i * length, length));
      }
      return new Value.Integers(integers.type(), result, results);
    }
    float[] values = ((Value.Reals) moved).values();
    float[] results = new float[result.count()];
    for (int i = 0; i < results.length; i++) {
      results[i] = (float) of(values, i * length, length);
    }
    return new Value.Reals(result, results);
  }

  private long of(long[] values, int from, int length) {
    long result = values[from];
    for (int i = from + 1; i < from + length; i++) {
      result =
          switch (this) {
            case SUM, MEAN -> result + values[i];
            case MAX -> Math.max(result, values[i]);
            case MIN -> Math.min(result, values[i]);
            case PRODUCT -> result * values[i];
          };
    }
    return this == MEAN ? result / length : result;
  }

  private double of(float[] values, int from, int length) {
    double result = length == 0 ? ofNone() : values[from];
    for (int i = from + 1; i < from + length; i++) {
      result =
          switch (this) {
            case SUM, MEAN -> result + values[i];
            case MAX -> Math.max(result, values[i]);
            case MIN -> Math.min(result, values[i]);
            case PRODUCT -> result * values[i];
          };
    }
    return this == MEAN ? result / length : result;
  }

  private double ofNone() {
    return switch (this) {
      case MAX -> Double.NEGATIVE_INFINITY;
      case MIN -> Double.POSITIVE_INFINITY;
      case PRODUCT -> 1;
      default -> 0;
    };
  }
}
