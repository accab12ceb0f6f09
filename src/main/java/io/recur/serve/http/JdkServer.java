package io.recur.serve.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Listens with the server of the JDK: one thread watches all connections, a virtual thread answers
 * each request.
 */
final class JdkServer {
  /** What a refused body is read to, so that its client reads the answer. */
  private static final long MOST_DISCARDED = 64L << 20;

  private static final int MOST_CONNECTIONS = 10_000;

  private final HttpServer server;
  private final Routes routes;
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("recur-http-", 0).factory());

  /** Requests whose answer is not yet sent. */
  private int running;

  private boolean isDraining;

  /** Begins to listen. */
  JdkServer(ServerSettings settings, Routes routes) throws IOException {
    this.routes = routes;
    properties(settings)
        .forEach((name, value) -> System.getProperties().putIfAbsent(name, value.toString()));
    if (settings.tls() == null) {
      server = HttpServer.create(settings.address(), 0);
    } else {
      HttpsServer secure = HttpsServer.create(settings.address(), 0);
      secure.setHttpsConfigurator(new HttpsConfigurator(settings.tls()));
      server = secure;
    }
    server.createContext("/", this::handle);
    server.setExecutor(threads);
    server.start();
  }

  /**
   * The settings that this server takes by properties alone, once per process. Its defaults wait
   * for slow clients for ever, close all but 200 idle connections, and hold small pieces back.
   */
  private static Map<String, Object> properties(ServerSettings settings) {
    return Map.of(
        "sun.net.httpserver.nodelay",
        true,
        "sun.net.httpserver.maxReqTime",
        settings.slowSeconds(),
        "sun.net.httpserver.maxRspTime",
        settings.streamSeconds(),
        "sun.net.httpserver.maxIdleConnections",
        MOST_CONNECTIONS,
        "jdk.httpserver.maxConnections",
        MOST_CONNECTIONS);
  }

  InetSocketAddress address() {
    return server.getAddress();
  }

  // Requests.

  private void handle(HttpExchange exchange) {
    boolean isLast = enter();
    try (exchange) {
      Exchanged request = new Exchanged(exchange);
      try (Reply reply = routes.reply(request)) {
        boolean isWhole = request.discard();
        send(exchange, reply, isLast || !isWhole);
      }
    } catch (IOException e) {
      // The client has gone, or was cut off as it was too slow. Nobody is there to be told.
    } finally {
      leave();
    }
  }

  private synchronized boolean enter() {
    running++;
    return isDraining;
  }

  private synchronized void leave() {
    running--;
    notifyAll();
  }

  private static void send(HttpExchange exchange, Reply reply, boolean isLast) throws IOException {
    reply.headers().forEach(exchange.getResponseHeaders()::set);
    if (isLast) {
      exchange.getResponseHeaders().set("Connection", "close");
    }
    boolean isHead = exchange.getRequestMethod().equals("HEAD");
    if (reply.isStream() && !isHead) {
      exchange.sendResponseHeaders(reply.status(), 0); // of unknown length
      try (OutputStream to = exchange.getResponseBody()) {
        reply.writeTo(to);
      }
      return;
    }
    int length = reply.bytes().length;
    if (isHead) {
      exchange.getResponseHeaders().set("Content-Length", Integer.toString(length));
    }
    exchange.sendResponseHeaders(reply.status(), isHead || length == 0 ? -1 : length);
    if (!isHead && length > 0) {
      try (OutputStream to = exchange.getResponseBody()) {
        reply.writeTo(to);
      }
    }
  }

  /** A request as this server has it. */
  private record Exchanged(HttpExchange exchange) implements HttpCall {
    @Override
    public String method() {
      return exchange.getRequestMethod();
    }

    @Override
    public String path() {
      String path = exchange.getRequestURI().getRawPath();
      return path == null ? "" : path;
    }

    @Override
    public @Nullable String query() {
      return exchange.getRequestURI().getRawQuery();
    }

    @Override
    public @Nullable String header(String name) {
      return exchange.getRequestHeaders().getFirst(name);
    }

    @Override
    public InputStream body() {
      return exchange.getRequestBody();
    }

    /**
     * The bytes that a header says; −1 where none does. The server has refused what is no number.
     */
    private long length() {
      String given = header("Content-Length");
      return given == null ? -1 : Long.parseLong(given.strip());
    }

    /** Reads what is left of a body. Returns whether it is read to its end. */
    boolean discard() throws IOException {
      if (length() > MOST_DISCARDED) {
        return false;
      }
      InputStream in = exchange.getRequestBody();
      if (in.read() < 0) {
        return true; // as most are: the body was read
      }
      byte[] piece = new byte[1 << 13];
      long left = MOST_DISCARDED;
      int count = in.read(piece);
      while (count >= 0 && left > 0) {
        left -= count;
        count = in.read(piece);
      }
      return count < 0;
    }
  }

  // The end.

  /**
   * Sends what is being answered, and then ends.
   *
   * @return whether all was sent within the time
   */
  boolean drain(long millis) {
    closeConnections(); // before any request is refused as too late
    routes.drain();
    boolean isDone = awaitAnswers(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis));
    stop();
    return isDone;
  }

  /** Has each answer from now on be the last one of its connection. */
  private synchronized void closeConnections() {
    isDraining = true;
  }

  private synchronized boolean awaitAnswers(long until) {
    try {
      long left = until - System.nanoTime();
      while (running > 0 && left > 0) {
        TimeUnit.NANOSECONDS.timedWait(this, left);
        left = until - System.nanoTime();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the caller is in a hurry
    }
    return running == 0;
  }

  /** Ends at once. */
  void stop() {
    server.stop(0);
    threads.shutdown();
  }
}
