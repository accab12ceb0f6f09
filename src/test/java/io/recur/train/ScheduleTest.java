package io.recur.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Pinned;
import io.recur.Thrown;
import io.recur.device.Devices;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag(Devices.CPU)
class ScheduleTest {
  @Test
  void aConstantStays() {
    assertEquals(0.1f, Schedule.constant(0.1f).rate(0));
    assertEquals(0.1f, Schedule.constant(0.1f).rate(Long.MAX_VALUE));
  }

  @Test
  void stepsMultiplyOnceAStage() {
    Schedule schedule = Schedule.step(1, 0.5f, 10);
    float[] expected = {1, 1, 0.5f, 0.5f, 0.25f};
    long[] steps = {0, 9, 10, 19, 20};
    for (int i = 0; i < steps.length; i++) {
      assertEquals(expected[i], schedule.rate(steps[i]), "step " + steps[i]);
    }
  }

  @Test
  void factorsAreTheDecimalsThatTheyWereWrittenAs() {
    float exact = (float) (0.1 * Math.pow(0.999, 20_000));
    assertEquals(exact, Schedule.step(0.1f, 0.999f, 1).rate(20_000)); // 0.999f: 5e-4 off
  }

  @Test
  void cosineRisesLinearlyThenFallsToZero() {
    Schedule schedule = Schedule.cosine(0.8f, 4, 12);
    float[] rise = {0.2f, 0.4f, 0.6f, 0.8f};
    for (int step = 0; step < 4; step++) {
      assertEquals(rise[step], schedule.rate(step), 1e-7f, "step " + step); // one float rounding
    }
    assertEquals(0.8f, schedule.rate(4));
    for (int step = 4; step <= 12; step++) {
      double expected = 0.4 * (1 + Math.cos(Math.PI * (step - 4) / 8));
      assertEquals(expected, schedule.rate(step), 1e-7, "step " + step); // 0.8 as a float
    }
    assertEquals(0, schedule.rate(12));
    assertEquals(0, schedule.rate(1000));
  }

  @Test
  void cosineWithoutWarmUpStartsAtTheTop() {
    assertEquals(0.5f, Schedule.cosine(0.5f, 0, 100).rate(0));
    assertEquals(0.25f, Schedule.cosine(0.5f, 0, 100).rate(50), 1e-7f); // one float rounding
  }

  @Test
  void ratesNeverRiseAfterTheWarmUp() {
    Schedule schedule = Schedule.cosine(1, 10, 100);
    for (int step = 10; step < 110; step++) {
      assertTrue(schedule.rate(step + 1) <= schedule.rate(step), "step " + step);
    }
  }

  @Test
  void settingsOutsideTheirRangeThrow() {
    Thrown.says(
        IllegalArgumentException.class,
        () -> Schedule.step(1, 0.5f, 0),
        "schedule: every=0; need 1 or more steps");
    Thrown.says(
        IllegalArgumentException.class,
        () -> Schedule.cosine(1, 5, 5),
        "schedule: warmUp=5, total=5; need 0 ≤ warmUp < total");
    Thrown.says(IllegalArgumentException.class, () -> Schedule.cosine(1, -1, 5), "warmUp=-1");
    Thrown.says(
        IllegalArgumentException.class, () -> Schedule.step(1, 0.5f, Long.MIN_VALUE), "every=-9");
    Thrown.says(
        IllegalArgumentException.class, () -> Schedule.cosine(1, 0, -1), "warmUp=0, total=-1");
  }

  @Test
  void ratesAndFactorsThatNoStepCouldUseThrow() {
    for (float wrong : new float[] {-1, -Float.MIN_VALUE, Float.NaN, Float.POSITIVE_INFINITY}) {
      String rate = "schedule: rate=" + wrong + "; need a finite number of 0 or more";
      Thrown.says(IllegalArgumentException.class, () -> Schedule.constant(wrong), rate);
      Thrown.says(IllegalArgumentException.class, () -> Schedule.step(wrong, 1, 1), rate);
      Thrown.says(IllegalArgumentException.class, () -> Schedule.cosine(wrong, 0, 1), rate);
      Thrown.says(
          IllegalArgumentException.class,
          () -> Schedule.step(1, wrong, 1),
          "schedule: factor=" + wrong + "; need a finite number of 0 or more");
    }
    assertEquals(0, Schedule.constant(0).rate(7));
    assertEquals(8, Schedule.step(2, 2, 1).rate(2));
  }

  @Test
  void aStepBeforeTheFirstThrows() {
    for (Schedule schedule :
        List.of(Schedule.constant(1), Schedule.step(1, 0.5f, 2), Schedule.cosine(1, 4, 8))) {
      for (long step : new long[] {-1, Long.MIN_VALUE}) {
        Thrown.says(
            IllegalArgumentException.class,
            () -> schedule.rate(step),
            "schedule: step=" + step + "; need 0 or more");
      }
    }
  }

  private static void assertRates(String name, Schedule schedule) {
    double[] expected = Pinned.of("schedules.txt").doubles(name);
    for (int step = 0; step < expected.length; step++) {
      // a rate is rounded to float once, the file to nine digits
      assertEquals(expected[step], schedule.rate(step), 1e-7 * expected[step], name + " " + step);
    }
  }

  @Test
  void ratesArePyTorchs() {
    assertRates("cosine_floor", Schedule.cosine(0.8f, 0, 8, 0.1f));
    assertRates("one_cycle", Schedule.oneCycle(0.8f, 16));
    assertRates("one_cycle_set", Schedule.oneCycle(0.8f, 16, 0.5f, 10, 100));
    assertRates("warm_up", Schedule.constant(0.8f).warmUp(4));
    assertEquals(0.1f, Schedule.cosine(0.8f, 0, 8, 0.1f).rate(100));
    Schedule cycle = Schedule.oneCycle(0.8f, 16);
    assertEquals(cycle.rate(15), cycle.rate(1000));
  }

  @Test
  void plateausLowerTheRateAsPyTorchs() {
    assertPlateau("plateau", new Plateau(Schedule.constant(0.8f), 0.5f, 1));
    assertPlateau(
        "plateau_set", new Plateau(Schedule.constant(0.8f), 0.5f, 0).cooldown(2).floor(0.15f));
  }

  /** Such as log-likelihoods of densities: what stays is no improvement, of either sign. */
  @Test
  void aNegativeLossThatStaysIsAPlateau() {
    for (double loss : new double[] {-5, 5}) {
      Plateau plateau = new Plateau(Schedule.constant(1), 0.5f, 1);
      assertFalse(plateau.observe(loss));
      assertFalse(plateau.observe(loss));
      assertTrue(plateau.observe(loss - 1e-6), "loss " + loss); // less than the threshold
    }
  }

  /** After each loss the plateau gives its state to a new one, which goes on. */
  private static void assertPlateau(String name, Plateau plateau) {
    double[] losses = Pinned.of("schedules.txt").doubles("losses");
    double[] expected = Pinned.of("schedules.txt").doubles(name);
    for (int k = 0; k < losses.length; k++) {
      assertEquals(expected[k], plateau.rate(k), 1e-7, name + " " + k); // one float rounding
      String before = plateau.save();
      boolean lowered = plateau.observe(losses[k]);
      String after = plateau.save();
      plateau.restore(before);
      assertEquals(expected[k], plateau.rate(k), 1e-7, name + " " + k); // one float rounding
      plateau.restore(after);
      boolean falls = plateau.rate(k) < (float) expected[k] - 1e-6f;
      assertTrue(falls == lowered || plateau.rate(k) == 0.15f, name + " " + k); // the floor
    }
    assertEquals(expected[losses.length], plateau.rate(0), 1e-7, name); // one float rounding
  }

  @Test
  void newSettingsOutsideTheirRangeThrow() {
    for (float floor : new float[] {-1, 2, Float.NaN}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> Schedule.cosine(1, 0, 5, floor),
          "schedule: floor=" + floor + ", rate=1.0; need 0 ≤ floor ≤ rate");
    }
    Thrown.says(
        IllegalArgumentException.class,
        () -> Schedule.oneCycle(1, 1),
        "schedule: total=1, rise=0.3");
    for (float rise : new float[] {0, 1, 0.1f, Float.NaN}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> Schedule.oneCycle(1, 10, rise, 25, 1e4f),
          "rise=" + rise);
    }
    Thrown.says(
        IllegalArgumentException.class, () -> Schedule.oneCycle(1, 10, 0.5f, 0, 1), "start=0.0");
    Thrown.says(IllegalArgumentException.class, () -> Schedule.constant(1).warmUp(0), "warmUp=0");
    Schedule one = Schedule.constant(1);
    Thrown.says(
        IllegalArgumentException.class, () -> new Plateau(one, 1, 0), "plateau: factor=1.0");
    Thrown.says(IllegalArgumentException.class, () -> new Plateau(one, 0.5f, -1), "patience=-1");
    Plateau plateau = new Plateau(one, 0.5f, 1);
    Thrown.says(IllegalArgumentException.class, () -> plateau.floor(Float.NaN), "floor=NaN");
    Thrown.says(IllegalArgumentException.class, () -> plateau.cooldown(-1), "cooldown=-1");
    for (String wrong :
        List.of("", "1 2 3", "1 NaN 0 0", "1 1 -1 0", "1 1 0 99999999999", "- 1 0 0")) {
      Thrown.says(
          IllegalArgumentException.class, () -> plateau.restore(wrong), "plateau: saved=" + wrong);
    }
    assertEquals(1, plateau.rate(0));
  }
}
