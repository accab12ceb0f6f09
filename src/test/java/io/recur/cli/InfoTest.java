package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code recur info} shows what a file holds; its content tells its kind. */
class InfoTest extends ModelFiles {
  InfoTest() {
    super("torch");
  }

  @Test
  void infoGuessesTheModelOfAStateDictionary() {
    String out = succeeded("info", file("both.pt")).out();
    assertTrue(out.startsWith("state dictionary of PyTorch: "), out);
    assertTrue(out.contains("  encoder.embedding.weight F32[7, 3]"), out);
    assertTrue(out.contains("--as '" + LAYERS + "'"), out);
    String zoo = succeeded("info", file("zoo.safetensors")).out();
    for (String part :
        List.of("gru bare_gru", "rnn relu", "lstm projected", "gru-cell gru_cell", "conv1d conv")) {
      assertTrue(zoo.contains(part), zoo);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"\u0089HDF\r\n\u001a\n", "\b\u0009\u0012\u0007pytorch"})
  void kindsOfFilesAreKnownByTheirBytes(String first) throws IOException {
    Path in = Files.write(folder.resolve("x"), first.getBytes(StandardCharsets.ISO_8859_1));
    for (String command : List.of("info", "run")) {
      Shell.Result result =
          command.equals("info")
              ? recur("info", in.toString())
              : recur("run", in.toString(), "--input", "-");
      assertFails(1, in.toString(), result);
    }
  }

  /** A model of the zip archive of exported ones, with {@code [time, batch]} of words. */
  private String graph(String name) throws IOException {
    Path source = Path.of("src/test/resources/onnx/exported/exported.zip");
    try (ZipFile zip = new ZipFile(source.toFile())) {
      byte[] bytes = zip.getInputStream(zip.getEntry(name)).readAllBytes();
      return Files.write(folder.resolve(name), bytes).toString();
    }
  }

  @Test
  void aGraphOfOnnxIsAModel() throws IOException {
    String graph = graph("tagger.onnx");
    String info = succeeded("info", graph).out();
    assertTrue(info.startsWith("graph of ONNX, "), info);
    Path x = Files.writeString(folder.resolve("x.csv"), "1,0.5,-1\n0,2,1\n");
    String whole = succeeded("run", graph, "--input", x.toString()).out();
    assertEquals(2, whole.lines().count(), whole);
    String checkpoint = path("m.safetensors");
    succeeded("convert", graph, checkpoint);
    assertEquals(whole, succeeded("run", checkpoint, "--input", x.toString()).out());
    assertTrue(succeeded("info", checkpoint).out().contains("Bidirectional("));
    assertFails(
        1,
        "it tells its model; leave --as out",
        recur("run", graph, "--as", LAYERS, "--input", x.toString()));
  }

  @Test
  void aGraphThatIsNoChainIsNoCheckpoint() throws IOException {
    String graph = graph("words.onnx");
    Path out = folder.resolve("m.safetensors");
    Shell.Result result = recur("convert", graph, out.toString(), "--device", "cpu");
    assertFails(1, "a checkpoint cannot tell this model, since [OnnxModel", result);
    assertTrue(result.err().contains("recur run and recur info take " + graph), result.err());
    assertFalse(Files.exists(out));
  }
}
