package io.recur.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * No public method ends the JVM or the device, or throws an undocumented exception, whatever its
 * arguments. A child JVM calls all of them with hostile arguments and receivers. It prints each
 * call before it makes it, so that the last line names the call that ended the JVM.
 *
 * <p>The test finds new public API by itself. It fails for a type without a value: add one to one
 * of the classes of samples beside it.
 */
class HostileCallsTest {
  private static final long MOST_SECONDS = 300;

  /** The most calls of one method, where there are more combinations of values. */
  private static final int MOST_CALLS = Devices.isCpu() ? 100 : 20;

  private static final int LEAST_METHODS = 380;
  private static final int LEAST_CALLS = Devices.isCpu() ? 12_000 : 5_000;

  private static final Pattern DONE =
      Pattern.compile("DONE methods=(\\d+) calls=(\\d+) returned=(\\d+) excluded=(\\d+)");

  @TempDir private Path folder;

  private record Outcome(int status, List<String> lines) {
    String last() {
      return lines.isEmpty() ? "no call" : lines.getLast();
    }

    List<String> violations() {
      return lines.stream().filter(line -> line.startsWith("VIOLATION")).toList();
    }
  }

  /** Runs a child whose memory is bounded, so that a huge allocation is refused by the system. */
  private Outcome walk(List<String> options, String... arguments) throws Exception {
    List<String> java = new ArrayList<>();
    java.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    java.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx512m", "-XX:+UseSerialGC"));
    java.addAll(List.of("-XX:MaxDirectMemorySize=128m", "-XX:-CreateCoredumpOnCrash"));
    java.add("-XX:ErrorFile=" + folder.resolve("crash.log"));
    if (System.getProperty("io.recur.cuda") != null) {
      java.add("-Dio.recur.cuda=" + System.getProperty("io.recur.cuda"));
    }
    java.addAll(options);
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    java.addAll(
        List.of("-cp", classPath, Child.class.getName(), Devices.name(), folder.toString()));
    java.add(Integer.toString(MOST_CALLS));
    java.addAll(List.of(arguments));
    // the double reserves more address space than it uses, and has a limit of its own
    String limit = Devices.isCpu() ? "ulimit -c 0; ulimit -v 7000000" : "ulimit -c 0";
    List<String> shell = new ArrayList<>(List.of("sh", "-c", limit + "; exec \"$@\"", "sh"));
    shell.addAll(java);
    File output = Files.createTempFile(folder, "walk", ".txt").toFile();
    ProcessBuilder builder = new ProcessBuilder(shell).directory(folder.toFile());
    builder.environment().put("RECUR_DOUBLE_MEMORY", Long.toString(1L << 28));
    Process child = builder.redirectErrorStream(true).redirectOutput(output).start();
    boolean ended = child.waitFor(MOST_SECONDS, TimeUnit.SECONDS);
    child.destroyForcibly().waitFor();
    List<String> lines = Files.readAllLines(output.toPath());
    assertTrue(ended, "after " + MOST_SECONDS + " s still in " + lines.getLast());
    return new Outcome(child.exitValue(), lines);
  }

  private void everyPublicMethod(String... options) throws Exception {
    Outcome outcome = walk(List.of(options));
    Matcher done = DONE.matcher(outcome.last());
    assertEquals(List.of(), outcome.violations());
    assertTrue(outcome.status() == 0 && done.matches(), () -> ended(outcome));
    long methods = Long.parseLong(done.group(1));
    long calls = Long.parseLong(done.group(2));
    long returned = Long.parseLong(done.group(3));
    long excluded = Long.parseLong(done.group(4));
    assertTrue(methods >= LEAST_METHODS && calls >= LEAST_CALLS, outcome.last());
    assertTrue(returned > calls / 5 && excluded < calls / 50, outcome.last());
  }

  /** {@return the call that ended the child, and the JVM's report of it} */
  private static String ended(Outcome outcome) {
    String call =
        outcome.lines().stream()
            .filter(line -> line.startsWith("CALL"))
            .reduce("no call", (before, after) -> after);
    int from = Math.max(0, outcome.lines().size() - 20);
    return "status %d in %s:%n%s"
        .formatted(
            outcome.status(),
            call,
            String.join("\n", outcome.lines().subList(from, outcome.lines().size())));
  }

  @Test
  void everyPublicMethodRefusesWhatDoesNotFit() throws Exception {
    Path classes =
        Path.of(Device.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    assumeTrue(Files.isDirectory(classes), "about the module's classes, which a packed jar lacks");
    everyPublicMethod();
  }

  @Test
  void everyPublicMethodRefusesWhatDoesNotFitOnJavaKernels() throws Exception {
    Devices.onlyOnCpu("about the kernels of the processor");
    everyPublicMethod("-Dio.recur.kernels=java");
  }

  @Test
  void aPlantedUncheckedMethodIsFound() throws Exception {
    Outcome raw = walk(List.of(), Planted.Raw.class.getName());
    assertTrue(
        raw.violations().stream().anyMatch(line -> line.contains("Planted.Raw.value[-1]")),
        raw.lines().toString());
    Outcome crash = walk(List.of(), Planted.Crash.class.getName());
    assertNotEquals(0, crash.status());
    assertTrue(ended(crash).contains("CALL Planted.Crash.write[-1]"), ended(crash));
  }

  @Test
  void aTypeWithoutASampleIsNamed() throws Exception {
    Outcome unknown = walk(List.of(), Planted.Unknown.class.getName());
    assertNotEquals(0, unknown.status());
    assertTrue(
        unknown.lines().stream()
            .anyMatch(l -> l.contains("add a sample for java.lang.ProcessHandle")),
        unknown.lines().toString());
  }
}
