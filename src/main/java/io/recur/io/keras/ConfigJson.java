package io.recur.io.keras;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the JSON that Python writes as a {@code Map} of {@code Map}, {@code List}, {@code String},
 * {@code Long}, {@code Double}, {@code Boolean} and null, with its {@code NaN} and {@code
 * Infinity}.
 */
final class ConfigJson {
  private static final int DEPTH = 100;
  private static final int LONGEST_NUMBER = 400;
  private static final int LONGEST_SHOWN = 100;

  private final String text;
  private int at;

  private ConfigJson(String text) {
    this.text = text;
  }

  /**
   * Reads one object.
   *
   * @throws IllegalArgumentException if the text is none; the message gives the position
   */
  static Map<String, @Nullable Object> read(String text) {
    ConfigJson json = new ConfigJson(text);
    json.space();
    if (json.peek() != '{') {
      throw json.wrong("an object");
    }
    Map<String, @Nullable Object> object = json.map(0);
    json.space();
    if (json.at != text.length()) {
      throw json.wrong("one object alone");
    }
    return object;
  }

  private @Nullable Object value(int depth) {
    if (depth > DEPTH) {
      throw wrong("at most " + DEPTH + " levels");
    }
    space();
    return switch (peek()) {
      case '{' -> map(depth);
      case '[' -> list(depth);
      case '"' -> string();
      default -> word();
    };
  }

  private Map<String, @Nullable Object> map(int depth) {
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    at++;
    space();
    while (peek() != '}') {
      if (!map.isEmpty()) {
        expect(',');
        space();
      }
      String key = string();
      space();
      expect(':');
      if (map.containsKey(key)) {
        throw wrong("each name once, " + shown(key) + " stands twice");
      }
      map.put(key, value(depth + 1));
      space();
    }
    at++;
    return map;
  }

  private List<@Nullable Object> list(int depth) {
    List<@Nullable Object> list = new ArrayList<>();
    at++;
    space();
    while (peek() != ']') {
      if (!list.isEmpty()) {
        expect(',');
      }
      list.add(value(depth + 1));
      space();
    }
    at++;
    return list;
  }

  /** A number, or a name of one or of a constant. */
  private @Nullable Object word() {
    int from = at;
    while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    String word = text.substring(from, at);
    switch (word) {
      case "true":
        return true;
      case "false":
        return false;
      case "null":
        return null;
      case "NaN":
        return Double.NaN;
      case "Infinity":
        return Double.POSITIVE_INFINITY;
      case "-Infinity":
        return Double.NEGATIVE_INFINITY;
      default:
        at = from;
        return number(word);
    }
  }

  private Object number(String word) {
    boolean isWhole = word.matches("-?(0|[1-9]\\d{0,17})");
    boolean isNumber =
        isWhole
            || (word.length() <= LONGEST_NUMBER
                && word.matches("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][-+]?\\d{1,9})?"));
    if (!isNumber) {
      throw wrong("a value");
    }
    at += word.length();
    if (isWhole) {
      return Long.parseLong(word);
    }
    return Double.parseDouble(word);
  }

  private String string() {
    expect('"');
    StringBuilder value = new StringBuilder();
    while (peek() != '"') {
      char c = text.charAt(at++);
      if (c < 0x20) {
        throw wrong("control characters escaped");
      }
      value.append(c == '\\' ? escaped() : c);
    }
    at++;
    return value.toString();
  }

  private char escaped() {
    char c = peek();
    at++;
    return switch (c) {
      case 'n' -> '\n';
      case 't' -> '\t';
      case 'r' -> '\r';
      case 'b' -> '\b';
      case 'f' -> '\f';
      case '"', '\\', '/' -> c;
      case 'u' -> {
        int value = 0;
        for (int i = 0; i < 4; i++, at++) {
          int digit = peek() < 0x80 ? Character.digit(peek(), 16) : -1;
          if (digit < 0) {
            throw wrong("four hex digits");
          }
          value = value * 16 + digit;
        }
        yield (char) value;
      }
      default -> throw wrong("a known escape");
    };
  }

  private void space() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private char peek() {
    if (at >= text.length()) {
      throw wrong("more");
    }
    return text.charAt(at);
  }

  private void expect(char c) {
    if (peek() != c) {
      throw wrong("'" + c + "'");
    }
    at++;
  }

  private IllegalArgumentException wrong(String need) {
    return new IllegalArgumentException(
        "JSON: position %d of %d: need %s".formatted(at, text.length(), need));
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
