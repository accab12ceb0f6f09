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
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
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

  /** Six passes at once, and three resumed to six: the same file but for the time it was made. */
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

  /** Each fact that a training goes on from, missing or damaged. */
  @ParameterizedTest
  @ValueSource(
      strings = {"cell", "hidden", "layers", "batch", "steps", "rate", "seed", "epoch", "chunk"})
  void aFileThatCannotBeGoneOnWithSaysWhichFactIsWrong(String fact) throws IOException {
    for (String value : new String[] {null, "-x"}) {
      Safetensors content = Safetensors.read(model);
      content.metadata().remove(fact);
      if (value != null) {
        content.metadata().put(fact, value);
      }
      Path damaged = folder.resolve("damaged.safetensors");
      content.write(damaged);
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
}
