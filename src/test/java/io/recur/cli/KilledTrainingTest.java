package io.recur.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import io.recur.io.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A training in a JVM of its own that is killed somewhere in the middle of a pass. */
class KilledTrainingTest {
  @TempDir private Path folder;

  private Process recur(String... arguments) throws IOException {
    return Shell.started(Shell.child(List.of(), arguments), folder);
  }

  private void end(Process process) throws InterruptedException, IOException {
    Shell.Result result = Shell.ended(process, folder);
    assertEquals(0, result.status(), result.err());
  }

  /** Waits for a file of an unfinished pass; a file is always whole, so it may be read any time. */
  private static void awaitUnfinishedPass(Path file, Process training) throws Exception {
    while (training.isAlive()) {
      if (Files.exists(file) && chunk(file) > 0) {
        return;
      }
      Thread.sleep(5);
    }
  }

  private static Map<String, String> facts(Path file) throws IOException {
    try (Safetensors read = Safetensors.read(file)) {
      return read.metadata();
    }
  }

  private static int chunk(Path file) throws IOException {
    return Integer.parseInt(facts(file).get("chunk"));
  }

  @Test
  void aKilledAndResumedTrainingEndsAsAnUnbrokenOne() throws Exception {
    Path text = folder.resolve("text.txt");
    String line = "the quick brown fox jumps over the lazy dog.\n";
    Files.writeString(text, line.repeat(Devices.rounds(1000)));
    Path whole = folder.resolve("whole.safetensors");
    Path killed = folder.resolve("killed.safetensors");
    String[] settings = {
      "--hidden", "48", "--batch", "4", "--steps", "16", "--epochs", "3", "--device", Devices.name()
    };
    end(recur(joined(settings, "train", "--text", text.toString(), "--out", whole.toString())));

    String[] often = {"--save-seconds", "0.02", "--out", killed.toString()};
    Process training = recur(joined(settings, joined(often, "train", "--text", text.toString())));
    awaitUnfinishedPass(killed, training);
    training.destroyForcibly().waitFor();
    Map<String, String> facts = facts(killed);
    assertTrue(
        chunk(killed) > 0 && !facts.containsKey("held-out"),
        "killed within a pass, epoch=" + facts.get("epoch") + ", chunk=" + facts.get("chunk"));

    String[] again = {"--resume", killed.toString(), "--out", killed.toString()};
    end(recur(joined(settings, joined(again, "train", "--text", text.toString()))));
    assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(killed));
  }

  private static String[] joined(String[] last, String... first) {
    List<String> all = new ArrayList<>(List.of(first));
    all.addAll(List.of(last));
    return all.toArray(String[]::new);
  }
}
