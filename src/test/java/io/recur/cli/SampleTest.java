package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.child;
import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import io.recur.io.Safetensors;
import io.recur.io.StoredTensor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

  /** As {@code recur sample | head -c 100}: the output is read before the text is complete. */
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
    assertTrue(ended, "it continues without a reader");
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

  /** As a file that a disk has damaged and whose checksums were then computed again. */
  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void weightsThatAreNotFiniteEndWith1AndOneLine(float value) throws IOException {
    Path wild = folder.resolve("wild.safetensors");
    try (Safetensors file = Safetensors.read(model)) {
      Map<String, StoredTensor> tensors = new LinkedHashMap<>(file.tensors());
      StoredTensor bias = tensors.get("1.b");
      float[] values = bias.values();
      values[2] = value;
      tensors.put("1.b", new StoredTensor(new int[] {values.length}, values));
      new Safetensors(file.metadata(), tensors).write(wild);
    }
    String[][] uses = {
      {"sample", "--model", wild.toString(), "--prime", "au lait"},
      {"info", wild.toString()},
      {
        "train",
        "--text",
        folder.resolve("text").toString(),
        "--resume",
        wild.toString(),
        "--out",
        folder.resolve("never").toString()
      }
    };
    for (String[] use : uses) {
      Shell.Result result = recur(use);
      assertFails(1, wild + ": weights are not finite: 1.b (value 2); load an earlier", result);
      assertEquals(1, result.err().lines().count(), result.err());
      assertEquals("", result.out());
    }
    assertFalse(Files.exists(folder.resolve("never")));
  }

  /** Of one character each draw is the likeliest, and so is a nucleus that one fills. */
  @Test
  void theLikeliestCharactersAloneAreDrawn() {
    String greedy = sampled("--temperature", "0");
    assertEquals(greedy, sampled("--temperature", "5", "--top-k", "1"));
    assertEquals(greedy, sampled("--temperature", "5", "--top-p", "1e-9"));
    String free = sampled("--temperature", "5");
    assertNotEquals(greedy, free);
    assertEquals(free, sampled("--temperature", "5", "--top-k", "1000", "--top-p", "1"));
    String few = sampled("--temperature", "100", "--top-k", "2");
    assertNotEquals(few, sampled("--temperature", "100"));
    assertFails(2, "--top-k=0, --top-p=1.0: need", recur("sample", "--model", "m", "--top-k", "0"));
    for (String bad : List.of("0", "1.01", "-1", "NaN")) {
      assertFails(2, "--top-k=all, --top-p=", recur("sample", "--model", "m", "--top-p", bad));
    }
  }

  private String sampled(String... options) {
    List<String> command = new ArrayList<>(List.of("sample", "--model", model.toString()));
    command.addAll(List.of("--length", "60", "--seed", "3"));
    command.addAll(List.of(options));
    Shell.Result result = recur(command.toArray(String[]::new));
    assertEquals(0, result.status(), result.err());
    return result.out();
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
