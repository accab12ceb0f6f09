package io.recur.serve.http;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Serves sessions over HTTP: the Open Inference Protocol 2 with its binary data and Triton's
 * sequences, states, streams of text, metrics for Prometheus, and a page at {@code /}.
 *
 * <pre>{@code
 * try (Sessions sessions = Sessions.open(model, device);
 *     Server server =
 *         Server.open(
 *             ServerSettings.LOCAL, ServedModel.of("forecast", sessions).withSizes(3, 5))) {
 *   System.out.println(server.uri());
 *   server.drain(10_000);
 * }
 * }</pre>
 *
 * <p>It listens on the loopback address unless its settings say otherwise, without encryption and
 * to everybody unless they have a key and tokens. Each request is answered by a virtual thread of
 * its own. It stands on the module {@code jdk.httpserver}, which each JDK has; from the module path
 * a program adds it with {@code --add-modules jdk.httpserver}.
 */
public final class Server implements AutoCloseable {
  private final JdkServer server;
  private final boolean isSecure;

  private Server(JdkServer server, boolean isSecure) {
    this.server = server;
    this.isSecure = isSecure;
  }

  /**
   * Begins to listen.
   *
   * @param settings where, to whom, and how much
   * @param models each with a name of its own, or versions of a name, the newest last; their owner
   *     closes the sessions after the server
   * @return to be closed by the caller
   * @throws IOException if the address cannot be listened on
   * @throws IllegalArgumentException if there are no models, or two of one name that are no
   *     versions of the same sessions
   * @throws IllegalStateException if the module {@code jdk.httpserver} is not there
   */
  public static Server open(ServerSettings settings, ServedModel... models) throws IOException {
    return open(settings, List.of(models), null);
  }

  /**
   * Begins to listen, to clients that may load and unload models as well.
   *
   * @param settings where, to whom, and how much
   * @param repository what it is asked to load and to unload; its owner closes what it has loaded
   * @param models those that are loaded
   * @return to be closed by the caller
   * @throws IOException if the address cannot be listened on
   * @throws IllegalArgumentException as {@link #open(ServerSettings, ServedModel...)}
   */
  public static Server open(ServerSettings settings, Repository repository, ServedModel... models)
      throws IOException {
    return open(settings, List.of(models), Objects.requireNonNull(repository, "repository"));
  }

  private static Server open(
      ServerSettings settings, List<ServedModel> models, @Nullable Repository repository)
      throws IOException {
    Routes routes = new Routes(settings, repository, models);
    try {
      return new Server(new JdkServer(settings, routes), settings.tls() != null);
    } catch (IOException e) {
      throw new IOException(
          "server: it cannot listen on %s: %s".formatted(settings.address(), e.getMessage()), e);
    } catch (LinkageError e) {
      throw new IllegalStateException(
          """
          server: the module jdk.httpserver is not there; add it with --add-modules \
          jdk.httpserver, or to the image of jlink (%s)"""
              .formatted(e),
          e);
    }
  }

  /** {@return where it listens, with the port that it has} */
  public URI uri() {
    InetSocketAddress address = server.address();
    String host = address.getAddress().getHostAddress();
    boolean isSix = host.contains(":");
    return URI.create(
        "%s://%s:%d/"
            .formatted(
                isSecure ? "https" : "http", isSix ? "[" + host + "]" : host, address.getPort()));
  }

  /**
   * Is no longer ready, refuses new requests, sends the answers to those that have come, and ends.
   *
   * @param millis after which it ends all the same
   * @return whether all answers were sent
   */
  public boolean drain(long millis) {
    return server.drain(millis);
  }

  /** Ends at once: connections are closed. A second call does nothing. */
  @Override
  public void close() {
    server.stop();
  }

  @Override
  public String toString() {
    return "Server(%s)".formatted(uri());
  }
}
