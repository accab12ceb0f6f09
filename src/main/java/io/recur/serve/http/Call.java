package io.recur.serve.http;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A request of HTTP, whatever server it came through. */
interface Call {
  /** {@return such as GET} */
  String method();

  /** {@return the path as it was sent, without the query} */
  String path();

  /** {@return the query as it was sent; null for none} */
  @Nullable String query();

  /** {@return the first header of a name; null for none} */
  @Nullable String header(String name);

  /**
   * Reads the body, once.
   *
   * @throws Refusal if it is larger than bodies may be
   * @throws IOException if the client has gone or is too slow
   */
  byte[] body() throws IOException;
}
