package io.recur.jmh;

import static io.recur.nn.Layers.lstm;

import io.recur.device.Device;
import io.recur.nn.Recur;
import io.recur.serve.Sessions;
import io.recur.serve.http.HttpCall;
import io.recur.serve.http.Reply;
import io.recur.serve.http.Routes;
import io.recur.serve.http.ServedModel;
import io.recur.serve.http.ServerSettings;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.Executors;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * The routes of our server behind Jetty, which answers each request by a virtual thread: what the
 * choice of a server costs. It serves until its input ends.
 */
public final class JettyServe {
  private static final int UNITS = 512;

  private JettyServe() {}

  /** A request as Jetty has it. */
  private record Exchanged(Request request) implements HttpCall {
    @Override
    public String method() {
      return request.getMethod();
    }

    @Override
    public String path() {
      return request.getHttpURI().getPath();
    }

    @Override
    public String query() {
      return request.getHttpURI().getQuery();
    }

    @Override
    public String header(String name) {
      return request.getHeaders().get(name);
    }

    @Override
    public InputStream body() {
      return Content.Source.asInputStream(request);
    }
  }

  /** Answers by the routes. */
  private static final class Answering extends Handler.Abstract {
    private final Routes routes;

    Answering(Routes routes) {
      this.routes = routes;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback)
        throws IOException {
      try (Reply reply = routes.reply(new Exchanged(request))) {
        response.setStatus(reply.status());
        reply.headers().forEach(response.getHeaders()::put);
        if (reply.isStream()) {
          try (OutputStream to = Content.Sink.asOutputStream(response)) {
            reply.writeTo(to);
          }
          callback.succeeded();
        } else {
          response.write(true, ByteBuffer.wrap(reply.bytes()), callback);
        }
      }
      return true;
    }
  }

  /**
   * Serves the model of {@code make http-bench}.
   *
   * @param arguments none
   * @throws Exception if it cannot listen
   */
  public static void main(String[] arguments) throws Exception {
    QueuedThreadPool threads = new QueuedThreadPool();
    threads.setVirtualThreadsExecutor(Executors.newVirtualThreadPerTaskExecutor());
    org.eclipse.jetty.server.Server server = new org.eclipse.jetty.server.Server(threads);
    HttpConfiguration plain = new HttpConfiguration();
    plain.setSendServerVersion(false);
    ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(plain));
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    try (Device device = Device.cpu(1);
        Recur model = lstm(UNITS, UNITS).on(device, 1);
        Sessions sessions = Sessions.open(model, device)) {
      ServedModel served = ServedModel.of("lstm", sessions).withSizes(UNITS, UNITS);
      server.setHandler(new Answering(Routes.of(ServerSettings.LOCAL, served)));
      server.start();
      System.out.printf("http://127.0.0.1:%d/%n", connector.getLocalPort());
      while (System.in.read() >= 0) {
        // whoever has started this closes it
      }
      server.stop();
    }
  }
}
