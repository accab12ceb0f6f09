package io.recur.serve.http;

import io.recur.io.json.Json;
import io.recur.io.json.Numbers;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An object of JSON, whose fields are taken by their types.
 *
 * @param where it stands, for errors
 * @param values by name
 */
record Fields(String where, Map<?, ?> values) {
  private static final int LEVELS = 16;

  /** The object of a body. */
  static Fields of(String where, ByteBuffer utf8) {
    int length = utf8.remaining();
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
      return new Fields(where, Json.read(text, LEVELS));
    } catch (CharacterCodingException e) {
      throw new Refusal(Refusal.BAD, "%s: %d bytes that are no UTF-8".formatted(where, length));
    } catch (IllegalArgumentException e) {
      throw new Refusal(Refusal.BAD, "%s: %s".formatted(where, e.getMessage()));
    }
  }

  Refusal wrong(String name, String need) {
    Object value = values.get(name);
    String what =
        switch (value) {
          case null -> "nothing";
          case String text -> Json.shown(text);
          case List<?> list -> "an array of %d".formatted(list.size());
          case Map<?, ?> map -> "an object";
          default -> value.toString();
        };
    return new Refusal(Refusal.BAD, "%s: %s=%s; need %s".formatted(where, name, what, need));
  }

  boolean has(String name) {
    return values.get(name) != null;
  }

  @Nullable Object value(String name) {
    return values.get(name);
  }

  /** A text that must be there. */
  String text(String name) {
    if (values.get(name) instanceof String text) {
      return text;
    }
    throw wrong(name, "a text");
  }

  String text(String name, String otherwise) {
    return has(name) ? text(name) : otherwise;
  }

  boolean isTrue(String name) {
    Object value = values.get(name);
    if (value == null || value instanceof Boolean) {
      return Boolean.TRUE.equals(value);
    }
    throw wrong(name, "true or false");
  }

  long whole(String name, long least, long most, long otherwise) {
    if (!has(name)) {
      return otherwise;
    }
    if (values.get(name) instanceof Long number && number >= least && number <= most) {
      return number;
    }
    throw wrong(name, "a whole number from %d to %d".formatted(least, most));
  }

  double number(String name, double otherwise) {
    if (!has(name)) {
      return otherwise;
    }
    if (values.get(name) instanceof Number number) {
      return number.doubleValue();
    }
    throw wrong(name, "a number");
  }

  /** The object of a field; an empty one where there is none. */
  Fields object(String name) {
    Object value = values.get(name);
    if (value == null || value instanceof Map) {
      return new Fields(name, value == null ? Map.of() : (Map<?, ?>) value);
    }
    throw wrong(name, "an object");
  }

  /** The objects of an array; none where there is none. */
  List<Fields> objects(String name) {
    Object value = values.get(name);
    if (value == null) {
      return List.of();
    }
    if (!(value instanceof List<?> list) || !list.stream().allMatch(Map.class::isInstance)) {
      throw wrong(name, "an array of objects");
    }
    return list.stream().map(one -> new Fields(name, (Map<?, ?>) one)).toList();
  }

  /** Sizes of a tensor. */
  int[] sizes(String name, int mostRank) {
    Object value = values.get(name);
    boolean isWhole = value instanceof Numbers numbers && numbers.areWhole();
    if (!isWhole || ((Numbers) value).size() > mostRank) {
      throw wrong(name, "an array of 1 to %d whole numbers".formatted(mostRank));
    }
    Numbers numbers = (Numbers) value;
    int[] sizes = new int[numbers.size()];
    for (int i = 0; i < sizes.length; i++) {
      if (numbers.at(i) < 1 || numbers.at(i) > Integer.MAX_VALUE) {
        throw wrong(name, "sizes of 1 or more, size %d is not".formatted(i));
      }
      sizes[i] = (int) numbers.at(i);
    }
    return sizes;
  }
}
