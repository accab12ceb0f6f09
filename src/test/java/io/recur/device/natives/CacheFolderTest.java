package io.recur.device.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.Thrown;
import io.recur.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag(Devices.CPU)
class CacheFolderTest {
  @TempDir private Path folder;

  private static Path named(Map<String, String> properties, Map<String, String> variables)
      throws IOException {
    return CacheFolder.named(properties::get, variables::get);
  }

  @Test
  void thePropertyComesFirstAndIsMadeAbsolute() throws IOException {
    Map<String, String> variables = Map.of("XDG_CACHE_HOME", folder.toString());
    assertEquals(
        Path.of("mine").toAbsolutePath(),
        named(Map.of(CacheFolder.PROPERTY, "mine", "user.home", "/"), variables));
  }

  @Test
  void theEnvironmentCountsIfItIsAbsolute() throws IOException {
    assumeTrue(Bundle.platform().startsWith("linux"), "another platform has other folders");
    Map<String, String> home = Map.of("user.home", folder.toString());
    Path usual = folder.resolve(".cache/recur");
    assertEquals(Path.of("/x/recur"), named(home, Map.of("XDG_CACHE_HOME", "/x")));
    assertEquals(usual, named(home, Map.of("XDG_CACHE_HOME", "x")));
    assertEquals(usual, named(home, Map.of("XDG_CACHE_HOME", "")));
    assertEquals(usual, named(home, Map.of()));
    Map<String, String> empty = Map.of("user.home", folder.toString(), CacheFolder.PROPERTY, "");
    assertEquals(usual, named(empty, Map.of()));
  }

  @Test
  void aHomeThatIsNoneIsToldAndNotMade() {
    for (String home : List.of("?", "", "relative", folder.resolve("missing").toString())) {
      Thrown.says(
          IOException.class,
          () -> named(Map.of("user.home", home), Map.of()),
          "user.home=" + home + " is not the absolute path of a folder");
    }
    assertThrows(IOException.class, () -> named(Map.of(), Map.of()));
    assertThrows(IOException.class, () -> named(Map.of(CacheFolder.PROPERTY, "a\0b"), Map.of()));
  }

  @Test
  void aFileIsPutWholeOrNotAtAll() throws IOException {
    CacheFolder cache = new CacheFolder(folder.toRealPath(), false);
    Path file = cache.put("file", out -> out.write(1));
    assertTrue(cache.has("file"));
    assertThrows(
        IOException.class,
        () ->
            cache.put(
                "file",
                out -> {
                  out.write(2);
                  throw new IOException("no space left");
                }));
    assertEquals(1, Files.readAllBytes(file)[0]);
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(1, files.count());
    }
  }

  @Test
  void aFileThatAnotherProcessRemovedIsPutAgain() throws IOException {
    CacheFolder cache = new CacheFolder(folder.toRealPath(), false);
    int[] attempts = {0};
    Path file =
        cache.put(
            "file",
            out -> {
              out.write(7);
              if (attempts[0]++ == 0) {
                try (Stream<Path> begun = Files.list(cache.path())) {
                  Files.delete(begun.findFirst().orElseThrow());
                }
              }
            });
    assertEquals(7, Files.readAllBytes(file)[0]);
    assertEquals(2, attempts[0]);
  }
}
