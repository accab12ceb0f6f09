package io.recur.io.onnx;

import io.recur.grad.Functions;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;

/** Arithmetic, comparisons and logic of two values, and a choice between two. */
final class ArithmeticOperators {
  private static final int LARGEST_POWER = 64;

  static final Pairs ADD = numbers(Tensor::add, Double::sum, Long::sum);
  static final Pairs SUBTRACT = numbers(Tensor::sub, (a, b) -> a - b, (a, b) -> a - b);
  static final Pairs DIVIDE = numbers(Tensor::div, (a, b) -> a / b, ArithmeticOperators::divided);
  static final Pairs MULTIPLY = numbers(Tensor::mul, (a, b) -> a * b, (a, b) -> a * b);
  static final Pairs MINIMUM = numbers(Tensor::minimum, Math::min, Math::min);
  static final Pairs MAXIMUM = numbers(Tensor::maximum, Math::max, Math::max);

  static final List<Operator> ALL =
      List.of(
          pair("Add", ADD),
          pair("Sub", SUBTRACT),
          pair("Mul", MULTIPLY),
          pair("Div", DIVIDE),
          pair("Equal", mask(Tensor::equal, (a, b) -> is(a == b), (a, b) -> is(a == b))),
          pair("Greater", mask(Tensor::greater, (a, b) -> is(a > b), (a, b) -> is(a > b))),
          pair(
              "GreaterOrEqual",
              mask(Tensor::greaterEqual, (a, b) -> is(a >= b), (a, b) -> is(a >= b))),
          pair("Less", mask(Tensor::less, (a, b) -> is(a < b), (a, b) -> is(a < b))),
          pair("LessOrEqual", mask(Tensor::lessEqual, (a, b) -> is(a <= b), (a, b) -> is(a <= b))),
          pair("And", mask(Tensor::mul, (a, b) -> a * b, (a, b) -> a & b)),
          pair("Or", mask(Tensor::maximum, Math::max, (a, b) -> a | b)),
          pair("Xor", mask((a, b) -> a.equal(b).rsub(1), (a, b) -> is(a != b), (a, b) -> a ^ b)),
          variadic("Sum", ADD),
          variadic("Max", MAXIMUM),
          variadic("Min", MINIMUM),
          Operator.of("Mean", 1, Operator.VARIADIC, setup -> ArithmeticOperators::mean).folding(),
          Operator.of("Mod", 2, 2, ArithmeticOperators::remainder)
              .with("fmod", Attribute.Kind.WHOLE)
              .folding(),
          Operator.of("Pow", 2, 2, ArithmeticOperators::power).folding(),
          Operator.of("PRelu", 2, 2, setup -> ArithmeticOperators::slope),
          Operator.of("Where", 3, 3, setup -> ArithmeticOperators::choice).folding());

  private ArithmeticOperators() {}

  private static Pairs numbers(
      BinaryOperator<Tensor> onTape, DoubleBinaryOperator real, LongBinaryOperator whole) {
    return new Pairs(onTape, real, whole, false);
  }

  private static Pairs mask(
      BinaryOperator<Tensor> onTape, DoubleBinaryOperator real, LongBinaryOperator whole) {
    return new Pairs(onTape, real, whole, true);
  }

  private static int is(boolean condition) {
    return condition ? 1 : 0;
  }

  private static long divided(long a, long b) {
    if (b == 0) {
      throw new IllegalArgumentException("%d/0; need a divisor that is not 0".formatted(a));
    }
    return a / b;
  }

  private static Operator pair(String type, Pairs pairs) {
    return Operator.of(
            type, 2, 2, setup -> call -> List.of(pairs.of(call, call.value(0), call.value(1))))
        .folding();
  }

  private static Operator variadic(String type, Pairs pairs) {
    return Operator.of(type, 1, Operator.VARIADIC, setup -> call -> List.of(all(call, pairs)))
        .folding();
  }

  private static Value all(Call call, Pairs pairs) {
    Value result = call.value(0);
    for (int i = 1; i < call.inputs(); i++) {
      result = pairs.of(call, result, call.value(i));
    }
    return result;
  }

  private static List<Value> mean(Call call) {
    Value share = Value.of(Dims.of(), 1f / call.inputs());
    return List.of(MULTIPLY.of(call, all(call, ADD), share));
  }

  private static Operator.Evaluation remainder(Setup setup) {
    boolean isOfDividend = setup.node().flag("fmod", false);
    Pairs pairs =
        numbers(
            (a, b) -> {
              throw setup.node().refuse("floats that depend on an input; need integers");
            },
            (a, b) -> a % b,
            (a, b) -> {
              divided(a, b);
              return isOfDividend ? a % b : Math.floorMod(a, b);
            });
    return call -> {
      if (!isOfDividend && !(call.value(0) instanceof Value.Integers)) {
        throw call.refuse("fmod=0 of floats; need fmod=1");
      }
      return List.of(pairs.of(call, call.value(0), call.value(1)));
    };
  }

  // Powers.

  private static Operator.Evaluation power(Setup setup) {
    Value known = setup.constant(1);
    if (known != null) {
      setup.claim(1);
    }
    return call -> {
      Value exponent = known != null ? known : call.value(1);
      if (call.value(0) instanceof Value.OnTape x) {
        return List.of(power(call, x, exponent));
      }
      return List.of(powers(call, call.value(0), exponent));
    };
  }

  private static Value power(Call call, Value.OnTape x, Value exponent) {
    if (exponent.dims().count() != 1) {
      throw call.refuse("exponents %s of floats; need one number".formatted(exponent.dims()));
    }
    Dims dims = x.dims().broadcast(exponent.dims());
    Value.OnTape base = Rearranging.lifted(call, x);
    Value y = new Value.OnTape(base.dims(), base.order(), power(base.held(), exponent.floats()[0]));
    return dims.equals(x.dims()) ? y : Rearranging.resized(y, dims);
  }

  /** An integer power is a product, so that the base may be negative. */
  private static Tensor power(Tensor x, float p) {
    if (p == 0.5f) {
      return Functions.sqrt(x);
    }
    if (p != Math.rint(p) || Math.abs(p) > LARGEST_POWER) {
      return Functions.exp(Functions.log(x).scale(p));
    }
    if (p == 0) {
      return x.equal(x);
    }
    Tensor square = x;
    Tensor product = null;
    for (int rest = (int) Math.abs(p); rest > 0; rest >>= 1) {
      if ((rest & 1) == 1) {
        product = product == null ? square : product.mul(square);
      }
      square = rest > 1 ? Functions.square(square) : square;
    }
    return p < 0 ? Functions.reciprocal(product) : product;
  }

  /** On the host; the result has the base's type. */
  private static Value powers(Call call, Value base, Value exponent) {
    Pairs powers = numbers((a, b) -> a, Math::pow, null);
    Value floats = powers.of(call, reals(base), reals(exponent));
    if (!(base instanceof Value.Integers integers)) {
      return floats;
    }
    Value all = Rearranging.expanded(call, base, floats.dims());
    double[] exponents = doubles(Rearranging.expanded(call, exponent, floats.dims()));
    long[] results = all.integers();
    for (int i = 0; i < results.length; i++) {
      results[i] = integers.type().narrow((long) Math.pow(results[i], exponents[i]));
    }
    return new Value.Integers(integers.type(), floats.dims(), results);
  }

  private static Value reals(Value x) {
    return x instanceof Value.Reals ? x : new Value.Reals(x.dims(), x.floats());
  }

  private static double[] doubles(Value x) {
    double[] doubles = new double[x.dims().count()];
    if (x instanceof Value.Integers integers) {
      Arrays.setAll(doubles, i -> integers.values()[i]);
    } else {
      float[] floats = x.floats();
      Arrays.setAll(doubles, i -> floats[i]);
    }
    return doubles;
  }

  // Choices.

  private static List<Value> slope(Call call) {
    Value.OnTape x = Rearranging.lifted(call, call.value(0));
    Value positive = new Value.OnTape(x.dims(), x.order(), Functions.relu(x.held()));
    Tensor below = x.held().clamp(Float.NEGATIVE_INFINITY, 0);
    Value negative = new Value.OnTape(x.dims(), x.order(), below);
    return List.of(ADD.of(call, positive, MULTIPLY.of(call, call.value(1), negative)));
  }

  /**
   * Where the condition holds the first value, else the second. On a device it is {@code max(min(a,
   * l), min(b, −l))}, where l is ∞ where the condition holds and −∞ elsewhere: infinite values
   * pass, and a not-a-number in either.
   */
  private static List<Value> choice(Call call) {
    Value a = call.value(1);
    Value b = call.value(2);
    if (!call.isOnHost()) {
      Value taken = limit(call, true);
      Value left = limit(call, false);
      return List.of(MAXIMUM.of(call, MINIMUM.of(call, a, taken), MINIMUM.of(call, b, left)));
    }
    Dims dims = a.dims().broadcast(b.dims()).broadcast(call.dims(0));
    call.host(dims);
    long[] conditions =
        Rearranging.expanded(
                call, new Value.Integers(ElementType.BOOL, call.dims(0), call.integers(0)), dims)
            .integers();
    Value first = Rearranging.resized(Rearranging.expanded(call, a, dims), Dims.of(dims.count()));
    Value second = Rearranging.resized(Rearranging.expanded(call, b, dims), Dims.of(dims.count()));
    Value both = Rearranging.join(call, 0, new ArrayList<>(List.of(first, second)));
    int[] places = new int[conditions.length];
    Arrays.setAll(places, i -> conditions[i] != 0 ? i : i + places.length);
    return List.of(Rearranging.resized(Rearranging.pick(call, both, 0, places), dims));
  }

  /** ∞ where the condition is as asked, −∞ elsewhere. */
  private static Value limit(Call call, boolean asked) {
    float sign = asked ? 1 : -1;
    if (call.value(0) instanceof Value.OnTape mask) {
      Tensor half = Rearranging.lifted(call, mask).held().sub(0.5f);
      return new Value.OnTape(
          mask.dims(), mask.order(), half.scale(sign * Float.POSITIVE_INFINITY));
    }
    long[] conditions = call.integers(0);
    float[] limits = new float[conditions.length];
    for (int i = 0; i < limits.length; i++) {
      limits[i] = (conditions[i] != 0 ? sign : -sign) * Float.POSITIVE_INFINITY;
    }
    return new Value.Reals(call.dims(0), limits);
  }
}
