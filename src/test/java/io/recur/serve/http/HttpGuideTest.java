package io.recur.serve.http;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Guide;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Chain;
import io.recur.serve.Moving;
import io.recur.serve.Sessions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Runs the lines of the guide to HTTP, and holds that they are those lines. */
@Tag(Devices.CPU)
class HttpGuideTest {
  private static final Path GUIDE = Path.of("docs/http.md");
  private static final Path HERE = Path.of("src/test/java/io/recur/serve/http/HttpGuideTest.java");

  @AutoClose private final Device device = Devices.here();
  private final Chain model = chain(lstm(3, 8), dense(8, 5)).on(device, 42);

  @Test
  void theLinesOfTheGuideRun() throws IOException {
    Sessions sessions = Sessions.open(model, device);
    ServedModel forecast = ServedModel.of("forecast", sessions).withSizes(3, 5);
    try (Server server = Server.open(ServerSettings.LOCAL.withPort(0), forecast)) {
      URI where = server.uri();
      boolean isAnswered = server.drain(10_000);
    }
    sessions.close();
    Guide.shows(GUIDE, 2, HERE);
  }

  /** A request of a server that is not ours. */
  private record Ready(String method, String path) implements HttpCall {
    @Override
    public @Nullable String query() {
      return null;
    }

    @Override
    public @Nullable String header(String name) {
      return name.equals("Host") ? "localhost" : null;
    }

    @Override
    public InputStream body() {
      return InputStream.nullInputStream();
    }
  }

  /** An answer of such a server, with the methods of a servlet's. */
  private static final class Answer {
    private final Map<String, String> headers = new HashMap<>();
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private int status;

    void setStatus(int status) {
      this.status = status;
    }

    void setHeader(String name, String value) {
      headers.put(name, value);
    }

    OutputStream getOutputStream() {
      return body;
    }
  }

  @Test
  void theLinesOfRoutesRun() throws IOException {
    Answer response = new Answer();
    HttpCall request = new Ready("GET", "/v2/models/forecast/ready");
    try (Sessions sessions = Sessions.open(model, device)) {
      ServedModel forecast = ServedModel.of("forecast", sessions).withSizes(3, 5);
      Routes routes = Routes.of(ServerSettings.LOCAL, forecast);
      try (Reply reply = routes.reply(request)) {
        response.setStatus(reply.status());
        reply.headers().forEach(response::setHeader);
        reply.writeTo(response.getOutputStream());
      }
      routes.drain();
    }
    assertEquals(200, response.status);
    assertEquals("application/json", response.headers.get("Content-Type"));
    assertEquals(
        "{\"name\": \"forecast\", \"ready\": true}",
        response.body.toString(StandardCharsets.UTF_8));
  }

  /** Each line of curl that infers, changes states or reads, in their order. */
  @Test
  void theLinesOfCurlAreAnswered() throws Exception {
    Pattern line =
        Pattern.compile(
            "curl (?:-X (\\w+) )?(-T state )?http://127.0.0.1:8000(/v2/\\S*)"
                + "(?: -d '(.*?)'| -o state)?",
            Pattern.DOTALL);
    Matcher lines = line.matcher(Files.readString(GUIDE));
    try (Sessions sessions = Sessions.open(model, device);
        Server server =
            Server.open(
                ServerSettings.LOCAL.withPort(0),
                again(sessions),
                ServedModel.of("forecast", sessions).withSizes(3, 5));
        HttpClient client = HttpClient.newHttpClient()) {
      byte[] state = {};
      int count = 0;
      while (lines.find()) {
        String path = lines.group(3).replace("/speech", "/forecast");
        String body = lines.group(4);
        HttpRequest.Builder request = HttpRequest.newBuilder(server.uri().resolve(path));
        if (lines.group(2) != null) {
          request.PUT(BodyPublishers.ofByteArray(state));
        } else if (body != null) {
          request.POST(BodyPublishers.ofString(body));
        } else if (lines.group(1) != null) {
          request.method(lines.group(1), BodyPublishers.noBody());
        }
        HttpResponse<byte[]> answer = client.send(request.build(), BodyHandlers.ofByteArray());
        assertEquals(
            2,
            answer.statusCode() / 100,
            lines.group() + new String(answer.body(), StandardCharsets.UTF_8));
        state = path.endsWith("/17/state") ? answer.body() : state;
        count++;
      }
      assertEquals(14, count);
    }
  }

  /** Loads the model again. */
  private Repository again(Sessions sessions) {
    return new Repository() {
      @Override
      public List<String> names() {
        return List.of("forecast");
      }

      @Override
      public List<ServedModel> load(String name, Moving moving) {
        int number = sessions.versions().replace(model, moving);
        return List.of(ServedModel.of(name, sessions).withVersion("" + number, number));
      }

      @Override
      public void unload(String name) {
        sessions.drain();
      }
    };
  }
}
