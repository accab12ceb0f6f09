package io.recur.io;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the part of JSON that a safetensors header consists of: objects, arrays, strings and whole
 * numbers of 0 or more. It refuses floats, signs and literals.
 */
final class Json {
  private static final int DEPTH = 8;

  /** The levels that any reader may allow; each takes a frame of the stack. */
  static final int MOST_LEVELS = 64;

  private static final int LONGEST_NUMBER = 19;
  private static final int LONGEST_SHOWN = 100;

  private final String text;
  private final int levels;
  private int at;

  private Json(String text, int levels) {
    this.text = text;
    this.levels = levels;
  }

  /**
   * Reads one object as a {@code Map} of {@code Map}, {@code List}, {@code String} and {@code
   * Long}.
   *
   * @throws IllegalArgumentException if the bytes are not UTF-8, or if the text is not such an
   *     object; the message gives the position of the error
   */
  static Map<String, Object> read(byte[] utf8) {
    return read(decoded(utf8), DEPTH);
  }

  /** Reads one object of so many levels. */
  static Map<String, Object> read(String text, int levels) {
    Json json = new Json(text, levels);
    if (json.text.isEmpty() || json.text.charAt(0) != '{') {
      throw json.wrong("one object");
    }
    Map<String, Object> value = json.map(0);
    json.space();
    if (json.at != json.text.length()) {
      throw json.wrong("one object");
    }
    return value;
  }

  private static String decoded(byte[] utf8) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(
          "header: %d bytes that are no UTF-8; the file is damaged".formatted(utf8.length), e);
    }
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> object(String name, Object value) {
    if (!(value instanceof Map)) {
      throw new IllegalArgumentException(
          "header: %s=%s; need an object".formatted(shown(name), shown(String.valueOf(value))));
    }
    return (Map<String, Object>) value;
  }

  private Object value(int depth) {
    if (depth > levels) {
      throw wrong("at most " + levels + " levels");
    }
    space();
    char c = peek();
    if (c == '{') {
      return map(depth);
    }
    if (c == '[') {
      return list(depth);
    }
    return c == '"' ? string() : number();
  }

  private Map<String, Object> map(int depth) {
    Map<String, Object> map = new LinkedHashMap<>();
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
      if (map.put(key, value(depth + 1)) != null) {
        throw wrong("each name once, " + shown(key) + " stands twice");
      }
      space();
    }
    at++;
    return map;
  }

  private List<Object> list(int depth) {
    List<Object> list = new ArrayList<>();
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

  private Long number() {
    int from = at;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    int length = at - from;
    boolean isWhole = length == 1 || (length > 1 && text.charAt(from) != '0');
    if (isWhole && length <= LONGEST_NUMBER) {
      long value = Long.parseUnsignedLong(text, from, at, 10); // 19 digits never overflow it
      if (value >= 0) {
        return value;
      }
    }
    at = from;
    throw wrong("a string, an object, an array or an integer from 0 to 2⁶³−1");
  }

  private String string() {
    expect('"');
    StringBuilder value = new StringBuilder();
    while (peek() != '"') {
      char c = text.charAt(at++);
      if (c < 0x20) {
        at--;
        throw wrong("control characters escaped");
      }
      value.append(c == '\\' ? escaped() : c);
    }
    if (!isText(value)) {
      throw wrong("whole surrogate pairs in the string before");
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
        "header: position %d of %d: need %s".formatted(at, text.length(), need));
  }

  /** {@return whether each surrogate has its other half, so that UTF-8 can encode the text} */
  static boolean isText(CharSequence value) {
    for (int i = 0; i < value.length(); i++) {
      if (Character.isHighSurrogate(value.charAt(i))
          && i + 1 < value.length()
          && Character.isLowSurrogate(value.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(value.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  /** {@return the string as JSON, in quotes} */
  static String quoted(String value) {
    StringBuilder text = new StringBuilder(value.length() + 2).append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\') {
        text.append('\\').append(c);
      } else if (Character.isISOControl(c) || Character.isSurrogate(c)) {
        text.append("\\u%04x".formatted((int) c));
      } else {
        text.append(c);
      }
    }
    return text.append('"').toString();
  }

  /** {@return the start of a file's string, escaped so that an error cannot control a terminal} */
  static String shown(String value) {
    boolean whole = value.length() <= LONGEST_SHOWN;
    String escaped = quoted(whole ? value : value.substring(0, LONGEST_SHOWN));
    String inner = escaped.substring(1, escaped.length() - 1);
    return whole ? inner : inner + "… (%d characters)".formatted(value.length());
  }
}
