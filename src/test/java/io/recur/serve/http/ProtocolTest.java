package io.recur.serve.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The requests of a stock client of Triton, written from the protocol's pages: what it asks first,
 * and sequences of requests whose answers are those of forks, bit for bit.
 */
class ProtocolTest extends ServedSessions {
  @BeforeEach
  void begin() throws IOException {
    serve();
  }

  @Test
  void aClientAsksForHealthAndMetadataFirst() {
    assertEquals(200, get("/v2/health/live").status());
    assertEquals(true, get("/v2/health/ready").json().get("ready"));
    Map<String, Object> about = get("/v2").json();
    assertTrue(
        ((List<?>) about.get("extensions"))
            .containsAll(List.of("binary_tensor_data", "sequence", "sequence(string_id)")),
        about.toString());
    assertEquals(Map.of("name", "m", "ready", true), get("/v2/models/m/ready").json());
    Map<String, Object> model = get("/v2/models/m").json();
    assertEquals(model, get("/v2/models/m/versions/1").json());
    assertEquals("m", model.get("name"));
    assertEquals(List.of("1"), model.get("versions"));
    assertEquals(
        List.of(Map.of("name", "y", "datatype", "FP32", "shape", List.of(-1L, (long) OUT))),
        model.get("outputs"));
    assertEquals(List.of("m"), get("/v2/models").json().get("models"));
  }

  /** As Triton's example of sequences does: two of them, in turns, with numbers and texts. */
  @Test
  void interleavedSequencesHaveTheAnswersOfForks() {
    int steps = 5;
    Object[] ids = {1000L, "a sequence", new BigInteger("18446744073709551615")};
    float[][][] x = new float[ids.length][steps][];
    for (int t = 0; t < steps; t++) {
      for (int s = 0; s < ids.length; s++) {
        x[s][t] = x(s, t);
      }
    }
    for (int t = 0; t < steps; t++) {
      for (int s = 0; s < ids.length; s++) {
        Answer answer = inferBinary(sequence(ids[s], t == 0, t == steps - 1), x[s][t]);
        assertArrayEquals(alone(x[s])[t], binaryFloats(answer));
      }
    }
    assertEquals(0, sessions.counts().sessions());
  }

  @Test
  void jsonAndBinaryDataAreTheSameBits() {
    float[] first = {0.1f, Float.MIN_VALUE, 1e-7f};
    float[] second = {16_777_217f, -3.4028235e38f, 1f / 3};
    float[][] expected = alone(first, second);
    assertArrayEquals(expected[0], floats(inferJson(sequence(5, true, false), first)));
    assertArrayEquals(expected[1], binaryFloats(inferBinary(sequence(5, false, true), second)));
  }

  @Test
  void theAnswerSaysOfWhatItIs() {
    Answer answer =
        post(
            "/v2/models/m/versions/1/infer",
            """
            {"id": "request 12", "inputs": [{"name": "x", "shape": [3], "datatype": "FP32", \
            "data": [1, 2.5, -3e-1]}], "outputs": [{"name": "y"}]}""");
    assertArrayEquals(alone(new float[] {1, 2.5f, -0.3f})[0], floats(answer));
    assertEquals("request 12", answer.json().get("id"));
    assertEquals("m", answer.json().get("model_name"));
    assertEquals("1", answer.json().get("model_version"));
    assertEquals(List.of((long) OUT), output(answer).get("shape"));
    assertEquals("y", output(answer).get("name"));
  }

  @Test
  void startBeginsAnOpenSequenceAgain() {
    inferJson(sequence(9, true, false), x(1, 1));
    inferJson(sequence(9, false, false), x(1, 2));
    float[][] expected = alone(x(1, 3), x(1, 4));
    assertArrayEquals(expected[0], floats(inferJson(sequence(9, true, false), x(1, 3))));
    assertArrayEquals(expected[1], floats(inferJson(sequence(9, false, true), x(1, 4))));
  }

  @Test
  void endClosesAfterTheAnswer() {
    assertArrayEquals(alone(x(1, 1))[0], floats(inferJson(sequence("one", true, true), x(1, 1))));
    assertFalse(sessions.isOpen("one"));
    refused(404, "start it with sequence_start", inferJson(sequence("one", false, false), x(1, 1)));
  }

  @Test
  void aRequestOfNoSequenceBeginsByItself() {
    float[] expected = alone(x(2, 2))[0];
    for (String none : List.of("", "\"sequence_id\": 0", "\"sequence_id\": \"\"")) {
      assertArrayEquals(expected, floats(inferJson(none, x(2, 2))));
    }
    assertEquals(0, sessions.counts().sessions());
  }

  @Test
  void aSequenceOfStepsIsOneRequest() {
    String data = "[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]";
    float[][] expected = alone(new float[] {0.1f, 0.2f, 0.3f}, new float[] {0.4f, 0.5f, 0.6f});
    for (String shape : List.of("[2, 3]", "[2, 1, 3]", "[1, 2, 3]")) {
      Answer answer = post("/v2/models/m/infer", body("", shape, data));
      float[] y = floats(answer);
      assertArrayEquals(expected[0], Arrays.copyOfRange(y, 0, OUT), 1e-6f);
      assertArrayEquals(expected[1], Arrays.copyOfRange(y, OUT, 2 * OUT), 1e-6f);
      assertEquals(shape.replace("3]", OUT + "]"), output(answer).get("shape").toString(), shape);
    }
  }

  @Test
  void aStepThatIsSentAgainDoesNotStepAgain() {
    inferJson(sequence(3, true, false), x(1, 1));
    String second = sequence(3, false, false) + ", \"sequence_step\": 2";
    float[][] expected = alone(x(1, 1), x(1, 2), x(1, 3));
    assertArrayEquals(expected[1], floats(inferJson(second, x(1, 2))));
    assertArrayEquals(expected[1], floats(inferJson(second, x(1, 2))));
    assertArrayEquals(expected[2], floats(inferJson(sequence(3, false, true), x(1, 3))));
  }

  @Test
  void clientsBesideEachOtherHaveTheAnswersOfForks() throws Exception {
    int clients = 16;
    int steps = 20;
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<float[][]>> answers = new ArrayList<>();
      for (int c = 0; c < clients; c++) {
        int number = c + 1;
        answers.add(
            threads.submit(
                () -> {
                  float[][] y = new float[steps][];
                  for (int t = 0; t < steps; t++) {
                    String its = sequence(number, t == 0, t == steps - 1);
                    y[t] =
                        new Random(number + t).nextBoolean()
                            ? floats(inferJson(its, x(number, t)))
                            : binaryFloats(inferBinary(its, x(number, t)));
                  }
                  return y;
                }));
      }
      for (int c = 0; c < clients; c++) {
        float[][] x = new float[steps][];
        for (int t = 0; t < steps; t++) {
          x[t] = x(c + 1, t);
        }
        assertArrayEquals(alone(x), answers.get(c).get());
      }
    }
    assertEquals(0, sessions.counts().sessions());
  }
}
