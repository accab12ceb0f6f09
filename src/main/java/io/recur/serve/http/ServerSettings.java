package io.recur.serve.http;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Where a server listens, to whom it answers, and how much it takes.
 *
 * <pre>{@code
 * ServerSettings settings =
 *     ServerSettings.LOCAL.withPort(8443).withTokens("secret").withRequestsPerSecond(1_000);
 * }</pre>
 *
 * @param address where it listens; port 0 for any that is free
 * @param tokens of which a request needs one; none: all requests are answered
 * @param requestsPerSecond of each token, a second's worth of them at once; 0 for no limit
 * @param mostBodyBytes of a request
 * @param mostSessions of each model that requests may open; 0 for no limit
 * @param mostSymbols that a stream may write
 * @param slowSeconds in which a request must have come, so that a slow client is cut off
 * @param streamSeconds in which an answer must have been taken, that of a stream too
 * @param tls for HTTPS; null for HTTP
 */
public record ServerSettings(
    InetSocketAddress address,
    List<String> tokens,
    int requestsPerSecond,
    int mostBodyBytes,
    int mostSessions,
    int mostSymbols,
    int slowSeconds,
    int streamSeconds,
    @Nullable SSLContext tls) {
  /**
   * The loopback address, port 8000, HTTP: bodies up to 16 MiB, a million sessions, streams up to
   * 100 000 symbols and 10 minutes, requests that come within 30 seconds.
   */
  public static final ServerSettings LOCAL =
      new ServerSettings(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), 8000),
          List.of(),
          0,
          16 << 20,
          1_000_000,
          100_000,
          30,
          600,
          null);

  private static final int MOST_BYTES = 1 << 30;
  private static final int MOST_PORT = 65535;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is out of its bounds, a token is short or has other
   *     characters than a header, or the address is not resolved
   */
  public ServerSettings {
    tokens = List.copyOf(tokens);
    if (address.isUnresolved()) { // it has no address, which is how sockets name all of them
      throw new IllegalArgumentException(
          "server: address=%s; no such host: need one of this machine".formatted(address));
    }
    if (mostBodyBytes < 1 || mostBodyBytes > MOST_BYTES) {
      throw new IllegalArgumentException(
          "server: mostBodyBytes=%d; need 1 to %d".formatted(mostBodyBytes, MOST_BYTES));
    }
    if (requestsPerSecond < 0 || mostSessions < 0 || mostSymbols < 1) {
      throw new IllegalArgumentException(
          "server: requestsPerSecond=%d, mostSessions=%d, mostSymbols=%d; need 0 or more, of symbols 1"
              .formatted(requestsPerSecond, mostSessions, mostSymbols));
    }
    if (slowSeconds < 1 || streamSeconds < 1) {
      throw new IllegalArgumentException(
          "server: slowSeconds=%d, streamSeconds=%d; need 1 or more"
              .formatted(slowSeconds, streamSeconds));
    }
    for (String token : tokens) {
      if (!token.matches("[!-~]{1,4096}")) {
        throw new IllegalArgumentException(
            "server: a token of %d characters; need 1 to 4096 visible characters of ASCII"
                .formatted(token.length()));
      }
    }
  }

  /**
   * These settings with another address.
   *
   * @param address where the server listens
   * @return the settings
   */
  public ServerSettings withAddress(InetSocketAddress address) {
    return with(address, tokens, requestsPerSecond, tls);
  }

  /**
   * These settings with another port of the same address.
   *
   * @param port 0 for any that is free, at most 65535
   * @return the settings
   */
  public ServerSettings withPort(int port) {
    if (port < 0 || port > MOST_PORT) {
      throw new IllegalArgumentException(
          "server: port=%d; need 0 to %d".formatted(port, MOST_PORT));
    }
    return withAddress(new InetSocketAddress(address.getAddress(), port));
  }

  /**
   * These settings with tokens: a request has one of them in {@code Authorization: Bearer …}.
   *
   * @param tokens of visible characters
   * @return the settings
   */
  public ServerSettings withTokens(String... tokens) {
    return with(address, List.of(tokens), requestsPerSecond, tls);
  }

  /**
   * These settings with a bound of the requests of each token.
   *
   * @param requests per second; 0 for no bound
   * @return the settings
   */
  public ServerSettings withRequestsPerSecond(int requests) {
    return with(address, tokens, requests, tls);
  }

  /**
   * These settings with other bounds.
   *
   * @param bodyBytes of a request
   * @param sessions of each model that requests may open; 0 for no bound
   * @param symbols that a stream may write
   * @return the settings
   */
  public ServerSettings withMost(int bodyBytes, int sessions, int symbols) {
    return new ServerSettings(
        address,
        tokens,
        requestsPerSecond,
        bodyBytes,
        sessions,
        symbols,
        slowSeconds,
        streamSeconds,
        tls);
  }

  /**
   * These settings with other times. The server of the JDK takes those of the first server of a
   * process.
   *
   * @param slowSeconds in which a request must have come
   * @param streamSeconds in which an answer must have been taken
   * @return the settings
   */
  public ServerSettings withTimes(int slowSeconds, int streamSeconds) {
    return new ServerSettings(
        address,
        tokens,
        requestsPerSecond,
        mostBodyBytes,
        mostSessions,
        mostSymbols,
        slowSeconds,
        streamSeconds,
        tls);
  }

  /**
   * These settings with HTTPS.
   *
   * @param context with the server's key
   * @return the settings
   */
  public ServerSettings withTls(SSLContext context) {
    return with(address, tokens, requestsPerSecond, Objects.requireNonNull(context, "context"));
  }

  /**
   * These settings with HTTPS and the key of a key store, as keytool makes it.
   *
   * @param path of PKCS #12 or JKS
   * @param password of the store and of its key
   * @return the settings
   * @throws IOException if it cannot be read, or the password is another one
   * @throws GeneralSecurityException if it has no key that can be used
   */
  public ServerSettings withKeyStore(Path path, char... password)
      throws IOException, GeneralSecurityException {
    KeyStore keys = KeyStore.getInstance(KeyStore.getDefaultType());
    try (InputStream in = Files.newInputStream(path)) {
      keys.load(in, password);
    }
    KeyManagerFactory its = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    its.init(keys, password);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(its.getKeyManagers(), null, null);
    return withTls(context);
  }

  private ServerSettings with(
      InetSocketAddress address, List<String> tokens, int requests, @Nullable SSLContext tls) {
    return new ServerSettings(
        address,
        tokens,
        requests,
        mostBodyBytes,
        mostSessions,
        mostSymbols,
        slowSeconds,
        streamSeconds,
        tls);
  }

  /** Without tokens. */
  @Override
  public String toString() {
    return "ServerSettings(%s, %d tokens%s)"
        .formatted(address, tokens.size(), tls == null ? "" : ", HTTPS");
  }
}
