package io.recur.io.onnx;

import io.recur.device.Dimension;
import io.recur.grad.Functions;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;

/** Normalisation as a trained model does it, and dropout, which then drops nothing. */
final class NormOperators {
  private static final Attribute.Kind REAL = Attribute.Kind.REAL;
  private static final Attribute.Kind WHOLE = Attribute.Kind.WHOLE;
  private static final float EPSILON = 1e-5f;

  static final List<Operator> ALL =
      List.of(
          Operator.of("BatchNormalization", 5, 5, NormOperators::batch)
              .with("epsilon", REAL)
              .with("momentum", REAL)
              .with("spatial", WHOLE)
              .with("training_mode", WHOLE),
          Operator.of("LayerNormalization", 2, 3, setup -> NormOperators::layer)
              .outputs(3)
              .with("axis", WHOLE)
              .with("epsilon", REAL)
              .with("stash_type", WHOLE),
          Operator.of("Dropout", 1, 3, NormOperators::dropout)
              .outputs(2)
              .with("ratio", REAL)
              .with("seed", WHOLE)
              .folding());

  private NormOperators() {}

  /**
   * {@code (x − mean)/√(variance + ε)∘scale + b}, each of the five given; mean and variance fixed.
   */
  private static Operator.Evaluation batch(Setup setup) {
    Node node = setup.node();
    if (node.flag("training_mode", false)) {
      throw node.refuse("training_mode=1; export the model for inference");
    }
    if (!node.flag("spatial", true)) {
      throw node.refuse("spatial=0; need 1");
    }
    float epsilon = node.real("epsilon", EPSILON);
    Value mean = setup.constant(3);
    Value variance = setup.constant(4);
    if (mean != null) {
      setup.claim(3);
    }
    if (variance != null) {
      setup.claim(4);
    }
    return call -> {
      Value x = Rearranging.lifted(call, call.value(0));
      int features = x.dims().rank() < 2 ? 0 : x.dims().size(1);
      Value spread = perFeature(call, variance != null ? variance : call.value(4), features);
      Value.OnTape deviation = Rearranging.lifted(call, spread);
      Tensor root = Functions.sqrt(deviation.held().add(epsilon));
      Value centre = perFeature(call, mean != null ? mean : call.value(3), features);
      Value y = ArithmeticOperators.SUBTRACT.of(call, x, aligned(centre, x));
      y = ArithmeticOperators.DIVIDE.of(call, y, aligned(new Value.OnTape(spread.dims(), root), x));
      y =
          ArithmeticOperators.MULTIPLY.of(
              call, y, aligned(perFeature(call, call.value(1), features), x));
      return List.of(
          ArithmeticOperators.ADD.of(
              call, y, aligned(perFeature(call, call.value(2), features), x)));
    };
  }

  private static Value perFeature(Call call, Value part, int features) {
    if (!part.dims().equals(Dims.of(features))) {
      throw call.refuse(
          "x=%s, a part of %s; need one value per index of dimension 1"
              .formatted(call.dims(0), part.dims()));
    }
    return part;
  }

  /** Of one value per feature those of size 1 in all dimensions but the second. */
  private static Value aligned(Value part, Value x) {
    int[] sizes = new int[x.dims().rank()];
    Arrays.fill(sizes, 1);
    sizes[1] = part.dims().count();
    return Rearranging.resized(part, Dims.of(sizes));
  }

  private static List<Value> layer(Call call) {
    Value.OnTape x = Rearranging.lifted(call, call.value(0));
    Dims dims = x.dims();
    int axis = dims.axis(call.node().whole("axis", -1));
    int rows = dims.product(axis, dims.rank());
    Tensor columns = x.tensor().reshape(Shape.of(rows, dims.count() / rows));
    Tensor mean = columns.mean(Dimension.ROWS);
    Tensor variance = columns.variance(Dimension.ROWS);
    Tensor deviation = Functions.sqrt(variance.add(call.node().real("epsilon", EPSILON)));
    Value y = new Value.OnTape(dims, columns.sub(mean).div(deviation));
    y = ArithmeticOperators.MULTIPLY.of(call, y, call.value(1));
    y = call.has(2) ? ArithmeticOperators.ADD.of(call, y, call.value(2)) : y;
    Dims one = dims;
    for (int i = axis; i < dims.rank(); i++) {
      one = one.with(i, 1);
    }
    return List.of(
        y, new Value.OnTape(one, mean), new Value.OnTape(one, Functions.reciprocal(deviation)));
  }

  private static Operator.Evaluation dropout(Setup setup) {
    for (int i = 1; i < 3; i++) {
      if (setup.constant(i) != null) {
        setup.claim(i);
      }
    }
    Value training = setup.constant(2);
    return call -> {
      Value mode = training != null || !call.has(2) ? training : call.value(2);
      if (mode != null && mode.floats()[0] != 0) {
        throw call.refuse("training_mode=true; export the model for inference");
      }
      if (!call.node().hasOutput(1)) {
        return List.of(call.value(0));
      }
      long[] all = new long[call.host(call.dims(0)).count()];
      Arrays.fill(all, 1);
      return List.of(call.value(0), new Value.Integers(ElementType.BOOL, call.dims(0), all));
    };
  }
}
