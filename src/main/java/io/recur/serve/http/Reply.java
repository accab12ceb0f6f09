package io.recur.serve.http;

import io.recur.io.json.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An answer of HTTP: bytes as a whole, or a stream that is written piece by piece. */
final class Reply {
  static final String JSON = "application/json";
  static final String BYTES = "application/octet-stream";
  private static final int OK = 200;

  /** Writes a body while it comes into being. */
  interface Stream {
    void write(OutputStream to) throws IOException;

    /** Gives back what the stream holds, written or not. */
    void end();
  }

  final int status;
  final Map<String, String> headers = new LinkedHashMap<>();
  final byte[] body;
  final @Nullable Stream stream;

  private Reply(int status, String type, byte[] body, @Nullable Stream stream) {
    this.status = status;
    this.body = body;
    this.stream = stream;
    headers.put("Content-Type", type);
    headers.put("X-Content-Type-Options", "nosniff");
    headers.put("Cache-Control", "no-store");
  }

  static Reply of(String type, byte... body) {
    return new Reply(OK, type, body, null);
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
}
