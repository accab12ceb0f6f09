package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.Near;
import io.recur.Pinned;
import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The table of elementwise functions on tensors. */
class FunctionsTest {
  /** PyTorch's numbers are rounded to nine digits; ours are floats. */
  private static final double PINNED = 1e-5;

  /** What has no value, or no bounded derivative, elsewhere. */
  private static final Set<Elementwise> POSITIVE =
      EnumSet.of(Elementwise.LOG, Elementwise.SQRT, Elementwise.RECIPROCAL);

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** The method of that name, in Java's way: {@code leakyRelu} is leaky_relu. */
  @SuppressWarnings("unchecked")
  private static UnaryOperator<Tensor> method(Elementwise f) {
    String name =
        Pattern.compile("_(.)")
            .matcher(f.label())
            .replaceAll(its -> its.group(1).toUpperCase(Locale.ROOT));
    try {
      return MethodHandleProxies.asInterfaceInstance(
          UnaryOperator.class,
          MethodHandles.lookup()
              .findStatic(
                  Functions.class, name, MethodType.methodType(Tensor.class, Tensor.class)));
    } catch (ReflectiveOperationException e) {
      throw new AssertionError("Functions has no method " + name, e);
    }
  }

  @ParameterizedTest
  @EnumSource
  void gradientEqualsDifferences(Elementwise f) {
    float low = f == Elementwise.LOG ? 0.1f : POSITIVE.contains(f) ? 0.5f : -3;
    for (Shape shape : new Shape[] {Shape.of(17), Shape.of(3, 5), Shape.of(2, 3, 4)}) {
      GradientCheck.of(shape)
          .between(low, 3)
          .check(
              f.label(),
              x -> Functions.apply(f, x[0]),
              x -> Reference.map(x[0], v -> Reference.value(f, v)));
    }
  }

  @ParameterizedTest
  @EnumSource
  void valueAndDerivativeArePyTorchs(Elementwise f) {
    Pinned pinned = Pinned.of("elementwise.txt");
    float[] values = pinned.floats("x_" + f.label());
    Tensor x = tape.variable(Shape.of(values.length), values);
    Tensor y = method(f).apply(x);
    float[] ones = new float[values.length];
    Arrays.fill(ones, 1);
    tape.backward(y, ones);
    Near.check("y_" + f.label(), pinned.doubles("y_" + f.label()), y.toArray(), PINNED);
    Near.check("d_" + f.label(), pinned.doubles("d_" + f.label()), x.gradientArray(), PINNED);
  }

  @ParameterizedTest
  @EnumSource
  void aFunctionOfItsOwnOutputIsChained(Elementwise f) {
    float low = POSITIVE.contains(f) ? 3 : -1;
    float high = POSITIVE.contains(f) ? 9 : 1;
    GradientCheck.of(Shape.of(5))
        .between(low, high)
        .check(
            f.label() + " twice",
            x -> Functions.apply(f, Functions.apply(f, x[0])),
            x -> Reference.map(x[0], v -> Reference.value(f, Reference.value(f, v))));
  }

  @ParameterizedTest
  @EnumSource
  void theMessageNamesTheFunction(Elementwise f) {
    Parameter w = Parameter.of(Shape.of(1), 1).on(device);
    Thrown.says(IllegalStateException.class, () -> method(f).apply(w), f.label() + ": none of its");
    assertArrayEquals(
        method(f).apply(tape.use(w)).toArray(), Functions.apply(f, tape.use(w)).toArray());
  }
}
