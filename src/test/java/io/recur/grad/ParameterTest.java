package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class ParameterTest {
  @AutoClose private final Device device = Devices.here();

  @Test
  void aPlacedParameterHasItsInitialValueAndNoGradientYet() {
    Parameter w = Parameter.of(Shape.of(2, 2), 1, 2, 3, 4).on(device);
    assertArrayEquals(new float[] {1, 2, 3, 4}, w.toArray());
    assertArrayEquals(new float[4], w.gradientArray());
    assertTrue(w.isTrainable() && w.isDifferentiable() && w.isPlaced());
    assertNull(w.tape());
  }

  @Test
  void aWriteTakesAllValuesOfTheParameter() {
    Parameter w = Parameter.zeros(Shape.of(3)).on(device);
    w.value().write(1, 2, 3);
    Thrown.says(
        IndexOutOfBoundsException.class, () -> w.value().write(1, 2), "write: 2 values, buffer of");
    assertArrayEquals(new float[] {1, 2, 3}, w.toArray());
  }

  @Test
  void withoutMemoryUseThrowsAndSaysWhatToCall() {
    Parameter w = Parameter.zeros(Shape.of(3)).named("Wh");
    assertFalse(w.isPlaced());
    try (Tape tape = Tape.on(device)) {
      Thrown.says(
          IllegalStateException.class,
          () -> w.add(tape.input(1, 2, 3)),
          "parameter Wh 3: it has no memory yet; call on(device, seed)");
    }
    Thrown.says(IllegalStateException.class, w::gradient, "parameter Wh 3");
    Thrown.says(IllegalStateException.class, w::placement, "parameter Wh 3");
    assertEquals("Parameter(Wh 3)", w.toString());
  }

  @Test
  void aParameterStaysWhereItIs() {
    Parameter w = Parameter.of(Shape.of(1), 5).on(device);
    Thrown.says(
        IllegalStateException.class,
        () -> w.on(device),
        "it is on " + device + " already; a parameter stays where it is");
    assertArrayEquals(new float[] {5}, w.toArray());
  }

  @Test
  void aFixedParameterTakesNoGradient() {
    Parameter w = Parameter.fixed(Shape.of(2), 3, 4).on(device);
    assertFalse(w.isTrainable() || w.isDifferentiable());
    Thrown.says(IllegalStateException.class, w::gradient, "it is fixed and takes no gradient");
    try (Tape tape = Tape.on(device)) {
      Tensor x = tape.variable(Shape.of(2), 1, 1);
      tape.backward(x.mul(w), 1, 1);
      assertArrayEquals(new float[] {3, 4}, x.gradientArray());
    }
  }

  @Test
  void glorotIsUniformWithinItsLimit() {
    Parameter w = Parameter.glorot(100, 50).on(device);
    double limit = Math.sqrt(6.0 / 150);
    double squares = 0;
    double sum = 0;
    for (float value : w.toArray()) {
      assertTrue(Math.abs(value) <= limit, "value " + value);
      sum += value;
      squares += value * value;
    }
    // a uniform value has mean 0 and variance limit²/3; five standard errors of 5000 of them
    assertEquals(0, sum / 5000, 5 * limit / Math.sqrt(3 * 5000));
    assertEquals(limit * limit / 3, squares / 5000, 5 * limit * limit * 0.3 / Math.sqrt(5000));
  }

  @Test
  void valuesAreCopied() {
    float[] values = {1, 2};
    Parameter w = Parameter.of(Shape.of(2), values);
    values[0] = 9;
    assertArrayEquals(new float[] {1, 2}, w.on(device).toArray());
  }

  @Test
  void anotherCountThrows() {
    Thrown.says(
        ShapeException.class,
        () -> Parameter.of(Shape.of(2, 2), 1, 2, 3),
        "parameter: shape=2×2, 3 values; need 4");
  }

  @Test
  void anotherDeviceThrows() {
    try (Device other = Devices.opened();
        Tape tape = Tape.on(other)) {
      Parameter w = Parameter.of(Shape.of(2), 1, 2).on(device);
      Thrown.says(
          IllegalStateException.class,
          () -> w.add(tape.input(1, 2)),
          "add: a tensor 2 is on",
          "make the tape on the model's device");
      Thrown.says(IllegalStateException.class, () -> tape.use(w), "use: a tensor 2 is on");
      Thrown.says(
          IllegalStateException.class,
          () -> Repeat.repeat(tape, w, Shape.of(2, 2)),
          "repeat: a tensor 2 is on");
    }
  }
}
