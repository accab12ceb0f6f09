package io.recur.train.show;

import java.io.Console;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** The terminal of standard error. */
final class Terminal {
  private static final int USUAL_WIDTH = 80;
  private static final long LONGEST_SECONDS = 2;

  private Terminal() {}

  /**
   * {@return its columns at this moment, or 0 if standard error is not a terminal} The system's
   * {@code stty} looks at that stream. Where there is no {@code stty}, Java's console decides.
   */
  static int width() {
    try {
      Process stty =
          new ProcessBuilder("sh", "-c", "exec 3>&2 2>/dev/null; stty size <&3")
              .redirectInput(ProcessBuilder.Redirect.INHERIT)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      String answer =
          new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
      boolean ended = stty.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS);
      if (!ended || stty.exitValue() != 0 || !answer.matches("\\d+ \\d+")) {
        return 0;
      }
      int columns = Integer.parseInt(answer.substring(answer.indexOf(' ') + 1));
      return columns == 0 ? USUAL_WIDTH : columns; // a serial line has no size
    } catch (IOException e) {
      Console console = System.console();
      return console != null && console.isTerminal() ? USUAL_WIDTH : 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 0;
    }
  }
}
