package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import io.recur.io.StateDict;
import io.recur.io.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code recur convert} writes the model of a file as another kind of file. */
class ConvertTest extends ModelFiles {
  ConvertTest() {
    super("torch");
  }

  private static void assertSameTensors(String before, String after) throws IOException {
    try (StateDict there = StateDict.read(Path.of(before));
        StateDict here = StateDict.read(Path.of(after))) {
      assertEquals(there.tensors().keySet(), here.tensors().keySet());
      for (Map.Entry<String, StoredTensor> entry : there.tensors().entrySet()) {
        StoredTensor twin = here.tensors().get(entry.getKey());
        assertEquals(entry.getValue().toString(), twin.toString(), entry.getKey());
        if (twin.dtype().isFloat()) {
          assertArrayEquals(entry.getValue().values(), twin.values(), 0, entry.getKey());
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"zoo.pt, a.safetensors", "types.safetensors, a.pt", "both.pt, a.pth"})
  void aStateDictionaryIsWrittenAsItIs(String in, String out) throws IOException {
    Shell.Result result = succeeded("convert", file(in), path(out));
    assertTrue(result.out().contains("tensors written to " + path(out)), result.out());
    assertSameTensors(file(in), path(out));
  }

  @ParameterizedTest
  @CsvSource({"both.pt", "both.safetensors", "text.pt"})
  void aModelBecomesACheckpointAndReturns(String in) throws IOException {
    String x = array("short.indexes");
    String y = array("short." + in.replaceFirst("\\..*", ""));
    Shell.Result there =
        succeeded(
            "convert",
            file(in),
            path("m.safetensors"),
            "--as",
            LAYERS,
            "--check",
            x,
            y,
            "--keep-biases");
    assertAgrees(there);
    assertTrue(there.out().contains("encoder.embedding.weight F32[7, 3] -> W"), there.out());
    assertTrue(there.out().contains("kind checkpoint"), there.out());
    String info = succeeded("info", path("m.safetensors")).out();
    String two = in.startsWith("both") ? " directions=2" : "";
    assertTrue(
        info.contains("model: " + LAYERS.replace("lstm,", "lstm layers=2" + two + ",")), info);
    assertAgrees(succeeded("convert", path("m.safetensors"), path("b.pt"), "--check", x, y));
    assertSameTensors(file(in), path("b.pt"));
    assertAgrees(
        succeeded(
            "convert",
            path("m.safetensors"),
            path("c.safetensors"),
            "--to",
            "checkpoint",
            "--check",
            array("long.indexes"),
            array("long." + in.replaceFirst("\\..*", ""))));
  }

  /** Each kind of layer: from PyTorch, and again from the checkpoint that was made. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "lstm|lstm lstm",
        "gru|gru gru",
        "rnn|rnn rnn",
        "relu|rnn relu function=relu",
        "bare_lstm|lstm bare_lstm",
        "bare_gru|gru bare_gru",
        "bare_rnn|rnn bare_rnn",
        "projected|lstm projected",
        "lstm_cell|lstm-cell lstm_cell",
        "gru_cell|gru-cell gru_cell",
        "rnn_cell|rnn-cell rnn_cell",
        "linear|linear linear",
        "bare_linear|linear bare_linear",
        "layer_norm|layer-norm layer_norm",
        "conv|conv1d conv padding=1",
        "grouped|conv1d grouped groups=3 stride=2",
        "batch_norm|batch-norm batch_norm eps=1e-5",
      })
  void everyLayerIsReadAgain(String module, String layer) throws IOException {
    String x = array("short.x");
    String y = array("short." + module);
    for (String biases : List.of("summed", "--keep-biases")) {
      String made = path(module + biases + ".safetensors");
      List<String> arguments = new ArrayList<>(List.of("convert", file("zoo.pt"), made));
      arguments.addAll(List.of("--as", layer, "--partly", "--check", x, y));
      if (!biases.equals("summed")) {
        arguments.add(biases);
      }
      assertAgrees(succeeded(arguments.toArray(String[]::new)));
      assertAgrees(succeeded("convert", made, path("twin" + biases), "--check", x, y));
      String back = path(module + biases + ".pt");
      succeeded("convert", made, back);
      try (StateDict zoo = StateDict.read(Path.of(file("zoo.pt")));
          StateDict twin = StateDict.read(Path.of(back))) {
        assertEquals(
            zoo.tensors().keySet().stream()
                .filter(name -> name.startsWith(module + ".") && !name.endsWith("tracked"))
                .sorted()
                .toList(),
            twin.tensors().keySet().stream().sorted().toList());
      }
    }
  }

  @Test
  void aFileIsReplacedWithForceAlone() throws IOException {
    Path out = Files.writeString(folder.resolve("a.pt"), "mine");
    assertFails(
        1,
        "it exists; name another file, or replace it with --force",
        converted(file("both.pt"), out.toString()));
    assertEquals("mine", Files.readString(out));
    succeeded("convert", file("both.pt"), out.toString(), "--force");
    assertSameTensors(file("both.pt"), out.toString());
  }

  @Test
  void aTrainedCharacterModelBecomesAStateDictionary() throws IOException {
    Path text = Files.writeString(folder.resolve("text"), "abcd ".repeat(200));
    String model = path("model.safetensors");
    Shell.Result trained =
        recur(
            "train",
            "--text",
            text.toString(),
            "--hidden",
            "4",
            "--layers",
            "2",
            "--batch",
            "2",
            "--steps",
            "8",
            "--epochs",
            "1",
            "--cell",
            "gru",
            "--out",
            model);
    assertEquals(0, trained.status(), trained.err());
    assertFails(1, "is not zero, and PyTorch's modules", converted(model, path("a.pt")));
    succeeded("convert", model, path("a.pt"), "--zero-states");
    try (StateDict weights = StateDict.read(folder.resolve("a.pt"))) {
      weights.gru("rnn");
      assertEquals(5, weights.linear("head").matrix().rows());
      weights.requireAllMapped();
    }
    Path x = Files.writeString(folder.resolve("x.csv"), "1,0,0,0,0\n0,1,0,0,0\n");
    assertEquals(
        2, succeeded("run", model, "--input", x.toString(), "--stream").out().lines().count());
  }

  @ParameterizedTest
  @ValueSource(strings = {"both", "text"})
  void aModelBecomesAGraphAndAnswersTheSame(String name) throws IOException {
    String graph = path("m.onnx");
    Shell.Result made = succeeded("convert", file(name + ".pt"), graph, "--as", LAYERS);
    assertTrue(made.out().contains("written to " + graph), made.out());
    String x = array("long.indexes");
    String y = array("long." + name);
    assertAgrees(succeeded("run", graph, "--input", x, "--check", y));
    String checkpoint = path("n.safetensors");
    assertAgrees(succeeded("convert", graph, checkpoint, "--check", x, y));
    assertAgrees(succeeded("run", checkpoint, "--input", x, "--check", y));
  }

  /** The lines of the guide for users of PyTorch, in a folder with the files that they name. */
  @Test
  @Tag(Devices.CPU) // it reads what only a checkout has
  void theLinesOfTheGuideRun() throws IOException {
    Files.copy(Path.of(file("text.pt")), folder.resolve("model.pt"));
    Files.move(Path.of(array("short.indexes")), folder.resolve("x.npy"));
    Files.move(Path.of(array("short.text")), folder.resolve("y.npy"));
    List<String> lines =
        Files.readAllLines(Path.of("docs/pytorch.md")).stream()
            .filter(line -> line.startsWith("recur "))
            .toList();
    assertEquals(4, lines.size());
    for (String line : lines) {
      String[] words =
          Pattern.compile("'([^']*)'|\\S+")
              .matcher(line.substring("recur ".length()))
              .results()
              .map(word -> word.group(1) == null ? word.group() : word.group(1))
              .map(word -> word.matches("\\w+\\.(pt|npy|safetensors)") ? path(word) : word)
              .toArray(String[]::new);
      Shell.Result result = succeeded(words);
      if (line.contains("--check")) {
        assertAgrees(result);
      }
    }
    assertTrue(Files.exists(folder.resolve("back.pt")));
  }
}
