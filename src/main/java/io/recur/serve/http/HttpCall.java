package io.recur.serve.http;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * A request of HTTP as a server has it, for {@link Routes}.
 *
 * <pre>{@code
 * record Ready(String path) implements HttpCall {
 *   @Override public String method() {
 *     return "GET";
 *   }
 *
 *   @Override public String query() {
 *     return null;
 *   }
 *
 *   @Override public String header(String name) {
 *     return name.equals("Host") ? "localhost" : null;
 *   }
 *
 *   @Override public InputStream body() {
 *     return InputStream.nullInputStream();
 *   }
 * }
 * Routes routes = Routes.of(ServerSettings.LOCAL, ServedModel.of("forecast", sessions));
 * try (Reply reply = routes.reply(new Ready("/v2/models/forecast/ready"))) {
 *   System.out.println(reply.status());
 * }
 * }</pre>
 */
public interface HttpCall {
  /** {@return such as GET} */
  String method();

  /** {@return the path as it was sent, without the query} */
  String path();

  /** {@return the query as it was sent; null for none} */
  @Nullable String query();

  /**
   * A header.
   *
   * @param name in any case
   * @return the first header of this name; null for none
   */
  @Nullable String header(String name);

  /**
   * The body, of which {@link Routes} reads no more than the settings allow. The server closes it.
   *
   * @return the body from its begin
   * @throws IOException if the client has gone or is too slow
   */
  InputStream body() throws IOException;
}
