package io.recur.serve.http;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A request with a bound on its body.
 *
 * @param request as the server has it
 * @param mostBytes of the body
 */
record Call(HttpCall request, int mostBytes) {
  String method() {
    return request.method();
  }

  String path() {
    return request.path();
  }

  @Nullable String query() {
    return request.query();
  }

  @Nullable String header(String name) {
    return request.header(name);
  }

  /**
   * Reads the body, once.
   *
   * @throws Refusal if it is larger than bodies may be
   * @throws IOException if the client has gone or is too slow
   */
  byte[] body() throws IOException {
    long length = length();
    if (length > mostBytes) {
      throw tooLarge();
    }
    int most = length < 0 ? mostBytes + 1 : (int) length;
    byte[] body = request.body().readNBytes(most);
    if (body.length > mostBytes) {
      throw tooLarge();
    }
    return body;
  }

  /** The bytes that a header says; −1 where it says none, or is no number. */
  private long length() {
    String given = header("Content-Length");
    return given != null && given.strip().matches("\\d{1,18}") ? Long.parseLong(given.strip()) : -1;
  }

  private Refusal tooLarge() {
    return new Refusal(
        Refusal.TOO_LARGE,
        "body: more than %d bytes; send less at a time, or raise the bound".formatted(mostBytes));
  }
}
