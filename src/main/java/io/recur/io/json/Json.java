package io.recur.io.json;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON as a {@code Map} of {@code Map}, {@code List}, {@code String}, {@code Long}, {@code
 * BigInteger} where it needs more than 63 bits, {@code Double}, {@code Boolean} and null, with the
 * {@code NaN} and {@code Infinity} that Python writes. The text bounds its size, the caller its
 * levels. An array of numbers of one kind is {@link Numbers}.
 */
public final class Json {
  private static final int LONGEST_NUMBER = 400;
  private static final int LONGEST_WHOLE = 20;
  private static final int LONGEST_SHOWN = 100;

  private final String text;
  private final int levels;
  private final String need;
  private int at;

  private Json(String text, int levels, String need) {
    this.text = text;
    this.levels = levels;
    this.need = need;
  }

  /**
   * Reads one object.
   *
   * @param text of the object alone
   * @param levels the most that objects and arrays stand in each other
   * @return the object
   * @throws IllegalArgumentException if the text is none; the message gives the position
   */
  public static Map<String, @Nullable Object> read(String text, int levels) {
    return read(text, levels, "a value");
  }

  /**
   * Reads one object.
   *
   * @param text of the object alone
   * @param levels the most that objects and arrays stand in each other
   * @param need what an error says where no value stands
   * @return the object
   * @throws IllegalArgumentException if the text is none; the message gives the position
   */
  public static Map<String, @Nullable Object> read(String text, int levels, String need) {
    Json json = new Json(text, levels, need);
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

  /**
   * A text as JSON.
   *
   * @param value any text
   * @return it in quotes
   */
  public static String quoted(String value) {
    StringBuilder quoted = new StringBuilder(value.length() + 2).append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (Character.isISOControl(c) || Character.isSurrogate(c)) {
        quoted.append("\\u%04x".formatted((int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }

  /**
   * The start of a stranger's text as an error shows it: escaped, so that it cannot control a
   * terminal.
   *
   * @param value any text
   * @return its first characters in quotes, and how many it has if these are not all
   */
  public static String shown(String value) {
    return value.length() <= LONGEST_SHOWN
        ? quoted(value)
        : quoted(value.substring(0, LONGEST_SHOWN)) + "… (%d characters)".formatted(value.length());
  }

  /**
   * The same without quotes.
   *
   * @param value any text
   * @return its first characters, and how many it has if these are not all
   */
  public static String shownBare(String value) {
    String shown = shown(value);
    int end = shown.lastIndexOf('"');
    return shown.substring(1, end) + shown.substring(end + 1);
  }

  private @Nullable Object value(int depth) {
    if (depth > levels) {
      throw wrong("at most " + levels + " levels");
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
        throw wrong("each name once, one stands twice");
      }
      map.put(key, value(depth + 1));
      space();
    }
    at++;
    return map;
  }

  private List<@Nullable Object> list(int depth) {
    at++;
    space();
    Numbers numbers = numbers();
    if (peek() == ']') {
      at++;
      return numbers.isEmpty() ? new ArrayList<>() : numbers;
    }
    List<@Nullable Object> list = new ArrayList<>(numbers);
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

  // Numbers.

  /** Reads as many short numbers of one kind as there are, and stops before any other value. */
  private Numbers numbers() {
    Numbers numbers = new Numbers();
    int end = at;
    while (addNumber(numbers)) {
      space();
      end = at;
      if (peek() != ',') {
        break;
      }
      at++;
      space();
    }
    at = end;
    return numbers;
  }

  /** Whether a number of few digits stands here, of the kind of those before it. */
  private boolean addNumber(Numbers to) {
    int from = at;
    boolean isNegative = at < text.length() && text.charAt(at) == '-';
    int first = isNegative ? at + 1 : at;
    int i = first;
    long digits = 0;
    for (int digit = digit(i); digit >= 0; digit = digit(++i)) {
      digits = Decimal.append(digits, digit);
    }
    int point = i;
    double power = 1;
    if (i < text.length() && text.charAt(i) == '.') {
      for (int digit = digit(++i); digit >= 0; digit = digit(++i)) {
        digits = Decimal.append(digits, digit);
        power *= 10;
      }
    }
    boolean isWhole = i == point;
    boolean isNumber =
        point > first
            && (point == first + 1 || text.charAt(first) != '0')
            && (isWhole || i > point + 1)
            && isEnd(i);
    double value = isNumber ? Decimal.value(digits, power) : Double.NaN;
    if (Double.isNaN(value)) {
      return addLong(to, from);
    }
    at = i;
    return to.add(isNegative ? -value : value, isWhole);
  }

  /** The same for a number that is not exact as a quotient of two doubles. */
  private boolean addLong(Numbers to, int from) {
    int end = from;
    boolean isWhole = true;
    while (!isEnd(end)) {
      char c = text.charAt(end++);
      isWhole &= c != '.' && c != 'e' && c != 'E';
    }
    String word = isWhole || end - from > LONGEST_NUMBER ? "" : text.substring(from, end);
    if (!Decimal.isOne(word)) {
      return false; // it is for word() to read or to refuse
    }
    at = end;
    return to.add(Double.parseDouble(word), false);
  }

  /** The digit that stands at a place; negative where none does. */
  private int digit(int i) {
    int value = i < text.length() ? text.charAt(i) - '0' : -1;
    return value > 9 ? -1 : value;
  }

  private boolean isEnd(int i) {
    if (i >= text.length()) {
      return true;
    }
    char c = text.charAt(i);
    return c == ',' || c == ']' || c == '}' || isSpace(c);
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
  }

  /** A number, or a name of one or of a constant. */
  private @Nullable Object word() {
    int from = at;
    int end = at;
    while (!isEnd(end)) {
      end++;
    }
    String word = text.substring(from, end);
    at = end;
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
        if (word.length() > LONGEST_NUMBER || !Decimal.isOne(word)) {
          at = from;
          throw wrong(need);
        }
        return number(word);
    }
  }

  private static Object number(String word) {
    boolean isWhole = word.length() <= LONGEST_WHOLE && word.matches("-?\\d+");
    if (!isWhole) {
      return Double.parseDouble(word);
    }
    BigInteger value = new BigInteger(word);
    if (value.bitLength() < Long.SIZE) {
      return value.longValue();
    }
    return value;
  }

  // Texts.

  private String string() {
    expect('"');
    int from = at;
    while (peek() != '"' && peek() != '\\' && peek() >= 0x20) {
      at++;
    }
    StringBuilder value = new StringBuilder(text.substring(from, at));
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
    while (at < text.length() && isSpace(text.charAt(at))) {
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
}
