package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sum, difference and product: of equal shapes, and of a vector with every column. */
class AddTest {
  private enum Operation {
    ADD {
      @Override
      Tensor of(Tensor a, Tensor b) {
        return a.add(b);
      }

      @Override
      double of(double a, double b) {
        return a + b;
      }
    },
    SUB {
      @Override
      Tensor of(Tensor a, Tensor b) {
        return a.sub(b);
      }

      @Override
      double of(double a, double b) {
        return a - b;
      }
    },
    MUL {
      @Override
      Tensor of(Tensor a, Tensor b) {
        return a.mul(b);
      }

      @Override
      double of(double a, double b) {
        return a * b;
      }
    };

    abstract Tensor of(Tensor a, Tensor b);

    abstract double of(double a, double b);
  }

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private static void check(Operation operation, Shape a, Shape b) {
    GradientCheck.of(a, b)
        .check(
            operation + " " + a + " " + b,
            x -> operation.of(x[0], x[1]),
            x -> Reference.zip(x[0], x[1], operation::of));
  }

  @ParameterizedTest
  @EnumSource
  void equalShapes(Operation operation) {
    check(operation, Shape.of(5), Shape.of(5));
    check(operation, Shape.of(1), Shape.of(1));
    check(operation, Shape.of(3, 4), Shape.of(3, 4));
    check(operation, Shape.of(3, 2, 4), Shape.of(3, 2, 4));
    check(operation, Shape.of(5), Shape.of(5, 1));
  }

  @ParameterizedTest
  @EnumSource
  void aVectorMeetsEveryColumnOnEitherSide(Operation operation) {
    check(operation, Shape.of(3, 4), Shape.of(3));
    check(operation, Shape.of(3), Shape.of(3, 4));
    check(operation, Shape.of(3, 2, 4), Shape.of(3));
    check(operation, Shape.of(3), Shape.of(3, 2, 4));
    check(operation, Shape.of(3, 4), Shape.of(3, 1));
    check(operation, Shape.of(1), Shape.of(1, 17));
  }

  @ParameterizedTest
  @EnumSource
  void theSameTensorTwiceTakesBothGradients(Operation operation) {
    GradientCheck.of(Shape.of(3, 2))
        .check(
            operation + " of itself",
            x -> operation.of(x[0], x[0]),
            x -> Reference.zip(x[0], x[0], operation::of));
  }

  @ParameterizedTest
  @EnumSource
  void otherShapesThrow(Operation operation) {
    Shape[][] pairs = {
      {Shape.of(3), Shape.of(4)},
      {Shape.of(3, 2), Shape.of(2)},
      {Shape.of(3, 2), Shape.of(3, 4)},
      {Shape.of(3, 2, 4), Shape.of(3, 2)},
      {Shape.of(3, 2, 4), Shape.of(3, 4, 2)},
    };
    for (Shape[] pair : pairs) {
      Tensor a = tape.input(pair[0], new float[pair[0].count()]);
      Tensor b = tape.input(pair[1], new float[pair[1].count()]);
      Thrown.says(
          ShapeException.class,
          () -> operation.of(a, b),
          operation.name().toLowerCase(java.util.Locale.ROOT) + ": a=" + a.shape(),
          "b=" + b.shape(),
          "need equal shapes, or a vector");
      Thrown.says(ShapeException.class, () -> operation.of(b, a), "a=" + b.shape());
    }
  }

  @ParameterizedTest
  @EnumSource
  void parametersAloneNeedATape(Operation operation) {
    Parameter a = Parameter.of(Shape.of(2), 3, 4).on(device);
    Parameter b = Parameter.of(Shape.of(2), 5, 6).on(device);
    Thrown.says(
        IllegalStateException.class, () -> operation.of(a, b), "lift one with tape.use(param");
    Tensor y = operation.of(tape.use(a), b);
    tape.backward(y, 1, 1);
    double[] exact = {operation.of(3, 5), operation.of(4, 6)};
    assertArrayEquals(exact, Reference.doubles(y.toArray()));
  }

  @Test
  void inputsAreUnchanged() {
    Tensor a = tape.variable(Shape.of(2, 2), 1, 2, 3, 4);
    Tensor b = tape.variable(Shape.of(2), 5, 6);
    for (Operation operation : Operation.values()) {
      tape.backward(operation.of(a, b).sum());
    }
    assertArrayEquals(new float[] {1, 2, 3, 4}, a.toArray());
    assertArrayEquals(new float[] {5, 6}, b.toArray());
  }
}
