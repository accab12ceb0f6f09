package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Near;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Updates;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Every rule of the table of optimisers for one step, against its formula in double. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class UpdatesTest {
  private static final double RATE = 0.01;
  private static final double KEEP = 0.99;

  private final Device device;

  UpdatesTest(Device device) {
    this.device = device;
  }

  /** Settings in the order that {@link UpdateRule} documents; 0.1 and 0.01 lie that far from 1. */
  private static double[] settings(UpdateRule rule) {
    return switch (rule) {
      case SGD -> new double[] {RATE};
      case MOMENTUM, NESTEROV -> new double[] {RATE, 0.9};
      case RMSPROP, ADADELTA -> new double[] {RATE, 0.1, 1e-3};
      case ADAGRAD -> new double[] {RATE, 1e-3};
      case ADAMAX -> new double[] {RATE, 0.1, 0.99, 1e-3};
      case ADAM -> new double[] {RATE, 0.1, 0.01, 1e-3, 1.5, KEEP};
      case AMSGRAD -> new double[] {RATE, 0.1, 0.01, 1e-3, 1.5};
      case NADAM -> new double[] {RATE, 0.1, 0.01, 1e-3, 1.5, 0.02};
      case CENTRED -> new double[] {RATE, 0.1, 1e-3, 0.9, 1};
      case LION -> new double[] {RATE, 0.1, 0.01, KEEP};
    };
  }

  /** One value: takes w, g and the slots, changes the slots, gives the new w. */
  private static double step(UpdateRule rule, double[] s, double w, double g, double[] slot) {
    switch (rule) {
      case SGD -> {
        return w - s[0] * g;
      }
      case MOMENTUM -> {
        slot[0] = s[1] * slot[0] + g;
        return w - s[0] * slot[0];
      }
      case NESTEROV -> {
        slot[0] = s[1] * slot[0] + g;
        return w - s[0] * (g + s[1] * slot[0]);
      }
      case RMSPROP -> {
        slot[0] = mean(s[1], slot[0], g * g);
        return w - s[0] * g / (Math.sqrt(slot[0]) + s[2]);
      }
      case ADAGRAD -> {
        slot[0] += g * g;
        return w - s[0] * g / (Math.sqrt(slot[0]) + s[1]);
      }
      case ADADELTA -> {
        slot[0] = mean(s[1], slot[0], g * g);
        double d = Math.sqrt((slot[1] + s[2]) / (slot[0] + s[2])) * g;
        slot[1] = mean(s[1], slot[1], d * d);
        return w - s[0] * d;
      }
      case ADAMAX -> {
        slot[0] = mean(s[1], slot[0], g);
        slot[1] = Math.max(s[2] * slot[1], Math.abs(g) + s[3]);
        return w - s[0] * slot[0] / slot[1];
      }
      case ADAM -> {
        slot[0] = mean(s[1], slot[0], g);
        slot[1] = mean(s[2], slot[1], g * g);
        return s[5] * w - s[0] * slot[0] / (Math.sqrt(slot[1]) * s[4] + s[3]);
      }
      case AMSGRAD -> {
        slot[0] = mean(s[1], slot[0], g);
        slot[1] = mean(s[2], slot[1], g * g);
        slot[2] = Math.max(slot[2], slot[1]);
        return w - s[0] * slot[0] / (Math.sqrt(slot[2]) * s[4] + s[3]);
      }
      case NADAM -> {
        slot[0] = mean(s[1], slot[0], g);
        slot[1] = mean(s[2], slot[1], g * g);
        return w - (s[0] * g + s[5] * slot[0]) / (Math.sqrt(slot[1]) * s[4] + s[3]);
      }
      case CENTRED -> {
        slot[0] = mean(s[1], slot[0], g * g);
        slot[2] = mean(s[1], slot[2], g);
        double spread = Math.max(slot[0] - s[4] * slot[2] * slot[2], 0);
        slot[1] = s[3] * slot[1] + g / (Math.sqrt(spread) + s[2]);
        return w - s[0] * slot[1];
      }
      case LION -> {
        double way = Math.signum(mean(s[1], slot[0], g));
        slot[0] = mean(s[2], slot[0], g);
        return s[3] * w - s[0] * way;
      }
    }
    throw new AssertionError(rule);
  }

  private static double mean(double fresh, double old, double now) {
    return (1 - fresh) * old + fresh * now;
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  @Test
  void everyRuleEqualsItsFormula() {
    for (UpdateRule rule : UpdateRule.values()) {
      for (int n : Devices.SIZES) {
        check(rule, n);
      }
    }
  }

  private void check(UpdateRule rule, int n) {
    Guarded memory = new Guarded(device, 1);
    Guarded.Piece w = memory.inOut(n);
    Guarded.Piece g = memory.inOut(n);
    Guarded.Piece[] slots = new Guarded.Piece[rule.slots()];
    Buffer[] buffers = new Buffer[rule.slots()];
    for (int s = 0; s < slots.length; s++) {
      float[] values = memory.floats(n);
      for (int i = 0; i < n; i++) {
        values[i] = Math.abs(values[i]); // second moments are not negative
        if (rule == UpdateRule.CENTRED
            && s == 2) { // a mean whose square is below the second moment
          values[i] = 0.5f * (float) Math.sqrt(slots[0].at(i));
        }
      }
      slots[s] = memory.inOut(values);
      buffers[s] = slots[s].buffer();
    }
    double[] settings = settings(rule);
    KernelDevice.of(device)
        .updates()
        .update(rule, floats(settings), w.buffer(), g.buffer(), buffers, n);
    double[] expected = new double[n];
    double[][] expectedSlots = new double[slots.length][n];
    for (int i = 0; i < n; i++) {
      double[] slot = new double[slots.length];
      for (int s = 0; s < slots.length; s++) {
        slot[s] = slots[s].at(i);
      }
      expected[i] = step(rule, settings, w.at(i), g.at(i), slot);
      for (int s = 0; s < slots.length; s++) {
        expectedSlots[s][i] = slot[s];
      }
    }
    Near.check(rule + " g n=" + n, new double[n], g.read(), 0);
    // settings rounded to float, and about five roundings of values below 8
    Near.check(rule + " w n=" + n, expected, w.read(), 1e-6);
    for (int s = 0; s < slots.length; s++) {
      Near.check(rule + " slot " + s + " n=" + n, expectedSlots[s], slots[s].read(), 1e-6);
    }
    memory.check();
  }

  @Test
  void aSpreadThatRoundsBelowZeroCountsAsZero() {
    Guarded memory = new Guarded(device, 3);
    Guarded.Piece w = memory.inOut(3f);
    Guarded.Piece g = memory.inOut(1f);
    Buffer[] slots = {
      memory.inOut(0f).buffer(), memory.inOut(0f).buffer(), memory.inOut(1f).buffer()
    };
    float[] settings = {1, 0.5f, 0.25f, 0, 1}; // v = 0.5 and c = 1
    KernelDevice.of(device)
        .updates()
        .update(UpdateRule.CENTRED, settings, w.buffer(), g.buffer(), slots, 1);
    Near.check("w", new double[] {-1}, w.read(), 0);
    memory.check();
  }

  @Test
  void aZeroGradientOnZeroMemoryChangesNothing() {
    for (UpdateRule rule : UpdateRule.values()) {
      Guarded memory = new Guarded(device, 2);
      Guarded.Piece w = memory.inOut(3f, -2f);
      Guarded.Piece g = memory.inOut(0f, 0f);
      Buffer[] slots = new Buffer[rule.slots()];
      for (int s = 0; s < slots.length; s++) {
        slots[s] = memory.inOut(0f, 0f).buffer();
      }
      float[] settings = floats(settings(rule));
      KernelDevice.of(device).updates().update(rule, settings, w.buffer(), g.buffer(), slots, 2);
      double keep = rule == UpdateRule.ADAM || rule == UpdateRule.LION ? KEEP : 1;
      Near.check(rule.name(), new double[] {3 * keep, -2 * keep}, w.read(), 1e-6);
      memory.check();
    }
  }

  /** A double between guard words: its second and third word lie on a multiple of 8 bytes. */
  private static Buffer aligned(Guarded.Piece three) {
    return three.buffer().slice(1, 2);
  }

  private static double number(Guarded.Piece three) {
    float[] words = aligned(three).read();
    long low = Float.floatToRawIntBits(words[0]) & 0xFFFFFFFFL;
    return Double.longBitsToDouble((long) Float.floatToRawIntBits(words[1]) << 32 | low);
  }

  @Test
  void squaresAddUpInDouble() {
    for (int n : Devices.SIZES) {
      Guarded memory = new Guarded(device, 5);
      Guarded.Piece g = memory.input(n);
      Guarded.Piece more = memory.input(3e20f, 4e20f); // their squares are beyond float
      Guarded.Piece s = memory.output(3);
      Guarded.Piece large = memory.output(3);
      KernelDevice.of(device).updates().squares(false, g.buffer(), n, aligned(s));
      KernelDevice.of(device).updates().squares(true, g.buffer(), n, aligned(s));
      KernelDevice.of(device).updates().squares(false, more.buffer(), 2, aligned(large));
      double squares = 0;
      for (int i = 0; i < n; i++) {
        squares += 2 * g.at(i) * g.at(i);
      }
      assertEquals(squares, number(s), 1e-12 * squares, "n=" + n);
      double sum = (double) 3e20f * 3e20f + (double) 4e20f * 4e20f;
      assertEquals(sum, number(large), 1e-15 * sum);
      memory.check();
    }
  }

  @Test
  void clipNormScalesWhatIsAboveTheLimitAlone() {
    for (int n : Devices.SIZES) {
      Guarded memory = new Guarded(device, 6);
      Guarded.Piece g = memory.inOut(n);
      Guarded.Piece same = memory.inOut(n);
      Guarded.Piece s = memory.output(3);
      double squares = 0;
      for (int i = 0; i < n; i++) {
        squares += g.at(i) * g.at(i);
      }
      double norm = Math.sqrt(squares);
      KernelDevice.of(device).updates().squares(false, g.buffer(), n, aligned(s));
      KernelDevice.of(device).updates().clipNorm((float) (0.25 * norm), aligned(s), g.buffer(), n);
      KernelDevice.of(device)
          .updates()
          .clipNorm((float) (1.01 * norm), aligned(s), same.buffer(), n);
      double[] expected = g.start();
      for (int i = 0; i < n; i++) {
        expected[i] *= 0.25;
      }
      Near.check("clipped n=" + n, expected, g.read(), 4 * 0x1p-24); // limit, factor, product
      Near.check("below n=" + n, same.start(), same.read(), 0);
      memory.check();
    }
  }

  @Test
  void aDoubleThatBeginsBetweenMultiplesOfEightBytesIsRefused() {
    Updates updates = KernelDevice.of(device).updates();
    Buffer g = device.allocate(4);
    Buffer s = device.allocate(3).slice(1, 2);
    for (boolean accumulate : new boolean[] {false, true}) {
      var squares =
          assertThrows(IllegalArgumentException.class, () -> updates.squares(accumulate, g, 4, s));
      assertTrue(squares.getMessage().startsWith("squares: s begins 4 bytes after"));
    }
    var clip = assertThrows(IllegalArgumentException.class, () -> updates.clipNorm(1, s, g, 4));
    assertTrue(clip.getMessage().startsWith("clipNorm: s begins 4 bytes after"));
    assertArrayEquals(new float[4], g.read()); // the device works on
  }

  @Test
  void aNormThatIsNotFiniteClipsNothing() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      Guarded memory = new Guarded(device, 7);
      Guarded.Piece g = memory.inOut(1f, bad, -2f);
      Guarded.Piece s = memory.output(3);
      KernelDevice.of(device).updates().squares(false, g.buffer(), 3, aligned(s));
      KernelDevice.of(device).updates().clipNorm(0.5f, aligned(s), g.buffer(), 3);
      Near.check("g", new double[] {1, bad, -2}, g.read(), 0);
      memory.check();
    }
  }
}
