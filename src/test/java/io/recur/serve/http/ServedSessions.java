package io.recur.serve.http;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import io.recur.io.json.Json;
import io.recur.nn.Chain;
import io.recur.serve.Batching;
import io.recur.serve.Gate;
import io.recur.serve.Sessions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;

/**
 * A small model behind a server, and requests as Triton's client for Python sends them: JSON, and
 * little-endian bytes behind it.
 */
@Tag(Devices.CPU)
abstract class ServedSessions {
  static final int IN = 3;
  static final int OUT = 2;
  static final String HEADER_LENGTH = "Inference-Header-Content-Length";

  /** Answers and their headers. */
  record Answer(int status, Map<String, List<String>> headers, byte[] body) {
    String text() {
      return new String(body, StandardCharsets.UTF_8);
    }

    Map<String, Object> json() {
      return Json.read(text(), 16);
    }

    String header(String name) {
      return headers.getOrDefault(name.toLowerCase(Locale.ROOT), List.of("")).getFirst();
    }

    String error() {
      return (String) json().get("error");
    }
  }

  @AutoClose final Device device = Devices.here();
  final Gate gate = new Gate();
  final Chain model = chain(gate, lstm(IN, 8), dense(8, OUT)).on(device, 1);
  @AutoClose final HttpClient client = HttpClient.newHttpClient();
  private final List<AutoCloseable> open = new ArrayList<>();
  Sessions sessions;
  Server server;

  /** Serves the model, whose gate is open, as "m". */
  void serve() throws IOException {
    gate.open();
    serve(ServerSettings.LOCAL.withPort(0), Batching.ADAPTIVE);
  }

  void serve(ServerSettings settings, Batching batching) throws IOException {
    openSessions(batching);
    serve(settings, ServedModel.of("m", sessions).withSizes(IN, OUT).withSymbols());
  }

  /** Serves the model, whose gate is open and whose sizes the server does not know. */
  void serveUnknownSizes() throws IOException {
    gate.open();
    openSessions(Batching.ADAPTIVE);
    serve(ServerSettings.LOCAL.withPort(0), ServedModel.of("m", sessions));
  }

  private void openSessions(Batching batching) {
    sessions = Sessions.open(model, device, batching);
    open.add(sessions);
  }

  private void serve(ServerSettings settings, ServedModel served) throws IOException {
    server = Server.open(settings, served);
    open.add(server);
  }

  @AfterEach
  void closeAll() throws Exception {
    gate.open();
    for (AutoCloseable one : open.reversed()) {
      one.close();
    }
  }

  // Requests.

  URI uri(String path) {
    return server.uri().resolve(path);
  }

  HttpRequest.Builder to(String path) {
    return HttpRequest.newBuilder(uri(path));
  }

  Answer send(HttpRequest request) {
    try {
      HttpResponse<byte[]> response = client.send(request, BodyHandlers.ofByteArray());
      return new Answer(response.statusCode(), response.headers().map(), response.body());
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(request.uri().toString(), e);
    }
  }

  Answer get(String path) {
    return send(to(path).build());
  }

  Answer post(String path, String body) {
    return send(to(path).POST(BodyPublishers.ofString(body)).build());
  }

  static String parameters(String more) {
    return more.isEmpty() ? "" : "\"parameters\": {%s}, ".formatted(more);
  }

  static String sequence(Object id, boolean isStart, boolean isEnd) {
    return "\"sequence_id\": %s, \"sequence_start\": %s, \"sequence_end\": %s"
        .formatted(id instanceof String text ? Json.quoted(text) : id, isStart, isEnd);
  }

  /** A request in JSON. */
  static String body(String parameters, String shape, String data) {
    return """
        {%s"inputs": [{"name": "x", "shape": %s, "datatype": "FP32", "data": %s}]}"""
        .formatted(parameters(parameters), shape, data);
  }

  Answer inferJson(String parameters, float... x) {
    return post(
        "/v2/models/m/infer", body(parameters, "[1, %d]".formatted(x.length), Arrays.toString(x)));
  }

  /** A request with binary data, as {@code tritonclient.http} makes it. */
  Answer inferBinary(String parameters, float... x) {
    String json =
        """
        {"id": "7", "parameters": {%s, "binary_data_output": true}, "inputs": [{"name": "x", \
        "shape": [1, %d], "datatype": "FP32", "parameters": {"binary_data_size": %d}}]}"""
            .formatted(parameters, x.length, 4 * x.length);
    return binary("/v2/models/m/infer", json, littleEndian(x));
  }

  Answer binary(String path, String json, byte... data) {
    byte[] header = json.getBytes(StandardCharsets.UTF_8);
    byte[] body = Arrays.copyOf(header, header.length + data.length);
    System.arraycopy(data, 0, body, header.length, data.length);
    return send(
        to(path)
            .header(HEADER_LENGTH, Integer.toString(header.length))
            .header("Content-Type", "application/octet-stream")
            .POST(BodyPublishers.ofByteArray(body))
            .build());
  }

  static byte[] littleEndian(float... x) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * x.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(x);
    return bytes.array();
  }

  // Answers.

  static Map<?, ?> output(Answer answer) {
    assertEquals(200, answer.status(), answer.text());
    return (Map<?, ?>) ((List<?>) answer.json().get("outputs")).getFirst();
  }

  static float[] floats(Answer answer) {
    List<?> data = (List<?>) output(answer).get("data");
    float[] floats = new float[data.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = ((Number) data.get(i)).floatValue();
    }
    return floats;
  }

  /** The values behind the JSON, whose sizes say the same. */
  static float[] binaryFloats(Answer answer) {
    assertEquals(200, answer.status(), answer.text());
    int header = Integer.parseInt(answer.header(HEADER_LENGTH));
    String json = new String(answer.body(), 0, header, StandardCharsets.UTF_8);
    Map<?, ?> output = (Map<?, ?>) ((List<?>) Json.read(json, 16).get("outputs")).getFirst();
    int bytes = answer.body().length - header;
    assertEquals((long) bytes, ((Map<?, ?>) output.get("parameters")).get("binary_data_size"));
    assertEquals("FP32", output.get("datatype"));
    assertEquals(List.of(1L, (long) bytes / 4), output.get("shape"));
    float[] floats = new float[bytes / 4];
    ByteBuffer.wrap(answer.body(), header, bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(floats);
    return floats;
  }

  void refused(int status, String words, Answer answer) {
    assertEquals(status, answer.status(), answer.text());
    assertEquals(List.of("error"), List.copyOf(answer.json().keySet()));
    assertEquals(true, answer.error().contains(words), answer.error());
  }

  /** The answers of a fork of the model of its own. */
  float[][] alone(float[]... steps) {
    gate.open();
    try (Chain own = model.fork();
        Tape tape = Tape.inference(device)) {
      float[][] answers = new float[steps.length][];
      for (int t = 0; t < steps.length; t++) {
        answers[t] = own.apply(tape.input(steps[t])).toArray();
        tape.clear();
      }
      return answers;
    }
  }

  static float[] x(int session, int step) {
    return new float[] {0.1f * session, -0.3f * step, 0.7f};
  }

  /** That the server answers as always. */
  void assertServes() {
    assertArrayEquals(alone(x(1, 2))[0], floats(inferJson("", x(1, 2))));
  }
}
