package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.recur.Thrown;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What a tape keeps over {@link Tape#clear} and uses again changes no answer. */
class ReuseTest {
  private static final String STALE = "was made before the tape was cleared";

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @Test
  void aTensorOfTheLastStepIsRefusedAfterTheTapeRecordedAgain() {
    for (Shape next : new Shape[] {Shape.of(2), Shape.of(3, 2)}) {
      Tensor x = tape.variable(Shape.of(2), 1, 2);
      Tensor y = x.scale(3);
      Tensor view = y.reshape(Shape.of(2, 1));
      OneHot hot = tape.oneHot(Shape.of(2), 1);
      tape.clear();
      Tensor other = tape.variable(next, new float[next.count()]);
      Tensor newest = other.scale(5);
      newest.reshape(next);
      tape.oneHot(Shape.of(next.rows()), 0);
      for (Tensor old : new Tensor[] {x, y, view}) {
        Thrown.says(IllegalStateException.class, old::value, "tensor: " + old.shape(), STALE);
        Thrown.says(IllegalStateException.class, old::gradient, STALE);
        Thrown.says(IllegalStateException.class, () -> old.add(old), STALE);
        Thrown.says(IllegalStateException.class, () -> tape.backward(old, 1, 1), STALE);
        assertEquals("Tensor(" + old.shape() + ")", old.toString());
      }
      Thrown.says(IllegalStateException.class, hot::index, "tensor: 2", STALE);
      assertEquals(Shape.of(2), x.shape());
      assertEquals(Shape.of(2, 1), view.shape());
      assertEquals(next, newest.shape());
      tape.clear();
      Thrown.says(IllegalStateException.class, other::value, "tensor: " + next, STALE);
      Thrown.says(IllegalStateException.class, x::value, "tensor: 2 " + STALE);
    }
  }

  /** What a step computes with the same two parameters on its tape. */
  private interface Program {
    Tensor run(Tape tape, Parameter w, Parameter v);
  }

  /** Values and gradients of each step: all on one tape, or each on a tape of its own. */
  private List<float[]> answers(List<Program> steps, boolean oneTape) {
    Parameter w = Parameter.of(Shape.of(3, 3), 1, -2, 3, -4, 5, -6, 7, -8, 9).on(device);
    Parameter v = Parameter.of(Shape.of(3), 0.5f, -1, 2).on(device);
    List<float[]> answers = new ArrayList<>();
    for (Program step : steps) {
      Tape its = oneTape ? tape : Tape.on(device);
      its.seed(answers.size());
      Tensor y = step.run(its, w, v);
      answers.add(y.toArray());
      for (int pass = 0; pass < 2; pass++) {
        its.backward(y.mul(y).sum());
        answers.add(y.gradientArray());
        answers.add(w.gradientArray());
        answers.add(v.gradientArray());
      }
      its.clear();
      if (!oneTape) {
        its.close();
      }
    }
    return answers;
  }

  private void areTheSame(List<Program> steps) {
    List<float[]> expected = answers(steps, false);
    List<float[]> actual = answers(steps, true);
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), actual.get(i), "answer " + i);
    }
  }

  @Test
  void shapesMayChangeFromStepToStep() {
    Random random = new Random(5);
    List<Program> steps = new ArrayList<>();
    for (int step = 0; step < 60; step++) {
      int batch = 1 + random.nextInt(3);
      float[] values = new float[3 * batch];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextFloat() - 0.5f;
      }
      steps.add(
          (tape, w, v) ->
              Functions.tanh(w.matmul(tape.input(Shape.of(3, batch), values)).add(v)).mul(v));
    }
    areTheSame(steps);
  }

  @Test
  void operationsMayChangeFromStepToStep() {
    Random random = new Random(7);
    List<Program> steps = new ArrayList<>();
    for (int step = 0; step < 200; step++) {
      int[] kinds = random.ints(1 + random.nextInt(8), 0, 12).toArray();
      steps.add((tape, w, v) -> several(tape, w, v, kinds));
    }
    areTheSame(steps);
  }

  /** Some operations on 3×4, one after the other. */
  private static Tensor several(Tape tape, Parameter w, Parameter v, int[] kinds) {
    Tensor y = w.matmul(tape.oneHot(Shape.of(3, 4), 0, 2, 1, 2));
    for (int kind : kinds) {
      y = one(tape, w, v, kind, y);
    }
    return y;
  }

  private static Tensor one(Tape tape, Parameter w, Parameter v, int kind, Tensor y) {
    return switch (kind) {
      case 0 -> y.add(v);
      case 1 -> y.sub(v);
      case 2 -> y.mul(v).scale(0.25f);
      case 3 -> Functions.tanh(y);
      case 4 -> w.matmul(y).scale(0.1f);
      case 5 -> Softmax.softmax(y).mul(y);
      case 6 -> Drop.dropout(y, 0.5f);
      case 7 -> Concat.columns(y.columns(2, 4), y.columns(0, 2));
      case 8 -> Concat.rows(y.rows(1, 3), y.rows(0, 1));
      case 9 -> y.reshape(Shape.of(3, 2, 2)).times(0, 2).reshape(Shape.of(3, 4));
      case 10 -> y.add(tape.use(v)).add(y);
      default -> y.mul(y).sub(y.mul(y)).add(y);
    };
  }

  @Test
  void theSameOperationTwiceInOneStepIsTwoOperations() {
    for (int step = 0; step < 3; step++) {
      Tensor x = tape.variable(Shape.of(2), 1 + step, 2);
      Tensor first = Functions.square(x);
      Tensor second = Functions.square(x);
      Tensor loss = first.mul(second).sum(); // x⁴
      assertNotSame(first.value(), second.value());
      tape.backward(loss);
      float a = 1 + step;
      assertArrayEquals(new float[] {4 * a * a * a, 32}, x.gradientArray());
      tape.clear();
    }
  }

  @Test
  void aSecondBackwardAfterReuseIsRight() {
    Parameter w = Parameter.of(Shape.of(1), 2).on(device);
    float sum = 0;
    for (int step = 1; step <= 4; step++) {
      Tensor first = w.mul(tape.input((float) step)); // step·w
      tape.backward(first);
      Tensor second = first.mul(first);
      tape.backward(second);
      tape.backward(second);
      tape.backward(first);
      sum += 2 * step + 2 * (2 * step * step * 2);
      assertArrayEquals(new float[] {sum}, w.gradientArray());
      tape.clear();
    }
  }

  @Test
  void whatNoPassReachedHasAZeroGradientAfterReuse() {
    for (int step = 0; step < 3; step++) {
      Tensor x = tape.variable(Shape.of(2), 1, 2);
      Tensor y = step == 1 ? x.scale(9) : x.scale(2);
      if (step != 1) {
        tape.backward(y, 1, 1);
        assertArrayEquals(new float[] {2, 2}, x.gradientArray());
      }
      tape.backward(x.scale(1), 3, 4);
      assertArrayEquals(new float[2], y.gradientArray());
      tape.clear();
    }
  }

  /** An operation of one's own that is used again. */
  private static final class Twice implements Op {
    private Tensor x;
    private Tensor y;

    static Tensor twice(Tensor x, List<Twice> made) {
      try (OpContext context = OpContext.of("twice", x)) {
        Twice op = context.reuse(Twice.class, Twice::new);
        made.add(op);
        op.x = x;
        op.y = context.output(x.shape(), x.isDifferentiable());
        context.device().pointwise().scale(2, x.value(), op.y.value(), x.shape().count());
        return context.record(op, op.y);
      }
    }

    @Override
    public void backward() {
      x.device().pointwise().addScaled(2, y.gradient(), x.accumulator(), x.shape().count());
    }
  }

  @Test
  void anOperationOfOnesOwnIsUsedAgainAtItsPlace() {
    List<Twice> made = new ArrayList<>();
    Function<Integer, Tensor> step =
        value -> {
          Tensor x = tape.variable(Shape.of(1), value);
          Tensor y = Twice.twice(Twice.twice(x, made), made);
          tape.backward(y);
          assertEquals(4 * value, y.scalar());
          assertArrayEquals(new float[] {4}, x.gradientArray());
          tape.clear();
          return y;
        };
    step.apply(3);
    step.apply(5);
    assertNotSame(made.get(0), made.get(1));
    assertSame(made.get(0), made.get(2));
    assertSame(made.get(1), made.get(3));
    Functions.exp(tape.input(1f)); // another operation at the place of the first
    step.apply(7);
    assertNotSame(made.get(0), made.get(4));
    assertSame(made.get(1), made.get(4));
  }

  @Test
  void theBuffersOfTheLastStepAreGivenAgain() {
    Buffer first = tape.input(1, 2).value();
    tape.clear();
    assertSame(first, tape.input(3, 4).value());
    tape.clear();
    assertEquals(3, tape.input(1, 2, 3).value().floats());
    Buffer after = tape.input(4, 5).value();
    assertArrayEquals(new float[] {4, 5}, after.read());
  }

  @Test
  void aColumnIsAVector() {
    Tensor x = tape.variable(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
    Tensor column = x.column(1);
    assertEquals(Shape.of(2), column.shape());
    assertArrayEquals(new float[] {3, 4}, column.toArray());
    tape.backward(column.scale(2), 1, 10);
    assertArrayEquals(new float[] {0, 0, 2, 20, 0, 0}, x.gradientArray());
    Thrown.says(ShapeException.class, () -> x.column(3), "column: x=2×3, j=3; need a matrix");
  }
}
