package io.recur.io.onnx;

import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;

/** Constants, sizes, types and ranges: what a graph computes on the host. */
final class HostOperators {
  private static final Attribute.Kind WHOLE = Attribute.Kind.WHOLE;

  static final List<Operator> ALL =
      List.of(
          Operator.of("Constant", 0, 0, HostOperators::constant)
              .with("value", Attribute.Kind.DATA)
              .with("value_float", Attribute.Kind.REAL)
              .with("value_floats", Attribute.Kind.REALS)
              .with("value_int", WHOLE)
              .with("value_ints", Attribute.Kind.WHOLES)
              .folding(),
          Operator.of("ConstantOfShape", 1, 1, HostOperators::filled)
              .with("value", Attribute.Kind.DATA)
              .folding(),
          Operator.of("Shape", 1, 1, setup -> HostOperators::shape)
              .with("start", WHOLE)
              .with("end", WHOLE)
              .folding(),
          Operator.of(
                  "Size",
                  1,
                  1,
                  setup -> call -> List.of(Value.of(Dims.of(), (long) call.dims(0).count())))
              .folding(),
          Operator.of("Cast", 1, 1, HostOperators::cast)
              .with("to", WHOLE)
              .with("saturate", WHOLE)
              .folding(),
          Operator.of("Range", 3, 3, setup -> HostOperators::range).folding(),
          Operator.of("ScatterElements", 3, 3, HostOperators::scatter)
              .with("axis", WHOLE)
              .with("reduction", Attribute.Kind.TEXT)
              .folding());

  private HostOperators() {}

  private static Operator.Evaluation constant(Setup setup) {
    Node node = setup.node();
    if (node.attributes().size() != 1) {
      throw node.refuse("%d values; need one".formatted(node.attributes().size()));
    }
    String name = node.attributes().keySet().iterator().next();
    Value value =
        switch (node.attributes().get(name)) {
          case Attribute.Data data -> data.value();
          case Attribute.Real real -> Value.of(Dims.of(), real.value());
          case Attribute.Reals reals -> Value.of(Dims.of(reals.values().length), reals.values());
          case Attribute.Whole whole -> Value.of(Dims.of(), whole.value());
          case Attribute.Wholes wholes ->
              Value.of(Dims.of(wholes.values().length), wholes.values());
          default -> throw node.refuse("attribute " + name + "; need numbers");
        };
    return call -> List.of(value);
  }

  private static Operator.Evaluation filled(Setup setup) {
    Value given = setup.node().data("value");
    Value number = given == null ? Value.of(Dims.of(), 0f) : given;
    if (number.dims().count() != 1) {
      throw setup.node().refuse("value is %s; need one number".formatted(number.dims()));
    }
    return call -> {
      Dims dims = call.host(Dims.of(call.sizes(0)));
      if (number instanceof Value.Integers integers) {
        long[] values = new long[dims.count()];
        Arrays.fill(values, integers.values()[0]);
        return List.of(new Value.Integers(integers.type(), dims, values));
      }
      float[] values = new float[dims.count()];
      Arrays.fill(values, number.floats()[0]);
      return List.of(new Value.Reals(dims, values));
    };
  }

  private static List<Value> shape(Call call) {
    Dims dims = call.dims(0);
    int start = bound(dims, call.node().whole("start", 0));
    int end = bound(dims, call.node().whole("end", dims.rank()));
    long[] sizes = new long[Math.max(0, end - start)];
    Arrays.setAll(sizes, i -> dims.size(start + i));
    return List.of(Value.of(Dims.of(sizes.length), sizes));
  }

  private static int bound(Dims dims, long axis) {
    return Math.clamp(axis < 0 ? axis + dims.rank() : axis, 0, dims.rank());
  }

  // Types.

  private static Operator.Evaluation cast(Setup setup) {
    ElementType to = ElementType.of(setup.node().whole("to", 0));
    if (!to.isFloat() && !to.isInteger()) {
      throw setup.node().refuse("to=%s; need floats, integers or booleans".formatted(to));
    }
    return call -> List.of(cast(call, call.value(0), to));
  }

  /** Floats stay float32. A boolean of a tensor stays on the device; an integer is read from it. */
  private static Value cast(Call call, Value x, ElementType to) {
    if (to.isFloat()) {
      return x instanceof Value.Integers ? new Value.Reals(x.dims(), x.floats()) : x;
    }
    if (to == ElementType.BOOL && x instanceof Value.OnTape on) {
      Value.OnTape lifted = Rearranging.lifted(call, on);
      Tensor isZero = lifted.held().equal(call.tape().input(0f));
      return new Value.OnTape(on.dims(), on.order(), isZero.rsub(1));
    }
    long[] results = new long[x.dims().count()];
    if (x instanceof Value.Integers integers) {
      Arrays.setAll(results, i -> to.narrow(integers.values()[i]));
    } else {
      float[] floats = x.floats();
      boolean isBoolean = to == ElementType.BOOL;
      Arrays.setAll(
          results, i -> isBoolean ? (floats[i] != 0 ? 1 : 0) : to.narrow((long) floats[i]));
    }
    return new Value.Integers(to, x.dims(), results);
  }

  private static List<Value> range(Call call) {
    if (call.value(0) instanceof Value.Integers first) {
      long start = call.integer(0);
      long delta = call.integer(2);
      long[] values = new long[count(call, call.integer(1) - start, delta)];
      Arrays.setAll(values, i -> start + i * delta);
      return List.of(new Value.Integers(first.type(), Dims.of(values.length), values));
    }
    double start = call.real(0);
    double delta = call.real(2);
    float[] values = new float[count(call, call.real(1) - start, delta)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (start + i * delta);
    }
    return List.of(new Value.Reals(Dims.of(values.length), values));
  }

  private static int count(Call call, double length, double delta) {
    double count = Math.max(0, Math.ceil(length / delta));
    if (!(count <= Call.MOST_ON_HOST)) {
      throw call.refuse(
          "limit − start=%s, delta=%s; need %d values or fewer"
              .formatted(length, delta, Call.MOST_ON_HOST));
    }
    return (int) count;
  }

  // Scattering.

  private static Operator.Evaluation scatter(Setup setup) {
    String reduction = setup.node().text("reduction", "none");
    Pairs combine =
        switch (reduction) {
          case "none" -> new Pairs((a, b) -> b, (a, b) -> b, (a, b) -> b, false);
          case "add" -> ArithmeticOperators.ADD;
          case "mul" -> ArithmeticOperators.MULTIPLY;
          case "max" -> ArithmeticOperators.MAXIMUM;
          case "min" -> ArithmeticOperators.MINIMUM;
          default ->
              throw setup
                  .node()
                  .refuse(
                      "reduction=%s; need none, add, mul, max or min"
                          .formatted(Wire.shown(reduction)));
        };
    return call -> List.of(scattered(call, combine));
  }

  private static Value scattered(Call call, Pairs combine) {
    if (!call.isOnHost()) {
      throw call.refuse("floats that depend on an input; this operator computes on the host alone");
    }
    int[] places = places(call);
    if (call.value(0) instanceof Value.Integers data) {
      long[] results = data.integers();
      long[] updates = call.integers(2);
      for (int i = 0; i < places.length; i++) {
        long both = combine.whole().applyAsLong(results[places[i]], updates[i]);
        results[places[i]] = data.type().narrow(both);
      }
      return new Value.Integers(data.type(), data.dims(), results);
    }
    float[] results = call.value(0).floats();
    float[] updates = call.reals(2);
    for (int i = 0; i < places.length; i++) {
      results[places[i]] = (float) combine.real().applyAsDouble(results[places[i]], updates[i]);
    }
    return new Value.Reals(call.dims(0), results);
  }

  /** Where each update goes. */
  private static int[] places(Call call) {
    Dims dims = call.dims(0);
    Dims given = call.dims(1);
    int axis = dims.axis(call.node().whole("axis", 0));
    boolean fits = given.equals(call.dims(2)) && given.rank() == dims.rank();
    for (int i = 0; fits && i < dims.rank(); i++) {
      fits = i == axis || given.size(i) <= dims.size(i);
    }
    if (!fits) {
      throw call.refuse(
          "data=%s, indices=%s, updates=%s; need indices and updates of one size within data's"
              .formatted(dims, given, call.dims(2)));
    }
    int[] indexes = call.sizes(1);
    int[] places = new int[indexes.length];
    int size = dims.size(axis);
    for (int i = 0; i < places.length; i++) {
      if (indexes[i] < -size || indexes[i] >= size) {
        throw call.refuse(
            "index %d of %s, dimension %d; need -%d ≤ index < %d"
                .formatted(indexes[i], dims, axis, size, size));
      }
      int rest = i;
      for (int k = dims.rank() - 1; k >= 0; k--) {
        int at = k == axis ? Math.floorMod(indexes[i], size) : rest % given.size(k);
        places[i] += at * dims.stride(k);
        rest /= given.size(k);
      }
    }
    return places;
  }
}
