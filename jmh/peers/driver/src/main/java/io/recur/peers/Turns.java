package io.recur.peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Times one pass of several contenders in turn: A B C A B C …, one computing at a time. */
final class Turns {
  private static final double TURN_MS = 150;
  private static final double WARM_MS = 1200;
  private static final double WARM_AT_MOST_MS = 5000;

  /** Time that one contender may take; a slow one gets fewer turns than the others. */
  private static final double BUDGET_MS = 6000;

  private static final int FEWEST = 3;

  /** OpenBLAS's and OpenMP's idle workers spin for some ten milliseconds. */
  private static final long PAUSE_MS = 50;

  /** A contender in a pass, and its times. */
  static final class Entry {
    final Peer peer;
    private final String pass;
    private final List<Double> times = new ArrayList<>();
    private int iterations = 1;
    private double spent;
    private String failure;

    Entry(Peer peer, String pass) {
      this.peer = peer;
      this.pass = pass;
    }

    double median() {
      double[] sorted = times.stream().mapToDouble(Double::doubleValue).sorted().toArray();
      int n = sorted.length;
      return n == 0 ? Double.NaN : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    }

    /** Why there is no time, or null. */
    String failure() {
      return failure;
    }

    private double run() throws CannotRun {
      double ms = Double.parseDouble(peer.ask("run " + pass + " " + iterations));
      spent += ms * iterations;
      return ms;
    }

    /** Until it no longer gets faster. */
    private void warm() {
      try {
        double best = run();
        for (boolean stable = best > WARM_AT_MOST_MS; !stable; ) {
          iterations = (int) Math.max(1, Math.ceil(TURN_MS / best));
          double now = run();
          stable = spent > WARM_AT_MOST_MS || (spent > WARM_MS && now > 0.97 * best);
          best = Math.min(best, now);
        }
        iterations = (int) Math.max(1, Math.ceil(TURN_MS / best));
        spent = 0;
      } catch (CannotRun e) {
        failure = e.getMessage();
      }
    }

    private void turn(int round) {
      if (failure != null || (round >= FEWEST && spent > BUDGET_MS)) {
        return;
      }
      try {
        Thread.sleep(PAUSE_MS);
        times.add(run());
      } catch (CannotRun e) {
        failure = e.getMessage();
        times.clear();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private Turns() {}

  /** A few turns of one that is warm. */
  static void quick(Entry entry) {
    for (int round = 0; round < FEWEST; round++) {
      entry.turn(round);
    }
  }

  static void take(int rounds, Entry... entries) {
    Arrays.stream(entries).forEach(Entry::warm);
    for (int round = 0; round < rounds; round++) {
      for (Entry entry : entries) {
        entry.turn(round);
      }
    }
  }
}
