package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import io.recur.io.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CommandTest {
  private Path folder;
  private Path text;
  private Path model;

  @BeforeAll
  void train(@TempDir Path folder) throws IOException {
    this.folder = folder;
    text = folder.resolve("text.txt");
    Files.writeString(text, "the quick brown fox jumps over the lazy dog.\n".repeat(60));
    model = folder.resolve("model.safetensors");
    Shell.Result result = train(model, "--rate", "0.02", "--epochs", "12");
    assertEquals(0, result.status(), result.err());
    assertTrue(result.lastLine().matches("held-out \\d\\.\\d{3} bits/char"), result.out());
    double bits = Double.parseDouble(result.lastLine().split(" ")[1]);
    assertTrue(bits < 1, "a text that repeats itself is learnt, bits=" + bits);
  }

  private Shell.Result train(Path out, String... more) {
    List<String> arguments =
        new java.util.ArrayList<>(
            List.of("train", "--text", text.toString(), "--hidden", "24", "--batch", "4"));
    arguments.addAll(List.of("--steps", "16", "--out", out.toString()));
    arguments.addAll(List.of("--device", Devices.name()));
    arguments.addAll(List.of(more));
    return recur(arguments.toArray(String[]::new));
  }

  @Test
  @Tag(Devices.CPU) // a machine with a GPU may have no font
  void trainingDrawsItsLearningCurve() throws IOException {
    var picture = ImageIO.read(folder.resolve("model.png").toFile());
    assertEquals(900, picture.getWidth());
  }

  private Shell.Result sample(String seed) {
    return recur(
        "sample",
        "--model",
        model.toString(),
        "--prime",
        "the ",
        "--temperature",
        "3",
        "--seed",
        seed,
        "--device",
        Devices.name());
  }

  @Test
  void theSameSeedGivesTheSameText() {
    Shell.Result first = sample("5");
    assertEquals(0, first.status(), first.err());
    assertTrue(first.out().startsWith("the "), first.out());
    assertEquals(504 + System.lineSeparator().length(), first.out().length());
    assertEquals(first.out(), sample("5").out());
    assertFalse(first.out().equals(sample("6").out()));
  }

  @Test
  void infoShowsModelVocabularyAndFacts() {
    Shell.Result result = recur("info", model.toString());
    assertEquals(0, result.status(), result.err());
    assertTrue(result.out().contains("LSTMCell(29 => 24)"), result.out());
    assertTrue(result.out().contains("vocabulary: 29 characters: \\n ."), result.out());
    assertTrue(result.out().contains("held-out: "), result.out());
  }

  /** Six passes at once and three resumed to six give the same file, apart from its time. */
  @ParameterizedTest
  @ValueSource(strings = {"lstm", "gru", "gruv3", "rnn"})
  void aResumedTrainingEndsAsAnUnbrokenOne(String cell) throws IOException {
    Path whole = folder.resolve(cell + "-whole.safetensors");
    Path half = folder.resolve(cell + "-half.safetensors");
    Path rest = folder.resolve(cell + "-rest.safetensors");
    Shell.Result unbroken = train(whole, "--cell", cell, "--layers", "2", "--epochs", "4");
    train(half, "--cell", cell, "--layers", "2", "--epochs", "2");
    Shell.Result resumed =
        recur(
            "train",
            "--text",
            text.toString(),
            "--resume",
            half.toString(),
            "--epochs",
            "4",
            "--out",
            rest.toString(),
            "--device",
            Devices.name());
    assertEquals(0, resumed.status(), resumed.err());
    assertEquals(unbroken.lastLine(), resumed.lastLine());
    assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(rest));
  }

  @Test
  void badCommandLinesExitWith2() {
    assertFails(2, "Usage: recur", recur());
    assertFails(2, "but was 'foo'", recur("train", "--cell", "foo"));
    assertFails(2, "must be more than 0", recur("train", "--hidden", "0"));
    assertFails(
        2, "need 0 or more", recur("sample", "--model", model.toString(), "--length", "-1"));
    assertFails(2, "Missing required option", recur("sample"));
    assertFails(2, "Unmatched argument", recur("fly"));
  }

  @Test
  @Tag(Devices.CPU) // it reads what only a checkout has
  void theHelpListsEveryCommandAndEachHasItsOwn() throws IOException {
    List<String> sources;
    try (Stream<Path> files = Files.list(Path.of("src/main/java/io/recur/cli"))) {
      sources = files.map(file -> file.getFileName().toString()).toList();
    }
    String help = recur("--help").out();
    for (String source : sources) {
      if (source.endsWith("Command.java")) {
        String name = source.replace("Command.java", "").toLowerCase(Locale.ROOT);
        assertTrue(help.contains("\n  " + name + " "), name + " is not in: " + help);
        Shell.Result own = recur(name, "--help");
        assertEquals(0, own.status(), own.err());
        assertTrue(own.out().startsWith("Usage: recur " + name + " "), own.out());
      }
    }
  }

  /** The whole help would push the error off the screen. */
  @ParameterizedTest
  @CsvSource({
    "fly, recur",
    "--fly, recur",
    "train --hiden 3, recur train",
    "train --hidden x, recur train",
    "train --hidden 0, recur train",
    "train --text, recur train",
    "train --device gpu, recur train",
    "sample, recur sample",
    "sample --model x --temperature -1, recur sample",
    "info, recur info",
    "convert a, recur convert",
    "convert a b --check x, recur convert",
    "convert a b --to c, recur convert",
    "run m, recur run",
    "devices gpu, recur devices",
    "devices cpu \u001b[2J, recur devices",
  })
  void aBadCommandLineIsToldInOneLineAndItsHelpInAnother(String line, String command) {
    Shell.Result result = recur(line.split(" "));
    assertEquals(2, result.status(), result.err());
    assertEquals("", result.out());
    List<String> lines = result.err().lines().toList();
    assertEquals(2, lines.size(), result.err());
    assertTrue(lines.getFirst().startsWith("recur: "), result.err());
    assertFalse(result.err().contains("\u001b"), result.err());
    assertEquals(command + " --help shows what it takes", lines.getLast());
  }

  @Test
  void badInputExitsWith1AndSaysWhy() throws IOException {
    Path empty = Files.writeString(folder.resolve("empty.txt"), "");
    Path few = Files.writeString(folder.resolve("few.txt"), "a few characters");
    Path binary = Files.write(folder.resolve("binary"), new byte[] {(byte) 0xff, (byte) 0xfe});
    Path cut = folder.resolve("cut.safetensors");
    Files.write(cut, java.util.Arrays.copyOf(Files.readAllBytes(model), 1000));
    String out = folder.resolve("none.safetensors").toString();
    assertFails(1, "the text is empty", recur("train", "--text", empty.toString(), "--out", out));
    assertFails(1, "too short", recur("train", "--text", few.toString(), "--out", out));
    assertFails(1, "not UTF-8", recur("train", "--text", binary.toString(), "--out", out));
    assertFails(1, "no such file", recur("train", "--text", folder + "/missing", "--out", out));
    assertFails(1, "cannot be written", recur("train", "--out", folder + "/no/such/folder/m"));
    assertFails(1, "cannot be written", recur("train", "--out", folder.toString()));
    assertFails(1, "no such file", recur("sample", "--model", folder + "/missing"));
    assertFails(1, "cut off", recur("sample", "--model", cut.toString()));
    assertFails(1, "header", recur("info", text.toString()));
    assertFails(
        1, "(U+00E9) at position 1", recur("sample", "--model", model.toString(), "--prime", "té"));
    assertFails(
        1,
        "it was trained on",
        recur("train", "--text", few.toString(), "--resume", model.toString(), "--out", out));
    assertFalse(Files.exists(Path.of(out)));
  }

  /** Each fact that a resumed training needs, missing or damaged. */
  @ParameterizedTest
  @ValueSource(
      strings = {"cell", "hidden", "layers", "batch", "steps", "rate", "seed", "epoch", "chunk"})
  void aFileThatCannotBeGoneOnWithSaysWhichFactIsWrong(String fact) throws IOException {
    for (String value : new String[] {null, "-x"}) {
      Path damaged = folder.resolve("damaged.safetensors");
      Map<String, String> metadata = metadata(model);
      metadata.remove(fact);
      if (value != null) {
        metadata.put(fact, value);
      }
      write(damaged, metadata);
      String out = folder.resolve("never.safetensors").toString();
      Shell.Result result =
          recur("train", "--text", text.toString(), "--resume", damaged.toString(), "--out", out);
      assertFails(1, damaged.toString(), result);
      assertFalse(result.err().contains("Exception"), result.err());
      assertFalse(Files.exists(Path.of(out)));
    }
  }

  @Test
  void aLossThatIsNotANumberStopsTheTrainingAndKeepsTheOldFile() throws IOException {
    Path out = folder.resolve("wild.safetensors");
    Files.copy(model, out);
    Shell.Result result = train(out, "--rate", "1e38", "--epochs", "3");
    assertFails(1, "lower the learning rate", result);
    assertArrayEquals(Files.readAllBytes(model), Files.readAllBytes(out));
  }

  /** One step of a size that leaves weights, finite or not, that give no numbers. */
  @Test
  void weightsThatGiveNoNumbersAreNeverSavedOverGoodOnes() throws IOException {
    Path out = folder.resolve("good.safetensors");
    Files.copy(model, out);
    Path tiny = Files.writeString(folder.resolve("tiny.txt"), "the quick brown fox. ".repeat(6));
    Shell.Result result =
        recur(
            "train",
            "--text",
            tiny.toString(),
            "--hidden",
            "4",
            "--epochs",
            "1",
            "--batch",
            "1",
            "--steps",
            "113",
            "--rate",
            "3e38",
            "--out",
            out.toString());
    assertFails(1, "not saved", result);
    assertTrue(result.err().contains("lower the learning rate"), result.err());
    assertArrayEquals(Files.readAllBytes(model), Files.readAllBytes(out));
  }

  @Test
  void ratesThatAreNotFiniteExitWith2() {
    for (String rate : new String[] {"Infinity", "NaN", "1e99", "-1", "0"}) {
      assertFails(2, "--rate", train(folder.resolve("never"), "--rate", rate, "--epochs", "1"));
    }
  }

  @Test
  void outOverwritesNothingButACheckpoint() throws IOException {
    byte[] before = Files.readAllBytes(text);
    assertFails(1, "no checkpoint of Recur", train(text, "--epochs", "1"));
    assertArrayEquals(before, Files.readAllBytes(text));
    Path foreign = folder.resolve("foreign.safetensors");
    rewrite(foreign, Map.of("format", "pt"));
    before = Files.readAllBytes(foreign);
    assertFails(1, "format=pt", train(foreign, "--epochs", "1"));
    assertArrayEquals(before, Files.readAllBytes(foreign));
    Path own = Files.copy(model, folder.resolve("own.safetensors"));
    assertEquals(0, train(own, "--epochs", "1").status());
  }

  @Test
  void aPictureOfSomethingElseIsKept() throws IOException {
    Path picture = Files.writeString(folder.resolve("cover.png"), "of the book");
    Shell.Result result = train(folder.resolve("cover.safetensors"), "--epochs", "1");
    assertEquals(0, result.status(), result.err());
    assertTrue(result.out().contains("not drawn: " + picture), result.out());
    assertEquals("of the book", Files.readString(picture));
  }

  @Test
  void aResumedTrainingTakesAnotherRateAndRefusesAnotherModel() throws IOException {
    Path next = folder.resolve("next.safetensors");
    String[] resume = {"--resume", model.toString(), "--epochs", "13"};
    Shell.Result other = train(next, joined(resume, "--rate", "0.001"));
    assertEquals(0, other.status(), other.err());
    assertEquals("0.001", metadata(next).get("rate"));
    assertEquals("0.001", metadata(next).get("optimiser.rate"));
    for (String[] option : new String[][] {{"--cell", "gru"}, {"--layers", "2"}, {"--seed", "7"}}) {
      assertFails(2, option[0] + "=" + option[1] + ", but", train(next, joined(resume, option)));
    }
  }

  private static String[] joined(String[] first, String... last) {
    List<String> all = new java.util.ArrayList<>(List.of(first));
    all.addAll(List.of(last));
    return all.toArray(String[]::new);
  }

  @Test
  void controlCharactersOfAFileReachNoTerminal() throws IOException {
    Path odd = folder.resolve("odd.safetensors");
    rewrite(odd, Map.of("text", "\u001b[2Jclear\u202e\u009b", "note\u0007", "two\nlines"));
    Shell.Result result = recur("info", odd.toString());
    assertEquals(0, result.status(), result.err());
    assertTrue(result.out().contains("text: \\u001b[2Jclear\\u202e\\u009b"), result.out());
    assertTrue(result.out().contains("note\\u0007: two\\nlines"), result.out());
    Shell.Result refused =
        recur(
            "train",
            "--resume",
            odd.toString(),
            "--text",
            text.toString() + "x",
            "--out",
            folder.resolve("never").toString());
    assertFalse(refused.err().contains("\u001b"), refused.err());
  }

  @Test
  void theHeldOutTextIsMeasuredAlongTheWay() throws IOException {
    String points = metadata(model).get("curve.held-out");
    assertTrue(points.split(" ").length >= 2 * 8 + 1, points);
  }

  /** Sizes that the file does not have are refused before memory is allocated for them. */
  @ParameterizedTest
  @CsvSource({
    "hidden, 9000, the file",
    "hidden, 2147483647, number from 1",
    "layers, -1, number from 1",
    "layers, 999999999, number from 1",
    "hidden, 99999999, values",
  })
  void aFileThatClaimsOtherSizesIsRefused(String fact, String value, String why)
      throws IOException {
    Path damaged = folder.resolve("damaged.safetensors");
    rewrite(damaged, Map.of(fact, value));
    Shell.Result result = recur("info", damaged.toString());
    assertFails(1, damaged.toString(), result);
    assertTrue(result.err().contains(why), result.err());
  }

  private static Map<String, String> metadata(Path path) throws IOException {
    try (Safetensors file = Safetensors.read(path)) {
      return new LinkedHashMap<>(file.metadata());
    }
  }

  /** The model's tensors with other strings. */
  private void write(Path path, Map<String, String> metadata) throws IOException {
    try (Safetensors file = Safetensors.read(model)) {
      new Safetensors(metadata, file.tensors()).write(path);
    }
  }

  /** The model's file with some strings changed. */
  private void rewrite(Path path, Map<String, String> changes) throws IOException {
    Map<String, String> metadata = metadata(model);
    metadata.putAll(changes);
    write(path, metadata);
  }
}
