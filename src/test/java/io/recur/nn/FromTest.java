package io.recur.nn;

import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** A Recur runs from a state that the caller keeps. */
class FromTest {
  /** The same kernels with the state in other memory. */
  private static final float TOLERANCE = 1e-6f;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  private final Random random = new Random(9);

  private Tensor drawn(int... dimensions) {
    Shape shape = Shape.of(dimensions);
    float[] values = new float[shape.count()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return tape.variable(shape, values);
  }

  @Test
  void itEqualsACallFromThatState() {
    Recur recur = lstm(3, 4).on(device, 1);
    State start = State.of(drawn(4, 2), drawn(4, 2));
    Tensor x = drawn(3, 2, 5);
    Step step = recur.from(start, x);
    assertTrue(recur.isFresh());
    recur.state(start);
    assertArrayEquals(recur.apply(x).toArray(), step.y().toArray(), TOLERANCE);
    assertArrayEquals(recur.state().h().toArray(), step.state().h().toArray(), TOLERANCE);
    assertArrayEquals(recur.state().c().toArray(), step.state().c().toArray(), TOLERANCE);
    recur.reset();
  }

  @Test
  void theStateOfTheRecurStays() {
    try (Tape inference = Tape.inference(device)) {
      Recur recur = gru(3, 4).on(device, 1);
      float[] x = {1, 2, 3};
      recur.apply(inference.input(x));
      float[] before = recur.state().h().toArray();
      recur.from(State.of(inference.input(new float[4])), inference.input(x));
      assertArrayEquals(before, recur.state().h().toArray());
    }
  }

  @Test
  void gradientsReachTheStateAndTheWeights() {
    Recur recur = gru(3, 4).on(device, 1);
    Tensor start = drawn(4, 2);
    Tensor x = drawn(3, 2);
    tape.backward(recur.from(State.of(start), x).y().sum());
    float[] given = start.gradientArray();
    float[] weights = recur.parameters().iterator().next().gradientArray();
    recur.parameters().zeroGradients();
    recur.state(State.of(start));
    tape.backward(recur.apply(x).sum());
    assertArrayEquals(start.gradientArray(), given, TOLERANCE);
    assertArrayEquals(recur.parameters().iterator().next().gradientArray(), weights, TOLERANCE);
    Parameter state0 = recur.cell().state0().getFirst();
    assertArrayEquals(new float[4], state0.gradientArray());
    recur.reset();
  }

  @Test
  void outputsHaveTheRankOfTheInput() {
    Recur recur = gru(3, 4).on(device, 1);
    assertEquals(Shape.of(4), recur.from(State.of(drawn(4)), drawn(3)).y().shape());
    assertEquals(Shape.of(4, 2), recur.from(State.of(drawn(4, 2)), drawn(3, 2)).y().shape());
    assertEquals(Shape.of(4, 2, 1), recur.from(State.of(drawn(4, 2)), drawn(3, 2, 1)).y().shape());
  }

  @Test
  void aStateOfOtherSizesIsRefused() {
    Recur recur = lstm(3, 4).on(device, 1);
    Tensor x = drawn(3, 2);
    Thrown.says(
        ShapeException.class, () -> recur.from(State.of(drawn(4, 2)), x), "from", "batch 2");
    Thrown.says(
        ShapeException.class, () -> recur.from(State.of(drawn(4, 1), drawn(4, 1)), x), "from");
    Thrown.says(
        ShapeException.class, () -> recur.from(State.of(drawn(5, 2), drawn(4, 2)), x), "5×2");
    recur.close();
    Thrown.says(
        IllegalStateException.class,
        () -> recur.from(State.of(drawn(4, 2), drawn(4, 2)), x),
        "closed");
  }
}
