package io.recur;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The memory of this process in RAM, heap and native, as Linux reports it; 0 elsewhere. */
public final class Resident {
  private static final Path STATUS = Path.of("/proc/self/status");

  private Resident() {}

  /** Bytes at present. */
  public static long now() {
    return bytes("VmRSS:");
  }

  /** The most bytes since the process began. */
  public static long peak() {
    return bytes("VmHWM:");
  }

  private static long bytes(String field) {
    if (!Files.exists(STATUS)) {
      return 0;
    }
    try (var lines = Files.lines(STATUS)) {
      return lines
          .filter(line -> line.startsWith(field))
          .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
          .sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
