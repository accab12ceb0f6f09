package io.recur.device.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.DeviceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A JVM that opens a device three times, with a cache and a temporary folder of its own. How it may
 * be started is open to the test: it is given no access to native code but by its options.
 *
 * @param process that runs
 * @param output to which it writes
 */
public record NativeChild(Process process, Path output) {
  public static final String ACCESS = "--enable-native-access=ALL-UNNAMED";

  private static final int LONGEST_MINUTES = 5;

  /** What the child runs. */
  public static final class Program {
    private Program() {}

    /**
     * Opens a device three times.
     *
     * @param arguments {@code interrupted}: on an interrupted thread; {@code beside}: while another
     *     thread loads the libraries; a path: of a file that is a folder from the third attempt on
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
      String wish = arguments.length > 0 ? arguments[0] : "";
      Thread beside = new Thread(Program::load);
      if (wish.equals("beside")) {
        beside.start();
      }
      if (wish.equals("interrupted")) {
        Thread.currentThread().interrupt();
      }
      open();
      open();
      if (wish.startsWith("/")) {
        Files.delete(Path.of(wish));
        Files.createDirectory(Path.of(wish));
      }
      open();
      System.out.println("interrupted: " + Thread.currentThread().isInterrupted());
      if (wish.equals("beside")) {
        beside.join();
      }
    }

    private static void load() {
      try {
        Device.load();
        System.out.println("loaded");
      } catch (DeviceException e) {
        System.out.println("refused " + e.getMessage());
      }
    }

    private static void open() {
      try (Device device = Device.of("cpu")) {
        System.out.println("opened " + device.name());
      } catch (DeviceException e) {
        System.out.println("refused " + e.getMessage());
      }
    }
  }

  public static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  /** Starts it by a command, such as that of a shell, before that of Java. */
  public static NativeChild start(
      Path folder, List<String> before, String classPath, List<String> options, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(before);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx64m");
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, Program.class.getName()));
    command.addAll(List.of(arguments));
    Path output = Files.createTempFile(folder, "output", ".txt");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .directory(folder.toFile())
            .start();
    return new NativeChild(process, output);
  }

  /** All that it printed, when it has ended well. */
  public String end() throws IOException, InterruptedException {
    assertTrue(process.waitFor(LONGEST_MINUTES, TimeUnit.MINUTES), "the child does not end");
    String printed = Files.readString(output);
    assertEquals(0, process.exitValue(), printed);
    return printed;
  }

  /** Of a child that could open the device each time. */
  public String opened() throws IOException, InterruptedException {
    String printed = end();
    assertEquals(3, count(printed, "opened cpu (OpenBLAS"), printed);
    return printed;
  }

  public static long count(String printed, String start) {
    return printed.lines().filter(line -> line.startsWith(start)).count();
  }
}
