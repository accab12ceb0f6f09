package io.recur.io.onnx;

import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.function.BinaryOperator;
import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A function of two values at each place, where dimensions of size 1 are repeated: on a device, and
 * of floats and of integers on the host.
 *
 * @param onTape for tensors of shapes of which one column, one row or one value is repeated
 * @param real for floats on the host, computed in double and rounded once
 * @param whole for integers; null where there is none
 * @param isBoolean whether the result is true or false; on a device 1 or 0
 */
record Pairs(
    BinaryOperator<Tensor> onTape,
    DoubleBinaryOperator real,
    @Nullable LongBinaryOperator whole,
    boolean isBoolean) {

  Value of(Call call, Value a, Value b) {
    if (a instanceof Value.OnTape || b instanceof Value.OnTape) {
      return of(call, floats(call, a), floats(call, b));
    }
    Dims dims = call.host(a.dims().broadcast(b.dims()));
    Value left = Rearranging.expanded(call, a, dims);
    Value right = Rearranging.expanded(call, b, dims);
    if (left instanceof Value.Reals x && right instanceof Value.Reals y) {
      return isBoolean ? compared(dims, x, y) : computed(dims, x, y);
    }
    if (whole != null && left instanceof Value.Integers x && right instanceof Value.Integers y) {
      return computed(dims, x, y);
    }
    throw call.refuse(
        "%s and %s; need %s of one type"
            .formatted(kind(a), kind(b), whole == null ? "floats" : "floats or integers"));
  }

  private static String kind(Value x) {
    return (x instanceof Value.Integers i ? i.type() : ElementType.FLOAT) + x.dims().toString();
  }

  private static Value computed(Dims dims, Value.Reals x, Value.Reals y, DoubleBinaryOperator f) {
    float[] results = new float[dims.count()];
    for (int i = 0; i < results.length; i++) {
      results[i] = (float) f.applyAsDouble(x.values()[i], y.values()[i]);
    }
    return new Value.Reals(dims, results);
  }

  private Value computed(Dims dims, Value.Reals x, Value.Reals y) {
    return computed(dims, x, y, real);
  }

  private Value compared(Dims dims, Value.Reals x, Value.Reals y) {
    long[] results = new long[dims.count()];
    for (int i = 0; i < results.length; i++) {
      results[i] = (long) real.applyAsDouble(x.values()[i], y.values()[i]);
    }
    return new Value.Integers(ElementType.BOOL, dims, results);
  }

  private Value computed(Dims dims, Value.Integers x, Value.Integers y) {
    ElementType type = isBoolean ? ElementType.BOOL : x.type();
    long[] results = new long[dims.count()];
    for (int i = 0; i < results.length; i++) {
      results[i] = type.narrow(whole.applyAsLong(x.values()[i], y.values()[i]));
    }
    return new Value.Integers(type, dims, results);
  }

  /** Floats on the tape or a parameter; booleans on the host become 1 and 0. */
  static Value.OnTape floats(Call call, Value x) {
    if (x instanceof Value.Integers mask && mask.type() == ElementType.BOOL) {
      return Rearranging.lifted(call, new Value.Reals(mask.dims(), mask.floats()));
    }
    return x instanceof Value.OnTape on ? on : Rearranging.lifted(call, x);
  }

  private Value.OnTape of(Call call, Value.OnTape a, Value.OnTape b) {
    if (a.held().tape() == null && b.held().tape() == null) {
      return of(call, Rearranging.lifted(call, a), b);
    }
    if (a.dims().equals(b.dims()) && Order.isSame(a.dims(), a.order(), b.order())) {
      Tensor other =
          b.held().shape().equals(a.held().shape()) ? b.held() : Order.arranged(b, a.order());
      return new Value.OnTape(a.dims(), a.order(), onTape.apply(a.held(), other));
    }
    Dims dims = a.dims().broadcast(b.dims());
    int[] order = (a.dims().count() >= b.dims().count() ? a : b).order();
    while (order.length < dims.rank()) {
      order = Order.inserted(order, 0);
    }
    return repeated(call, dims, order, aligned(a, dims.rank()), aligned(b, dims.rank()));
  }

  private static Value.OnTape aligned(Value.OnTape x, int rank) {
    Value.OnTape all = x;
    while (all.dims().rank() < rank) {
      all = (Value.OnTape) Rearranging.unsqueezed(all, 0);
    }
    return all;
  }

  /** Operands of which one or both are repeated. */
  private Value.OnTape repeated(Call call, Dims dims, int[] order, Value.OnTape a, Value.OnTape b) {
    int split = split(dims, order, a.dims(), b.dims());
    if (split < 0) { // neither rows nor columns alone: the smaller operand, or both, in full
      return a.dims().equals(dims)
          ? repeated(call, dims, order, a, full(call, b, dims))
          : repeated(call, dims, order, full(call, a, dims), b);
    }
    Tensor y = onTape.apply(matrix(call, a, order, split), matrix(call, b, order, split));
    return new Value.OnTape(dims, order, y);
  }

  private static Value.OnTape full(Call call, Value.OnTape x, Dims dims) {
    return (Value.OnTape) Rearranging.expanded(call, x, dims);
  }

  /**
   * How many of the fast dimensions are rows, so that each operand has, or repeats, all rows, and
   * has, or repeats, all columns; −1 if there is no such number.
   */
  private static int split(Dims dims, int[] order, Dims a, Dims b) {
    int split = 0;
    int changes = 0;
    int before = -1; // the next faster dimension that counts
    for (int i = order.length - 1; i >= 0; i--) {
      int axis = order[i];
      if (dims.size(axis) == 1) {
        continue;
      }
      if (before >= 0
          && (isRepeated(dims, a, axis) != isRepeated(dims, a, before)
              || isRepeated(dims, b, axis) != isRepeated(dims, b, before))) {
        changes++;
        split = order.length - 1 - i;
      }
      before = axis;
    }
    return changes > 1 ? -1 : changes == 0 ? order.length : split;
  }

  private static boolean isRepeated(Dims dims, Dims operand, int axis) {
    return operand.size(axis) != dims.size(axis);
  }

  /** The operand as rows × columns, of which each may be 1. */
  private static Tensor matrix(Call call, Value.OnTape x, int[] order, int split) {
    int rows = 1;
    for (int i = order.length - split; i < order.length; i++) {
      rows *= x.dims().size(order[i]);
    }
    Value.OnTape on = Order.isSame(x.dims(), x.order(), order) ? x : Rearranging.lifted(call, x);
    return Order.arranged(on, order).reshape(Shape.of(rows, x.dims().count() / rows));
  }
}
