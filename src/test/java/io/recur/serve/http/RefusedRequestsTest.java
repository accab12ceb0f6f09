package io.recur.serve.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.serve.Batching;
import io.recur.serve.Request;
import io.recur.serve.Waits;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What cannot be served is told to the one who sent it, and all others are served. */
class RefusedRequestsTest extends ServedSessions {
  private static final String INPUT =
      "{\"name\": \"x\", \"shape\": [3], \"datatype\": \"FP32\", \"data\": [1, 2, 3]}";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "|JSON: position 0 of 0: need more",
        "[]|need an object",
        "{\"inputs\": [}|JSON: position 12",
        "{\"inputs\": 3}|inputs=3; need an array of objects",
        "{}|0 tensors; model m takes one",
        "{\"inputs\": [INPUT, INPUT]}|2 tensors; model m takes one",
        "{\"inputs\": [{\"name\": \"z\"}]}|name=\"z\"; need \"x\"",
        "{\"inputs\": [{\"name\": \"x\"}]}|datatype=nothing; need a text",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP8\"}]}|datatype=\"FP8\"",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"BYTES\"}]}|datatype=\"BYTES\"",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": []}]}|1 to 4 whole numbers",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [0]}]}|sizes of 1 or more",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [3.5]}]}|whole numbers",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [99999, 99999]}]}|too many",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [3]}]}|array of 3 numbers",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [3], \"data\": [1]}]}|data has 1 numbers; shape=[3] needs 3",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [3], \"data\": [1, 2, 3, 4]}]}|data has 4 numbers",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [3], \"data\": [1, \"2\", 3]}]}|numbers alone",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [2], \"data\": [1, 2]}]}|2 values in a step; model m takes 3",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [2, 2, 3], \"data\": [1]}]}|data has 1 numbers",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"INT64\", \"shape\": [1], \"data\": [3]}]}|symbol 0 is 3.0; need a whole number from 0 to 2",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"INT64\", \"shape\": [1], \"data\": [0.5]}]}|symbol 0 is 0.5",
        "{\"inputs\": [INPUT], \"outputs\": [{\"name\": \"z\"}]}|name=\"z\"; need \"y\"",
        "{\"inputs\": [INPUT], \"parameters\": {\"sequence_id\": -1}}|sequence_id: need a number",
        "{\"inputs\": [INPUT], \"parameters\": {\"sequence_id\": 36893488147419103232}}|sequence_id: need a number",
        "{\"inputs\": [INPUT], \"parameters\": {\"sequence_start\": true}}|sequence_id=nothing",
        "{\"inputs\": [INPUT], \"parameters\": {\"sequence_id\": 1, \"sequence_start\": 1}}|sequence_start=1; need true or false",
        "{\"inputs\": [INPUT], \"parameters\": {\"timeout\": -5}}|timeout=-5; need a whole number",
      })
  void aBadBodyIsToldWithItsPlace(String body, String words) throws IOException {
    serve();
    String sent = body == null ? "" : body.replace("INPUT", INPUT);
    refused(400, words, post("/v2/models/m/infer", sent));
    assertEquals(0, sessions.counts().sessions());
    assertServes();
  }

  @Test
  void severalSequencesInOneRequestAreRefused() throws IOException {
    serve();
    String data = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]";
    refused(
        400,
        "need one batch of one sequence",
        post("/v2/models/m/infer", body("", "[2, 2, 3]", data)));
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /v2/models/z, 404, model \"z\" is not served; served are m (1)",
    "GET, /v2/models/m/versions/2, 404, of version \"2\" is not served",
    "POST, /v2/models/z/infer, 404, is not served",
    "GET, /v2/models/m/infer, 405, this path takes POST",
    "POST, /v2/models/m, 405, this path takes GET",
    "DELETE, /metrics, 405, this path takes GET",
    "GET, /v3, 404, there is nothing",
    "GET, /v2/models/m/what, 404, there is nothing",
    "GET, /v2/models/m/ready/more, 404, there is nothing",
    "POST, /v2/models/m/generate, 404, has no vocabulary",
    "GET, /v2/models/m/sequences/8, 404, sequence 8 is not open",
    "GET, /v2/models/m/sequences/8/state, 404, id=8 is not open",
    "DELETE, /v2/models/m/sequences/8, 404, id=8 is not open",
    "POST, /v2/models/m/sequences/8/reset, 404, id=8 is not open",
    "PUT, /v2/models/m/sequences/8/reset, 405, this path takes POST",
    "GET, /v2/models/m/sequences/0, 400, need a number from 1",
    "GET, /v2/models/m/sequences/, 400, a text of 0 bytes",
    "GET, /v2/models/m/sequences/99999999999999999999, 400, need a number from 1"
  })
  void aPathThatIsNotThereIsTold(String method, String path, int status, String words)
      throws IOException {
    serve();
    refused(status, words, send(to(path).method(method, BodyPublishers.ofString("{}")).build()));
    assertServes();
  }

  @Test
  void binaryDataOfOtherSizesIsRefused() throws IOException {
    serve();
    String json =
        """
        {"inputs": [{"name": "x", "shape": [3], "datatype": "FP32", \
        "parameters": {"binary_data_size": %d}}]}""";
    String path = "/v2/models/m/infer";
    refused(400, "shape and FP32 need 12", binary(path, json.formatted(8), new byte[8]));
    refused(400, "8 bytes behind the JSON", binary(path, json.formatted(12), new byte[8]));
    refused(400, "4 bytes behind the last tensor", binary(path, json.formatted(12), new byte[16]));
    for (String length : List.of("x", "-1", "9999999")) {
      refused(
          400,
          "need the bytes of the JSON",
          send(to(path).header(HEADER_LENGTH, length).POST(BodyPublishers.ofString(json)).build()));
    }
    assertServes();
  }

  @Test
  void aBodyThatIsTooLargeIsRefusedAndTheNextOneServed() throws IOException {
    gate.open();
    serve(ServerSettings.LOCAL.withPort(0).withMost(1000, 10, 10), Batching.ADAPTIVE);
    byte[] large = new byte[100_000];
    refused(
        413,
        "more than 1000 bytes",
        send(to("/v2/models/m/infer").POST(BodyPublishers.ofByteArray(large)).build()));
    refused( // in chunks, whose sum nothing says before
        413,
        "more than 1000 bytes",
        send(
            to("/v2/models/m/infer")
                .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(large)))
                .build()));
    assertServes();
  }

  @Test
  void deepJsonIsRefused() throws IOException {
    serve();
    refused(
        400,
        "need at most 16 levels",
        post("/v2/models/m/infer", "{\"inputs\": " + "[".repeat(1_000_000)));
  }

  /** NaN marks the session of the one who sent it; a reset makes it whole. */
  @Test
  void whatIsNoNumberFailsItsSessionAlone() throws IOException {
    serve();
    inferJson(sequence(1, true, false), x(1, 1));
    inferJson(sequence(2, true, false), x(2, 1));
    String nan = body(sequence(1, false, false), "[3]", "[1, NaN, 3]");
    refused(409, "x[1] is not a number", post("/v2/models/m/infer", nan));
    refused(409, "reset or restore it", inferJson(sequence(1, false, false), x(1, 2)));
    float[][] other = alone(x(2, 1), x(2, 2));
    assertArrayEquals(other[1], floats(inferJson(sequence(2, false, false), x(2, 2))));
    assertEquals(200, post("/v2/models/m/sequences/1/reset", "").status());
    float[][] again = alone(x(1, 5));
    assertArrayEquals(again[0], floats(inferJson(sequence(1, false, true), x(1, 5))));
  }

  /** A sequence whose first step is refused has not started, and takes no place. */
  @Test
  void aStartThatIsRefusedLeavesNothingOpen() throws IOException {
    serveUnknownSizes(); // so that the model refuses it, when the session is open
    String wrong = body(sequence(1, true, false), "[2]", "[1, 2]");
    assertEquals(400, post("/v2/models/m/infer", wrong).status());
    refused(404, "is not open", inferJson(sequence(1, false, false), x(1, 1)));
    assertEquals(0, sessions.counts().sessions());
  }

  @Test
  void moreSequencesThanMayAreToldToComeLater() throws IOException {
    gate.open();
    serve(ServerSettings.LOCAL.withPort(0).withMost(1 << 20, 2, 10), Batching.ADAPTIVE);
    inferJson(sequence(1, true, false), x(1, 1));
    inferJson(sequence(2, true, false), x(1, 1));
    Answer third = inferJson(sequence(3, true, false), x(1, 1));
    refused(429, "2 of m are open, as many as may", third);
    assertEquals("1", third.header("Retry-After"));
    refused(429, "as many as may", post("/v2/models/m/sequences/1/fork", "{\"to\": 4}"));
    assertEquals(200, inferJson(sequence(2, true, false), x(1, 1)).status(), "a start again");
    assertEquals(200, inferJson(sequence(2, false, true), x(1, 1)).status());
    assertEquals(200, inferJson(sequence(3, true, false), x(1, 1)).status());
    assertServes();
  }

  @Test
  void aFullQueueIsToldToComeLater() throws Exception {
    serve(ServerSettings.LOCAL.withPort(0), Batching.ADAPTIVE.withMostWaiting(1));
    sessions.open(1, 2, 3);
    CompletableFuture<float[]> inside = sessions.stepAsync(1, Request.of(1, 2, 3));
    gate.awaitBatch();
    CompletableFuture<float[]> waits = sessions.stepAsync(2, Request.of(1, 2, 3));
    Answer rejected = inferJson(sequence(3, false, false), x(1, 1));
    refused(429, "as many as may", rejected);
    assertEquals("1", rejected.header("Retry-After"));
    gate.open();
    inside.join();
    waits.join();
    assertEquals(200, inferJson(sequence(3, false, false), x(1, 1)).status());
  }

  @Test
  void aDeadlineThatPassesIsTold() throws Exception {
    serve(ServerSettings.LOCAL.withPort(0), Batching.ADAPTIVE);
    sessions.open(1, 2);
    CompletableFuture<float[]> inside = sessions.stepAsync(1, Request.of(1, 2, 3));
    gate.awaitBatch();
    CompletableFuture<Answer> late =
        CompletableFuture.supplyAsync(
            () -> inferJson(sequence(2, false, false) + ", \"timeout\": 1", x(1, 1)),
            Thread::startVirtualThread);
    while (Waits.of(sessions) < 1) {
      Thread.sleep(1); // until it is there: its microsecond has then passed
    }
    gate.open();
    refused(504, "within=1 µs", late.join());
    inside.join();
  }

  /** Each holds a connection with half a request. */
  @Test
  void slowClientsHoldUpNobody() throws IOException {
    serve();
    List<Socket> slow = new ArrayList<>();
    try {
      String head =
          "POST /v2/models/m/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n";
      for (int i = 0; i < 100; i++) {
        Socket socket = new Socket(server.uri().getHost(), server.uri().getPort());
        slow.add(socket);
        String sent = i % 2 == 0 ? head + "\r\n{\"inputs\"" : head.substring(0, i % head.length());
        socket.getOutputStream().write(sent.getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
      }
      assertServes();
      assertEquals(200, get("/v2/health/ready").status());
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
    assertServes();
  }

  @Test
  void aPageOfAnotherSiteIsRefused() throws IOException {
    serve();
    Answer other = send(to("/v2/models").header("Origin", "https://example.org").build());
    refused(403, "to its own page", other);
    String own = "http://%s:%d".formatted(server.uri().getHost(), server.uri().getPort());
    assertEquals(200, send(to("/v2/models").header("Origin", own).build()).status());
    try (Socket socket = new Socket(server.uri().getHost(), server.uri().getPort())) {
      socket
          .getOutputStream()
          .write(
              "GET /v2/models HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(answer.startsWith("HTTP/1.1 403 "), answer);
    }
  }
}
