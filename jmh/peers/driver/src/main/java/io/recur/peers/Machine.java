package io.recur.peers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The machine, the JVM and the commit, in a few words. */
final class Machine {
  private Machine() {}

  static String describe() {
    return "Machine: %d cores of %s; %s; %s %s"
        .formatted(
            Runtime.getRuntime().availableProcessors(),
            processor(),
            System.getProperty("os.name"),
            System.getProperty("java.vendor"),
            System.getProperty("java.version"));
  }

  private static String processor() {
    String model = System.getProperty("os.arch");
    try {
      List<String> lines = Files.readAllLines(Path.of("/proc/cpuinfo"));
      String flags = fact(lines, "flags");
      model = fact(lines, "model name");
      if (flags.contains(" avx512f")) {
        model += " (AVX-512)";
      } else if (flags.contains(" avx2")) {
        model += " (AVX2)";
      }
    } catch (IOException e) {
      return model; // another system than Linux
    }
    return model;
  }

  private static String fact(List<String> lines, String name) {
    return lines.stream()
        .filter(line -> line.startsWith(name))
        .findFirst()
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .orElse("");
  }

  /** Git's, or what a packed copy was made from. */
  static String commit() {
    String packed = System.getenv("RECUR_COMMIT");
    if (packed != null) {
      return packed;
    }
    String commit = git("rev-parse", "--short", "HEAD");
    boolean changed =
        !git("status", "--porcelain", "-uno", "--", "src", "native", "pom.xml").isEmpty();
    return commit.isEmpty() ? "unknown" : changed ? commit + " with changes" : commit;
  }

  private static String git(String... words) {
    try {
      List<String> command = new java.util.ArrayList<>(List.of("git"));
      command.addAll(List.of(words));
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? out.strip() : "";
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
