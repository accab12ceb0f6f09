package io.recur.io.onnx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The operator Pad: a number, the reflection, the edge or the other end of the values before and
 * after those of a dimension. A negative number of them takes values away.
 */
final class Padding {
  static final Operator PAD =
      Operator.of("Pad", 1, 4, Padding::of)
          .with("mode", Attribute.Kind.TEXT)
          .with("pads", Attribute.Kind.WHOLES)
          .with("value", Attribute.Kind.REAL)
          .folding();

  private final String mode;

  /** A constant to pad with; null where the node has none, or it depends on an input. */
  private final @Nullable Value known;

  private Padding(String mode, @Nullable Value known) {
    this.mode = mode;
    this.known = known;
  }

  private static Operator.Evaluation of(Setup setup) {
    String mode = setup.node().text("mode", "constant");
    if (!List.of("constant", "reflect", "edge", "wrap").contains(mode)) {
      throw setup
          .node()
          .refuse("mode=%s; need constant, reflect, edge or wrap".formatted(Wire.shown(mode)));
    }
    boolean isOld = setup.node().opset() < 11;
    Value known = isOld ? Value.of(Dims.of(), setup.node().real("value", 0)) : setup.constant(2);
    if (known != null && !isOld) {
      setup.claim(2);
    }
    return new Padding(mode, known)::run;
  }

  private List<Value> run(Call call) {
    Dims dims = call.dims(0);
    boolean isOld = call.node().opset() < 11;
    int[] pads = isOld ? RearrangingOperators.axes(call, "pads", call.inputs()) : call.sizes(1);
    int[] axes = !isOld && call.has(3) ? call.sizes(3) : IntStream.range(0, dims.rank()).toArray();
    if (pads == null || pads.length != 2 * axes.length) {
      throw call.refuse(
          "pads=%s of %s; need one before and one after each dimension"
              .formatted(Arrays.toString(pads), dims));
    }
    Value result = call.value(0);
    for (int i = 0; i < axes.length; i++) {
      result = padded(call, result, dims.axis(axes[i]), pads[i], pads[i + axes.length]);
    }
    return List.of(result);
  }

  private Value padded(Call call, Value x, int axis, int before, int after) {
    if (before == 0 && after == 0) {
      return x;
    }
    int from = Math.max(0, -before);
    int to = x.dims().size(axis) - Math.max(0, -after);
    if (from > to || (from == to && !mode.equals("constant"))) {
      throw call.refuse(
          "pads %d and %d of %s, dimension %d; need fewer taken away"
              .formatted(before, after, x.dims(), axis));
    }
    Value inside = Rearranging.part(call, x, axis, from, to);
    List<Value> parts = new ArrayList<>(3);
    if (before > 0) {
      parts.add(outside(call, inside, axis, before, i -> i - before));
    }
    parts.add(inside);
    if (after > 0) {
      parts.add(outside(call, inside, axis, after, i -> i + to - from));
    }
    return Rearranging.join(call, axis, parts);
  }

  /**
   * Values before or after those that there are: where each is, counted from the first of these.
   */
  private Value outside(Call call, Value x, int axis, int length, IntUnaryOperator place) {
    Dims dims = call.host(x.dims().with(axis, length));
    if (mode.equals("constant")) {
      return filled(call, x, dims);
    }
    int size = x.dims().size(axis);
    int[] indexes = new int[length];
    Arrays.setAll(indexes, i -> index(place.applyAsInt(i), size));
    return Rearranging.pick(call, x, axis, indexes);
  }

  private int index(int place, int size) {
    return switch (mode) {
      case "edge" -> Math.clamp(place, 0, size - 1);
      case "wrap" -> Math.floorMod(place, size);
      default -> {
        int period = Math.max(1, 2 * (size - 1));
        int within = Math.floorMod(place, period);
        yield Math.min(within, period - within);
      }
    };
  }

  private Value filled(Call call, Value x, Dims dims) {
    Value number = known == null && call.has(2) ? call.value(2) : known;
    if (number != null && number.dims().count() != 1) {
      throw call.refuse("the value is %s; need one".formatted(number.dims()));
    }
    if (number instanceof Value.OnTape on) {
      int[] ones = new int[dims.rank()];
      Arrays.fill(ones, 1);
      return Rearranging.expanded(call, Rearranging.resized(on, Dims.of(ones)), dims);
    }
    if (x instanceof Value.Integers integers) {
      long[] values = new long[dims.count()];
      Arrays.fill(values, number == null ? 0 : number.integers()[0]);
      return new Value.Integers(integers.type(), dims, values);
    }
    float[] values = new float[dims.count()];
    Arrays.fill(values, number == null ? 0 : number.floats()[0]);
    return new Value.Reals(dims, values);
  }
}
