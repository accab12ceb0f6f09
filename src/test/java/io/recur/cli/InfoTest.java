package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Resource;
import io.recur.io.Npy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
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
    Path source = Resource.file("/onnx/exported/exported.zip");
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

  /** It takes indexes, and gives the last step alone. */
  @Test
  void aGraphThatIsNoChainIsACheckpointToo() throws IOException {
    String graph = graph("words.onnx");
    Path x = folder.resolve("x.npy");
    new Npy(new int[] {3, 2}, new float[] {1, 2, 0, 3, 4, 1}).write(x);
    String whole = succeeded("run", graph, "--input", x.toString()).out();
    assertEquals(15, whole.split(",").length, whole); // classes of three sequences
    assertTrue(succeeded("info", graph).out().contains("takes \"x\" INT64[batch, time]"));
    String checkpoint = path("m.safetensors");
    succeeded("convert", graph, checkpoint);
    Files.delete(Path.of(graph));
    assertEquals(whole, succeeded("run", checkpoint, "--input", x.toString()).out());
    List<String> steps =
        succeeded("run", checkpoint, "--input", x.toString(), "--stream").out().lines().toList();
    assertEquals(2, steps.size()); // [batch, time], as the graph says
    assertEquals(whole.strip(), steps.getLast());
    String info = succeeded("info", checkpoint).out();
    assertTrue(info.contains("OnnxModel("), info);
    assertTrue(info.contains("arrays: [batch, time, …]"), info);
    for (String out : List.of("m.onnx", "m.pt")) {
      Shell.Result refused = recur("convert", checkpoint, path(out), "--device", "cpu");
      assertFails(1, "becomes a checkpoint alone; name a file that ends in .safetensors", refused);
      assertFalse(Files.exists(folder.resolve(out)));
    }
  }

  /** A chain and its checkpoint take the arrays of their graph. */
  @Test
  void aGraphWhoseBatchComesFirstTakesItsOwnArrays() throws IOException {
    String graph = graph("tagger_batch_first.onnx");
    Npy x = new Npy(new int[] {2, 3, 3}, new float[18]);
    for (int i = 0; i < 18; i++) {
      x.values()[i] = (i * 7 % 11 - 5) / 5f;
    }
    x.write(folder.resolve("x.npy"));
    String model = path("m.safetensors");
    succeeded("convert", graph, model);
    for (String each : List.of(graph, model)) {
      succeeded("run", each, "--input", path("x.npy"), "--output", path("y.npy"));
      Npy y = Npy.read(folder.resolve("y.npy"));
      assertArrayEquals(new int[] {2, 3, 5}, y.sizes());
      float[] first = Arrays.copyOf(x.values(), 9); // the first sequence alone
      new Npy(new int[] {1, 3, 3}, first).write(folder.resolve("one.npy"));
      succeeded("run", each, "--input", path("one.npy"), "--output", path("one.out.npy"));
      float[] alone = Npy.read(folder.resolve("one.out.npy")).values();
      assertArrayEquals(alone, Arrays.copyOf(y.values(), 15), 1e-6f);
    }
  }

  /** Sequences of different lengths, which are a second input. */
  @Test
  void otherInputsOfAGraphHaveTheirValuesFromOptions() throws IOException {
    String graph = graph("packed_gru.onnx");
    float[] values = new float[18];
    for (int i = 0; i < values.length; i++) {
      values[i] = (i * 5 % 13 - 6) / 6f;
    }
    new Npy(new int[] {3, 2, 3}, values).write(folder.resolve("x.npy"));
    new Npy(new int[] {2}, new float[] {3, 2}).write(folder.resolve("lengths.npy"));
    List<String> run = List.of("run", graph, "--input", path("x.npy"));
    assertFails(
        1,
        "need values for all but the sequence: give them with --fix INPUT=VALUE",
        recur(run.toArray(String[]::new)));
    String given = "lengths=" + path("lengths.npy");
    String out = succeeded("run", graph, "--input", path("x.npy"), "--fix", given).out();
    String[] last = out.lines().toList().getLast().split(",");
    assertEquals(16, last.length); // two sequences, two directions of four units
    for (int i = 8; i < 16; i++) {
      assertEquals(0, Float.parseFloat(last[i]), "behind the end of the second sequence");
    }
    String model = path("m.safetensors");
    succeeded("convert", graph, model, "--fix", given);
    assertEquals(out, succeeded("run", model, "--input", path("x.npy")).out());
    String[] wrong = {"steps=3", "lengths=three", "lengths=1.5"};
    String[] remedies = {"name one of these inputs", "need a number or an array", "need integers"};
    for (int i = 0; i < wrong.length; i++) {
      assertFails(1, remedies[i], recur("run", graph, "--input", path("x.npy"), "--fix", wrong[i]));
    }
    assertFails(
        1,
        "only a graph of ONNX has inputs to fix",
        recur("run", model, "--input", path("x.npy"), "--fix", given));
  }
}
