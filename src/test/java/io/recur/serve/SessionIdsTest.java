package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.serve.SessionException.Reason;
import org.junit.jupiter.api.Test;

/** Sessions are opened, found and closed by their ids. */
class SessionIdsTest extends GatedSessions {
  @Test
  void numbersAndTextsAreIdsOfDifferentSessions() {
    try (Sessions sessions = opened()) {
      String long64 = "ä".repeat(32);
      sessions.open(7, -1, Long.MIN_VALUE);
      sessions.open("7", long64, "x");
      assertEquals(6, sessions.counts().sessions());
      sessions.step("7", 1, 2, 3);
      assertArrayEquals(alone(1), sessions.step(7, 1, 2, 3));
      assertArrayEquals(alone(3), sessions.step(7, new float[][] {{1, 2, 3}, {1, 2, 3}})[1]);
      assertArrayEquals(alone(2), sessions.step("7", 1, 2, 3));
      assertTrue(sessions.isOpen(long64) && sessions.isOpen(Long.MIN_VALUE));
      assertFalse(sessions.isOpen("y") || sessions.isOpen(8));
      Thrown.says(
          IllegalArgumentException.class, () -> sessions.open("ä".repeat(32) + "x"), "65 bytes");
      Thrown.says(IllegalArgumentException.class, () -> sessions.open(""), "0 bytes");
      Thrown.says(IllegalArgumentException.class, () -> sessions.open("a\uD800"), "surrogate");
    }
  }

  @Test
  void anUnknownSessionIsRefused() {
    try (Sessions sessions = opened()) {
      sessions.open(1);
      refused(Reason.UNKNOWN, () -> sessions.step(2, 1, 2, 3), "id=2", "open or restore it");
      refused(Reason.UNKNOWN, () -> sessions.save("1"), "id=\"1\"");
      refused(Reason.UNKNOWN, () -> sessions.fork(2, 3));
      refused(Reason.UNKNOWN, () -> sessions.reset(2));
      refused(Reason.UNKNOWN, () -> sessions.close(2));
      sessions.close(1);
      refused(Reason.UNKNOWN, () -> sessions.step(1, 1, 2, 3));
      assertEquals(0, sessions.counts().sessions());
    }
  }

  @Test
  void sessionsAreOpenedTogetherOrNotAtAll() {
    try (Sessions sessions = opened()) {
      sessions.open(3);
      sessions.step(3, 1, 2, 3);
      refused(Reason.OPEN, () -> sessions.open(1, 2, 3), "id=3 is open");
      refused(Reason.OPEN, () -> sessions.open("a", "b", "a"), "id=\"a\"");
      refused(Reason.OPEN, () -> sessions.fork(3, 3));
      assertFalse(sessions.isOpen(1) || sessions.isOpen("a"));
      assertArrayEquals(alone(2), sessions.step(3, 1, 2, 3));
    }
  }
}
