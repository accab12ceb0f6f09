package io.recur.serve.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Damaged requests never get a 500, and never hold the server up. */
class HostileRequestsTest extends ServedSessions {
  private static final int ROUNDS = 2000;
  private static final String SIGNS = "{}[]\",:\\-+.eE0123456789 nulltrueNaN\u0000\u00e9";
  private static final String[] WORDS = {
    "\"sequence_id\"",
    "\"sequence_start\"",
    "true",
    "1e400",
    "-1",
    "18446744073709551616",
    "NaN",
    "\"FP64\"",
    "\"INT64\"",
    "\"BYTES\"",
    "null",
    "[[]]",
    "\"binary_data_size\"",
    "0",
    "{}"
  };

  private static byte[] damaged(Random random, byte... body) {
    StringBuilder text = new StringBuilder(new String(body, StandardCharsets.ISO_8859_1));
    for (int k = random.nextInt(4); k > 0 && !text.isEmpty(); k--) {
      int at = random.nextInt(text.length());
      switch (random.nextInt(6)) {
        case 0 -> text.setCharAt(at, SIGNS.charAt(random.nextInt(SIGNS.length())));
        case 1 -> text.deleteCharAt(at);
        case 2 -> text.insert(at, WORDS[random.nextInt(WORDS.length)]);
        case 3 -> text.setCharAt(at, (char) random.nextInt(256));
        case 4 -> text.delete(at, Math.min(text.length(), at + random.nextInt(20)));
        default -> text.insert(at, text.substring(at, Math.min(text.length(), at + 15)));
      }
    }
    return text.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  private HttpRequest request(Random random, byte[] state) {
    String parameters = sequence(1 + random.nextInt(3), random.nextBoolean(), random.nextBoolean());
    byte[] json = body(parameters, "[1, 3]", "[0.5, -1.25, 3]").getBytes(StandardCharsets.UTF_8);
    String header =
        """
        {"parameters": {%s, "binary_data_output": true}, "inputs": [{"name": "x", "shape": [1, 3], \
        "datatype": "FP32", "parameters": {"binary_data_size": 12}}]}"""
            .formatted(parameters);
    byte[] head = header.getBytes(StandardCharsets.UTF_8);
    byte[] binary = Arrays.copyOf(head, head.length + 12);
    return switch (random.nextInt(4)) {
      case 0 ->
          to("/v2/models/m/infer").POST(BodyPublishers.ofByteArray(damaged(random, json))).build();
      case 1 ->
          to("/v2/models/m/infer")
              .header(HEADER_LENGTH, Integer.toString(head.length + random.nextInt(3) - 1))
              .POST(BodyPublishers.ofByteArray(damaged(random, binary)))
              .build();
      case 2 ->
          to("/v2/models/m/sequences/%d/state".formatted(1 + random.nextInt(3)))
              .PUT(BodyPublishers.ofByteArray(damaged(random, state)))
              .build();
      default ->
          to("/v2/models/m/"
                  + List.of("fork", "generate", "sequences/2/fork").get(random.nextInt(3)))
              .POST(BodyPublishers.ofByteArray(damaged(random, json)))
              .build();
    };
  }

  @Test
  void damagedRequestsAreAnsweredAndOthersServed() throws IOException {
    serve();
    sessions.open(99);
    byte[] state = sessions.save(99);
    Random random = new Random(4);
    Map<Integer, Integer> statuses = new TreeMap<>();
    for (int i = 0; i < ROUNDS; i++) {
      Answer answer = send(request(random, state));
      statuses.merge(answer.status(), 1, Integer::sum);
      assertTrue(answer.status() < 500 || answer.status() == 504, answer.status() + answer.text());
      if (answer.status() != 200 && answer.status() != 201) {
        assertTrue(!answer.error().isEmpty(), answer.text());
      }
    }
    assertTrue(statuses.get(400) > ROUNDS / 4 && statuses.get(200) > ROUNDS / 50, "" + statuses);
    assertServes();
    assertEquals(200, get("/metrics").status());
  }
}
