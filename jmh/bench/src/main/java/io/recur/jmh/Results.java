package io.recur.jmh;

import io.recur.device.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;

/** The parts of RESULTS.md that a tool writes, each between two comments of its own. */
final class Results {
  private static final Path FILE = Path.of("jmh", "RESULTS.md");

  private Results() {}

  /** Rewrites what lies between the comments of this name; the rest of the file stays. */
  static void write(String name, String text) throws IOException {
    String begin = "<!-- begin " + name + " -->\n";
    String end = "<!-- end " + name + " -->";
    String whole = Files.readString(FILE);
    int from = whole.indexOf(begin);
    int to = whole.indexOf(end, from);
    if (from < 0 || to < 0) {
      throw new IOException(FILE + " has no comments " + begin.strip() + " and " + end);
    }
    String before = whole.substring(0, from + begin.length());
    Files.writeString(FILE, before + text.strip() + "\n" + whole.substring(to));
    System.out.println(FILE + ": " + name + " written");
  }

  /** Machine, device, JDK, commit and day: what a figure needs beside it. */
  static String circumstances(Device device) throws IOException {
    return "%s, %d cores; %s; %s; JDK %s; commit %s; %s."
        .formatted(
            processor(),
            Runtime.getRuntime().availableProcessors(),
            System.getProperty("os.name"),
            device,
            Runtime.version(),
            commit(),
            LocalDate.now(ZoneOffset.UTC));
  }

  private static String processor() throws IOException {
    Path facts = Path.of("/proc/cpuinfo");
    List<String> lines = Files.exists(facts) ? Files.readAllLines(facts) : List.of();
    return lines.stream()
        .filter(line -> line.startsWith("model name"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse(System.getProperty("os.arch"));
  }

  /** The commit that is checked out, marked where the tree differs from it. */
  private static String commit() throws IOException {
    Process git =
        new ProcessBuilder("git", "describe", "--always", "--dirty", "--exclude=*")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String name = new String(git.getInputStream().readAllBytes()).strip();
    return name.isEmpty() ? "unknown" : name;
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
