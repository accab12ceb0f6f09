package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What a backward pass does. */
class TapeTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private Parameter parameter(float... values) {
    return Parameter.of(Shape.of(values.length), values).on(device);
  }

  @Test
  void gradientsOfParametersAddUpOverPasses() {
    Parameter w = parameter(2, 3);
    for (int pass = 1; pass <= 3; pass++) {
      tape.backward(w.mul(tape.input(10, 20)).sum());
      assertArrayEquals(new float[] {10 * pass, 20 * pass}, w.gradientArray());
      tape.clear();
    }
  }

  @Test
  void interiorGradientsStartAtZeroInEveryPass() {
    Tensor x = tape.variable(Shape.of(2), 1, 2);
    Tensor y = x.scale(3);
    Tensor z = y.sum();
    for (int pass = 0; pass < 3; pass++) {
      tape.backward(z);
      assertArrayEquals(new float[] {1, 1}, y.gradientArray());
      assertArrayEquals(new float[] {3, 3}, x.gradientArray());
    }
  }

  @Test
  void aSecondBackwardThroughRetainedHistoryIsRight() {
    Parameter w = parameter(2);
    Tensor first = w.mul(tape.input(3f)); // 3w
    tape.backward(first);
    Tensor second = first.mul(first); // 9w²
    tape.backward(second);
    assertArrayEquals(new float[] {3 + 18 * 2}, w.gradientArray());
    tape.backward(first);
    assertArrayEquals(new float[] {3 + 36 + 3}, w.gradientArray());
  }

  @Test
  void aTensorUsedTwiceTakesBothGradients() {
    Tensor x = tape.variable(Shape.of(1), 3);
    Tensor y = x.mul(x).add(x.scale(5)).mul(x); // x³ + 5x²
    tape.backward(y);
    assertEquals(27 + 45, y.scalar());
    assertArrayEquals(new float[] {3 * 9 + 10 * 3}, x.gradientArray());
  }

  private record Counting(Tensor x, Tensor y, AtomicInteger calls) implements Op {
    static Tensor of(Tensor x, AtomicInteger calls) {
      try (OpContext context = OpContext.of("counting", x)) {
        Tensor y = context.output(x.shape(), x.isDifferentiable());
        context.device().pointwise().copy(x.value(), y.value(), x.shape().count());
        return context.record(new Counting(x, y, calls), y);
      }
    }

    @Override
    public void backward() {
      calls.incrementAndGet();
      y.device().pointwise().addScaled(1, y.gradient(), x.accumulator(), x.shape().count());
    }
  }

  @Test
  void operationsThatTheLossDoesNotNeedAreSkipped() {
    Tensor x = tape.variable(Shape.of(1), 3);
    AtomicInteger needed = new AtomicInteger();
    AtomicInteger beside = new AtomicInteger();
    AtomicInteger after = new AtomicInteger();
    Counting.of(x, beside);
    Tensor loss = Counting.of(x, needed);
    Counting.of(loss, after);
    tape.backward(loss);
    assertEquals(1, needed.get());
    assertEquals(0, beside.get());
    assertEquals(0, after.get());
    assertArrayEquals(new float[] {1}, x.gradientArray());
  }

  @Test
  void whatWasNotReachedHasAZeroGradient() {
    Tensor x = tape.variable(Shape.of(2), 1, 2);
    Tensor y = x.scale(2);
    Tensor other = x.scale(3);
    tape.backward(y, 1, 1);
    assertArrayEquals(new float[2], other.gradientArray());
    tape.backward(other, 1, 1);
    assertArrayEquals(new float[2], y.gradientArray());
    assertArrayEquals(new float[] {3, 3}, x.gradientArray());
  }

  @Test
  void anOperationWithSeveralOutputsRunsWhereOneIsReached() {
    Tensor x = tape.variable(Shape.of(1), 3);
    Tensor up;
    Tensor down;
    try (OpContext context = OpContext.of("up and down", x)) {
      up = context.output(Shape.of(1), true);
      down = context.output(Shape.of(1), true);
      up.value().write(3);
      down.value().write(-3);
      context.recordAll(
          () -> {
            x.device().pointwise().addScaled(1, up.gradient(), x.accumulator(), 1);
            x.device().pointwise().addScaled(-1, down.gradient(), x.accumulator(), 1);
          },
          up,
          down);
    }
    tape.backward(down, 5);
    assertArrayEquals(new float[] {-5}, x.gradientArray());
    tape.backward(up.add(down.scale(2)));
    assertArrayEquals(new float[] {1 - 2}, x.gradientArray());
  }

  @Test
  void constantsAloneAreNotRecorded() {
    Tensor y = tape.input(1, 2).scale(2).sum();
    assertEquals(0, tape.length());
    assertFalse(y.isDifferentiable());
    Thrown.says(
        IllegalStateException.class,
        () -> tape.backward(y),
        "backward: no parameter took part in y that is not frozen, or the tape records nothing;"
            + " unfreeze() one, or use Tape.on(device)");
  }

  @Test
  void withoutGradientResultsAreConstants() {
    Parameter w = parameter(2);
    Tensor x = tape.input(3f);
    Tensor constant =
        tape.withoutGradient(
            () -> {
              assertFalse(tape.isRecording());
              return w.mul(x);
            });
    assertTrue(tape.isRecording());
    assertEquals(0, tape.length());
    tape.backward(constant.mul(w));
    assertArrayEquals(new float[] {6}, w.gradientArray());
  }

  @Test
  void withoutGradientEndsWithAnError() {
    Thrown.says(
        IllegalArgumentException.class,
        () ->
            tape.withoutGradient(
                () -> {
                  throw new IllegalArgumentException("mine");
                }),
        "mine");
    assertTrue(tape.isRecording());
  }

  @Test
  void withoutGradientNests() {
    tape.withoutGradient(
        () -> {
          tape.withoutGradient(() -> 1);
          assertFalse(tape.isRecording());
          return 2;
        });
    assertTrue(tape.isRecording());
  }

  @Test
  void anInferenceTapeRecordsNothing() {
    Parameter w = parameter(2, 3);
    try (Tape inference = Tape.inference(device)) {
      Tensor y = w.mul(inference.variable(Shape.of(2), 5, 6)).sum();
      assertEquals(28, y.scalar());
      assertEquals(0, inference.length());
      assertFalse(y.isDifferentiable());
      Thrown.says(
          IllegalStateException.class, () -> inference.backward(y), "the tape records nothing");
    }
  }

  @Test
  void aGradientForEveryValueMayBeGiven() {
    Tensor x = tape.variable(Shape.of(2, 2), 1, 2, 3, 4);
    tape.backward(x.mul(x), 1, 10, 100, 1000);
    assertArrayEquals(new float[] {2, 40, 600, 8000}, x.gradientArray());
  }

  @Test
  void aLossOfSeveralValuesThrows() {
    Tensor x = tape.variable(Shape.of(2, 2), 1, 2, 3, 4);
    Thrown.says(
        ShapeException.class,
        () -> tape.backward(x),
        "backward: loss=2×2; need one value: take its sum or mean, or give a gradient");
    Thrown.says(
        ShapeException.class,
        () -> tape.backward(x, 1, 2),
        "backward: y=2×2, 2 gradient values; need 4");
  }

  @Test
  void aLossOnAnotherTapeThrows() {
    try (Tape other = Tape.on(device)) {
      Tensor x = other.variable(Shape.of(1), 1);
      Thrown.says(IllegalStateException.class, () -> tape.backward(x), "not on this tape");
      Parameter w = parameter(1);
      Thrown.says(IllegalStateException.class, () -> tape.backward(w), "not on this tape");
    }
  }

  @Test
  void useLetsTheGradientThrough() {
    Parameter w = parameter(2, 3);
    Tensor lifted = tape.use(w);
    tape.backward(lifted.mul(lifted).sum());
    assertArrayEquals(new float[] {4, 6}, w.gradientArray());
    w.value().write(9, 9); // a copy: the parameter may change, what was computed does not
    assertArrayEquals(new float[] {2, 3}, lifted.toArray());
  }

  @Test
  void useOfEveryShapeHasTheGradientOfACopy() {
    GradientCheck.of(Shape.of(3, 2, 2), Shape.of(3, 2, 2))
        .check(
            "use",
            x -> {
              try (OpContext context = OpContext.of("test", x)) {
                return context.tape().use(x[0]).mul(x[1]);
              }
            },
            x -> Reference.zip(x[0], x[1], (a, b) -> a * b));
  }

  @Test
  void aChainOfTenThousandOperationsDoesNotOverflow() {
    Tensor x = tape.variable(Shape.of(1), 1);
    Tensor y = x;
    for (int i = 0; i < 10_000; i++) {
      y = y.add(x);
    }
    tape.backward(y);
    assertEquals(10_001, y.scalar());
    assertArrayEquals(new float[] {10_001}, x.gradientArray());
    assertEquals(10_000, tape.length());
  }
}
