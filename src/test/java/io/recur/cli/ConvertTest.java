package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Pinned;
import io.recur.device.Devices;
import io.recur.io.Npy;
import io.recur.io.Safetensors;
import io.recur.io.StateDict;
import io.recur.io.StoredTensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code recur convert}, {@code run} and {@code info} with the files of PyTorch beside make.py. */
class ConvertTest {
  private static final String LAYERS =
      "embedding encoder.embedding, lstm encoder.lstm, linear head";
  private static final Pinned ANSWERS = Pinned.of("../torch/answers.txt");
  private static final Pattern DIFFERENCE = Pattern.compile("largest difference: ([^,]+),");

  @TempDir private Path folder;

  private static String file(String name) {
    return Path.of("src/test/resources/torch", name).toString();
  }

  private String path(String name) {
    return folder.resolve(name).toString();
  }

  /** An answer of PyTorch as an array: Recur's sizes in reverse order. */
  private String array(String name) throws IOException {
    int[] dims = ANSWERS.dims(name);
    int[] sizes = new int[dims.length];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = dims[dims.length - 1 - i];
    }
    Path path = folder.resolve(name + ".npy");
    new Npy(sizes, ANSWERS.floats(name)).write(path);
    return path.toString();
  }

  private static Shell.Result succeeded(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    if (!arguments[0].equals("info")) {
      all.addAll(List.of("--device", Devices.name()));
    }
    Shell.Result result = recur(all.toArray(String[]::new));
    assertEquals(0, result.status(), result.err());
    return result;
  }

  private static void assertAgrees(Shell.Result result) {
    Matcher difference = DIFFERENCE.matcher(result.out());
    assertTrue(difference.find(), result.out());
    assertTrue(Float.parseFloat(difference.group(1)) <= 1e-5f, result.out());
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
  void functionsStandBetweenLayers() throws IOException {
    String made = path("m.safetensors");
    succeeded("convert", file("zoo.pt"), made, "--partly", "--as", "linear linear, relu, softmax");
    String y = succeeded("run", made, "--input", array("short.x")).out();
    assertEquals(5, y.lines().count());
    for (String line : y.lines().toList()) {
      String[] values = line.split(",");
      assertEquals(4, values.length, line); // two columns of two classes
      float sum = Float.parseFloat(values[0]) + Float.parseFloat(values[1]);
      assertEquals(1, sum, 1e-6f, line);
    }
  }

  @Test
  void anArrayMayHaveTheBatchFirst() throws IOException {
    float[] given = ANSWERS.floats("short.indexes"); // 2 × 5 of [time, batch]
    float[] swapped = new float[given.length];
    for (int t = 0; t < 5; t++) {
      for (int b = 0; b < 2; b++) {
        swapped[5 * b + t] = given[2 * t + b];
      }
    }
    Path x = folder.resolve("x.npy");
    new Npy(new int[] {2, 5}, swapped).write(x);
    succeeded(
        "run",
        file("text.pt"),
        "--as",
        LAYERS,
        "--input",
        x.toString(),
        "--batch-first",
        "--output",
        path("y.npy"));
    Npy y = Npy.read(folder.resolve("y.npy"));
    assertArrayEquals(new int[] {2, 5, 5}, y.sizes());
    float[] expected = ANSWERS.floats("short.text");
    for (int i = 0; i < expected.length; i++) {
      int t = i / 10;
      int b = i / 5 % 2;
      assertEquals(expected[i], y.values()[(5 * b + t) * 5 + i % 5], 1e-5f, "value " + i);
    }
  }

  @Test
  void aStreamAnswersAsTheWholeSequence() throws IOException {
    String x = array("long.x");
    List<String> arguments = new ArrayList<>(List.of("run", file("zoo.pt"), "--as", "gru gru"));
    arguments.addAll(List.of("--partly", "--input", x, "--output", path("y.npy")));
    for (int turn = 0; turn < 2; turn++) {
      succeeded(arguments.toArray(String[]::new));
      arguments.add("--stream");
      Npy y = Npy.read(folder.resolve("y.npy"));
      assertArrayEquals(new int[] {9, 3, 4}, y.sizes());
      assertArrayEquals(ANSWERS.floats("long.gru"), y.values(), 1e-5f);
    }
    Shell.Result both =
        recur("run", file("both.pt"), "--as", LAYERS, "--input", array("long.indexes"), "--stream");
    assertFails(1, "bidirectional: x is one step", both);
  }

  @Test
  void aTextIsAStepPerLine() throws IOException {
    Path x = Files.writeString(folder.resolve("x.csv"), "word\n3\n\n0\n6\n");
    List<String> whole =
        succeeded("run", file("text.pt"), "--as", LAYERS, "--input", x.toString())
            .out()
            .lines()
            .toList();
    assertEquals(3, whole.size());
    String out = path("y.csv");
    succeeded(
        "run",
        file("text.pt"),
        "--as",
        LAYERS,
        "--input",
        x.toString(),
        "--stream",
        "--output",
        out);
    List<String> streamed = Files.readAllLines(Path.of(out));
    for (int t = 0; t < 3; t++) {
      String[] one = whole.get(t).split(",");
      String[] other = streamed.get(t).split(",");
      assertEquals(5, one.length);
      for (int i = 0; i < 5; i++) {
        assertEquals(Float.parseFloat(one[i]), Float.parseFloat(other[i]), 1e-6f);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1,2\\n3\\n|line 2: value 1 is '3', of 1 values; need 2 numbers",
        "1,2\\n3,x\\n|line 2: value 2 is 'x'",
        "1,nan\\n|line 1: value 2 is 'nan'",
        "a,1\\n|line 1: value 1 is 'a'",
        "1,2\\n|x=2×1; need 3 rows",
      })
  void aTextOfOtherValuesIsRefused(String text, String fact) throws IOException {
    Path x = Files.writeString(folder.resolve("x.csv"), text.translateEscapes());
    Shell.Result result =
        recur("run", file("zoo.pt"), "--as", "gru gru", "--partly", "--input", x.toString());
    assertFails(1, fact, result);
  }

  @Test
  void anIndexIsAWholeNumberOfAClass() throws IOException {
    for (String text : List.of("1.5\n", "7\n", "1,2\n")) {
      Path x = Files.writeString(folder.resolve("x.csv"), text);
      Shell.Result result = recur("run", file("text.pt"), "--as", LAYERS, "--input", x.toString());
      assertFails(1, text.equals("1,2\n") ? "2 values in a line" : "of 7", result);
    }
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

  private static Shell.Result converted(String in, String out, String... more) {
    List<String> arguments = new ArrayList<>(List.of("convert", in, out));
    arguments.addAll(List.of(more));
    return recur(arguments.toArray(String[]::new));
  }

  @Test
  void whatTheFileDoesNotTellIsAskedFor() throws IOException {
    String out = path("m.safetensors");
    assertFails(
        1, "give it: --as '" + LAYERS + "'", converted(file("both.pt"), out, "--to", "checkpoint"));
    String few = "lstm encoder.lstm";
    assertFails(1, "tensors were not imported: ", converted(file("both.pt"), out, "--as", few));
    assertFails(
        1,
        "encoder.lstm.weight_ih_l0=[16, 3], need [12, any]",
        converted(file("text.pt"), out, "--as", "gru encoder.lstm"));
    Path plain = folder.resolve("plain.safetensors");
    succeeded("convert", file("both.pt"), out, "--as", LAYERS);
    try (Safetensors file = Safetensors.read(Path.of(out))) {
      Map<String, String> metadata = new LinkedHashMap<>(file.metadata());
      metadata.remove("recur.model");
      new Safetensors(metadata, file.tensors()).write(plain);
    }
    String back = path("b.pt");
    assertFails(
        1,
        "give that with --as, in the order of its layers: Embedding(7 => 3), Recur(LSTM",
        converted(plain.toString(), back));
    assertFails(
        1,
        "layer 'lstm b layers=6': it needs 5.Wi, which is nothing in the file",
        converted(plain.toString(), back, "--as", "embedding a, lstm b layers=6"));
    String whole = "embedding a, lstm b layers=2 directions=2, linear c";
    assertFails(
        1,
        "layer 5 is Dense(8 => 5, tanh) in the model and Dense(8 => 5) in the file",
        converted(plain.toString(), back, "--as", whole + " function=tanh"));
    assertFalse(Files.exists(Path.of(back)));
    succeeded("convert", plain.toString(), back, "--as", whole);
    assertTrue(Files.exists(Path.of(back)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--as lst x|it is none of rnn, lstm, gru,",
        "--as lstm x layer=2|layer=2; lstm takes a name and the options [layers, directions, biases]",
        "--as lstm x layers=0|layers=0; need 1 or more",
        "--as lstm x directions=3|need directions of 1 or 2",
        "--as layer-norm x eps=-1|eps=-1; need a number of 0 or more",
        "--as rnn x function=tan|it is none of",
        "--as relu x|x; relu takes nothing else",
        "--to keras|--to=keras; need one of [checkpoint, state-dict, onnx]",
      })
  void aBadDescriptionIsToldBeforeAnythingIsRead(String option, String fact) {
    String[] words = option.split(" ", 2);
    Shell.Result result = converted(file("both.pt"), path("m.safetensors"), words);
    assertFails(2, fact, result);
    assertFalse(Files.exists(folder.resolve("m.safetensors")));
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

  @Test
  void aCheckThatDoesNotFitIsRefused() throws IOException {
    String x = array("short.indexes");
    assertFails(
        1,
        "float32[9, 3, 5]; the model answers",
        converted(
            file("text.pt"),
            path("m.safetensors"),
            "--as",
            LAYERS,
            "--check",
            x,
            array("long.text")));
    assertFalse(Files.exists(folder.resolve("m.safetensors")));
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
    assertAgrees(succeeded("convert", graph, path("n.safetensors"), "--check", x, y));
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
    Shell.Result made = succeeded("convert", graph, path("m.safetensors"));
    assertTrue(made.out().contains("it does not tell its model"), made.out());
    assertFails(
        1,
        "it tells its model; leave --as out",
        recur("run", graph, "--as", LAYERS, "--input", x.toString()));
  }

  /** The lines of the guide for users of PyTorch, in a folder with the files that they name. */
  @Test
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
