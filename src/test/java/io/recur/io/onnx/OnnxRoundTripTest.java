package io.recur.io.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import io.recur.io.Safetensors;
import io.recur.io.StoredTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@link OnnxExport} writes, {@link OnnxModel} reads, and answers the same, streams too. */
@Tag(Devices.CPU)
class OnnxRoundTripTest {
  /** Other kernels, the same sums in another order. */
  private static final double TOLERANCE = 1e-5;

  @AutoClose private final Device device = Devices.here();
  @TempDir private Path folder;

  static Stream<ExportSample> samples() {
    return ExportSamples.all().stream();
  }

  @ParameterizedTest
  @MethodSource("samples")
  void whatIsExportedAnswersTheSame(ExportSample sample) throws IOException {
    Path answers = folder.resolve("answers");
    Path file = folder.resolve("model.onnx");
    sample.on(device).export(false).write(file);
    sample.writeAnswers(device, answers, false);
    OnnxModel twin = OnnxModel.read(file).on(device, 1);
    try (Safetensors expected = Safetensors.read(answers)) {
      List<String> continuing = List.of(expected.metadata().get("continues").split(" "));
      for (String call : List.of("first", "second", "one", "spread")) {
        if (!continuing.contains(call)) {
          twin.reset();
        }
        assertSame(twin, expected.tensors(), call);
      }
    }
    twin.close();
  }

  private void assertSame(OnnxModel twin, Map<String, StoredTensor> tensors, String call)
      throws IOException {
    Map<String, Value> given = new LinkedHashMap<>();
    for (Map.Entry<String, StoredTensor> entry : tensors.entrySet()) {
      if (entry.getKey().startsWith(call + "/in/")) {
        String name = entry.getKey().substring(call.length() + 4);
        given.put(name, value(twin, name, entry.getValue()));
      }
    }
    try (Tape tape = Tape.inference(device)) {
      Map<String, Value> results = twin.run(tape, given);
      for (Map.Entry<String, Value> result : results.entrySet()) {
        StoredTensor wanted = tensors.get(call + "/out/" + result.getKey());
        float[] values = wanted.values();
        float[] found = result.getValue().floats();
        assertEquals(values.length, found.length, result.getKey());
        for (int i = 0; i < values.length; i++) {
          double most = TOLERANCE * Math.max(1, Math.abs(values[i]));
          assertEquals(values[i], found[i], most, call + " " + result.getKey() + " " + i);
        }
      }
    }
  }

  private static Value value(OnnxModel twin, String name, StoredTensor tensor) throws IOException {
    long[] dimensions = tensor.dimensions();
    int[] sizes = new int[dimensions.length];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = (int) dimensions[sizes.length - 1 - i];
    }
    float[] values = tensor.values();
    boolean isInteger =
        twin.inputs().stream()
            .anyMatch(port -> port.name().equals(name) && port.type().isInteger());
    if (!isInteger) {
      return Value.of(Dims.of(sizes), values);
    }
    long[] integers = new long[values.length];
    for (int i = 0; i < integers.length; i++) {
      integers[i] = (long) values[i];
    }
    return Value.of(Dims.of(sizes), integers);
  }
}
