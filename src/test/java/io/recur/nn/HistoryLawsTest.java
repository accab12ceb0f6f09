package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Op;
import io.recur.grad.OpContext;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Laws 4 and 5: the gradient runs through the whole history, and truncate cuts it. */
class HistoryLawsTest {
  private static final int IN = 3;
  private static final int OUT = 4;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  // Law 4.

  /** The accumulator with a weight, {@code h' = h + w·x}, that counts the steps gone backward. */
  private record Counted(Tensor x, Tensor y, AtomicInteger steps) implements Op {
    static Tensor pass(Tensor x, AtomicInteger steps) {
      try (OpContext context = OpContext.of("counted", x)) {
        Tensor y = context.output(x.shape(), x.isDifferentiable());
        context.device().pointwise().copy(x.value(), y.value(), x.shape().count());
        return context.record(new Counted(x, y, steps), y);
      }
    }

    @Override
    public void backward() {
      steps.incrementAndGet();
      x.device().pointwise().addScaled(1, y.gradient(), x.accumulator(), x.shape().count());
    }
  }

  @Test
  void tenCallsAfterAHundredCostAHundredAndTenSteps() {
    AtomicInteger steps = new AtomicInteger();
    Parameter w = Parameter.of(Shape.of(1, 1), 1);
    Recur recur =
        new Recur(
                (h, x) -> {
                  Tensor next = Counted.pass(h.add(w.matmul(x)), steps);
                  return Step.step(next, next);
                },
                Parameter.of(Shape.of(1, 1), 0),
                w)
            .on(device, 0);
    tape.backward(last(recur, 100));
    assertEquals(100, steps.getAndSet(0));
    assertEquals(100, w.gradientArray()[0]);
    tape.backward(last(recur, 10));
    assertEquals(110, steps.get());
    assertEquals(100 + 110, w.gradientArray()[0], "gradients of parameters add up");
    recur.truncate();
    steps.set(0);
    tape.backward(last(recur, 10));
    assertEquals(10, steps.get());
  }

  private Tensor last(Recur recur, int calls) {
    Tensor y = recur.apply(tape.input(1));
    for (int i = 1; i < calls; i++) {
      y = recur.apply(tape.input(1));
    }
    return y;
  }

  @ParameterizedTest
  @EnumSource
  void aSecondLossSeesTheWholeHistory(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 7);
    Tensor y = recur.apply(x);
    tape.backward(Cells.weighed(tape, y.time(4), 1));
    Map<String, float[]> first = take(recur);
    tape.backward(Cells.weighed(tape, y.time(6), 2));
    Map<String, float[]> second = take(recur);

    recur.reset();
    for (int t = 0; t < 4; t++) {
      recur.apply(x.time(t));
    }
    tape.backward(Cells.weighed(tape, recur.apply(x.time(4)), 1));
    near("after 5", first, Cells.gradients(recur), FLOAT);
    recur.apply(x.time(5));
    tape.backward(Cells.weighed(tape, recur.apply(x.time(6)), 2));
    Map<String, float[]> sum = take(recur);
    sum.forEach(
        (name, values) -> near(name, add(first.get(name), second.get(name)), values, FLOAT));
  }

  @ParameterizedTest
  @EnumSource
  void aSecondBackwardGivesTheSameGradientAgain(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 5);
    Tensor y = recur.apply(x.times(0, 3));
    y = recur.apply(x.times(3, 5));
    Tensor loss = Cells.weighed(tape, y, 1);
    tape.backward(loss);
    Map<String, float[]> once = Cells.gradients(recur);
    float[] dx = x.gradientArray();
    tape.backward(loss);
    // The same kernels on the same numbers: exact. Parameters add up, all else begins at zero.
    assertArrayEquals(dx, x.gradientArray());
    Cells.gradients(recur)
        .forEach((name, twice) -> near(name, add(once.get(name), once.get(name)), twice, FLOAT));
    recur.parameters().zeroGradients();
    tape.backward(loss);
    Cells.gradients(recur).forEach((name, again) -> assertArrayEquals(once.get(name), again, name));
  }

  // Law 5.

  @ParameterizedTest
  @EnumSource
  void truncateKeepsTheValue(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 6);
    recur.apply(x.times(0, 3));
    List<float[]> before = Cells.values(recur.state());
    recur.truncate();
    List<float[]> after = Cells.values(recur.state());
    for (int i = 0; i < before.size(); i++) {
      assertArrayEquals(before.get(i), after.get(i));
    }
    float[] y = recur.apply(x.times(3, 6)).toArray();
    recur.reset();
    recur.apply(x.times(0, 3));
    assertArrayEquals(recur.apply(x.times(3, 6)).toArray(), y);
  }

  @ParameterizedTest
  @EnumSource
  void truncateCutsTheGradientUntilReset(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 6);
    recur.apply(x.times(0, 2));
    recur.truncate();
    recur.apply(x.times(2, 4));
    Tensor y = recur.apply(x.times(4, 6));
    tape.backward(Cells.weighed(tape, y, 1));
    assertNoGradientOfState0(recur);
    float[] dx = x.gradientArray();
    assertTrue(allZero(Arrays.copyOf(dx, 2 * 2 * IN)), "before the cut");
    assertFalse(allZero(Arrays.copyOfRange(dx, 2 * 2 * IN, 4 * 2 * IN)), "after the cut");

    recur.reset();
    tape.backward(Cells.weighed(tape, recur.apply(x), 1));
    for (float[] gradient : Cells.state0Gradients(recur)) {
      assertFalse(allZero(gradient), "after reset");
    }
  }

  @ParameterizedTest
  @EnumSource
  void truncateLeavesTheGradientOfWhatComesAfter(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 6);
    recur.apply(x.times(0, 3));
    List<Tensor> middle =
        recur.state().parts().stream().map(p -> tape.input(p.shape(), p.toArray())).toList();
    recur.truncate();
    tape.backward(Cells.weighed(tape, recur.apply(x.times(3, 6)), 1));
    Map<String, float[]> truncated = take(recur);
    Step fromConstants = recur.cell().run(new State(middle), x.times(3, 6));
    tape.backward(Cells.weighed(tape, fromConstants.y(), 1));
    near("gradient", Cells.gradients(recur), truncated, FLOAT);
  }

  @ParameterizedTest
  @EnumSource
  void aFreshTruncateCutsState0(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 3);
    float[] expected = recur.apply(x).toArray();
    recur.reset();
    recur.truncate();
    Tensor y = recur.apply(x);
    near("value of state0", expected, y.toArray(), FLOAT);
    tape.backward(Cells.weighed(tape, y, 1));
    assertNoGradientOfState0(recur);
  }

  @ParameterizedTest
  @EnumSource
  void truncateBeforeBackwardChangesNothing(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 6);
    Tensor loss = Cells.weighed(tape, recur.apply(x.times(0, 3)), 1);
    tape.backward(loss);
    Map<String, float[]> expected = take(recur);
    recur.truncate();
    recur.apply(x.times(3, 6));
    recur.truncate();
    tape.backward(loss);
    Cells.gradients(recur)
        .forEach((name, again) -> assertArrayEquals(expected.get(name), again, name));
  }

  @ParameterizedTest
  @EnumSource
  void aSecondTruncateDoesNotOverwriteWhatTheFirstGave(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 6);
    recur.apply(x.times(0, 2));
    recur.truncate();
    State kept = recur.state();
    List<float[]> before = Cells.values(kept);
    Tensor loss = Cells.weighed(tape, recur.apply(x.times(2, 4)), 1);
    tape.backward(loss);
    Map<String, float[]> expected = take(recur);
    recur.truncate();
    recur.apply(x.times(4, 6));
    recur.truncate();
    tape.backward(loss);
    Cells.gradients(recur)
        .forEach((name, again) -> assertArrayEquals(expected.get(name), again, name));
    for (int i = 0; i < before.size(); i++) {
      assertArrayEquals(before.get(i), kept.parts().get(i).toArray(), "a state once shown");
    }
  }

  @ParameterizedTest
  @EnumSource
  void truncateTwiceIsTruncateOnce(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    recur.apply(Cells.input(tape, 1, IN, 2));
    List<float[]> before = Cells.values(recur.state());
    recur.truncate();
    recur.truncate();
    List<float[]> after = Cells.values(recur.state());
    for (int i = 0; i < before.size(); i++) {
      assertArrayEquals(before.get(i), after.get(i));
    }
  }

  private static void assertNoGradientOfState0(Recur recur) {
    for (float[] gradient : Cells.state0Gradients(recur)) {
      assertTrue(allZero(gradient), "state0 got " + Arrays.toString(gradient));
    }
  }

  private static boolean allZero(float[] values) {
    return Arrays.equals(values, new float[values.length]);
  }

  /** The gradients, zeroed behind. */
  private static Map<String, float[]> take(Recur recur) {
    Map<String, float[]> gradients = Cells.gradients(recur);
    recur.parameters().zeroGradients();
    return gradients;
  }

  private static float[] add(float[] a, float[] b) {
    float[] sum = a.clone();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += b[i];
    }
    return sum;
  }
}
