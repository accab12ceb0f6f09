package io.recur;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A child JVM, for tests that would end this one or that need limits of their own. It has the
 * classes, the device and the libraries of this run.
 */
public final class ChildJvm {
  private static final List<String> PASSED_ON =
      List.of(Devices.NAMED, "io.recur.cuda", "io.recur.library", "io.recur.kernels");

  private ChildJvm() {}

  /** Runs a program and returns what it printed. Fails unless the program ends with status 0. */
  public static String run(Class<?> program, List<String> options, String... arguments)
      throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("child"); // a JVM that crashes writes its report there
    Path output = folder.resolve("output.txt");
    try {
      Process process =
          new ProcessBuilder(command(program, options, arguments))
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .directory(folder.toFile())
              .start();
      boolean ended = process.waitFor(5, TimeUnit.MINUTES);
      process.destroyForcibly().waitFor();
      String printed = Files.readString(output);
      assertTrue(ended, () -> "it did not come to an end: " + printed);
      assertEquals(0, process.exitValue(), printed);
      return printed.strip();
    } finally {
      try (var files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  /** Starts a program with its output in a file. The caller ends it. */
  public static Process start(
      Path output, Class<?> program, List<String> options, String... arguments) throws IOException {
    return new ProcessBuilder(command(program, options, arguments))
        .redirectErrorStream(true)
        .redirectOutput(output.toFile())
        .start();
  }

  /** Does the same through a command, such as one that gives the program its own namespace. */
  public static Process startBy(
      List<String> starter, Path output, Class<?> program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(starter);
    command.addAll(command(program, List.of(), arguments));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(output.toFile())
        .start();
  }

  private static List<String> command(Class<?> program, List<String> options, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    for (String name : PASSED_ON) {
      String value = System.getProperty(name);
      if (value != null) {
        command.add("-D" + name + "=" + value);
      }
    }
    command.addAll(options);
    command.add("-cp");
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(program.getName());
    command.addAll(List.of(arguments));
    return command;
  }
}
