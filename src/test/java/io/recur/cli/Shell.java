package io.recur.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The command as a shell sees it. */
final class Shell {
  private static final long LONGEST_SECONDS = 120;

  /** What a command left behind. */
  record Result(int status, String out, String err) {
    String lastLine() {
      return out.lines().toList().getLast();
    }
  }

  private Shell() {}

  /** Runs the command in this JVM. */
  static Result recur(String... arguments) {
    PrintStream oldErr = System.err;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try {
      System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
      int status = Main.run(out, StandardCharsets.UTF_8, arguments);
      return new Result(
          status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    } finally {
      System.setErr(oldErr);
    }
  }

  /** The command in a JVM of its own, with the properties of this one's devices. */
  static ProcessBuilder child(List<String> options, String... arguments) {
    return childOf(System.getProperty("java.class.path"), options, arguments);
  }

  static ProcessBuilder childOf(String classPath, List<String> options, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    System.getProperties().stringPropertyNames().stream()
        .filter(name -> name.startsWith("io.recur."))
        .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, Main.class.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command);
  }

  /** Runs it to its end, its outputs through files in a folder. */
  static Result ended(ProcessBuilder child, Path folder) throws IOException, InterruptedException {
    return ended(started(child, folder), folder);
  }

  static Process started(ProcessBuilder child, Path folder) throws IOException {
    return child
        .redirectOutput(folder.resolve("out").toFile())
        .redirectError(folder.resolve("err").toFile())
        .start();
  }

  static Result ended(Process process, Path folder) throws IOException, InterruptedException {
    if (!process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("the command did not end: " + err(folder));
    }
    return new Result(process.exitValue(), Files.readString(folder.resolve("out")), err(folder));
  }

  static String err(Path folder) throws IOException {
    return Files.readString(folder.resolve("err"));
  }

  /** Waits for a moment of a running command. If it does not come, ends the command and fails. */
  static void await(Process process, Moment moment) throws Exception {
    long start = System.nanoTime();
    try {
      while (!moment.hasCome()) {
        assertTrue(process.isAlive(), "the command ended too early");
        assertTrue(System.nanoTime() - start < LONGEST_SECONDS * 1_000_000_000L, "waited too long");
        Thread.sleep(5);
      }
    } catch (AssertionError e) {
      process.destroyForcibly();
      throw e;
    }
  }

  interface Moment {
    boolean hasCome() throws Exception;
  }

  static void assertFails(int status, String message, Result result) {
    assertEquals(status, result.status(), result.out() + result.err());
    assertTrue(result.err().contains(message), result.err());
    assertFalse(result.err().contains("\tat "), "no stack trace: " + result.err());
  }
}
