package io.recur.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import io.recur.device.Devices;
import io.recur.io.Safetensors;
import io.recur.io.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A training that saves after every chunk and is killed many times at random moments, during saves
 * too. Its file is always whole, and the result equals that of a training without kills, byte for
 * byte.
 */
@Tag(Devices.CPU)
class KillsTest {
  private static final int SHORT = 3;
  private static final int LONG = 50;
  private static final int LONGEST_SECONDS = 300;
  private static final int LONGEST_MILLIS = 400;

  @TempDir private Path folder;
  private final Random random = new Random(5);

  @Test
  void aTrainingThatIsKilledAgainAndAgainEndsAsAnUnbrokenOne() throws Exception {
    kills(SHORT, 3);
  }

  @Test
  @Tag("soak")
  void fiftyKillsLoseNothing() throws Exception {
    int within = kills(LONG, 12);
    System.out.printf(
        "soak: %d kills of a training at random moments, %d of them within a save: the file was"
            + " whole each time, and the training ended as an unbroken one%n",
        LONG, within);
  }

  /** Kills and resumes; returns the number of kills that left an unfinished temporary file. */
  private int kills(int wanted, int epochs) throws Exception {
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "the quick brown fox jumps over the lazy dog.\n".repeat(150));
    Path whole = folder.resolve("whole.safetensors");
    Path killed = Files.createDirectory(folder.resolve("kills")).resolve("killed.safetensors");
    end(train(text, whole, epochs, "10"));
    int within = 0;
    for (int kills = 0; kills < wanted; ) {
      Process training = train(text, killed, epochs, "0.0001");
      awaitWork(training, killed);
      if (training.waitFor(random.nextInt(LONGEST_MILLIS), TimeUnit.MILLISECONDS)) {
        end(training); // it ended before the kill: begin again
        assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(killed));
        Files.delete(killed);
        continue;
      }
      training.destroyForcibly().waitFor();
      kills++;
      within += leftovers(killed) > 0 ? 1 : 0;
      if (Files.exists(killed)) {
        readAll(killed);
      }
    }
    end(train(text, killed, epochs, "10"));
    assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(killed));
    assertEquals(0, leftovers(killed), "temporary files of dead savers");
    return within;
  }

  private Process train(Path text, Path out, int epochs, String saveSeconds) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of("train", "--text", text.toString(), "--out", out.toString(), "--epochs"));
    arguments.addAll(List.of(Integer.toString(epochs), "--save-seconds", saveSeconds));
    arguments.addAll(List.of("--hidden", "32", "--batch", "4", "--steps", "16"));
    if (Files.exists(out)) {
      arguments.addAll(List.of("--resume", out.toString()));
    }
    return ChildJvm.start(
        folder.resolve("log"), Main.class, List.of(), arguments.toArray(String[]::new));
  }

  /** Waits until the training has begun to save, so that kills do not all hit the JVM's start. */
  private static void awaitWork(Process training, Path file) throws Exception {
    byte[] before = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
    while (training.isAlive()
        && (!Files.exists(file) || Arrays.equals(before, Files.readAllBytes(file)))) {
      Thread.sleep(5);
    }
  }

  private static int leftovers(Path file) throws IOException {
    try (var files = Files.list(file.getParent())) {
      return (int) files.filter(path -> path.toString().endsWith(".part")).count();
    }
  }

  private static void readAll(Path file) throws IOException {
    try (Safetensors read = Safetensors.read(file)) {
      assertTrue(read.isChecked());
      for (StoredTensor entry : read.tensors().values()) {
        assertEquals(-1, entry.firstNotFinite());
      }
    }
  }

  private void end(Process process) throws Exception {
    assertTrue(process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), Files.readString(folder.resolve("log")));
  }
}
