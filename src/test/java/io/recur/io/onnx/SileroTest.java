package io.recur.io.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A graph of the nodes of Silero's model of voice activity, with fewer features and random weights:
 * {@code make_silero.py} under {@code src/test/resources/onnx} made it. {@code make silero} runs
 * the true one.
 */
class SileroTest {
  /** Both round each operation to float32; what the state carries does not grow. */
  private static final float TOLERANCE = 1e-5f;

  @AutoClose private final Device device = Devices.here();
  @TempDir private Path folder;

  static List<Cases> all() {
    return Cases.in("silero.zip");
  }

  private static Value rate(Cases test) {
    return Value.of(Dims.of(), Long.parseLong(test.name().replaceAll("_.*", "")));
  }

  /** The input of a chunk. */
  private static Value chunk(Cases test, int number) {
    Value all = test.inputs().get("input");
    int length = all.dims().stride(0);
    float[] values = Arrays.copyOfRange(all.floats(), number * length, (number + 1) * length);
    return Value.of(all.dims().without(0), values);
  }

  /**
   * The rate is constant: its branch alone is prepared, and the state carries over from call to
   * call.
   */
  @ParameterizedTest
  @MethodSource("all")
  void eachChunkIsAnsweredAsOnnxRuntimeDoes(Cases test) throws IOException {
    OnnxModel model = OnnxModel.read(test.file(folder), Map.of("sr", rate(test))).on(device, 1);
    assertEquals(Map.of("state", "stateN"), model.states());
    try (Tape tape = Tape.inference(device)) {
      check(test, model, tape, Map.of());
      model.reset();
      check(test, model, tape, Map.of());
    }
  }

  /** The rate is given with each chunk, on a tape that records. */
  @ParameterizedTest
  @MethodSource("all")
  void theRateMayBeGivenWithEachChunk(Cases test) throws IOException {
    OnnxModel model = OnnxModel.read(test.file(folder)).on(device, 1);
    try (Tape tape = Tape.on(device)) {
      check(test, model, tape, Map.of("sr", rate(test)));
    }
  }

  private static void check(Cases test, OnnxModel model, Tape tape, Map<String, Value> more) {
    float[] wanted = test.outputs().get("output").floats();
    int batch = test.inputs().get("input").dims().size(1);
    for (int i = 0; i < wanted.length / batch; i++) {
      Map<String, Value> given = new HashMap<>(more);
      given.put("input", chunk(test, i));
      Map<String, Value> found = model.run(tape, given);
      float[] expected = Arrays.copyOfRange(wanted, i * batch, (i + 1) * batch);
      assertEquals(Dims.of(batch, 1), found.get("output").dims());
      assertArrayEquals(expected, found.get("output").floats(), TOLERANCE, "chunk " + i);
      if (i == wanted.length / batch - 1) {
        float[] state = test.outputs().get("stateN").floats();
        assertArrayEquals(state, found.get("stateN").floats(), TOLERANCE);
      }
      model.truncate();
      tape.clear();
    }
  }

  @Test
  void aChunkTakesNoMemoryThatTheOneBeforeDidNot() throws IOException {
    Cases test = all().getFirst();
    OnnxModel model = OnnxModel.read(test.file(folder), Map.of("sr", rate(test))).on(device, 1);
    try (Tape tape = Tape.inference(device)) {
      long bytes = 0;
      for (int i = 0; i < 20; i++) {
        model.run(tape, Map.of("input", chunk(test, i % 6)));
        tape.clear();
        assertTrue(i < 5 || tape.bytes() == bytes, bytes + " bytes, then " + tape.bytes());
        bytes = tape.bytes();
      }
    }
  }
}
