package io.recur.io.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
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
 * What PyTorch's exporters write answers as PyTorch does, at another batch and length than those of
 * the export. {@code make.py} under {@code src/test/resources/onnx/exported} made the models.
 */
class ExportedModelsTest {
  private static final float TOLERANCE = 1e-5f;

  @TempDir private Path folder;
  @AutoClose private final Device device = Devices.here();

  static List<Cases> exported() {
    return Cases.of("../exported/exported.zip");
  }

  private static Cases named(String name) {
    return exported().stream().filter(test -> test.name().equals(name)).findFirst().orElseThrow();
  }

  @ParameterizedTest
  @MethodSource("exported")
  void itAnswersAsPyTorch(Cases test) throws IOException {
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

  /** An exporter writes zeros of a computed size where PyTorch has no initial state. */
  @Test
  void computedZerosAreNoInitialState() throws IOException {
    OnnxModel model = OnnxModel.read(named("tagger").file(folder));
    assertEquals(4, model.report().size(), model.report().toString());
    assertEquals(4, model.recurs().size());
    assertTrue(model.describe().contains("nodes"), model.describe());
  }

  @Test
  void aTaggerIsAChain() throws IOException {
    Cases test = named("tagger");
    Chain chain = OnnxModel.readChain(test.file(folder)).on(device, 1);
    Value x = test.inputs().get("x");
    Dims dims = x.dims();
    try (Tape tape = Tape.inference(device)) {
      Shape shape = Shape.of(dims.size(2), dims.size(1), dims.size(0));
      float[] y = chain.apply(tape.input(shape, x.floats())).toArray();
      assertArrayEquals(test.outputs().get("y").floats(), y, TOLERANCE);
    }
    assertTrue(chain.toString().contains("Bidirectional"), chain.toString());
  }

  @Test
  void aStreamIsTheSameInPieces() throws IOException {
    Cases test = named("stream");
    OnnxModel model = OnnxModel.read(test.file(folder)).on(device, 1);
    assertEquals(Map.of("h0", "hn", "c0", "cn"), model.states());
    try (Tape tape = Tape.inference(device)) {
      Map<String, Value> first = new HashMap<>(test.inputs());
      float[] once = model.run(tape, first).get("hn").floats();
      first.remove("h0");
      first.remove("c0");
      float[] next = model.run(tape, first).get("hn").floats();
      assertTrue(Math.abs(once[0] - next[0]) > 1e-6, "the state has moved");
    }
  }
}
