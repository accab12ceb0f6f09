package io.recur.io.onnx;

import io.recur.grad.Functions;
import io.recur.grad.Shape;
import io.recur.grad.Softmax;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Reductions over dimensions, and the softmax. */
final class ReductionOperators {
  private static final Attribute.Kind WHOLE = Attribute.Kind.WHOLE;

  static final List<Operator> ALL =
      List.of(
          reduction("ReduceSum", 13, Reducing.SUM, null, null),
          reduction("ReduceMean", 18, Reducing.MEAN, null, null),
          reduction("ReduceMax", 18, Reducing.MAX, null, null),
          reduction("ReduceMin", 18, Reducing.MIN, null, null),
          reduction("ReduceProd", 18, Reducing.PRODUCT, null, null),
          reduction("ReduceL1", 18, Reducing.SUM, new Each(Functions::abs, Math::abs), null),
          reduction(
              "ReduceSumSquare", 18, Reducing.SUM, new Each(Functions::square, x -> x * x), null),
          reduction(
              "ReduceL2",
              18,
              Reducing.SUM,
              new Each(Functions::square, x -> x * x),
              new Each(Functions::sqrt, Math::sqrt)),
          pool("GlobalAveragePool", Reducing.MEAN),
          pool("GlobalMaxPool", Reducing.MAX),
          reduction("ReduceLogSum", 18, Reducing.SUM, null, new Each(Functions::log, Math::log)),
          Operator.of("ReduceLogSumExp", 1, 2, setup -> ReductionOperators::logSumExp)
              .with("axes", Attribute.Kind.WHOLES)
              .with("keepdims", WHOLE)
              .with("noop_with_empty_axes", WHOLE),
          Operator.of("Softmax", 1, 1, setup -> call -> List.of(softmax(call, Softmax::softmax)))
              .with("axis", WHOLE),
          Operator.of(
                  "LogSoftmax", 1, 1, setup -> call -> List.of(softmax(call, Softmax::logSoftmax)))
              .with("axis", WHOLE));

  private ReductionOperators() {}

  /** A function of each value, on a device and on the host. */
  private record Each(UnaryOperator<Tensor> onTape, DoubleUnaryOperator onHost) {
    static Value of(Call call, @Nullable Each map, Value x) {
      if (map == null) {
        return x;
      }
      if (x instanceof Value.OnTape on) {
        Value.OnTape lifted = Rearranging.lifted(call, on);
        return new Value.OnTape(on.dims(), on.order(), map.onTape.apply(lifted.held()));
      }
      if (x instanceof Value.Integers) {
        throw call.refuse("integers; need floats");
      }
      float[] values = x.floats();
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) map.onHost.applyAsDouble(values[i]);
      }
      return new Value.Reals(x.dims(), values);
    }
  }

  /**
   * A reduction.
   *
   * @param asInput the opset from which on the axes are an input
   */
  private static Operator reduction(
      String type, int asInput, Reducing kind, @Nullable Each before, @Nullable Each after) {
    return Operator.of(
            type,
            1,
            2,
            setup -> {
              if (setup.node().opset() < asInput && setup.node().hasInput(1)) {
                throw setup
                    .node()
                    .refuse(
                        "axes as an input in opset %d; need the attribute"
                            .formatted(setup.node().opset()));
              }
              return call -> {
                int[] axes = axes(call);
                Value reduced = kind.over(call, Each.of(call, before, call.value(0)), axes);
                return List.of(kept(call, Each.of(call, after, reduced), axes));
              };
            })
        .with("axes", Attribute.Kind.WHOLES)
        .with("keepdims", WHOLE)
        .with("noop_with_empty_axes", WHOLE)
        .folding();
  }

  /** Over all dimensions behind those of the batch and the features. */
  private static Operator pool(String type, Reducing kind) {
    return Operator.of(
        type,
        1,
        1,
        setup ->
            call -> {
              int rank = call.dims(0).rank();
              if (rank < 3) {
                throw call.refuse("x=%s; need 3 dimensions or more".formatted(call.dims(0)));
              }
              return List.of(kind.over(call, call.value(0), IntStream.range(2, rank).toArray()));
            });
  }

  /** All where there are none, unless the node says none. PyTorch writes axis 0 of one number. */
  private static int[] axes(Call call) {
    Dims dims = call.dims(0);
    int[] given = RearrangingOperators.axes(call, "axes", 1);
    if (dims.rank() == 0 && given != null && Arrays.equals(given, new int[] {0})) {
      return new int[0];
    }
    if (given != null && given.length > 0) {
      return RearrangingOperators.axes(call, dims, given);
    }
    return call.node().flag("noop_with_empty_axes", false)
        ? new int[0]
        : IntStream.range(0, dims.rank()).toArray();
  }

  private static Value kept(Call call, Value x, int... axes) {
    Value result = x;
    if (!call.node().flag("keepdims", true)) {
      for (int i = axes.length - 1; i >= 0; i--) {
        result = Rearranging.squeezed(result, axes[i]);
      }
    }
    return result;
  }

  /** The largest value goes before the exponential, so that none is too large. */
  private static List<Value> logSumExp(Call call) {
    int[] axes = axes(call);
    Value x = Rearranging.lifted(call, call.value(0));
    Value largest = Reducing.MAX.over(call, x, axes);
    Value below = ArithmeticOperators.ADD.of(call, x, mapped(largest, Functions::negate));
    Value sum = Reducing.SUM.over(call, mapped(below, Functions::exp), axes);
    Value result = ArithmeticOperators.ADD.of(call, mapped(sum, Functions::log), largest);
    return List.of(kept(call, result, axes));
  }

  private static Value mapped(Value x, UnaryOperator<Tensor> f) {
    Value.OnTape on = (Value.OnTape) x;
    return new Value.OnTape(on.dims(), on.order(), f.apply(on.held()));
  }

  /** Over one dimension, which is made contiguous; before opset 13 over it and all behind it. */
  private static Value softmax(Call call, UnaryOperator<Tensor> f) {
    boolean isOld = call.node().opset() < 13;
    Value.OnTape x = Rearranging.lifted(call, call.value(0));
    Dims dims = x.dims();
    int axis = dims.axis(call.node().whole("axis", isOld ? 1 : -1));
    int rows = isOld ? dims.product(axis, dims.rank()) : dims.size(axis);
    int[] order = isOld ? Order.plain(dims.rank()) : Order.contiguous(x.order(), axis);
    Tensor columns = Order.arranged(x, order).reshape(Shape.of(rows, dims.count() / rows));
    return new Value.OnTape(dims, order, f.apply(columns));
  }
}
