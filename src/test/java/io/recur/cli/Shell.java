package io.recur.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** The command as a shell sees it. */
final class Shell {
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

  static void assertFails(int status, String message, Result result) {
    assertEquals(status, result.status(), result.out() + result.err());
    assertTrue(result.err().contains(message), result.err());
    assertFalse(result.err().contains("\tat "), "no stack trace: " + result.err());
  }
}
