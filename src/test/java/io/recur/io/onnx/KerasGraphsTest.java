package io.recur.io.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What Keras's own export to ONNX writes answers as Keras does: with TensorFlow, through tf2onnx,
 * and with PyTorch. {@code make.py} under {@code src/test/resources/onnx/keras} made the graphs.
 */
class KerasGraphsTest {
  private static final float TOLERANCE = 1e-5f;

  @TempDir private Path folder;
  @AutoClose private final Device device = Devices.here();

  static Stream<Cases> graphs() {
    return Stream.of("tensorflow", "torch").map(KerasGraphsTest::of).flatMap(List::stream);
  }

  private static List<Cases> of(String backend) {
    return Cases.in("keras/" + backend + ".zip");
  }

  @ParameterizedTest
  @MethodSource("graphs")
  void itAnswersAsKeras(Cases test) throws IOException {
    OnnxModel model = OnnxModel.read(test.file(folder)).on(device, 1);
    try (Tape tape = Tape.inference(device)) {
      for (int round = 0; round < 2; round++) {
        Map<String, Value> found = model.run(tape, test.inputs());
        test.outputs()
            .forEach(
                (name, wanted) -> {
                  assertEquals(wanted.dims(), found.get(name).dims(), name);
                  assertArrayEquals(wanted.floats(), found.get(name).floats(), TOLERANCE, name);
                });
        model.reset();
      }
    }
  }

  /**
   * Keras itself refuses to export three of 21 with PyTorch, makes two in two ways, and exports one
   * with TensorFlow as another model.
   */
  @Test
  void noModelIsMissing() {
    assertEquals(21 - 1, of("tensorflow").size(), of("tensorflow").toString());
    assertEquals(21 - 3 + 2, of("torch").size(), of("torch").toString());
    assertTrue(graphs().allMatch(test -> !test.inputs().isEmpty() && !test.outputs().isEmpty()));
  }
}
