package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** When a request is late, by the clock that it is given. */
@Tag(Devices.CPU)
class DeadlineTest {
  private static Waiting step(Request request) {
    return Waiting.step(Id.of(1), request);
  }

  @Test
  void aRequestIsLateFromItsMicrosecondOn() {
    Waiting step = step(Request.of(1).within(2_000));
    assertFalse(step.isLate(step.sent));
    assertFalse(step.isLate(step.sent + 1_999_999));
    assertTrue(step.isLate(step.sent + 2_000_000));
  }

  @Test
  void aRequestWithoutADeadlineIsNeverLate() {
    Waiting step = step(Request.of(1));
    assertFalse(step.isLate(step.sent + Long.MAX_VALUE));
    Waiting far = step(Request.of(1).within(Long.MAX_VALUE));
    assertFalse(far.isLate(far.sent + Long.MAX_VALUE));
  }

  /** Or a request alone would be late by waiting for others. */
  @Test
  void aStepWaitsForOthersForAtMostHalfOfItsTime() {
    Turns turns = new Turns();
    Waiting urgent = step(Request.of(1).within(100));
    turns.add(urgent, 1);
    assertEquals(urgent.sent + 50_000, turns.due(200));
    assertEquals(urgent.sent + 20_000, turns.due(20));
    Waiting patient = step(Request.of(1));
    turns.add(patient, 1);
    Turns.Group group = turns.take();
    assertSame(urgent, group.next());
    turns.giveBack(group);
    assertEquals(patient.sent + 200_000, turns.due(200));
    Waiting other = step(Request.of(1).within(2));
    turns.add(other, 2);
    assertEquals(Math.min(patient.sent + 200_000, other.sent + 1000), turns.due(200));
    Waiting far = step(Request.of(1).within(Long.MAX_VALUE));
    assertEquals(far.sent + 200_000, far.due(200));
  }

  @Test
  void copiesKeepTheDeadline() {
    Waiting step = step(Request.symbol(3, 1).within(5).numbered(2));
    assertFalse(step.isLate(step.sent + 4_999));
    assertTrue(step.isLate(step.sent + 5_000));
  }
}
