package io.recur.serve.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.grad.Tape;
import io.recur.nn.Chain;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** States over HTTP are the bytes of the library. */
class StatesTest extends ServedSessions {
  private static final String SEQUENCES = "/v2/models/m/sequences/";

  @BeforeEach
  void begin() throws IOException {
    serve();
  }

  private Answer put(String path, byte... state) {
    return send(to(SEQUENCES + path).PUT(BodyPublishers.ofByteArray(state)).build());
  }

  @Test
  void aStateMovesToAnotherSequence() {
    inferJson(sequence(1, true, false), x(1, 1));
    Answer state = get(SEQUENCES + "1/state");
    assertEquals(200, state.status());
    assertEquals("application/octet-stream", state.header("Content-Type"));
    assertArrayEquals(sessions.save(1), state.body());
    assertEquals(200, put("a%20text/state", state.body()).status());
    float[] expected = alone(x(1, 1), x(1, 2))[1];
    assertArrayEquals(expected, floats(inferJson(sequence(1, false, false), x(1, 2))));
    assertArrayEquals(expected, floats(inferJson(sequence("a text", false, false), x(1, 2))));
  }

  /** A state of the library's own is one of the server. */
  @Test
  void theStateOfAForkIsServed() {
    try (Chain own = model.fork();
        Tape tape = Tape.inference(device)) {
      own.apply(tape.input(x(1, 1)));
      assertEquals(200, put("5/state", own.save().toBytes()).status());
    }
    assertArrayEquals(
        alone(x(1, 1), x(1, 2))[1], floats(inferJson(sequence(5, false, false), x(1, 2))));
  }

  @Test
  void aForkContinuesByItself() {
    inferJson(sequence(1, true, false), x(1, 1));
    for (String id : new String[] {"2", "\"two\""}) {
      Answer fork = post(SEQUENCES + "1/fork", "{\"to\": %s}".formatted(id));
      assertEquals(201, fork.status(), fork.text());
      refused(409, "is open", post(SEQUENCES + "1/fork", "{\"to\": %s}".formatted(id)));
      assertArrayEquals(
          alone(x(1, 1), x(2, 2))[1],
          floats(inferJson("\"sequence_id\": " + id + ", \"sequence_end\": true", x(2, 2))));
    }
    assertArrayEquals(
        alone(x(1, 1), x(1, 2))[1], floats(inferJson(sequence(1, false, false), x(1, 2))));
    refused(400, "to=nothing", post(SEQUENCES + "1/fork", "{}"));
  }

  @Test
  void resetAndDelete() {
    inferJson(sequence(1, true, false), x(1, 1));
    assertEquals(200, get(SEQUENCES + "1").status());
    assertEquals(200, post(SEQUENCES + "1/reset", "").status());
    assertArrayEquals(alone(x(1, 2))[0], floats(inferJson(sequence(1, false, false), x(1, 2))));
    assertEquals(200, send(to(SEQUENCES + "1").DELETE().build()).status());
    refused(404, "sequence 1 is not open", get(SEQUENCES + "1"));
  }

  @Test
  void aTextOfDigitsIsAskedForAsText() {
    inferJson(sequence("77", true, false), x(1, 1));
    refused(404, "sequence 77 is not open", get(SEQUENCES + "77"));
    assertEquals(200, get(SEQUENCES + "77?as=text").status());
  }

  @Test
  void aDamagedOrForeignStateIsRefusedAndChangesNothing() {
    inferJson(sequence(1, true, false), x(1, 1));
    byte[] state = sessions.save(1);
    refused(400, "", put("1/state", new byte[] {1, 2, 3}));
    byte[] cut = Arrays.copyOf(state, state.length - 4);
    refused(400, "", put("1/state", cut));
    refused(400, "", put("1/state"));
    assertArrayEquals(state, sessions.save(1));
  }
}
