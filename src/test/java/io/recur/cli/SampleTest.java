package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.child;
import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code recur sample} as a stream. */
@Tag(Devices.CPU)
class SampleTest {
  private static final String ENDLESS = "1000000000";

  @TempDir private Path folder;
  private Path model;

  @BeforeEach
  void train() throws IOException {
    Path text = Files.writeString(folder.resolve("text"), "café au lait? ".repeat(200));
    model = folder.resolve("model");
    String[] arguments = {
      "train",
      "--text",
      text.toString(),
      "--hidden",
      "8",
      "--batch",
      "4",
      "--steps",
      "8",
      "--epochs",
      "1",
      "--out",
      model.toString()
    };
    Shell.Result result = recur(arguments);
    assertEquals(0, result.status(), result.err());
  }

  /** As {@code recur sample | head -c 100}: what comes is read before the text could be ended. */
  @Test
  void aTextComesAsItIsWrittenAndEndsWithItsReader() throws Exception {
    Process sample =
        child(List.of(), "sample", "--model", model.toString(), "--length", ENDLESS)
            .redirectError(folder.resolve("err").toFile())
            .start();
    try (InputStream text = sample.getInputStream()) {
      assertEquals(100, text.readNBytes(100).length);
    }
    boolean ended = sample.waitFor(60, TimeUnit.SECONDS);
    sample.destroyForcibly();
    assertTrue(ended, "it goes on without a reader");
    assertEquals(0, sample.exitValue());
    assertEquals("", Shell.err(folder));
  }

  /** Java would write a question mark for what the locale's encoding has not. */
  @Test
  void aTextIsUtf8InAPosixLocaleToo() throws Exception {
    ProcessBuilder sample = child(List.of(), "sample", "--model", model.toString());
    sample.environment().put("LC_ALL", "C");
    Shell.Result result = Shell.ended(sample, folder);
    assertEquals(0, result.status(), result.err());
    assertTrue(result.out().contains("é"), result.out());
  }

  @Test
  void aPrimeThatBeginsWithAnAtSignIsNoFileOfArguments() throws IOException {
    Path note = Files.writeString(folder.resolve("note"), "--help");
    assertFails(
        1,
        "the character @ (U+0040) at position 0",
        recur("sample", "--model", model.toString(), "--prime", "@" + note));
  }

  @Test
  void aFolderIsNoModelAndIsNamed() {
    assertFails(1, folder.toString(), recur("sample", "--model", folder.toString()));
    assertFails(1, folder.toString(), recur("info", folder.toString()));
  }

  @Test
  void theTextBeginsWithThePrime() {
    Shell.Result result =
        recur("sample", "--model", model.toString(), "--prime", "café", "--length", "3");
    assertEquals(0, result.status(), result.err());
    String text = result.out().strip();
    assertTrue(text.startsWith("café"), text);
    assertEquals(
        7, new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8).length());
  }
}
