package io.recur.io.onnx;

import io.recur.grad.Functions;
import io.recur.grad.Tensor;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongUnaryOperator;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Functions of one value at each place. */
final class FunctionOperators {
  private static final float INFINITY = Float.POSITIVE_INFINITY;

  /**
   * Chebyshev coefficients of log(erfc(z)·e^(z²)/t) in t (Press et al., Numerical Recipes, 6.2).
   */
  private static final List<Float> ERFC =
      List.of(
          0.17087277f,
          -0.82215223f,
          1.48851587f,
          -1.13520398f,
          0.27886807f,
          -0.18628806f,
          0.09678418f,
          0.37409196f,
          1.00002368f,
          -1.26551223f);

  static final List<Operator> ALL =
      List.of(
          function("Abs", Functions::abs, Math::abs, Math::abs),
          function("Neg", Functions::negate, x -> -x, x -> -x),
          function("Sqrt", Functions::sqrt, Math::sqrt, null),
          function("Exp", Functions::exp, Math::exp, null),
          function("Log", Functions::log, Math::log, null),
          function("Reciprocal", Functions::reciprocal, x -> 1 / x, null),
          function("Sin", Functions::sin, Math::sin, null),
          function("Cos", Functions::cos, Math::cos, null),
          function("Floor", null, Math::floor, null),
          function("Ceil", null, Math::ceil, null),
          function("Not", x -> x.rsub(1), x -> x == 0 ? 1 : 0, x -> x == 0 ? 1 : 0),
          onTape("Relu", setup -> Functions::relu),
          onTape("Sigmoid", setup -> Functions::sigmoid),
          onTape("Tanh", setup -> Functions::tanh),
          onTape("Softplus", setup -> Functions::softplus),
          onTape("Softsign", setup -> Functions::softsign),
          onTape("Erf", setup -> FunctionOperators::erf),
          onTape("Gelu", FunctionOperators::gelu).with("approximate", Attribute.Kind.TEXT),
          onTape("HardSwish", setup -> x -> x.mul(x.scale(1 / 6f).add(0.5f).clamp(0, 1))),
          onTape("Mish", setup -> x -> x.mul(Functions.tanh(Functions.softplus(x)))),
          onTape("LeakyRelu", FunctionOperators::leakyRelu).with("alpha", Attribute.Kind.REAL),
          onTape("Elu", setup -> x -> elu(x, alpha(setup, 1))).with("alpha", Attribute.Kind.REAL),
          onTape("Celu", FunctionOperators::celu).with("alpha", Attribute.Kind.REAL),
          onTape("Selu", FunctionOperators::selu)
              .with("alpha", Attribute.Kind.REAL)
              .with("gamma", Attribute.Kind.REAL),
          onTape("HardSigmoid", FunctionOperators::hardSigmoid)
              .with("alpha", Attribute.Kind.REAL)
              .with("beta", Attribute.Kind.REAL),
          onTape("ThresholdedRelu", FunctionOperators::thresholded)
              .with("alpha", Attribute.Kind.REAL),
          Operator.of("Clip", 1, 3, FunctionOperators::clip)
              .with("min", Attribute.Kind.REAL)
              .with("max", Attribute.Kind.REAL)
              .folding());

  private FunctionOperators() {}

  /** Prepares the function of a node. */
  private interface Function {
    UnaryOperator<Tensor> of(Setup setup);
  }

  private static Operator onTape(String type, Function function) {
    return Operator.of(
        type,
        1,
        1,
        setup -> {
          UnaryOperator<Tensor> f = function.of(setup);
          return call -> List.of(map(Rearranging.lifted(call, call.value(0)), f));
        });
  }

  private static Value map(Value.OnTape x, UnaryOperator<Tensor> f) {
    return new Value.OnTape(x.dims(), x.order(), f.apply(x.held()));
  }

  /** A function that folds. Without one of tensors, the values of a device are read. */
  private static Operator function(
      String type,
      @Nullable UnaryOperator<Tensor> onTape,
      DoubleUnaryOperator real,
      @Nullable LongUnaryOperator whole) {
    return Operator.of(type, 1, 1, setup -> call -> List.of(apply(call, onTape, real, whole)))
        .folding();
  }

  private static Value apply(
      Call call,
      @Nullable UnaryOperator<Tensor> onTape,
      DoubleUnaryOperator real,
      @Nullable LongUnaryOperator whole) {
    Value x = call.value(0);
    if (x instanceof Value.Integers integers && whole != null) {
      long[] results = integers.integers();
      for (int i = 0; i < results.length; i++) {
        results[i] = integers.type().narrow(whole.applyAsLong(results[i]));
      }
      return new Value.Integers(integers.type(), x.dims(), results);
    }
    if (x instanceof Value.OnTape on && onTape != null) {
      return map(Rearranging.lifted(call, on), onTape);
    }
    if (x instanceof Value.Integers) {
      throw call.refuse("integers; need floats");
    }
    float[] results = x.floats();
    for (int i = 0; i < results.length; i++) {
      results[i] = (float) real.applyAsDouble(results[i]);
    }
    return new Value.Reals(x.dims(), results);
  }

  private static float alpha(Setup setup, float other) {
    return setup.node().real("alpha", other);
  }

  private static Tensor negative(Tensor x) {
    return x.clamp(-INFINITY, 0);
  }

  private static UnaryOperator<Tensor> leakyRelu(Setup setup) {
    float alpha = alpha(setup, 0.01f);
    return alpha == 0.01f
        ? Functions::leakyRelu
        : x -> Functions.relu(x).add(negative(x).scale(alpha));
  }

  private static Tensor elu(Tensor x, float alpha) {
    return alpha == 1
        ? Functions.elu(x)
        : Functions.relu(x).add(Functions.elu(negative(x)).scale(alpha));
  }

  private static UnaryOperator<Tensor> celu(Setup setup) {
    float alpha = alpha(setup, 1);
    return x -> Functions.relu(x).add(Functions.elu(negative(x).scale(1 / alpha)).scale(alpha));
  }

  private static UnaryOperator<Tensor> selu(Setup setup) {
    float alpha = alpha(setup, 1.67326319217681884765625f);
    float gamma = setup.node().real("gamma", 1.05070102214813232421875f);
    return x -> elu(x, alpha).scale(gamma);
  }

  private static UnaryOperator<Tensor> hardSigmoid(Setup setup) {
    float alpha = alpha(setup, 0.2f);
    float beta = setup.node().real("beta", 0.5f);
    return x -> x.scale(alpha).add(beta).clamp(0, 1);
  }

  private static UnaryOperator<Tensor> thresholded(Setup setup) {
    float alpha = alpha(setup, 1);
    return x -> {
      Tensor above = Functions.relu(x.sub(alpha));
      return x.mul(above.greater(above.scale(0)));
    };
  }

  private static UnaryOperator<Tensor> gelu(Setup setup) {
    String form = setup.node().text("approximate", "none");
    return switch (form) {
      case "tanh" -> Functions::gelu;
      case "none" -> Functions::geluErf;
      default ->
          throw setup
              .node()
              .refuse("approximate=%s; need none or tanh".formatted(Wire.shown(form)));
    };
  }

  private static Tensor erf(Tensor x) {
    return erfc(x).rsub(1);
  }

  /** 1 − erf(x), within 1.2·10⁻⁷ of it relative to it, and some roundings. */
  private static Tensor erfc(Tensor x) {
    Tensor z = Functions.abs(x);
    Tensor t = Functions.reciprocal(z.scale(0.5f).add(1));
    Tensor sum = t.scale(ERFC.get(0)).add(ERFC.get(1));
    for (int i = 2; i < ERFC.size(); i++) {
      sum = sum.mul(t).add(ERFC.get(i));
    }
    Tensor right = t.mul(Functions.exp(sum.sub(Functions.square(z)))); // of |x|
    Tensor below = x.less(z); // 1 where x is negative
    Tensor sign = below.scale(-2).add(1);
    return sign.mul(right).add(below.scale(2)); // of −|x|: 2 less it
  }

  // Bounds.

  private static Operator.Evaluation clip(Setup setup) {
    if (setup.node().opset() < 11) {
      float low = setup.node().real("min", -INFINITY);
      float high = setup.node().real("max", INFINITY);
      return call -> List.of(clamped(call, call.value(0), low, high));
    }
    if (isNumber(setup, 1) && isNumber(setup, 2)) {
      float low = number(setup, 1, -INFINITY);
      float high = number(setup, 2, INFINITY);
      return call ->
          call.value(0) instanceof Value.Integers
              ? List.of(bounded(call))
              : List.of(clamped(call, call.value(0), low, high));
    }
    return call -> List.of(bounded(call));
  }

  /** Whether a bound is left out or a constant number. */
  private static boolean isNumber(Setup setup, int i) {
    return !setup.node().hasInput(i)
        || (setup.constant(i) instanceof Value.Reals reals && reals.dims().count() == 1);
  }

  private static float number(Setup setup, int i, float other) {
    if (!setup.node().hasInput(i)) {
      return other;
    }
    setup.claim(i);
    return setup.constantReals(i).values()[0];
  }

  /** Where low is above high, all is high. */
  private static Value clamped(Call call, Value x, float low, float high) {
    float least = Math.min(low, high);
    if (x instanceof Value.OnTape on) {
      return map(Rearranging.lifted(call, on), tensor -> tensor.clamp(least, high));
    }
    if (x instanceof Value.Integers) {
      throw call.refuse("integers; need floats in opset %d".formatted(call.node().opset()));
    }
    float[] results = x.floats();
    for (int i = 0; i < results.length; i++) {
      results[i] = Math.min(Math.max(results[i], least), high);
    }
    return new Value.Reals(x.dims(), results);
  }

  private static Value bounded(Call call) {
    Value result = call.value(0);
    result = call.has(1) ? ArithmeticOperators.MAXIMUM.of(call, result, call.value(1)) : result;
    return call.has(2) ? ArithmeticOperators.MINIMUM.of(call, result, call.value(2)) : result;
  }
}
