package io.recur.serve.http;

import io.recur.io.json.Json;
import io.recur.serve.Request;
import io.recur.serve.Sessions;
import java.math.BigInteger;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The id of a sequence, which is that of its session: a number of 64 bits, or a text.
 *
 * @param number where there is no text
 * @param text of 1 to 64 bytes
 */
record SequenceId(long number, @Nullable String text) {
  private static final int MOST_BYTES = 64;

  static SequenceId of(long number) {
    return new SequenceId(number, null);
  }

  static SequenceId of(String text) {
    int bytes = text.getBytes(StandardCharsets.UTF_8).length;
    if (bytes < 1 || bytes > MOST_BYTES) {
      throw new Refusal(
          Refusal.BAD,
          "sequence_id: a text of %d bytes; need 1 to %d bytes of UTF-8"
              .formatted(bytes, MOST_BYTES));
    }
    return new SequenceId(0, text);
  }

  /** The id of a parameter; null where it says that there is no sequence. */
  static @Nullable SequenceId of(@Nullable Object value) {
    if (value == null || value.equals(0L) || value.equals("")) {
      return null;
    }
    if (value instanceof String text) {
      return of(text);
    }
    if (value instanceof Long number && number > 0) {
      return of(number.longValue());
    }
    if (value instanceof BigInteger number
        && number.signum() > 0
        && number.bitLength() <= Long.SIZE) {
      return of(number.longValue());
    }
    throw new Refusal(
        Refusal.BAD, "sequence_id: need a number from 0 to 2⁶⁴−1, or a text; 0 for no sequence");
  }

  /**
   * The id of a path: a number where all are digits, unless it is asked for as a text.
   *
   * @param part of a path, percent-encoded
   */
  static SequenceId ofPath(String part, boolean isText) {
    String plain;
    try {
      plain = URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new Refusal(Refusal.BAD, "path: a sequence whose id is no percent-encoded UTF-8");
    }
    if (!isText && plain.matches("\\d{1,20}")) {
      BigInteger number = new BigInteger(plain);
      if (number.signum() > 0 && number.bitLength() <= Long.SIZE) {
        return of(number.longValue());
      }
      throw new Refusal(
          Refusal.BAD,
          "path: sequence %s; need a number from 1 to 2⁶⁴−1, or a text".formatted(plain));
    }
    return of(plain);
  }

  void open(Sessions in) {
    if (text == null) {
      in.open(number);
    } else {
      in.open(text);
    }
  }

  /** The number of the version that the session has. */
  int version(Sessions in) {
    return text == null ? in.versions().of(number) : in.versions().of(text);
  }

  boolean isOpen(Sessions in) {
    return text == null ? in.isOpen(number) : in.isOpen(text);
  }

  CompletableFuture<float[]> send(Sessions in, Request request) {
    return text == null ? in.stepAsync(number, request) : in.stepAsync(text, request);
  }

  byte[] save(Sessions in) {
    return text == null ? in.save(number) : in.save(text);
  }

  void restore(Sessions in, byte... state) {
    if (text == null) {
      in.restore(number, state);
    } else {
      in.restore(text, state);
    }
  }

  void reset(Sessions in) {
    if (text == null) {
      in.reset(number);
    } else {
      in.reset(text);
    }
  }

  void close(Sessions in) {
    if (text == null) {
      in.close(number);
    } else {
      in.close(text);
    }
  }

  /** The id as JSON. */
  String json() {
    return text == null ? Long.toUnsignedString(number) : Json.quoted(text);
  }
}
