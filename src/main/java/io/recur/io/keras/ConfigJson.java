package io.recur.io.keras;

import io.recur.io.json.Json;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The JSON of a configuration of Keras, and how errors show parts of it. */
final class ConfigJson {
  private static final int DEPTH = 100;
  private static final int LONGEST_SHOWN = 100;

  private ConfigJson() {}

  /**
   * Reads one object.
   *
   * @throws IllegalArgumentException if the text is none; the message gives the position
   */
  static Map<String, @Nullable Object> read(String text) {
    return Json.read(text, DEPTH);
  }

  /**
   * {@return the start of a file's text in quotes, escaped so that it cannot control a terminal}
   */
  static String shown(String value) {
    boolean whole = value.length() <= LONGEST_SHOWN;
    String start = whole ? value : value.substring(0, LONGEST_SHOWN);
    StringBuilder shown = new StringBuilder("\"");
    for (char c : start.toCharArray()) {
      boolean isPlain = !Character.isISOControl(c) && !Character.isSurrogate(c);
      shown.append(isPlain ? "" + c : "\\u%04x".formatted((int) c));
    }
    shown.append('"');
    return whole ? shown.toString() : shown + "… (%d characters)".formatted(value.length());
  }

  /** {@return a value of a configuration as an error or a report shows it} */
  static String shownValue(@Nullable Object value) {
    return value instanceof String text ? shown(text) : plain(String.valueOf(value));
  }

  private static String plain(String value) {
    String quoted = shown(value);
    return quoted.startsWith("\"") && quoted.endsWith("\"")
        ? quoted.substring(1, quoted.length() - 1)
        : quoted;
  }
}
