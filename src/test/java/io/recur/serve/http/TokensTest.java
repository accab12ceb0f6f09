package io.recur.serve.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.serve.Batching;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TokensTest extends ServedSessions {
  private static final ServerSettings SETTINGS =
      ServerSettings.LOCAL.withPort(0).withTokens("first", "second");

  private Answer get(String path, String authorisation) {
    return send(to(path).header("Authorization", authorisation).build());
  }

  @Test
  void aRequestNeedsOneOfTheTokens() throws IOException {
    gate.open();
    serve(SETTINGS, Batching.ADAPTIVE);
    Answer without = get("/v2/models");
    refused(401, "Authorization: Bearer TOKEN", without);
    assertEquals("Bearer", without.header("WWW-Authenticate"));
    refused(401, "need the header", inferJson("", x(1, 1)));
    refused(401, "need the header", get("/metrics"));
    for (String wrong : List.of("Bearer third", "Bearer ", "first", "Basic first", "Bearer firs")) {
      refused(401, "", get("/v2/models", wrong));
    }
    for (String right : List.of("Bearer first", "bearer second", "Bearer   first")) {
      assertEquals(200, get("/v2/models", right).status());
    }
    assertEquals(0, sessions.counts().requests());
  }

  @Test
  void healthAndThePageNeedNone() throws IOException {
    serve(SETTINGS, Batching.ADAPTIVE);
    for (String path : List.of("/", "/v2/health/live", "/v2/health/ready")) {
      assertEquals(200, get(path).status(), path);
    }
  }

  /** One per second: of a thousand at once most come too soon, whatever a second is here. */
  @Test
  void aTokenThatCallsTooOftenIsToldToComeLaterAndTheOtherServed() {
    Tokens tokens = new Tokens(List.of("first", "second"), 1);
    tokens.admit("Bearer first");
    Refusal refusal =
        assertThrows(
            Refusal.class,
            () -> {
              for (int i = 0; i < 1000; i++) {
                tokens.admit("Bearer first");
              }
            });
    assertEquals(429, refusal.status);
    assertEquals(1, refusal.retrySeconds);
    assertTrue(refusal.getMessage().contains("1 per second"), refusal.getMessage());
    tokens.admit("Bearer second");
  }

  /** A second's worth at once. */
  @Test
  void theRateAllowsASecondsWorthAtOnce() {
    Tokens tokens = new Tokens(List.of(), 1000);
    for (int i = 0; i < 1000; i++) {
      tokens.admit(null);
    }
  }

  /** However long the calls take: one at first, and one more for each second that has passed. */
  @Test
  void theRateAllowsNoMoreThanItSays() {
    Tokens tokens = new Tokens(List.of(), 1);
    long begin = System.nanoTime();
    int admitted = 0;
    for (int i = 0; i < 1000; i++) {
      try {
        tokens.admit(null);
        admitted++;
      } catch (Refusal tooSoon) {
        assertEquals(429, tooSoon.status);
      }
    }
    long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin);
    assertTrue(admitted >= 1 && admitted <= 1 + seconds, admitted + " in " + seconds + " s");
  }

  @Test
  void tokensAreNeitherShownNorEmpty() {
    assertFalse(SETTINGS.toString().contains("first"), SETTINGS.toString());
    for (String wrong : new String[] {"", "a b", "\u00e9", "a\n"}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> ServerSettings.LOCAL.withTokens(wrong),
          "visible characters of ASCII");
    }
  }
}
