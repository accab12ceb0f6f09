package io.recur.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a training shows on standard error, and which files it loads and leaves for that. */
@Tag(Devices.CPU)
class ProgressTest {
  @TempDir private Path folder;
  private Path temporary;
  private Path cache;

  @BeforeEach
  void makeFolders() throws IOException {
    temporary = Files.createDirectory(folder.resolve("tmp"));
    cache = folder.resolve("cache");
  }

  private ProcessBuilder training(String epochs) throws IOException {
    Path text = folder.resolve("text");
    Files.writeString(text, "the quick brown fox jumps over the lazy dog.\n".repeat(400));
    return Shell.child(
        List.of("-Djava.io.tmpdir=" + temporary, "-Dio.recur.cache=" + cache),
        "train",
        "--text",
        text.toString(),
        "--hidden",
        "16",
        "--batch",
        "4",
        "--steps",
        "16",
        "--epochs",
        epochs,
        "--out",
        folder.resolve("model").toString());
  }

  /** The command as a shell writes it. */
  private static String shell(ProcessBuilder command) {
    return "'" + String.join("' '", command.command()) + "'";
  }

  /** Under a terminal of util-linux's {@code script}. */
  private ProcessBuilder onATerminal(int columns, String epochs) throws IOException {
    boolean there;
    try {
      Process process = new ProcessBuilder("script", "--version").start();
      there = new String(process.getInputStream().readAllBytes()).contains("util-linux");
    } catch (IOException e) {
      there = false;
    }
    assumeTrue(there, "needs the script of util-linux to have a terminal");
    Path file = folder.resolve("command.sh");
    Files.writeString(file, "stty cols " + columns + "; exec " + shell(training(epochs)) + "\n");
    return new ProcessBuilder("script", "-qec", "sh " + file, "/dev/null");
  }

  @Test
  void theBarFollowsTheTerminalsWidth() throws Exception {
    for (int columns : new int[] {132, 61}) {
      Shell.Result result = Shell.ended(onATerminal(columns, "3"), folder);
      assertEquals(0, result.status(), result.out());
      List<String> bars =
          Stream.of(result.out().split("[\r\n]+")).filter(l -> l.startsWith("train ")).toList();
      assertFalse(bars.isEmpty(), result.out());
      bars.forEach(bar -> assertEquals(columns - 1, bar.length(), bar));
      assertTrue(result.out().contains("\rtrain "), result.out());
    }
  }

  /** At its begin and its end, as it takes less than ten seconds. */
  @Test
  void withoutATerminalTheBarIsALine() throws Exception {
    Shell.Result result = Shell.ended(training("3"), folder);
    assertEquals(0, result.status(), result.err());
    assertFalse(result.err().contains("\r"), result.err());
    List<String> bars = result.err().lines().filter(line -> line.startsWith("train ")).toList();
    assertTrue(bars.getFirst().startsWith("train   0% "), bars.toString());
    assertTrue(bars.getLast().startsWith("train 100% "), bars.toString());
    assertEquals(bars.size(), Set.copyOf(bars).size(), bars.toString());
  }

  /**
   * No library of ours or a dependency's comes from anywhere but the cache folder, and nothing is
   * written into the temporary folder, which every user can write. A progress bar may want native
   * help where there is a terminal, and to find out that there is none.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aTrainingUsesNoTemporaryFolder(boolean terminal) throws Exception {
    assumeTrue(Files.exists(Path.of("/proc/self/maps")), "needs /proc to list what is mapped");
    ProcessBuilder command = terminal ? onATerminal(80, "1000000") : training("1000000");
    Process process = Shell.started(command, folder);
    Set<Path> mapped = new TreeSet<>();
    Shell.await(
        process,
        () -> {
          for (ProcessHandle java : javas(process)) {
            mapped.addAll(mapped(java.pid()));
          }
          assertEquals(List.of(), list(temporary));
          return Files.readString(folder.resolve(terminal ? "out" : "err")).contains("train   0%");
        });
    for (ProcessHandle java : javas(process)) {
      mapped.addAll(mapped(java.pid()));
      java.destroy();
    }
    Shell.ended(process, folder);
    assertTrue(Files.exists(folder.resolve("model")));
    assertEquals(List.of(), list(temporary));
    assertTrue(mapped.stream().anyMatch(file -> file.toString().contains("openblas")), "" + mapped);
    Path jdk = Path.of(System.getProperty("java.home")).toRealPath();
    Path classes = Path.of(Main.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    for (Path file : mapped) {
      assertTrue(
          file.startsWith(jdk)
              || file.startsWith(cache.toRealPath())
              || file.startsWith(classes.toRealPath()) // where no jar is to be unpacked
              || isSystems(file),
          file + " is mapped");
    }
  }

  private static List<ProcessHandle> javas(Process process) {
    return Stream.concat(Stream.of(process.toHandle()), process.descendants())
        .filter(handle -> handle.info().command().orElse("").endsWith("java"))
        .toList();
  }

  /** What only the administrator can write: the C library and its like. */
  private static boolean isSystems(Path file) {
    return Stream.of("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/nix/store")
        .anyMatch(file::startsWith);
  }

  private static List<Path> mapped(long process) throws IOException {
    List<Path> files = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("/proc/" + process + "/maps"))) {
      String[] columns = line.split(" +", 6);
      if (columns.length == 6 && columns[5].startsWith("/") && columns[1].contains("x")) {
        files.add(Path.of(columns[5]));
      }
    }
    return files;
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> inside = Files.list(folder)) {
      return inside.toList();
    }
  }
}
