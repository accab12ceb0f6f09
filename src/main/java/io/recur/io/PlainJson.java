package io.recur.io;

import io.recur.io.json.Json;
import io.recur.io.json.Numbers;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The part of JSON that the headers and descriptions of files consist of: objects, arrays, strings
 * and whole numbers of 0 or more. It refuses floats, signs and literals.
 */
final class PlainJson {
  private static final int DEPTH = 8;

  /** The levels that any reader may allow; each takes a frame of the stack. */
  static final int MOST_LEVELS = 64;

  private static final String VALUE = "a string, an object, an array or an integer from 0 to 2⁶³−1";

  private PlainJson() {}

  /**
   * Reads one object as a {@code Map} of {@code Map}, {@code List}, {@code String} and {@code
   * Long}, from its first byte on.
   *
   * @throws IllegalArgumentException if the bytes are not UTF-8, or if the text is not such an
   *     object
   */
  static Map<String, Object> read(byte[] utf8) {
    String text = decoded(utf8);
    if (!text.startsWith("{")) {
      throw new IllegalArgumentException("header: it begins with no brace; need one object");
    }
    return read(text, DEPTH);
  }

  /** Reads one object of at most {@code levels} levels. */
  @SuppressWarnings("unchecked")
  static Map<String, Object> read(String text, int levels) {
    Map<String, @Nullable Object> object = Json.read(text, levels, VALUE);
    check("header", object);
    return (Map<String, Object>) (Map<String, ?>) object; // check has refused null
  }

  private static String decoded(byte[] utf8) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(
          "header: %d bytes that are no UTF-8; the file is damaged".formatted(utf8.length), e);
    }
  }

  /** Refuses what is JSON and not plain. */
  private static void check(String name, @Nullable Object value) {
    boolean isPlain = true;
    switch (value) {
      case Map<?, ?> map ->
          map.forEach(
              (key, its) -> {
                check(name, key);
                check((String) key, its);
              });
      case Numbers numbers -> isPlain = isPlain(numbers);
      case List<?> list -> list.forEach(its -> check(name, its));
      case String text -> {
        if (!isText(text)) {
          throw new IllegalArgumentException(
              "header: %s=%s; need whole surrogate pairs".formatted(shown(name), shown(text)));
        }
      }
      case Long number -> isPlain = number >= 0;
      case null, default -> isPlain = false;
    }
    if (!isPlain) {
      throw new IllegalArgumentException(
          "header: %s=%s; need %s".formatted(shown(name), shown(String.valueOf(value)), VALUE));
    }
  }

  private static boolean isPlain(Numbers numbers) {
    boolean isPlain = numbers.isEmpty() || numbers.areWhole();
    for (int i = 0; i < numbers.size(); i++) {
      isPlain &= numbers.at(i) >= 0;
    }
    return isPlain;
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> object(String name, Object value) {
    if (!(value instanceof Map)) {
      throw new IllegalArgumentException(
          "header: %s=%s; need an object".formatted(shown(name), shown(String.valueOf(value))));
    }
    return (Map<String, Object>) value;
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

  /** {@return the start of a file's string as an error shows it} */
  static String shown(String value) {
    return Json.shownBare(value);
  }
}
