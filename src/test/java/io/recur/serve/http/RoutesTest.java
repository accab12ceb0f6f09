package io.recur.serve.http;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.io.json.Json;
import io.recur.nn.Chain;
import io.recur.serve.Sessions;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The routes by themselves, as behind a server of a user's own. */
@Tag(Devices.CPU)
class RoutesTest {
  private static final int CLASSES = 3;
  private static final String STEP =
      """
      {"parameters": {"sequence_id": 7, "sequence_start": true}, \
      "inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 0, 0]}]}""";

  @AutoClose private final Device device = Devices.here();
  private final Chain model = chain(lstm(CLASSES, 8), dense(8, CLASSES)).on(device, 1);
  @AutoClose private final Sessions sessions = Sessions.open(model, device);
  private final ServedModel served =
      ServedModel.of("m", sessions).withSizes(CLASSES, CLASSES).withVocabulary("abc");
  private final Routes routes = Routes.of(ServerSettings.LOCAL.withMost(500, 2, 100), served);

  /** A request in memory. */
  private record Given(String method, String path, Map<String, String> headers, byte[] content)
      implements HttpCall {
    static Given of(String method, String path, String content) {
      return new Given(method, path, Map.of(), content.getBytes(StandardCharsets.UTF_8));
    }

    Given with(String header, String value) {
      return new Given(method, path, Map.of(header, value), content);
    }

    @Override
    public @Nullable String query() {
      return null;
    }

    @Override
    public @Nullable String header(String name) {
      return name.equals("Host") ? "localhost" : headers.get(name);
    }

    @Override
    public InputStream body() {
      return new ByteArrayInputStream(content);
    }
  }

  private static String text(Reply reply) throws IOException {
    ByteArrayOutputStream to = new ByteArrayOutputStream();
    reply.writeTo(to);
    return to.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aStepIsAnsweredWithItsHeaders() throws IOException {
    try (Reply reply = routes.reply(Given.of("POST", "/v2/models/m/infer", STEP))) {
      assertEquals(200, reply.status());
      assertEquals("application/json", reply.headers().get("Content-Type"));
      assertFalse(reply.isStream());
      assertEquals(text(reply), new String(reply.bytes(), StandardCharsets.UTF_8));
      List<?> outputs = (List<?>) Json.read(text(reply), 16).get("outputs");
      assertEquals(List.of(1L, 3L), ((Map<?, ?>) outputs.getFirst()).get("shape"));
      assertTrue(sessions.isOpen(7));
    }
  }

  @Test
  void headersCannotBeChanged() throws IOException {
    try (Reply reply = routes.reply(Given.of("GET", "/v2", ""))) {
      assertThrows(
          UnsupportedOperationException.class, () -> reply.headers().put("Content-Type", "x"));
    }
  }

  /** The bound of the settings holds, whatever the header says. */
  @Test
  void aBodyIsBounded() throws IOException {
    String large = " ".repeat(501);
    for (Given call :
        List.of(
            Given.of("POST", "/v2/models/m/infer", large),
            Given.of("POST", "/v2/models/m/infer", large).with("Content-Length", "501"),
            Given.of("POST", "/v2/models/m/infer", large).with("Content-Length", "none"),
            Given.of("POST", "/v2/models/m/infer", large).with("Content-Length", "9".repeat(30)))) {
      try (Reply reply = routes.reply(call)) {
        assertEquals(413, reply.status(), call.headers().toString());
        assertTrue(text(reply).contains("more than 500 bytes"), text(reply));
      }
    }
  }

  @Test
  void errorsAreAnswers() throws IOException {
    try (Reply reply = routes.reply(Given.of("POST", "/v2/models/m/infer", "{"))) {
      assertEquals(400, reply.status());
    }
    try (Reply reply = routes.reply(Given.of("GET", "/v2/models/none", ""))) {
      assertEquals(404, reply.status());
      assertTrue(text(reply).contains("served are m"), text(reply));
    }
  }

  /** A stream that is not written gives its sequence back when it is closed. */
  @Test
  void aStreamThatIsNotSentIsGivenBack() throws IOException {
    String body = "{\"text_input\": \"ab\", \"parameters\": {\"max_tokens\": 4, \"seed\": 1}}";
    Given call = Given.of("POST", "/v2/models/m/generate_stream", body);
    try (Reply reply = routes.reply(call)) {
      assertTrue(reply.isStream());
      assertEquals(0, reply.bytes().length);
      assertEquals(1, sessions.counts().sessions());
    }
    assertEquals(0, sessions.counts().sessions());
    try (Reply reply = routes.reply(call)) {
      assertEquals(4, text(reply).lines().filter(line -> line.startsWith("data: ")).count());
    }
    assertEquals(0, sessions.counts().sessions());
  }

  /** Who reads the last event may start the sequence again at once. */
  @Test
  void aStreamEndsItsSequenceBeforeItsLastEvent() throws IOException {
    for (int length = 0; length < 4; length++) {
      String body =
          "{\"text_input\": \"ab\", \"parameters\": {\"max_tokens\": %d}}".formatted(length);
      List<Integer> open = new ArrayList<>();
      OutputStream to =
          new ByteArrayOutputStream() {
            @Override
            public void write(byte[] event) {
              open.add(sessions.counts().sessions());
            }
          };
      try (Reply reply = routes.reply(Given.of("POST", "/v2/models/m/generate_stream", body))) {
        reply.writeTo(to);
        assertEquals(0, sessions.counts().sessions());
      }
      assertEquals(List.of(1, 1, 0).subList(3 - length, 3), open);
    }
  }

  @Test
  void drainedRoutesAreNotReadyAndRefuse() throws IOException {
    routes.drain();
    for (String path : List.of("/v2/health/ready", "/v2/models")) {
      try (Reply reply = routes.reply(Given.of("GET", path, ""))) {
        assertEquals(503, reply.status(), path);
      }
    }
  }

  @Test
  void noModelIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> Routes.of(ServerSettings.LOCAL));
  }
}
