package io.recur.io.onnx;

import static io.recur.io.onnx.Proto.FLOAT;
import static io.recur.io.onnx.Proto.graph;
import static io.recur.io.onnx.Proto.node;
import static io.recur.io.onnx.Proto.port;
import static io.recur.io.onnx.Proto.tensor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page on ONNX says what is read, and shows lines that run. */
@Tag(Devices.CPU)
class OnnxPageTest {
  @TempDir private Path folder;
  @AutoClose private final Device device = Device.cpu();

  private void guide(Tape tape, Path path) throws IOException {
    OnnxModel speech = OnnxModel.read(path).on(device, 42);
    Value samples = Value.of(Dims.of(1, 576), new float[576]);
    float[] answer = speech.run(tape, Map.of("input", samples)).get("output").floats();
    speech.reset(); // another stream begins
    assertEquals(0.25f, answer[0]);
  }

  @Test
  void theGuideSaysWhatIsRunHere() throws IOException {
    Proto graph =
        graph("speech")
            .nodes(node("Gemm", "input W b", "output"))
            .initialisers(
                tensor("W", Dims.of(576, 1), new float[576]), tensor("b", Dims.of(1), 0.25f))
            .inputs(port("input", FLOAT, "batch", "576"))
            .outputs(port("output", FLOAT, "batch", "1"));
    Path path = Files.write(folder.resolve("m.onnx"), Proto.model(17, graph).toBytes());
    try (Tape tape = Tape.inference(device)) {
      guide(tape, path);
    }
    String code =
        Files.readString(Path.of("src/test/java/io/recur/io/onnx/OnnxPageTest.java"))
            .replace("read(path)", "read(Path.of(\"speech.onnx\"))")
            .replaceAll(" +//", " //");
    String guide = Files.readString(Path.of("docs/onnx.md"));
    int from = guide.indexOf("```java\n", guide.indexOf("## In\n")) + 8;
    List<String> lines =
        guide
            .substring(from, guide.indexOf("```", from))
            .replaceAll(" +//", " //")
            .lines()
            .toList();
    assertEquals(4, lines.size());
    lines.forEach(line -> assertTrue(code.contains(line.strip() + "\n"), line));
  }

  @Test
  void thePageListsAllOperators() throws IOException {
    String list = String.join(", ", Operators.names()).replaceAll("\\s+", " ");
    String page = Files.readString(Path.of("docs/onnx.md")).replaceAll("\\s+", " ");
    assertTrue(page.contains(list + "."), "docs/onnx.md needs: " + list + ".");
  }
}
