package io.recur.device;

import static io.recur.Reference.sigmoid;
import static io.recur.device.GateSizes.derivative;

import io.recur.Near;
import io.recur.device.GateSizes.Place;
import io.recur.device.kernels.KernelDevice;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The gates of a GRU, against its equations in double and their differences. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class GruGatesTest {
  /** tanh is good to 4e-7, sigmoid to 2e-7; a few roundings come on top. */
  private static final double TOLERANCE = 2e-6;

  private final Device device;

  GruGatesTest(Device device) {
    this.device = device;
  }

  /** The equations for one unit: a is Wi·x + b, p is Wh·h₋, with the recurrent bias in p₃. */
  private record Unit(double[] a, double[] p, double before) {
    double r() {
      return sigmoid(a[0] + p[0]);
    }

    double z() {
      return sigmoid(a[1] + p[1]);
    }

    double n() {
      return Math.tanh(a[2] + r() * p[2]);
    }

    double h() {
      return (1 - z()) * n() + z() * before;
    }

    Unit withInput(int k, double value) {
      double[] changed = a.clone();
      changed[k] = value;
      return new Unit(changed, p, before);
    }

    Unit withProduct(int k, double value) {
      double[] changed = p.clone();
      changed[k] = value;
      return new Unit(a, changed, before);
    }
  }

  private static Unit unit(
      Guarded.Piece gates,
      Guarded.@Nullable Piece bias,
      Guarded.Piece recurrent,
      Guarded.@Nullable Piece recurrentBias,
      Guarded.Piece before,
      Place place) {
    double[] a = new double[3];
    double[] p = new double[3];
    for (int k = 0; k < 3; k++) {
      a[k] = place.sum(gates, bias, k);
      p[k] = recurrent.at(place.in(k));
    }
    p[2] += recurrentBias == null ? 0 : recurrentBias.at(place.at() % place.units());
    return new Unit(a, p, before.at(place.at()));
  }

  @Test
  void aStepEqualsTheEquations() {
    for (int[] size : GateSizes.all()) {
      Guarded memory = new Guarded(device, 1);
      step(size, memory, null, null);
      step(size, memory, memory.input(3 * size[0]), null);
      step(size, memory, memory.input(3 * size[0]), memory.input(size[0]));
    }
  }

  private void step(
      int[] size,
      Guarded memory,
      Guarded.@Nullable Piece bias,
      Guarded.@Nullable Piece recurrentBias) {
    int n = size[0] * size[1];
    Guarded.Piece gates = memory.inOut(3 * n);
    Guarded.Piece recurrent = memory.inOut(3 * n);
    Guarded.Piece before = memory.input(n);
    Guarded.Piece h = memory.output(n);
    KernelDevice.of(device)
        .gates()
        .gru(
            size[0],
            size[1],
            gates.buffer(),
            bias == null ? null : bias.buffer(),
            recurrent.buffer(),
            recurrentBias == null ? null : recurrentBias.buffer(),
            before.buffer(),
            h.buffer());
    double[] activations = new double[3 * n];
    double[] products = recurrent.start();
    double[] states = new double[n];
    for (int at = 0; at < n; at++) {
      Place place = new Place(size[0], 3, at);
      Unit unit = unit(gates, bias, recurrent, recurrentBias, before, place);
      activations[place.in(0)] = unit.r();
      activations[place.in(1)] = unit.z();
      activations[place.in(2)] = unit.n();
      products[place.in(2)] = unit.p[2];
      states[at] = unit.h();
    }
    String what = " H=" + size[0] + " B=" + size[1] + biases(bias, recurrentBias);
    Near.check("gates" + what, activations, gates.read(), TOLERANCE);
    Near.check("recurrent" + what, products, recurrent.read(), TOLERANCE);
    Near.check("h" + what, states, h.read(), TOLERANCE);
    memory.check();
  }

  private static String biases(Object bias, Object recurrentBias) {
    return (bias == null ? "" : ", bias") + (recurrentBias == null ? "" : ", recurrent bias");
  }

  @Test
  void theDerivativeEqualsDifferences() {
    for (int[] size : GateSizes.all()) {
      int n = size[0] * size[1];
      Guarded memory = new Guarded(device, 2);
      Guarded.Piece sums = memory.input(3 * n);
      Guarded.Piece recurrent = memory.input(3 * n);
      Guarded.Piece before = memory.input(n);
      Guarded.Piece dy = memory.input(n);
      Guarded.Piece dh = memory.inOut(n);
      Guarded.Piece dgates = memory.output(3 * n);
      Guarded.Piece drecurrent = memory.output(3 * n);
      float[] activations = new float[3 * n];
      double[] expectedGates = new double[3 * n];
      double[] expectedProducts = new double[3 * n];
      double[] expectedState = new double[n];
      for (int at = 0; at < n; at++) {
        Place place = new Place(size[0], 3, at);
        Unit unit = unit(sums, null, recurrent, null, before, place);
        activations[place.in(0)] = (float) unit.r();
        activations[place.in(1)] = (float) unit.z();
        activations[place.in(2)] = (float) unit.n();
        double up = dy.at(at) + dh.at(at);
        for (int k = 0; k < 3; k++) {
          int gate = k;
          expectedGates[place.in(k)] = up * derivative(v -> unit.withInput(gate, v).h(), unit.a[k]);
          expectedProducts[place.in(k)] =
              up * derivative(v -> unit.withProduct(gate, v).h(), unit.p[k]);
        }
        expectedState[at] = up * derivative(v -> new Unit(unit.a, unit.p, v).h(), unit.before);
      }
      Guarded.Piece gates = memory.input(activations);
      KernelDevice.of(device)
          .gates()
          .gruSlope(
              size[0],
              size[1],
              gates.buffer(),
              recurrent.buffer(),
              before.buffer(),
              dy.buffer(),
              dh.buffer(),
              dgates.buffer(),
              drecurrent.buffer());
      String what = " H=" + size[0] + " B=" + size[1];
      Near.check("dgates" + what, expectedGates, dgates.read(), TOLERANCE);
      Near.check("drecurrent" + what, expectedProducts, drecurrent.read(), TOLERANCE);
      Near.check("dh" + what, expectedState, dh.read(), TOLERANCE);
      memory.check();
    }
  }
}
