package io.recur.device;

import static io.recur.Reference.sigmoid;
import static io.recur.device.GateSizes.derivative;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Near;
import io.recur.device.GateSizes.Place;
import io.recur.device.kernels.KernelDevice;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The gates of RNN and LSTM cells, against the equations in double and their differences. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class LstmGatesTest {
  /** tanh is good to 4e-7, sigmoid to 2e-7; a few roundings come on top. */
  private static final double TOLERANCE = 2e-6;

  private final Device device;

  LstmGatesTest(Device device) {
    this.device = device;
  }

  /** The equations for one unit. */
  private record Unit(double i, double f, double g, double o, double before) {
    static Unit of(
        Guarded.Piece sums, Guarded.@Nullable Piece bias, Guarded.Piece cPrevious, Place place) {
      return new Unit(
          place.sum(sums, bias, 0),
          place.sum(sums, bias, 1),
          place.sum(sums, bias, 2),
          place.sum(sums, bias, 3),
          cPrevious.at(place.at()));
    }

    double c() {
      return sigmoid(f) * before + sigmoid(i) * Math.tanh(g);
    }

    double h() {
      return sigmoid(o) * Math.tanh(c());
    }

    /** What the gradients dh of h and dc of c give together. */
    double both(double dh, double dc) {
      return dh * h() + dc * c();
    }
  }

  @Test
  void aStepEqualsTheEquations() {
    for (int[] size : GateSizes.all()) {
      Guarded memory = new Guarded(device, 1);
      step(size, memory, null);
      step(size, memory, memory.input(4 * size[0]));
    }
  }

  private void step(int[] size, Guarded memory, Guarded.@Nullable Piece bias) {
    int n = size[0] * size[1];
    Guarded.Piece gates = memory.inOut(4 * n);
    Guarded.Piece before = memory.input(n);
    Guarded.Piece c = memory.output(n);
    Guarded.Piece h = memory.output(n);
    KernelDevice.of(device)
        .gates()
        .lstm(
            size[0],
            size[1],
            gates.buffer(),
            bias == null ? null : bias.buffer(),
            before.buffer(),
            c.buffer(),
            h.buffer());
    check(size, gates, bias, before, c, h);
    memory.check();
  }

  @Test
  void theCellMayBeOverwritten() {
    for (int[] size : GateSizes.all()) {
      int n = size[0] * size[1];
      Guarded memory = new Guarded(device, 2);
      Guarded.Piece gates = memory.inOut(4 * n);
      Guarded.Piece c = memory.inOut(n);
      Guarded.Piece h = memory.output(n);
      KernelDevice.of(device)
          .gates()
          .lstm(size[0], size[1], gates.buffer(), null, c.buffer(), c.buffer(), h.buffer());
      check(size, gates, null, c, c, h);
      memory.check();
    }
  }

  private static void check(
      int[] size,
      Guarded.Piece gates,
      Guarded.@Nullable Piece bias,
      Guarded.Piece before,
      Guarded.Piece c,
      Guarded.Piece h) {
    int n = size[0] * size[1];
    double[] activations = new double[4 * n];
    double[] cells = new double[n];
    double[] states = new double[n];
    for (int at = 0; at < n; at++) {
      Place place = new Place(size[0], 4, at);
      Unit unit = Unit.of(gates, bias, before, place);
      activations[place.in(0)] = sigmoid(unit.i);
      activations[place.in(1)] = sigmoid(unit.f);
      activations[place.in(2)] = Math.tanh(unit.g);
      activations[place.in(3)] = sigmoid(unit.o);
      cells[at] = unit.c();
      states[at] = unit.h();
    }
    String what = " H=" + size[0] + " B=" + size[1] + (bias == null ? "" : " with bias");
    Near.check("gates" + what, activations, gates.read(), TOLERANCE);
    Near.check("c" + what, cells, c.read(), TOLERANCE);
    Near.check("h" + what, states, h.read(), TOLERANCE);
  }

  @Test
  void theDerivativeEqualsDifferences() {
    for (int[] size : GateSizes.all()) {
      int n = size[0] * size[1];
      Guarded memory = new Guarded(device, 3);
      Guarded.Piece sums = memory.input(4 * n);
      Guarded.Piece before = memory.input(n);
      Guarded.Piece dy = memory.input(n);
      Guarded.Piece dh = memory.input(n);
      Guarded.Piece dc = memory.inOut(n);
      Guarded.Piece dgates = memory.output(4 * n);
      float[] activations = new float[4 * n];
      float[] cells = new float[n];
      double[] expectedGates = new double[4 * n];
      double[] expectedCell = new double[n];
      for (int at = 0; at < n; at++) {
        Place place = new Place(size[0], 4, at);
        Unit u = Unit.of(sums, null, before, place);
        activations[place.in(0)] = (float) sigmoid(u.i);
        activations[place.in(1)] = (float) sigmoid(u.f);
        activations[place.in(2)] = (float) Math.tanh(u.g);
        activations[place.in(3)] = (float) sigmoid(u.o);
        cells[at] = (float) u.c();
        double up = dy.at(at) + dh.at(at);
        double of = dc.at(at);
        expectedGates[place.in(0)] =
            derivative(v -> new Unit(v, u.f, u.g, u.o, u.before).both(up, of), u.i);
        expectedGates[place.in(1)] =
            derivative(v -> new Unit(u.i, v, u.g, u.o, u.before).both(up, of), u.f);
        expectedGates[place.in(2)] =
            derivative(v -> new Unit(u.i, u.f, v, u.o, u.before).both(up, of), u.g);
        expectedGates[place.in(3)] =
            derivative(v -> new Unit(u.i, u.f, u.g, v, u.before).both(up, of), u.o);
        expectedCell[at] = derivative(v -> new Unit(u.i, u.f, u.g, u.o, v).both(up, of), u.before);
      }
      Guarded.Piece gates = memory.input(activations);
      Guarded.Piece c = memory.input(cells);
      KernelDevice.of(device)
          .gates()
          .lstmSlope(
              size[0],
              size[1],
              gates.buffer(),
              before.buffer(),
              c.buffer(),
              dy.buffer(),
              dh.buffer(),
              dc.buffer(),
              dgates.buffer());
      String what = " H=" + size[0] + " B=" + size[1];
      Near.check("dgates" + what, expectedGates, dgates.read(), TOLERANCE);
      Near.check("dc" + what, expectedCell, dc.read(), TOLERANCE);
      memory.check();
    }
  }

  @Test
  void anRnnStepEqualsTheEquations() {
    for (int[] size : GateSizes.all()) {
      Guarded memory = new Guarded(device, 7);
      rnnStep(size, memory, null);
      rnnStep(size, memory, memory.input(size[0]));
    }
  }

  private void rnnStep(int[] size, Guarded memory, Guarded.@Nullable Piece bias) {
    int n = size[0] * size[1];
    Guarded.Piece a = memory.inOut(n);
    Guarded.Piece h = memory.output(n);
    KernelDevice.of(device)
        .gates()
        .rnn(
            Elementwise.TANH,
            size[0],
            size[1],
            a.buffer(),
            bias == null ? null : bias.buffer(),
            h.buffer());
    double[] sums = a.start();
    double[] states = new double[n];
    for (int at = 0; at < n; at++) {
      sums[at] = new Place(size[0], 1, at).sum(a, bias, 0);
      states[at] = Math.tanh(sums[at]);
    }
    String what = " H=" + size[0] + " B=" + size[1] + (bias == null ? "" : " with bias");
    Near.check("a" + what, sums, a.read(), TOLERANCE);
    Near.check("h" + what, states, h.read(), TOLERANCE);
    memory.check();
  }

  @Test
  void anRnnStepKnowsEveryFunction() {
    for (Elementwise f : Elementwise.values()) {
      Guarded memory = new Guarded(device, 8);
      Guarded.Piece a = memory.inOut(0.25f, 1f, 2f);
      Guarded.Piece bias = memory.input(0.25f, 0.5f, 0.5f);
      Guarded.Piece sums = memory.input(0.5f, 1.5f, 2.5f);
      Guarded.Piece h = memory.output(3);
      Guarded.Piece mapped = memory.output(3);
      device.pointwise().map(f, sums.buffer(), mapped.buffer(), 3);
      KernelDevice.of(device).gates().rnn(f, 3, 1, a.buffer(), bias.buffer(), h.buffer());
      assertArrayEquals(mapped.read(), h.read(), f.label());
      assertArrayEquals(sums.buffer().read(), a.read(), f.label());
      memory.check();
    }
  }

  @Test
  void theDerivativeOfAnRnnStepEqualsDifferences() {
    for (int n : Devices.SIZES) {
      Guarded memory = new Guarded(device, 4);
      Guarded.Piece a = memory.input(n);
      float[] states = new float[n];
      for (int i = 0; i < n; i++) {
        states[i] = (float) Math.tanh(a.at(i));
      }
      Guarded.Piece h = memory.input(states);
      Guarded.Piece dy = memory.input(n);
      Guarded.Piece dh = memory.input(n);
      Guarded.Piece da = memory.output(n);
      KernelDevice.of(device)
          .gates()
          .rnnSlope(
              Elementwise.TANH, n, a.buffer(), h.buffer(), dy.buffer(), dh.buffer(), da.buffer());
      double[] expected = new double[n];
      for (int i = 0; i < n; i++) {
        expected[i] = (dy.at(i) + dh.at(i)) * derivative(Math::tanh, a.at(i));
      }
      Near.check("n=" + n, expected, da.read(), TOLERANCE);
      memory.check();
    }
  }

  @Test
  void theDerivativeOfAnRnnStepKnowsEveryFunction() {
    for (Elementwise f : Elementwise.values()) {
      Guarded memory = new Guarded(device, 5);
      Guarded.Piece a = memory.input(0.5f, 1.5f, 2.5f);
      Guarded.Piece h = memory.output(3);
      device.pointwise().map(f, a.buffer(), h.buffer(), 3);
      Guarded.Piece dy = memory.input(3);
      Guarded.Piece dh = memory.input(3);
      Guarded.Piece da = memory.output(3);
      Guarded.Piece same = memory.inOut(0f, 0f, 0f);
      Guarded.Piece sum = memory.output(3);
      device.pointwise().combine(dy.buffer(), 1, dh.buffer(), sum.buffer(), 3);
      device.pointwise().addDerivative(f, a.buffer(), h.buffer(), sum.buffer(), same.buffer(), 3);
      KernelDevice.of(device)
          .gates()
          .rnnSlope(f, 3, a.buffer(), h.buffer(), dy.buffer(), dh.buffer(), da.buffer());
      float[] expected = same.read();
      Near.check(f.label(), new double[] {expected[0], expected[1], expected[2]}, da.read(), 1e-6);
      memory.check();
    }
  }

  @Test
  void aNotANumberStaysInItsUnit() {
    Guarded memory = new Guarded(device, 6);
    float[] cells = memory.floats(17 * 3);
    cells[20] = Float.NaN;
    Guarded.Piece gates = memory.inOut(4 * 17 * 3);
    Guarded.Piece before = memory.input(cells);
    Guarded.Piece c = memory.output(17 * 3);
    Guarded.Piece h = memory.output(17 * 3);
    KernelDevice.of(device)
        .gates()
        .lstm(17, 3, gates.buffer(), null, before.buffer(), c.buffer(), h.buffer());
    float[] states = h.read();
    for (int i = 0; i < states.length; i++) {
      assertEquals(i == 20, Float.isNaN(states[i]), "value " + i);
    }
    memory.check();
  }
}
