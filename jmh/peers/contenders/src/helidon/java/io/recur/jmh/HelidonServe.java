package io.recur.jmh;

import static io.recur.nn.Layers.lstm;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
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

/**
 * The routes of our server behind Helidon, which answers each connection by a virtual thread: what
 * the choice of a server costs. It serves until its input ends.
 */
public final class HelidonServe {
  private static final int UNITS = 512;

  private HelidonServe() {}

  /** A request as Helidon has it. */
  private record Exchanged(ServerRequest request) implements HttpCall {
    @Override
    public String method() {
      return request.prologue().method().text();
    }

    @Override
    public String path() {
      return request.path().path();
    }

    @Override
    public String query() {
      return request.query().isEmpty() ? null : request.query().value();
    }

    @Override
    public String header(String name) {
      return request.headers().first(HeaderNames.create(name)).orElse(null);
    }

    @Override
    public InputStream body() {
      return request.content().inputStream();
    }
  }

  /** Answers by the routes. */
  private static void answer(Routes routes, ServerRequest request, ServerResponse response)
      throws IOException {
    try (Reply reply = routes.reply(new Exchanged(request))) {
      response.status(reply.status());
      reply.headers().forEach((name, value) -> response.header(HeaderNames.create(name), value));
      if (!reply.isStream()) {
        response.send(reply.bytes());
        return;
      }
      try (OutputStream to = response.outputStream()) {
        reply.writeTo(to);
      }
    }
  }

  /**
   * Serves the model of {@code make http-bench}.
   *
   * @param arguments none
   * @throws IOException if its input cannot be read
   */
  public static void main(String[] arguments) throws IOException {
    try (Device device = Device.cpu(1);
        Recur model = lstm(UNITS, UNITS).on(device, 1);
        Sessions sessions = Sessions.open(model, device)) {
      ServedModel served = ServedModel.of("lstm", sessions).withSizes(UNITS, UNITS);
      Routes routes = Routes.of(ServerSettings.LOCAL, served);
      WebServer server =
          WebServer.builder()
              .host("127.0.0.1")
              .port(0)
              .routing(
                  routing -> routing.any((request, response) -> answer(routes, request, response)))
              .build()
              .start();
      System.out.printf("http://127.0.0.1:%d/%n", server.port());
      while (System.in.read() >= 0) {
        // whoever has started this closes it
      }
      server.stop();
    }
  }
}
