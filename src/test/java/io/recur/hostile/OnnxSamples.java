package io.recur.hostile;

import io.recur.io.onnx.Dims;
import io.recur.io.onnx.ElementType;
import io.recur.io.onnx.OnnxModel;
import io.recur.io.onnx.Port;
import io.recur.io.onnx.Value;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipInputStream;

/** Values of the types of models of ONNX. */
final class OnnxSamples {
  private static final String VALUES = "java.util.Map<java.lang.String, io.recur.io.onnx.Value>";

  private OnnxSamples() {}

  static void addTo(Samples samples) {
    samples
        .add(OnnxModel.class, "of one node", OnnxSamples::model)
        .add(Dims.class, "2×3", world -> Dims.of(2, 3))
        .add(Dims.class, "a scalar", world -> Dims.of())
        .add(Dims.class, "empty", world -> Dims.of(3, 0))
        .add(Value.class, "floats", world -> floats())
        .add(Value.class, "integers", world -> Value.of(Dims.of(1), 7L))
        .add(Value.class, "on a tape", world -> Value.of(world.tape().input(1, 2, 3)))
        .add(
            Value.Integers.class,
            "of two",
            world -> new Value.Integers(ElementType.INT32, Dims.of(2), new long[2]))
        .add(Value.Reals.class, "of two", world -> new Value.Reals(Dims.of(2), new float[2]))
        .add(
            Value.OnTape.class,
            "on a tape",
            world -> new Value.OnTape(Dims.of(1, 3), world.tape().input(1, 2, 3)))
        .add(Port.class, "X", world -> new Port("X", ElementType.FLOAT, true, List.of("time", "2")))
        .add(VALUES, "X", world -> Map.of("X", floats()))
        .add(VALUES, "another", world -> Map.of("Z", Value.of(Dims.of(1), 7L)))
        .addWithNull(VALUES, "a null value", world -> Collections.singletonMap("X", null));
  }

  private static Value floats() {
    return Value.of(Dims.of(1, 3, 2), new float[6]);
  }

  /** A test that ONNX publishes. */
  private static OnnxModel model(World world) throws IOException {
    Path file = world.devices().folder.resolve("node.onnx");
    if (!Files.exists(file)) {
      try (ZipInputStream zip =
          new ZipInputStream(
              OnnxSamples.class.getResourceAsStream("/onnx/recurrent/published.zip"))) {
        zip.getNextEntry();
        Files.write(file, zip.readAllBytes());
      }
    }
    return OnnxModel.read(file).on(world.device(), 1);
  }
}
