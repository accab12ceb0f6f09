package io.recur.io.onnx;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The largest or smallest values along a dimension, and where they are. Places are integers on the
 * host: those of floats on a device are found by reading these.
 */
final class SortOperators {
  private static final Attribute.Kind WHOLE = Attribute.Kind.WHOLE;

  static final List<Operator> ALL =
      List.of(
          Operator.of("TopK", 1, 2, setup -> SortOperators::top)
              .outputs(2)
              .with("axis", WHOLE)
              .with("k", WHOLE)
              .with("largest", WHOLE)
              .with("sorted", WHOLE)
              .folding(),
          best("ArgMax", true),
          best("ArgMin", false));

  private SortOperators() {}

  private static List<Value> top(Call call) {
    Dims dims = call.dims(0);
    int axis = dims.axis(call.node().whole("axis", -1));
    long k = call.node().opset() < 10 ? call.node().whole("k", -1) : call.integer(1);
    if (k < 0 || k > dims.size(axis)) {
      throw call.refuse(
          "k=%d of %s, dimension %d; need 0 ≤ k ≤ %d".formatted(k, dims, axis, dims.size(axis)));
    }
    Sorted sorted = new Sorted(call, axis, call.node().flag("largest", true), false);
    return List.of(sorted.values((int) k), sorted.indexes((int) k));
  }

  private static Operator best(String type, boolean isLargest) {
    return Operator.of(
            type,
            1,
            1,
            setup -> {
              boolean isLast = setup.node().flag("select_last_index", false);
              boolean keeps = setup.node().flag("keepdims", true);
              return call -> {
                int axis = call.dims(0).axis(call.node().whole("axis", 0));
                if (call.dims(0).size(axis) == 0) {
                  throw call.refuse("%s has no value".formatted(call.dims(0)));
                }
                Value one = new Sorted(call, axis, isLargest, isLast).indexes(1);
                return List.of(keeps ? one : Rearranging.squeezed(one, axis));
              };
            })
        .with("axis", WHOLE)
        .with("keepdims", WHOLE)
        .with("select_last_index", WHOLE)
        .folding();
  }

  /** The values along a dimension in order: of equal ones the first comes first, or the last. */
  private static final class Sorted {
    private final Call call;
    private final int[] axes;
    private final Value last;
    private final int size;

    /** For each run of values the indexes within it, in order. */
    private final int[][] order;

    Sorted(Call call, int axis, boolean isLargest, boolean isLast) {
      this.call = call;
      int rank = call.dims(0).rank();
      this.axes =
          IntStream.concat(IntStream.range(0, rank).filter(i -> i != axis), IntStream.of(axis))
              .toArray();
      this.last = Rearranging.permute(call, call.value(0), axes);
      this.size = call.dims(0).size(axis);
      int runs = last.dims().product(0, rank - 1);
      this.order = new int[runs][];
      long[] whole = last instanceof Value.Integers integers ? integers.values() : null;
      float[] reals = whole == null ? last.floats() : null;
      for (int run = 0; run < runs; run++) {
        int from = run * size;
        order[run] =
            IntStream.range(0, size)
                .boxed()
                .sorted(
                    (i, j) -> {
                      int compared =
                          whole != null
                              ? Long.compare(whole[from + i], whole[from + j])
                              : Float.compare(reals[from + i], reals[from + j]);
                      compared = isLargest ? -compared : compared;
                      return compared != 0 ? compared : isLast ? j - i : i - j;
                    })
                .mapToInt(i -> i)
                .toArray();
      }
    }

    Value indexes(int k) {
      Dims dims = dims(k);
      long[] indexes = new long[dims.count()];
      for (int i = 0; i < indexes.length; i++) {
        indexes[i] = order[i / k][i % k];
      }
      return back(new Value.Integers(ElementType.INT64, dims, indexes));
    }

    Value values(int k) {
      int[] places = new int[order.length * k];
      Arrays.setAll(places, i -> i / k * size + order[i / k][i % k]);
      Value flat = Rearranging.resized(last, Dims.of(last.dims().count()));
      return back(Rearranging.resized(Rearranging.pick(call, flat, 0, places), dims(k)));
    }

    private Dims dims(int k) {
      return last.dims().with(axes.length - 1, k);
    }

    /** With the dimensions as they were. */
    private Value back(Value moved) {
      int[] now = new int[axes.length];
      for (int i = 0; i < axes.length; i++) {
        now[axes[i]] = i;
      }
      return Rearranging.permute(call, moved, now);
    }
  }
}
