package io.recur.peers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A process with a limit of time, whose whole output is kept in a file. */
final class Child {
  /** To write down what it has found, after it was asked to end. */
  private static final long GRACE_SECONDS = 5;

  /**
   * How it ended.
   *
   * @param status its exit status, or −1 where it was stopped or could not be started
   * @param seconds how long it ran
   * @param isLate whether it was stopped at its limit
   * @param lines what it printed, errors among the rest
   */
  record Ended(int status, double seconds, boolean isLate, List<String> lines) {
    /** Both of two that ran at once, as one: a failure's status, all lines. */
    Ended and(Ended other) {
      List<String> all = new ArrayList<>(lines);
      all.addAll(other.lines);
      return new Ended(
          status != 0 ? status : other.status,
          Math.max(seconds, other.seconds),
          isLate || other.isLate,
          all);
    }
  }

  private Child() {}

  /** A command that starts a class of this JVM's class path on another, like this one. */
  static List<String> java(List<String> options, String classPath, String main) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    System.getProperties().stringPropertyNames().stream()
        .filter(name -> name.startsWith("io.recur."))
        .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, main));
    return command;
  }

  /**
   * Runs it to its end, or to its limit.
   *
   * @param command with its arguments
   * @param environment in addition to ours
   * @param limit seconds
   * @param log where its output is kept
   */
  static Ended run(List<String> command, Map<String, String> environment, double limit, Path log)
      throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().putAll(environment);
    long began = System.nanoTime();
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      return new Ended(-1, 0, false, List.of(command.getFirst() + " cannot be started"));
    }
    boolean isLate = !ends(process, limit);
    if (isLate) {
      stop(process);
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    String all =
        Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8) : "";
    return new Ended(isLate ? -1 : process.exitValue(), seconds, isLate, all.lines().toList());
  }

  private static void stop(Process process) {
    List<ProcessHandle> below = process.descendants().toList();
    process.destroy();
    if (!ends(process, GRACE_SECONDS)) {
      process.destroyForcibly();
      ends(process, GRACE_SECONDS); // one that a driver holds does not end, and is left
    }
    below.forEach(ProcessHandle::destroyForcibly);
  }

  private static boolean ends(Process process, double seconds) {
    try {
      return process.waitFor((long) (1e3 * seconds), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
