package io.recur.io.onnx;

import io.recur.grad.Concat;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What moves values and computes none, for every kind of value: of a dimension the indexes in any
 * order, several values joined along one, the dimensions in another order, other dimensions of the
 * same values. Slice, Split, Gather, Expand, Tile and Pad are made of these.
 */
final class Rearranging {
  private Rearranging() {}

  /**
   * The indexes of a dimension in any order, each any number of times.
   *
   * @param call gives the tape
   * @param x the value
   * @param axis the dimension
   * @param indexes each 0 ≤ index &lt; its size
   */
  static Value pick(Call call, Value x, int axis, int... indexes) {
    Dims dims = x.dims();
    Dims picked = dims.with(axis, indexes.length);
    if (isAll(indexes, dims.size(axis))) {
      return x;
    }
    if (x instanceof Value.OnTape && picked.count() == 0) {
      return new Value.Reals(picked, new float[0]);
    }
    if (x instanceof Value.OnTape on) {
      return new Value.OnTape(picked, on.order(), picked(call, on, axis, indexes));
    }
    call.host(picked);
    int inner = dims.stride(axis);
    int size = dims.size(axis) * inner;
    int rows = indexes.length;
    Object from = array(x);
    Object to = array(x, picked.count());
    for (int outer = 0; outer < dims.product(0, axis); outer++) {
      for (int i = 0; i < rows; i++) {
        int at = outer * size + indexes[i] * inner;
        System.arraycopy(from, at, to, (outer * rows + i) * inner, inner);
      }
    }
    return of(x, picked, to);
  }

  private static boolean isAll(int[] indexes, int size) {
    return indexes.length == size && isRun(indexes);
  }

  /** Whether the indexes follow each other. */
  private static boolean isRun(int... indexes) {
    for (int i = 1; i < indexes.length; i++) {
      if (indexes[i] != indexes[0] + i) {
        return false;
      }
    }
    return true;
  }

  private static Tensor picked(Call call, Value.OnTape x, int axis, int... indexes) {
    int count = x.dims().count();
    int inner = Order.inner(x.dims(), axis, x.order());
    int size = x.dims().size(axis);
    int outer = count / (inner * size);
    int first = indexes[0];
    if (isRun(indexes) && outer == 1) { // a view of what is on the tape
      Tensor columns = x.held().reshape(Shape.of(inner, size));
      return onTape(call, columns.columns(first, first + indexes.length));
    }
    if (isRun(indexes)) {
      Tensor columns = x.held().reshape(Shape.of(inner * size, outer));
      return onTape(call, columns).rows(first * inner, (first + indexes.length) * inner);
    }
    int[] columns = new int[outer * indexes.length];
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < indexes.length; i++) {
        columns[o * indexes.length + i] = o * size + indexes[i];
      }
    }
    return taken(call, x.held().reshape(Shape.of(inner, size * outer)), columns);
  }

  /** Columns of a matrix; those of a parameter without a copy of it. */
  private static Tensor taken(Call call, Tensor x, int... columns) {
    if (x.tape() != null) {
      return x.take(columns);
    }
    Shape oneHot = Shape.of(x.shape().batch(), columns.length);
    return x.matmul(call.tape().oneHot(oneHot, columns));
  }

  static Tensor onTape(Call call, Tensor x) {
    return x.tape() == null ? call.tape().use(x) : x;
  }

  /** The indexes from one to before another. */
  static Value part(Call call, Value x, int axis, int from, int to) {
    int[] indexes = new int[to - from];
    Arrays.setAll(indexes, i -> from + i);
    return pick(call, x, axis, indexes);
  }

  /** Values joined along a dimension: all on the host, or all floats. */
  static Value join(Call call, int axis, List<Value> parts) {
    if (parts.size() == 1) {
      return parts.getFirst();
    }
    int length = 0;
    Value.OnTape first = null;
    for (Value part : parts) {
      length = Math.addExact(length, part.dims().size(axis));
      first = first == null && part instanceof Value.OnTape on ? on : first;
    }
    Dims dims = parts.getFirst().dims().with(axis, length);
    for (Value part : parts) {
      if (!part.dims().with(axis, length).equals(dims)) {
        throw call.refuse(
            "%s and %s; need equal sizes but for dimension %d"
                .formatted(parts.getFirst().dims(), part.dims(), axis));
      }
    }
    return first == null
        ? joined(call.host(dims), axis, parts)
        : new Value.OnTape(dims, first.order(), joined(call, first.order(), axis, parts));
  }

  private static Value joined(Dims dims, int axis, List<Value> parts) {
    Value first = parts.getFirst();
    Object to = array(first, dims.count());
    int row = dims.product(axis, dims.rank());
    int at = 0;
    for (Value part : parts) {
      if (part.getClass() != first.getClass()) {
        throw new IllegalArgumentException("floats and integers; need values of one type");
      }
      int run = part.dims().product(axis, dims.rank());
      Object from = array(part);
      for (int outer = 0; outer < dims.product(0, axis); outer++) {
        System.arraycopy(from, outer * run, to, outer * row + at, run);
      }
      at += run;
    }
    return of(first, dims, to);
  }

  private static Tensor joined(Call call, int[] order, int axis, List<Value> parts) {
    List<Tensor> tensors = new ArrayList<>(parts.size());
    boolean isColumns = true;
    for (Value part : parts) {
      if (part.dims().count() > 0) {
        Value.OnTape on = lifted(call, part);
        int inner = Order.inner(on.dims(), axis, order);
        int rows = inner * on.dims().size(axis);
        isColumns &= rows == on.dims().count();
        tensors.add(Order.arranged(on, order).reshape(Shape.of(rows, on.dims().count() / rows)));
      }
    }
    if (isColumns) { // one after the other
      tensors.replaceAll(x -> x.reshape(Shape.of(x.shape().count())));
    }
    return Concat.rows(tensors.toArray(Tensor[]::new));
  }

  /** Floats on the tape; those on the host are copied to it. */
  static Value.OnTape lifted(Call call, Value x) {
    return switch (x) {
      case Value.OnTape on ->
          on.held().tape() != null
              ? on
              : new Value.OnTape(on.dims(), on.order(), call.tape().use(on.held()));
      case Value.Reals reals ->
          new Value.OnTape(reals.dims(), call.tape().input(reals.dims().shape(), reals.values()));
      case Value.Integers integers ->
          throw call.refuse("%s%s; need floats".formatted(integers.type(), integers.dims()));
    };
  }

  /** The dimensions in another order; on a device nothing moves. */
  static Value permute(Call call, Value x, int... axes) {
    Dims dims = x.dims().permute(axes);
    if (x instanceof Value.OnTape given) {
      Value.OnTape on = lifted(call, given); // a parameter has ONNX's order
      return new Value.OnTape(dims, Order.transposed(on.order(), axes), on.held());
    }
    Object from = array(x);
    Object to = array(x, call.host(dims).count());
    int[] strides = new int[axes.length];
    Arrays.setAll(strides, i -> x.dims().stride(axes[i]));
    int[] index = new int[axes.length];
    int place = 0;
    for (int i = 0; i < dims.count(); i++) {
      System.arraycopy(from, place, to, i, 1);
      for (int axis = axes.length - 1; axis >= 0; axis--) {
        place += strides[axis];
        if (++index[axis] < dims.size(axis)) {
          break;
        }
        place -= strides[axis] * index[axis];
        index[axis] = 0;
      }
    }
    return of(x, dims, to);
  }

  /** The same values in other dimensions of the same count. */
  static Value resized(Value x, Dims dims) {
    return switch (x) {
      case Value.OnTape on -> new Value.OnTape(dims, on.tensor());
      case Value.Reals reals -> new Value.Reals(dims, reals.values());
      case Value.Integers integers -> new Value.Integers(integers.type(), dims, integers.values());
    };
  }

  /** Without a dimension of size 1. */
  static Value squeezed(Value x, int axis) {
    Dims dims = x.dims().without(axis);
    return x instanceof Value.OnTape on
        ? new Value.OnTape(dims, Order.without(on.order(), axis), on.held())
        : resized(x, dims);
  }

  /** With a dimension of size 1 before that of this number. */
  static Value unsqueezed(Value x, int axis) {
    Dims dims = x.dims().insert(axis, 1);
    return x instanceof Value.OnTape on
        ? new Value.OnTape(dims, Order.inserted(on.order(), axis), on.held())
        : resized(x, dims);
  }

  /** The value repeated to larger dimensions; those of size 1 are repeated. */
  static Value expanded(Call call, Value x, Dims to) {
    Value all = x;
    while (all.dims().rank() < to.rank()) {
      all = unsqueezed(all, 0);
    }
    for (int axis = 0; axis < to.rank(); axis++) {
      if (all.dims().size(axis) != to.size(axis)) {
        int repeats = call.host(all.dims().with(axis, to.size(axis))).size(axis);
        all = pick(call, all, axis, new int[repeats]);
      }
    }
    return all;
  }

  // Arrays of either type on the host.

  private static Object array(Value x) {
    return x instanceof Value.Integers integers ? integers.values() : ((Value.Reals) x).values();
  }

  private static Object array(Value like, int count) {
    return like instanceof Value.Integers ? new long[count] : new float[count];
  }

  private static Value of(Value like, Dims dims, Object array) {
    return like instanceof Value.Integers integers
        ? new Value.Integers(integers.type(), dims, (long[]) array)
        : new Value.Reals(dims, (float[]) array);
  }
}
