package io.recur.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.device.Devices;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which texts are accepted, and the errors for the others. */
@Tag(Devices.CPU)
class CorpusTest {
  @TempDir private Path folder;

  private Path file(String name, String bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static void assertRefused(String message, Path... paths) {
    IllegalArgumentException refusal =
        assertThrows(IllegalArgumentException.class, () -> Corpus.of(List.of(paths)));
    assertTrue(refusal.getMessage().contains(message), refusal.getMessage());
  }

  @Test
  void aByteOrderMarkIsNoCharacter() throws IOException {
    Path marked = file("marked", "\u00EF\u00BB\u00BFabc");
    assertEquals("abc", Corpus.of(List.of(marked)).text());
    assertEquals("abcabc", Corpus.of(List.of(marked, marked)).text());
    assertEquals("", assertEmpty(file("mark", "\u00EF\u00BB\u00BF")));
  }

  private static String assertEmpty(Path file) {
    assertRefused(file + ": the text is empty", file);
    return "";
  }

  @Test
  void whatIsNotUtf8IsRefusedWithThePlaceOfTheFirstBadByte() throws IOException {
    Path latin = file("latin", "abc\nd\u00E9f\n");
    assertRefused(latin + ": not UTF-8 text: byte 0xE9 at offset 5, line 2", latin);
    Path cut = file("cut", "\n\n\u00E2\u0082");
    assertRefused("byte 0xE2 at offset 2, line 3", cut);
    Path good = file("good", "a\n");
    assertRefused(latin + ": not UTF-8 text: byte 0xE9 at offset 5, line 2", good, latin);
  }

  @Test
  void aTextBeyondAnArrayIsRefusedBeforeItIsRead() throws IOException {
    Path large = folder.resolve("large");
    try (RandomAccessFile sparse = new RandomAccessFile(large.toFile(), "rw")) {
      sparse.setLength(2L << 30);
    }
    assertRefused(large + ": bytes=2147483648", large);
    assertRefused(large + ": bytes=2147483649", file("small", "a"), large);
  }

  @Test
  void standardInputIsAText() throws IOException {
    InputStream before = System.in;
    try {
      System.setIn(new ByteArrayInputStream("häh".getBytes(StandardCharsets.UTF_8)));
      Corpus corpus = Corpus.of(List.of(Path.of("-")));
      assertEquals("häh", corpus.text());
      assertEquals("standard input", corpus.name());
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void aPipeIsReadToItsEnd() throws Exception {
    Path pipe = folder.resolve("pipe");
    boolean made;
    try {
      made = new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0;
    } catch (IOException e) {
      made = false;
    }
    assumeTrue(made, "this system has no mkfifo");
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () -> {
              try {
                Files.writeString(pipe, "through a pipe");
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            });
    assertEquals("through a pipe", Corpus.of(List.of(pipe)).text());
    writer.get();
  }

  @Test
  void aFolderIsItsFilesByName() throws IOException {
    Files.createDirectory(folder.resolve("b"));
    file("b/x", "2");
    file("a", "1");
    file("c", "3");
    assertEquals("123", Corpus.of(List.of(folder)).text());
  }
}
