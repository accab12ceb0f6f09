package io.recur.io.keras;

import io.recur.io.json.Json;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The JSON of a configuration of Keras, and how errors show parts of it. */
final class ConfigJson {
  private static final int DEPTH = 100;

  private ConfigJson() {}

  /**
   * Reads one object.
   *
   * @throws IllegalArgumentException if the text is none; the message gives the position
   */
  static Map<String, @Nullable Object> read(String text) {
    return Json.read(text, DEPTH);
  }

  /** {@return the start of a file's text in quotes, as an error shows it} */
  static String shown(String value) {
    return Json.shown(value);
  }

  /** {@return a value of a configuration as an error or a report shows it} */
  static String shownValue(@Nullable Object value) {
    return value instanceof String text ? shown(text) : Json.shownBare(String.valueOf(value));
  }
}
