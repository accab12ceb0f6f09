package io.recur.cli;

import static io.recur.cli.Shell.await;
import static io.recur.cli.Shell.child;
import static io.recur.cli.Shell.ended;
import static io.recur.cli.Shell.err;
import static io.recur.cli.Shell.started;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.recur.device.Devices;
import io.recur.io.Safetensors;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Signals and disks that fail, on a training in a JVM of its own. */
@Tag(Devices.CPU)
class InterruptedTrainingTest {
  private static final String LINE = "the quick brown fox jumps over the lazy dog.\n";

  @TempDir private Path folder;
  private Path text;
  private Path model;

  @BeforeEach
  void write() throws IOException {
    assumeFalse(
        System.getProperty("os.name").startsWith("Windows"), "Windows has no signals to send");
    text = folder.resolve("text");
    Files.writeString(text, LINE.repeat(400));
    Files.createDirectory(folder.resolve("models"));
    model = folder.resolve("models/model.st");
  }

  private String[] train(String... more) {
    List<String> words = new ArrayList<>(List.of("train", "--hidden", "16", "--batch", "4"));
    words.addAll(List.of("--steps", "16", "--out", model.toString()));
    words.addAll(List.of(more));
    return words.toArray(String[]::new);
  }

  private Process training(String... more) throws IOException {
    return started(child(List.of(), train(more)), folder);
  }

  private static void signal(String name, Process process) throws Exception {
    String pid = Long.toString(process.pid());
    assertEquals(0, new ProcessBuilder("kill", "-" + name, pid).start().waitFor());
  }

  /** Before the first periodic save, which would come in a quarter of an hour. */
  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143"})
  void aSignalSavesTheTrainingAndSaysHowToGoOn(String signal, int status) throws Exception {
    Process training =
        training("--text", text.toString(), "--epochs", "1000000", "--save-seconds", "900");
    await(training, () -> err(folder).contains("train   0%"));
    signal(signal, training);
    Shell.Result result = ended(training, folder);
    assertEquals(status, result.status(), result.err());
    String command =
        "recur train --text %s --resume %s --out %s --epochs 1000000".formatted(text, model, model);
    assertTrue(result.err().contains("resume it with: " + command), result.err());
    assertFalse(result.err().contains("\tat "), result.err());

    long steps = Long.parseLong(facts().get("optimiser.steps"));
    int epoch = Integer.parseInt(facts().get("epoch"));
    String epochs = Integer.toString(epoch + 1);
    String[] words = command.replace("recur ", "").replace("1000000", epochs).split(" ");
    Shell.Result rest = ended(child(List.of(), words), folder);
    assertEquals(0, rest.status(), rest.err());
    byte[] resumed = Files.readAllBytes(model);
    assertTrue(Long.parseLong(facts().get("optimiser.steps")) >= steps);
    Files.delete(model);
    Shell.Result whole =
        ended(child(List.of(), train("--text", text.toString(), "--epochs", epochs)), folder);
    assertEquals(rest.lastLine(), whole.lastLine());
    assertArrayEquals(Files.readAllBytes(model), resumed);
  }

  private java.util.Map<String, String> facts() throws IOException {
    try (Safetensors file = Safetensors.read(model)) {
      return file.metadata();
    }
  }

  @Test
  void aSignalWhileTheTextIsReadHasNothingToSave() throws Exception {
    ProcessBuilder child = child(List.of(), train("--text", "-"));
    Process training = started(child, folder);
    OutputStream in = training.getOutputStream();
    byte[] line = LINE.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < 4096; i++) { // more than a pipe holds: it has begun to read
      in.write(line);
    }
    in.flush();
    signal("TERM", training);
    Shell.Result result = ended(training, folder);
    assertEquals(143, result.status(), result.err());
    assertTrue(result.err().contains("there is nothing to save"), result.err());
    assertFalse(Files.exists(model));
  }

  @Test
  void aPeriodicSaveThatFailsIsToldAndTriedAgain() throws Exception {
    Process training =
        training("--text", text.toString(), "--epochs", "1000000", "--save-seconds", "0.02");
    await(training, () -> Files.exists(model));
    Path away = folder.resolve("away");
    Files.move(model.getParent(), away);
    await(training, () -> err(folder).contains("recur: not saved: " + model));
    Files.createDirectory(model.getParent());
    await(training, () -> Files.exists(model));
    signal("TERM", training);
    Shell.Result result = ended(training, folder);
    assertEquals(143, result.status(), result.err());
    assertTrue(result.err().contains("resume it with: recur train"), result.err());
  }

  /** The folder is removed while the text is read. */
  @Test
  void aLastSaveThatFailsEndsWith1() throws Exception {
    Process training = training("--text", "-", "--epochs", "1");
    try (OutputStream in = training.getOutputStream()) {
      for (int i = 0; i < 4096; i++) {
        in.write(LINE.getBytes(StandardCharsets.UTF_8));
      }
      in.flush();
      Files.delete(model.getParent());
    }
    Shell.Result result = ended(training, folder);
    assertEquals(1, result.status(), result.err());
    assertTrue(result.err().contains("recur: not saved: " + model), result.err());
    assertTrue(result.out().contains("not saved: " + model), result.out());
    assertTrue(result.lastLine().startsWith("held-out "), result.out());
  }
}
