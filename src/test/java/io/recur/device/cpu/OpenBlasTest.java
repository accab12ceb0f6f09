package io.recur.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.DeviceException;
import io.recur.device.Devices;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.natives.Bundle;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Where OpenBLAS is looked for and what is said when it is not there. A JVM loads a library once,
 * so each case runs in a JVM of its own.
 */
@Tag(Devices.CPU)
class OpenBlasTest {
  private static final int FAILED = 3;

  @TempDir private Path folder;

  /** What a child JVM runs: a product, or twice the reason why there is none. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) {
      System.out.println(product());
      String again = product();
      System.out.println(again);
      System.exit(again.startsWith("failed") ? FAILED : 0);
    }

    private static String product() {
      try (Device device = Device.cpu()) {
        Buffer a = device.allocate(4);
        a.write(1, 2, 3, 4);
        Buffer c = device.allocate(4);
        KernelDevice.of(device).blas().multiply(false, false, 2, 2, 2, 1, a, 2, a, 2, 0, c, 2);
        return Arrays.toString(c.read()) + " " + device.name();
      } catch (DeviceException e) {
        return "failed: " + e.getMessage();
      }
    }
  }

  private record Outcome(int code, String output) {}

  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  private Process start(String classPath, String... properties) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of("--enable-native-access=ALL-UNNAMED", "-Xmx64m", "-Dio.recur.kernels=java"));
    command.addAll(List.of(properties));
    command.addAll(List.of("-cp", classPath, Child.class.getName()));
    // where a JVM that crashes would leave its report
    return new ProcessBuilder(command).redirectErrorStream(true).directory(folder.toFile()).start();
  }

  private static Outcome end(Process process) throws Exception {
    String output = new String(process.getInputStream().readAllBytes());
    Outcome outcome = new Outcome(process.waitFor(), output);
    assertTrue(outcome.code == 0 || outcome.code == FAILED, outcome.toString());
    return outcome;
  }

  private Outcome run(String... properties) throws Exception {
    return end(start(classPath(), properties));
  }

  private static void assertComputed(Outcome outcome) {
    assertEquals(0, outcome.code, outcome.output);
    assertTrue(outcome.output.startsWith("[7.0, 10.0, 15.0, 22.0] cpu (OpenBLAS"), outcome.output);
  }

  /** The failure names all the words, at the first attempt and at the second. */
  private static void assertFailed(Outcome outcome, String... words) {
    assertEquals(FAILED, outcome.code, outcome.output);
    // the JVM adds warnings of its own about a file that is no library
    List<String> lines = outcome.output.lines().filter(s -> s.startsWith("failed: ")).toList();
    assertEquals(2, lines.size(), outcome.output);
    assertEquals(lines.get(0), lines.get(1));
    for (String word : words) {
      assertTrue(lines.get(0).contains(word), "no '" + word + "' in: " + outcome.output);
    }
  }

  @Test
  void aPropertyThatNamesNoFileIsNotPassedOver() throws Exception {
    Path missing = folder.resolve("libopenblas.so");
    assertFailed(
        run("-Dio.recur.openblas=" + missing),
        "-Dio.recur.openblas=" + missing + " is not a file",
        "name libopenblas itself or drop the property");
    assertFailed(run("-Dio.recur.openblas=" + folder), folder + " is not a file");
    assertFailed(run("-Dio.recur.openblas="), "is not a file");
  }

  @Test
  void aPropertyThatNamesNoLibraryIsNotPassedOver() throws Exception {
    Path text = Files.writeString(folder.resolve("libopenblas.so"), "no library");
    assertFailed(
        run("-Dio.recur.openblas=" + text),
        text + " cannot be opened",
        "name another file with -Dio.recur.openblas=FILE");
  }

  @Test
  void aPropertyMayNameTheLibraryButNoOther() throws Exception {
    assertComputed(run("-Dio.recur.cache=" + folder));
    Path library = unpacked("openblas");
    Outcome named = run("-Dio.recur.openblas=" + library);
    assertComputed(named);
    assertTrue(named.output.contains(library.toString()), named.output);
    if (Bundle.platform().startsWith("linux")) { // where other libraries come with it
      Path other = unpacked("gcc");
      assertFailed(
          run("-Dio.recur.openblas=" + other), other + " cannot be opened: it lacks cblas_sgemm");
    }
  }

  private Path unpacked(String word) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(f -> f.getFileName().toString().contains(word)).findFirst().get();
    }
  }

  @Test
  void withoutAnyLibraryTheSearchIsTold() throws Exception {
    String bare =
        Arrays.stream(classPath().split(File.pathSeparator))
            .filter(entry -> !entry.contains("openblas"))
            .collect(Collectors.joining(File.pathSeparator));
    Outcome outcome = end(start(bare, "-Djava.library.path=" + folder));
    if (outcome.code == 0) {
      assertComputed(outcome); // this machine has OpenBLAS installed
    } else {
      assertFailed(
          outcome,
          "-Dio.recur.openblas (not set)",
          "class path: org/bytedeco/openblas/",
          folder.toString(),
          "Add the dependency org.bytedeco:openblas",
          "or set -Dio.recur.openblas=FILE");
    }
  }

  @Test
  void allThatIsCalledOfOpenBlasIsAskedFor() throws IOException {
    Pattern call = Pattern.compile("\\b(cblas|openblas)_(?!h\\b)\\w+");
    TreeSet<String> called = new TreeSet<>();
    try (Stream<Path> sources = Files.walk(Path.of("src/main/java"))) {
      for (Path source : sources.filter(s -> s.toString().endsWith(".java")).toList()) {
        Matcher matcher = call.matcher(Files.readString(source));
        while (matcher.find()) {
          called.add(matcher.group().replace("$address", ""));
        }
      }
    }
    assertEquals(new TreeSet<>(OpenBlas.SYMBOLS), called);
  }
}
