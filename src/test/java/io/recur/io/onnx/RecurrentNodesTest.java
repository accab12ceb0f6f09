package io.recur.io.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * RNN, LSTM and GRU answer as ONNX says: the 18 tests that it publishes, and 100 that are drawn
 * from all attributes.
 */
class RecurrentNodesTest {
  /** The published tolerance: |found − wanted| ≤ atol + rtol·|wanted|. */
  private static final double RTOL = 1e-3;

  private static final double ATOL = 1e-7;

  /** The drawn values are rounded from doubles, and some are near 0. */
  private static final double DRAWN_ATOL = 2e-6;

  @TempDir private Path folder;
  @AutoClose private final Device device = Devices.here();

  static List<Cases> published() {
    return Cases.of("published.zip");
  }

  static List<Cases> drawn() {
    return Cases.of("drawn.zip");
  }

  @Test
  void allTestsAreThere() {
    assertEquals(18, published().size());
    assertEquals(100, drawn().size());
  }

  /** Weights are inputs of the graph, as published. */
  @ParameterizedTest
  @MethodSource("published")
  void publishedTestsPass(Cases test) throws IOException {
    check(test, Map.of(), true, ATOL);
  }

  /** Weights are constant, so that the node becomes layers. */
  @ParameterizedTest
  @MethodSource("published")
  void publishedTestsPassWithConstantWeights(Cases test) throws IOException {
    check(test, weights(test), false, ATOL);
  }

  @ParameterizedTest
  @MethodSource("drawn")
  void drawnTestsPass(Cases test) throws IOException {
    check(test, Map.of(), true, DRAWN_ATOL);
  }

  @ParameterizedTest
  @MethodSource("drawn")
  void drawnTestsPassWithConstantWeights(Cases test) throws IOException {
    check(test, weights(test), false, DRAWN_ATOL);
  }

  private static Map<String, Value> weights(Cases test) {
    Map<String, Value> weights = new HashMap<>(test.inputs());
    weights.keySet().retainAll(List.of("W", "R", "B", "P"));
    return weights;
  }

  private void check(Cases test, Map<String, Value> fixed, boolean isRecording, double atol)
      throws IOException {
    OnnxModel model = OnnxModel.read(test.file(folder), fixed).on(device, 1);
    Map<String, Value> given = new HashMap<>(test.inputs());
    given.keySet().removeAll(fixed.keySet());
    try (Tape tape = isRecording ? Tape.on(device) : Tape.inference(device)) {
      Map<String, Value> found = model.run(tape, given);
      assertEquals(test.outputs().keySet(), found.keySet());
      test.outputs().forEach((name, wanted) -> check(name, wanted, found.get(name), atol));
      model.reset();
    }
  }

  private static void check(String name, Value wanted, Value found, double atol) {
    assertEquals(wanted.dims(), found.dims(), name);
    float[] expected = wanted.floats();
    float[] actual = found.floats();
    for (int i = 0; i < expected.length; i++) {
      double allowed = atol + RTOL * Math.abs(expected[i]);
      assertTrue(
          Math.abs(actual[i] - expected[i]) <= allowed,
          "%s[%d]: %s, expected %s".formatted(name, i, actual[i], expected[i]));
    }
  }
}
