package io.recur.serve.http;

import io.recur.io.json.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An answer of HTTP: bytes as a whole, or a stream that is written piece by piece. A server sends
 * it and closes it, sent or not:
 *
 * <pre>{@code
 * try (Reply reply = routes.reply(call)) {
 *   System.out.println(reply.status() + " " + reply.headers());
 *   reply.writeTo(body);
 * }
 * }</pre>
 */
public final class Reply implements AutoCloseable {
  static final String JSON = "application/json";
  static final String BYTES = "application/octet-stream";
  private static final int OK = 200;

  /** Writes a body while it comes into being. */
  interface Stream {
    void write(OutputStream to) throws IOException;

    /** Gives back what the stream holds, written or not, once. */
    void end();
  }

  private final int status;
  private final Map<String, String> headers = new LinkedHashMap<>();
  private final byte[] bytes;
  private final @Nullable Stream stream;

  private Reply(int status, String type, byte[] bytes, @Nullable Stream stream) {
    this.status = status;
    this.bytes = bytes;
    this.stream = stream;
    headers.put("Content-Type", type);
    headers.put("X-Content-Type-Options", "nosniff");
    headers.put("Cache-Control", "no-store");
  }

  static Reply of(String type, byte... bytes) {
    return new Reply(OK, type, bytes, null);
  }

  static Reply json(String text) {
    return of(JSON, text.getBytes(StandardCharsets.UTF_8));
  }

  static Reply json(int status, String text) {
    return new Reply(status, JSON, text.getBytes(StandardCharsets.UTF_8), null);
  }

  static Reply stream(String type, Stream stream) {
    return new Reply(OK, type, new byte[0], stream);
  }

  static Reply error(int status, String message) {
    return json(status, "{\"error\": %s}".formatted(Json.quoted(message)));
  }

  Reply with(String header, String value) {
    headers.put(header, value);
    return this;
  }

  /** {@return such as 200} */
  public int status() {
    return status;
  }

  /** {@return by name, without Content-Length} */
  public Map<String, String> headers() {
    return Collections.unmodifiableMap(headers);
  }

  /** {@return whether the body comes into being while it is written: its length is unknown} */
  public boolean isStream() {
    return stream != null;
  }

  /** {@return the whole body, not a copy; empty for a stream} */
  public byte[] bytes() {
    return bytes;
  }

  /**
   * Writes the body, once, and gives back what a stream holds: the body may be ended then, and its
   * reader finds nothing of it open. For a request HEAD a server leaves it out.
   *
   * @param to which stays open
   * @throws IOException if the client has gone
   */
  public void writeTo(OutputStream to) throws IOException {
    if (stream == null) {
      to.write(bytes);
    } else {
      stream.write(to);
      stream.end();
    }
  }

  /** Gives back what a stream that was not written holds, such as its sequence. */
  @Override
  public void close() {
    if (stream != null) {
      stream.end();
    }
  }
}
