package io.recur.cli;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Finds arguments that the JVM lost: in a POSIX locale it reads non-ASCII bytes as U+FFFD or "?".
 */
final class PosixLocale {
  private static final Path RAW = Path.of("/proc/self/cmdline");
  private static final int REPLACEMENT = 0xFFFD;

  private PosixLocale() {}

  /** {@return the error for the user if the JVM mangled an argument} */
  static Optional<String> mangled(String[] arguments) throws IOException {
    String encoding = System.getProperty("sun.jnu.encoding", "UTF-8");
    byte[] raw = Files.isReadable(RAW) ? Files.readAllBytes(RAW) : new byte[0];
    return mangled(arguments, encoding, raw);
  }

  /**
   * Looks for a mangled argument.
   *
   * @param arguments the arguments that the JVM passed on
   * @param encoding the encoding with which the JVM read them
   * @param raw the bytes that it read, or none if the system does not show them
   */
  static Optional<String> mangled(String[] arguments, String encoding, byte[] raw) {
    if (Charset.isSupported(encoding) && Charset.forName(encoding).newEncoder().canEncode('é')) {
      return Optional.empty();
    }
    for (String argument : arguments) {
      boolean replaced = argument.indexOf(REPLACEMENT) >= 0;
      if (replaced || argument.indexOf('?') >= 0 && hasMoreThanAscii(raw)) {
        return Optional.of(
            "argument '%s': the locale's encoding=%s has no such characters, so Java lost them; set LC_ALL=C.UTF-8"
                .formatted(argument, encoding));
      }
    }
    return Optional.empty();
  }

  private static boolean hasMoreThanAscii(byte[] raw) {
    for (byte b : raw) {
      if (b < 0) {
        return true;
      }
    }
    return false;
  }
}
