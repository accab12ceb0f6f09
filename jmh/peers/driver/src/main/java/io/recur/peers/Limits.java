package io.recur.peers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the machine itself can do, on the threads used: multiply-adds in registers, and reading from
 * each level of memory. A C program, {@code limits.c}, measures it when asked, between other turns.
 */
final class Limits implements AutoCloseable {
  /** Short turns, but many: the best of them counts. */
  private static final Turns.Pace PACE =
      new Turns.Pace(40, 80, 400, Double.POSITIVE_INFINITY, 60, true);

  private static final String MEMORY = "memory";
  private static final List<String> CACHES = List.of("L1", "L2", "L3");
  private static final int FIRST_ROUNDS = 5;

  private final Peer peer;
  private final List<String> sets = new ArrayList<>();
  private final Map<String, Double> bytes = new LinkedHashMap<>(); // of each cache that is known
  private final Map<String, Double> work = new LinkedHashMap<>(); // of an iteration
  private final Map<String, Double> best = new LinkedHashMap<>(); // operations or bytes per ms
  private String fastest;
  private String failure;

  /** Turns of a row's limits, to be taken between the row's own. */
  record Turn(Turns.Entry peak, Turns.Entry level, String name) {
    List<Turns.Entry> entries() {
      return level == null ? List.of(peak) : List.of(peak, level);
    }
  }

  Limits(Peer peer) {
    this.peer = peer;
  }

  /** Asks what there is, and measures each once; a machine without the program has no limits. */
  void open() {
    try {
      String[] words = peer.ask("version").split(" ");
      for (int i = 0; i < words.length; i++) {
        if (!CACHES.contains(words[i])) {
          sets.add(words[i]);
        } else if (Double.parseDouble(words[++i]) > 0) {
          bytes.put(words[i - 1], Double.parseDouble(words[i]));
        }
      }
      List<String> passes = new ArrayList<>(sets);
      passes.addAll(bytes.keySet());
      passes.add(MEMORY);
      for (String pass : passes) {
        work.put(pass, Double.parseDouble(peer.ask("prepare " + pass)));
        Turns.Entry entry = entry(pass);
        Turns.take(FIRST_ROUNDS, entry);
        note(pass, entry);
        if (entry.failure() != null) {
          throw new CannotRun(entry.failure());
        }
      }
      fastest = sets.stream().reduce((a, b) -> best.get(a) >= best.get(b) ? a : b).orElseThrow();
    } catch (CannotRun e) {
      failure = e.getMessage();
    }
  }

  /** Why nothing is known, or null. */
  String failure() {
    return failure;
  }

  private Turns.Entry entry(String pass) {
    return new Turns.Entry(peer, pass, PACE);
  }

  /** A turn of the multiply-adds alone. */
  Turn peak() {
    return new Turn(entry(fastest), null, "");
  }

  /** The turns of what a pass computes, or null where it has no limit that was measured. */
  Turn turn(Computed computed) {
    if (failure != null || computed.operations() == 0) {
      return null;
    }
    String level = computed.held() == 0 ? "" : level(computed.held());
    return new Turn(entry(fastest), level.isEmpty() ? null : entry(level), level);
  }

  /**
   * The level that holds weights of which each thread reads its share: L1 and L2 are each thread's
   * own. Empty where the caches are not known.
   */
  private String level(double held) {
    if (bytes.size() < CACHES.size()) {
      return "";
    }
    for (String cache : CACHES) {
      double share = cache.equals("L3") ? held : held / Peers.THREADS;
      if (share <= bytes.get(cache)) {
        return cache;
      }
    }
    return MEMORY;
  }

  /** The limit of a pass, from the best of its turns. */
  Limit limit(Computed computed, Turn turn) {
    if (turn == null || turn.peak.failure() != null) {
      return Limit.NONE;
    }
    note(fastest, turn.peak);
    double multiplying = computed.operations() / rate(fastest, turn.peak);
    if (turn.level == null || turn.level.failure() != null) {
      return new Limit(multiplying, Limit.MULTIPLY_ADDS);
    }
    note(turn.name, turn.level);
    double reading = computed.read() / rate(turn.name, turn.level);
    return reading > multiplying
        ? new Limit(reading, turn.name)
        : new Limit(multiplying, Limit.MULTIPLY_ADDS);
  }

  private double rate(String pass, Turns.Entry entry) {
    return work.get(pass) / entry.best();
  }

  /** Notes the turns of the multiply-adds alone. */
  void note(Turn turn) {
    note(fastest, turn.peak);
  }

  private void note(String pass, Turns.Entry entry) {
    if (entry.failure() == null) {
      best.merge(pass, rate(pass, entry), Math::max);
    }
  }

  /** Multiply-adds in registers in GFLOP/s, the best of the run; NaN where not measured. */
  double gigaflops() {
    return failure == null ? best.get(fastest) / 1e6 : Double.NaN;
  }

  /** The best of the run, in words. */
  String words() {
    if (failure != null) {
      return "not measured: " + failure;
    }
    List<String> rates = new ArrayList<>();
    sets.forEach(set -> rates.add(Table.format("%s %.0f", set, best.get(set) / 1e6)));
    List<String> reads = new ArrayList<>();
    bytes.forEach(
        (cache, size) ->
            reads.add(
                Table.format("%s (%.0f KiB) %.0f", cache, size / 1024, best.get(cache) / 1e6)));
    reads.add(Table.format("%s %.0f", MEMORY, best.get(MEMORY) / 1e6));
    return "multiply-adds in registers, GFLOP/s: "
        + String.join(", ", rates)
        + "; reading, GB/s: "
        + String.join(", ", reads);
  }

  @Override
  public void close() {
    peer.close();
  }
}
