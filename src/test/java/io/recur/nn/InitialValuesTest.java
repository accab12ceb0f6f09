package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.embedding;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * The values before training: Glorot uniform weights, zero biases and states, a forget bias of 1.
 */
class InitialValuesTest {
  @AutoClose private final Device device = Devices.here();

  @Test
  void theForgetBiasIsOneAndAllOtherBiasesAreZero() {
    float[] expected = new float[20];
    Arrays.fill(expected, 5, 10, 1);
    assertArrayEquals(expected, values(lstm(3, 5), 1, "b"));
    assertArrayEquals(new float[5], values(rnn(3, 5), 1, "b"));
    assertArrayEquals(new float[15], values(gru(3, 5), 1, "b"));
    assertArrayEquals(new float[15], values(gruV3(3, 5), 1, "b"));
    assertArrayEquals(new float[5], values(dense(3, 5), 1, "b"));
  }

  /** Bounds of the stacked matrix, rows and columns as it stands. */
  @Test
  void weightsAreGlorotUniform() {
    assertGlorot(values(rnn(40, 50), 1, "Wi"), 50, 40);
    assertGlorot(values(rnn(40, 50), 1, "Wh"), 50, 50);
    assertGlorot(values(lstm(40, 50), 1, "Wi"), 200, 40);
    assertGlorot(values(lstm(40, 50), 1, "Wh"), 200, 50);
    assertGlorot(values(gru(40, 50), 1, "Wi"), 150, 40);
    assertGlorot(values(gruV3(40, 50), 1, "Wh"), 100, 50);
    assertGlorot(values(gruV3(40, 50), 1, "Whc"), 50, 50);
    assertGlorot(values(dense(40, 50), 1, "W"), 50, 40);
    assertGlorot(values(embedding(40, 50), 1, "W"), 50, 40);
    Cell banded =
        new RNNCell(
            Elementwise.TANH,
            Matrix.tridiagonal(2000, 2000),
            Matrix.diagonal(2000, 2000),
            Parameter.zeros(Shape.of(2000)),
            Parameter.zeros(Shape.of(2000, 1)));
    assertGlorot(values(new Recur(banded), 1, "Wi"), 2000, 2000);
    assertGlorot(values(new Recur(banded), 1, "Wh"), 2000, 2000);
  }

  @Test
  void reservedParametersAreZeroAndDrawNothing() {
    Parameter drawn =
        Parameter.of(
            Shape.of(3),
            (values, random) -> {
              throw new AssertionError("an initial value was drawn");
            });
    Parameter fixed = Parameter.fixed(Shape.of(3), 7, 8, 9);
    Recur recur =
        new Recur(
            (h, x) -> Step.step(h.add(drawn), x), Parameter.zeros(Shape.of(3, 1)), drawn, fixed);
    recur.parameters().reserve(device);
    assertArrayEquals(new float[3], drawn.toArray());
    assertArrayEquals(new float[] {7, 8, 9}, fixed.toArray());
    recur.on(device, 5); // their values are those that were read, of any seed
    drawn.value().write(1, 2, 3);
    recur.parameters().reserve(device);
    assertArrayEquals(new float[] {1, 2, 3}, drawn.toArray());
  }

  private static void assertGlorot(float[] values, int rows, int columns) {
    double limit = Math.sqrt(6.0 / (rows + columns));
    double least = 0;
    double most = 0;
    double squares = 0;
    for (float value : values) {
      least = Math.min(least, value);
      most = Math.max(most, value);
      squares += value * value;
    }
    assertTrue(least >= -limit - 1e-7 && most <= limit + 1e-7, least + " to " + most);
    // Of 2000 and more uniform values the extremes miss the limits by less than a hundredth, and
    // the variance limit²/3 is met within a tenth: five standard deviations.
    assertTrue(least < -0.99 * limit && most > 0.99 * limit, least + " to " + most);
    assertEquals(limit * limit / 3, squares / values.length, 0.1 * limit * limit / 3);
  }

  @Test
  void theSameSeedGivesTheSameModel() {
    Map<String, Parameter> first = model(42).parameters().named();
    Map<String, Parameter> second = model(42).parameters().named();
    Map<String, Parameter> other = model(43).parameters().named();
    first.forEach((name, p) -> assertArrayEquals(p.toArray(), second.get(name).toArray(), name));
    for (String name : new String[] {"0.Wi", "0.Wh", "1.W"}) {
      assertFalse(Arrays.equals(first.get(name).toArray(), other.get(name).toArray()), name);
    }
  }

  /** On every platform: java.util.Random is specified to the bit, and float32 is float32. */
  @Test
  void aSeedGivesTheseNumbers() {
    float[] expected = {0.03813531f, -0.29342094f, 0.87224954f, 0.08499943f};
    assertArrayEquals(expected, values(rnn(2, 2), 42, "Wi"));
  }

  @Test
  void noTwoParametersHaveTheSameNumbers() {
    Map<String, Parameter> named = chain(rnn(5, 5), dense(5, 5)).on(device, 1).parameters().named();
    float[] wi = named.get("0.Wi").toArray();
    assertFalse(Arrays.equals(wi, named.get("0.Wh").toArray()));
    assertFalse(Arrays.equals(wi, named.get("1.W").toArray()));
  }

  /** Adding a layer behind does not change those before. */
  @Test
  void aLongerChainBeginsWithTheSameNumbers() {
    Map<String, Parameter> shorter =
        chain(rnn(3, 5), dense(5, 5)).on(device, 7).parameters().named();
    Map<String, Parameter> longer =
        chain(rnn(3, 5), dense(5, 5), rnn(5, 2)).on(device, 7).parameters().named();
    shorter.forEach((name, p) -> assertArrayEquals(p.toArray(), longer.get(name).toArray(), name));
  }

  private Chain model(long seed) {
    return chain(lstm(3, 5), dense(5, 2)).on(device, seed);
  }

  private float[] values(Layer layer, long seed, String name) {
    return layer.on(device, seed).parameters().named().get(name).toArray();
  }
}
