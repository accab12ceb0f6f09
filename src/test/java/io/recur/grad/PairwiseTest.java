package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.recur.Near;
import io.recur.Pinned;
import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.kernels.Binary;
import java.util.function.BinaryOperator;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every function of two tensors: of equal shapes, and of one that is repeated to meet the other.
 */
class PairwiseTest {
  /** PyTorch's numbers are rounded to nine digits; ours are floats. */
  private static final double PINNED = 1e-6;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** The method of that name. */
  private static BinaryOperator<Tensor> method(Binary f) {
    return switch (f) {
      case ADD -> Tensor::add;
      case SUBTRACT -> Tensor::sub;
      case MULTIPLY -> Tensor::mul;
      case DIVIDE -> Tensor::div;
      case MINIMUM -> Tensor::minimum;
      case MAXIMUM -> Tensor::maximum;
      case GREATER -> Tensor::greater;
      case GREATER_EQUAL -> Tensor::greaterEqual;
      case LESS -> Tensor::less;
      case LESS_EQUAL -> Tensor::lessEqual;
      case EQUAL -> Tensor::equal;
    };
  }

  /** f(a, b) in double, with one row, or one column, repeated. */
  private static double[] exact(Binary f, Shape a, double[] x, Shape b, double[] z) {
    int rows = Math.max(a.rows(), b.rows());
    int columns = Math.max(a.columns(), b.columns());
    double[] y = new double[rows * columns];
    for (int at = 0; at < y.length; at++) {
      y[at] = Reference.value(f, x[place(a, at, rows)], z[place(b, at, rows)]);
    }
    return y;
  }

  private static int place(Shape shape, int at, int rows) {
    int i = shape.rows() == 1 ? 0 : at % rows;
    int j = shape.columns() == 1 ? 0 : at / rows;
    return j * shape.rows() + i;
  }

  /** Values and gradients; a comparison has no gradient. */
  private void check(Binary f, Shape a, Shape b) {
    if (!f.isDifferentiable()) {
      checkMask(f, a, b);
      return;
    }
    GradientCheck.of(a, b)
        .between(f == Binary.DIVIDE ? 0.5f : -2, 2)
        .check(
            f + " " + a + " " + b,
            x -> method(f).apply(x[0], x[1]),
            x -> exact(f, a, x[0], b, x[1]));
  }

  private void checkMask(Binary f, Shape a, Shape b) {
    float[] values = {1, 2, 2, 1, 3, 0, 2, 2};
    Tensor left = tape.variable(a, repeated(values, 0, a.count()));
    Tensor right = tape.variable(b, repeated(values, 3, b.count()));
    Tensor y = method(f).apply(left, right);
    double[] expected =
        exact(f, a, Reference.doubles(left.toArray()), b, Reference.doubles(right.toArray()));
    assertArrayEquals(expected, Reference.doubles(y.toArray()), f + " " + a + " " + b);
    assertFalse(y.isDifferentiable(), f.label());
  }

  private static float[] repeated(float[] values, int from, int count) {
    float[] all = new float[count];
    for (int i = 0; i < count; i++) {
      all[i] = values[(from + i) % values.length];
    }
    return all;
  }

  @ParameterizedTest
  @EnumSource
  void equalShapes(Binary f) {
    check(f, Shape.of(5), Shape.of(5));
    check(f, Shape.of(1), Shape.of(1));
    check(f, Shape.of(3, 4), Shape.of(3, 4));
    check(f, Shape.of(3, 2, 4), Shape.of(3, 2, 4));
    check(f, Shape.of(5), Shape.of(5, 1));
  }

  private void checkBothSides(Binary f, Shape a, Shape b) {
    check(f, a, b);
    check(f, b, a);
  }

  @ParameterizedTest
  @EnumSource
  void aVectorMeetsEveryColumnOnEitherSide(Binary f) {
    checkBothSides(f, Shape.of(3, 4), Shape.of(3));
    checkBothSides(f, Shape.of(3, 2, 4), Shape.of(3));
    checkBothSides(f, Shape.of(3, 4), Shape.of(3, 1));
  }

  @ParameterizedTest
  @EnumSource
  void aRowMeetsEveryRowOnEitherSide(Binary f) {
    checkBothSides(f, Shape.of(3, 4), Shape.of(1, 4));
    checkBothSides(f, Shape.of(3, 2, 4), Shape.of(1, 2, 4));
    checkBothSides(f, Shape.of(17, 1), Shape.of(1, 1));
  }

  @ParameterizedTest
  @EnumSource
  void oneValueMeetsEveryValueOnEitherSide(Binary f) {
    checkBothSides(f, Shape.of(3, 4), Shape.of(1));
    checkBothSides(f, Shape.of(3, 2, 4), Shape.of(1, 1));
    checkBothSides(f, Shape.of(1, 17), Shape.of(1));
    checkBothSides(f, Shape.of(17), Shape.of(1));
  }

  @ParameterizedTest
  @EnumSource
  void aColumnAndARowMeetInAMatrix(Binary f) {
    checkBothSides(f, Shape.of(3), Shape.of(1, 4));
    checkBothSides(f, Shape.of(3, 1), Shape.of(1, 2, 4));
  }

  @Test
  void theResultHasTheShapeOfTheLargerOperand() {
    Shape[][] shapes = {
      {Shape.of(3), Shape.of(3, 1), Shape.of(3)},
      {Shape.of(3), Shape.of(3, 2), Shape.of(3, 2)},
      {Shape.of(1), Shape.of(3, 1), Shape.of(3, 1)},
      {Shape.of(1, 1, 4), Shape.of(3), Shape.of(3, 1, 4)},
      {Shape.of(3, 2, 4), Shape.of(1), Shape.of(3, 2, 4)},
    };
    for (Shape[] each : shapes) {
      Tensor a = tape.input(each[0], new float[each[0].count()]);
      Tensor b = tape.input(each[1], new float[each[1].count()]);
      assertEquals(each[2], a.add(b).shape());
    }
  }

  @ParameterizedTest
  @EnumSource
  void theSameTensorTwiceTakesBothGradients(Binary f) {
    if (f.isDifferentiable()) {
      Shape shape = Shape.of(3, 2);
      GradientCheck.of(shape)
          .between(f == Binary.DIVIDE ? 0.5f : -2, 2)
          .check(
              f + " of itself",
              x -> method(f).apply(x[0], x[0]),
              x -> exact(f, shape, x[0], shape, x[0]));
    }
  }

  /** Halves, of which many are equal: minimum and maximum share the gradient between ties. */
  @ParameterizedTest
  @EnumSource
  void valuesAndGradientsArePyTorchs(Binary f) {
    Pinned pinned = Pinned.of("binary.txt");
    for (String form : new String[] {"same", "column", "row", "one"}) {
      Tensor a = tape.variable(Shape.of(pinned.dims("a")), pinned.floats("a"));
      String name = "b_" + form;
      Tensor b = tape.variable(Shape.of(pinned.dims(name)), pinned.floats(name));
      Tensor y = method(f).apply(a, b);
      String what = f.label() + "_" + form;
      Near.check("y_" + what, pinned.doubles("y_" + what), y.toArray(), PINNED);
      if (f.isDifferentiable()) {
        tape.backward(y, pinned.floats("u"));
        Near.check("da_" + what, pinned.doubles("da_" + what), a.gradientArray(), PINNED);
        Near.check("db_" + what, pinned.doubles("db_" + what), b.gradientArray(), PINNED);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void otherShapesThrow(Binary f) {
    Shape[][] pairs = {
      {Shape.of(3), Shape.of(4)},
      {Shape.of(3, 2), Shape.of(2)},
      {Shape.of(3, 2), Shape.of(3, 4)},
      {Shape.of(3, 2), Shape.of(1, 4)},
      {Shape.of(3, 2, 4), Shape.of(3, 2)},
      {Shape.of(3, 2, 4), Shape.of(1, 2)},
      {Shape.of(3, 2, 4), Shape.of(3, 4, 2)},
    };
    for (Shape[] pair : pairs) {
      Tensor a = tape.input(pair[0], new float[pair[0].count()]);
      Tensor b = tape.input(pair[1], new float[pair[1].count()]);
      Thrown.says(
          ShapeException.class,
          () -> method(f).apply(a, b),
          f.label() + ": a=" + a.shape(),
          "b=" + b.shape(),
          "need equal shapes, or one row or one column that is repeated");
      Thrown.says(ShapeException.class, () -> method(f).apply(b, a), "a=" + b.shape());
    }
  }

  /** Each is at most 2³¹ − 1 values, their meeting place is not. */
  @Test
  void aMatrixThatIsTooLargeThrows() {
    Tensor column = tape.input(Shape.of(1 << 16), new float[1 << 16]);
    Tensor row = tape.input(Shape.of(1, 1 << 16), new float[1 << 16]);
    Thrown.says(ShapeException.class, () -> column.mul(row), "4294967296 values");
  }

  @ParameterizedTest
  @EnumSource
  void parametersAloneNeedATape(Binary f) {
    Parameter a = Parameter.of(Shape.of(2), 3, 4).on(device);
    Parameter b = Parameter.of(Shape.of(2), 5, 4).on(device);
    Thrown.says(
        IllegalStateException.class, () -> method(f).apply(a, b), "lift one with tape.use(param");
    Tensor y = method(f).apply(tape.use(a), b);
    double[] exact = {Reference.value(f, 3, 5), Reference.value(f, 4, 4)};
    Near.check(f.label(), exact, y.toArray(), 1e-7);
  }

  @ParameterizedTest
  @EnumSource
  void inputsAreUnchanged(Binary f) {
    Tensor a = tape.variable(Shape.of(2, 2), 1, 2, 3, 4);
    Tensor b = tape.variable(Shape.of(2), 5, 6);
    Tensor y = method(f).apply(a, b);
    if (f.isDifferentiable()) {
      tape.backward(y.sum());
    }
    assertArrayEquals(new float[] {1, 2, 3, 4}, a.toArray());
    assertArrayEquals(new float[] {5, 6}, b.toArray());
  }
}
