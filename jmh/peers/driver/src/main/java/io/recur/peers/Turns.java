package io.recur.peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Times one pass of several contenders in turn: A B C A B C …, one computing at a time. */
final class Turns {
  /**
   * How much time is spent.
   *
   * @param turnMs a turn, at least
   * @param warmMs before the first turn, at least
   * @param warmAtMostMs before the first turn
   * @param budgetMs that one contender may take; a slow one gets fewer turns than the others
   * @param pauseMs between turns, where those who wait cannot be stopped: a library's idle workers
   *     may spin for a while after a call
   * @param stops whether those who wait are stopped
   */
  record Pace(
      double turnMs,
      double warmMs,
      double warmAtMostMs,
      double budgetMs,
      long pauseMs,
      boolean stops) {}

  private static final Pace PROCESSOR = new Pace(60, 3000, 8000, 6000, 300, true);

  private static final int FEWEST = 3;

  /** A contender in a pass, and its times. */
  static final class Entry {
    final Peer peer;
    private final String pass;
    private final Pace pace;
    private final List<Double> times = new ArrayList<>();
    private int iterations = 1;
    private double spent;
    private String failure;

    Entry(Peer peer, String pass) {
      this(peer, pass, PROCESSOR);
    }

    Entry(Peer peer, String pass, Pace pace) {
      this.peer = peer;
      this.pass = pass;
      this.pace = pace;
    }

    double median() {
      return Turns.median(times);
    }

    /** The shortest turn, or NaN of none. */
    double best() {
      return times.stream().mapToDouble(Double::doubleValue).min().orElse(Double.NaN);
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

    private double runAlone() throws CannotRun {
      double ms = run();
      rest();
      return ms;
    }

    /** Lets the next one compute alone. */
    private void rest() {
      if (pace.stops && peer.stop()) {
        return;
      }
      try {
        Thread.sleep(pace.pauseMs);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }

    /** Until it no longer gets faster. */
    private void warm() {
      try {
        double best = run();
        for (boolean stable = best > pace.warmAtMostMs; !stable; ) {
          iterations = (int) Math.max(1, Math.ceil(pace.turnMs / best));
          double now = run();
          stable = spent > pace.warmAtMostMs || (spent > pace.warmMs && now > 0.97 * best);
          best = Math.min(best, now);
        }
        iterations = (int) Math.max(1, Math.ceil(pace.turnMs / best));
        spent = 0;
        rest();
      } catch (CannotRun e) {
        failure = e.getMessage();
      }
    }

    private void turn(int round) {
      if (failure != null || (round >= FEWEST && spent > pace.budgetMs)) {
        return;
      }
      try {
        times.add(runAlone());
      } catch (CannotRun e) {
        failure = e.getMessage();
        times.clear();
      }
    }
  }

  /**
   * Two contenders in turns A B B A, in which a machine that steadily gets slower cancels.
   *
   * @param first times of A in milliseconds, two per turn
   * @param second times of B
   * @param logarithms of B's time over A's, one per turn
   */
  record Pairs(List<Double> first, List<Double> second, List<Double> logarithms) {}

  private Turns() {}

  /** The median, or NaN of nothing. */
  static double median(List<Double> times) {
    double[] sorted = times.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int n = sorted.length;
    return n == 0 ? Double.NaN : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }

  /**
   * How many times as long the one takes as the other in the same round, the median of the rounds:
   * what slows a round slows both. NaN of nothing.
   */
  static double ratio(Entry one, Entry other) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < Math.min(one.times.size(), other.times.size()); i++) {
      ratios.add(one.times.get(i) / other.times.get(i));
    }
    return median(ratios);
  }

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

  /**
   * Warms the entries, so that turns can be taken of them.
   *
   * @throws CannotRun if one of them fails
   */
  static void warm(Entry... entries) throws CannotRun {
    for (Entry entry : entries) {
      entry.warm();
      if (entry.failure != null) {
        throw new CannotRun(entry.peer.name() + ": " + entry.failure);
      }
    }
  }

  /**
   * Turns A B B A of two that are warm.
   *
   * @throws CannotRun if one of them fails
   */
  static Pairs pairs(int turns, Entry a, Entry b) throws CannotRun {
    Pairs pairs = new Pairs(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    for (int turn = 0; turn < turns; turn++) {
      double a1 = a.runAlone();
      double b1 = b.runAlone();
      double b2 = b.runAlone();
      double a2 = a.runAlone();
      pairs.first.addAll(List.of(a1, a2));
      pairs.second.addAll(List.of(b1, b2));
      pairs.logarithms.add((Math.log(b1) + Math.log(b2) - Math.log(a1) - Math.log(a2)) / 2);
    }
    return pairs;
  }
}
