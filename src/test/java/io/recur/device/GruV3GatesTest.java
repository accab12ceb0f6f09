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

/** The two halves of a GRUv3 step, against its equations in double and their differences. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class GruV3GatesTest {
  /** tanh is good to 4e-7, sigmoid to 2e-7; a few roundings come on top. */
  private static final double TOLERANCE = 2e-6;

  private final Device device;

  GruV3GatesTest(Device device) {
    this.device = device;
  }

  private static double blend(double z, double candidate, double before) {
    double share = sigmoid(z);
    return (1 - share) * Math.tanh(candidate) + share * before;
  }

  @Test
  void theFirstHalfEqualsTheEquations() {
    for (int[] size : GateSizes.all()) {
      Guarded memory = new Guarded(device, 1);
      firstHalf(size, memory, null);
      firstHalf(size, memory, memory.input(3 * size[0]));
    }
  }

  private void firstHalf(int[] size, Guarded memory, Guarded.@Nullable Piece bias) {
    int n = size[0] * size[1];
    Guarded.Piece gates = memory.inOut(3 * n);
    Guarded.Piece before = memory.input(n);
    Guarded.Piece q = memory.output(n);
    KernelDevice.of(device)
        .gates()
        .gruV3Reset(
            size[0],
            size[1],
            gates.buffer(),
            bias == null ? null : bias.buffer(),
            before.buffer(),
            q.buffer());
    double[] activations = gates.start(); // the last third stays
    double[] reset = new double[n];
    for (int at = 0; at < n; at++) {
      Place place = new Place(size[0], 3, at);
      activations[place.in(0)] = sigmoid(place.sum(gates, bias, 0));
      activations[place.in(1)] = sigmoid(place.sum(gates, bias, 1));
      reset[at] = activations[place.in(0)] * before.at(at);
    }
    String what = " H=" + size[0] + " B=" + size[1] + (bias == null ? "" : " with bias");
    Near.check("gates" + what, activations, gates.read(), TOLERANCE);
    Near.check("q" + what, reset, q.read(), TOLERANCE);
    memory.check();
  }

  @Test
  void theSecondHalfEqualsTheEquations() {
    for (int[] size : GateSizes.all()) {
      Guarded memory = new Guarded(device, 2);
      secondHalf(size, memory, null);
      secondHalf(size, memory, memory.input(3 * size[0]));
    }
  }

  private void secondHalf(int[] size, Guarded memory, Guarded.@Nullable Piece bias) {
    int n = size[0] * size[1];
    Guarded.Piece gates = memory.inOut(3 * n);
    Guarded.Piece before = memory.input(n);
    Guarded.Piece h = memory.output(n);
    KernelDevice.of(device)
        .gates()
        .gruV3Candidate(
            size[0],
            size[1],
            gates.buffer(),
            bias == null ? null : bias.buffer(),
            before.buffer(),
            h.buffer());
    double[] activations = gates.start(); // r and z stay
    double[] states = new double[n];
    for (int at = 0; at < n; at++) {
      Place place = new Place(size[0], 3, at);
      double z = gates.at(place.in(1));
      double candidate = Math.tanh(place.sum(gates, bias, 2));
      activations[place.in(2)] = candidate;
      states[at] = (1 - z) * candidate + z * before.at(at);
    }
    String what = " H=" + size[0] + " B=" + size[1] + (bias == null ? "" : " with bias");
    Near.check("gates" + what, activations, gates.read(), TOLERANCE);
    Near.check("h" + what, states, h.read(), TOLERANCE);
    memory.check();
  }

  @Test
  void theDerivativeOfTheSecondHalfEqualsDifferences() {
    for (int[] size : GateSizes.all()) {
      int n = size[0] * size[1];
      Guarded memory = new Guarded(device, 3);
      Guarded.Piece sums = memory.input(3 * n);
      Guarded.Piece before = memory.input(n);
      Guarded.Piece dy = memory.input(n);
      Guarded.Piece dh = memory.inOut(n);
      Guarded.Piece dgates = memory.inOut(3 * n);
      float[] activations = new float[3 * n];
      double[] expectedGates = dgates.start(); // the first third stays
      double[] expectedState = new double[n];
      for (int at = 0; at < n; at++) {
        Place place = new Place(size[0], 3, at);
        double z = sums.at(place.in(1));
        double candidate = sums.at(place.in(2));
        double state = before.at(at);
        activations[place.in(1)] = (float) sigmoid(z);
        activations[place.in(2)] = (float) Math.tanh(candidate);
        double up = dy.at(at) + dh.at(at);
        expectedGates[place.in(1)] = up * derivative(v -> blend(v, candidate, state), z);
        expectedGates[place.in(2)] = up * derivative(v -> blend(z, v, state), candidate);
        expectedState[at] = up * derivative(v -> blend(z, candidate, v), state);
      }
      Guarded.Piece gates = memory.input(activations);
      KernelDevice.of(device)
          .gates()
          .gruV3CandidateSlope(
              size[0],
              size[1],
              gates.buffer(),
              before.buffer(),
              dy.buffer(),
              dh.buffer(),
              dgates.buffer());
      String what = " H=" + size[0] + " B=" + size[1];
      Near.check("dgates" + what, expectedGates, dgates.read(), TOLERANCE);
      Near.check("dh" + what, expectedState, dh.read(), TOLERANCE);
      memory.check();
    }
  }

  @Test
  void theDerivativeOfTheFirstHalfEqualsDifferences() {
    for (int[] size : GateSizes.all()) {
      int n = size[0] * size[1];
      Guarded memory = new Guarded(device, 4);
      Guarded.Piece sums = memory.input(3 * n);
      Guarded.Piece before = memory.input(n);
      Guarded.Piece dq = memory.input(n);
      Guarded.Piece dh = memory.inOut(n);
      Guarded.Piece dgates = memory.inOut(3 * n);
      float[] activations = new float[3 * n];
      double[] expectedGates = dgates.start(); // the last two thirds stay
      double[] expectedState = dh.start();
      for (int at = 0; at < n; at++) {
        Place place = new Place(size[0], 3, at);
        double r = sums.at(place.in(0));
        double state = before.at(at);
        activations[place.in(0)] = (float) sigmoid(r);
        expectedGates[place.in(0)] = dq.at(at) * derivative(v -> sigmoid(v) * state, r);
        expectedState[at] += dq.at(at) * derivative(v -> sigmoid(r) * v, state);
      }
      Guarded.Piece gates = memory.input(activations);
      KernelDevice.of(device)
          .gates()
          .gruV3ResetSlope(
              size[0],
              size[1],
              gates.buffer(),
              before.buffer(),
              dq.buffer(),
              dh.buffer(),
              dgates.buffer());
      String what = " H=" + size[0] + " B=" + size[1];
      Near.check("dgates" + what, expectedGates, dgates.read(), TOLERANCE);
      Near.check("dh" + what, expectedState, dh.read(), TOLERANCE);
      memory.check();
    }
  }
}
