package io.recur.peers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A pass of a work: answers are compared, then contenders and limits take their turns. */
final class Contest {
  private final Job job;
  private final String pass;
  private final Peer ours;
  private final Limits limits;
  private final Results results;
  private final Map<Peer, Turns.Entry> theirs = new LinkedHashMap<>();
  private final Map<Peer, Double> apart = new LinkedHashMap<>();
  private final Map<Peer, String> failures = new LinkedHashMap<>();
  private Path answer;

  Contest(Job job, String pass, Peer ours, Limits limits, Results results) {
    this.job = job;
    this.pass = pass;
    this.ours = ours;
    this.limits = limits;
    this.results = results;
  }

  /**
   * Measures the pass.
   *
   * @param rivals all of them; those that this work is not for are not asked
   * @param gru Recur once more, for the built-in GRU of the same sizes, or null
   * @param rounds of turns
   * @throws CannotRun if Recur itself fails
   */
  void measure(List<Peer> rivals, Peer gru, int rounds) throws CannotRun, IOException {
    answer = Answers.of(ours, job.work(), pass);
    List<Peer> asked = rivals.stream().filter(rival -> job.isFor(rival.name(), pass)).toList();
    for (Peer rival : asked) {
      compare(rival);
    }
    Turns.Entry mine = new Turns.Entry(ours, pass);
    Turns.Entry beside = gru == null ? null : beside(gru);
    Computed computed = Computed.of(job.work(), pass);
    Limits.Turn limit = limits.turn(computed);
    List<Turns.Entry> entries = new ArrayList<>(List.of(mine));
    if (limit != null) {
      entries.addAll(limit.entries());
    }
    if (beside != null) {
      entries.add(beside);
    }
    entries.addAll(theirs.values());
    Turns.take(rounds, entries.toArray(Turns.Entry[]::new));
    if (mine.failure() != null) {
      throw new CannotRun(mine.failure());
    }
    theirs.forEach(
        (rival, entry) -> {
          if (entry.failure() != null) {
            failures.put(rival, rival.name() + ": " + entry.failure());
          }
        });
    Limit least = limits.limit(computed, limit);
    for (Peer rival : asked) {
      add(rival.name(), rival, theirs.get(rival), 1, mine, least);
    }
    if (beside != null) {
      double scale = computed.operations() / Computed.of(job.beside(), pass).operations();
      add(Job.GRU_RATE, gru, beside, scale, mine, least);
    }
  }

  /** Adds the row of a rival whose times count {@code scale} times; an entry of null has none. */
  private void add(
      String rival, Peer peer, Turns.Entry its, double scale, Turns.Entry mine, Limit limit) {
    results.add(
        new Row(
            job,
            pass,
            Products.FLOAT32,
            rival,
            peer.version(),
            its == null ? Double.NaN : scale * its.median(),
            mine.median(),
            its == null ? Double.NaN : scale * Turns.ratio(its, mine),
            apart.getOrDefault(peer, Double.NaN),
            0,
            limit,
            failures.getOrDefault(peer, "")));
  }

  private void compare(Peer rival) throws IOException {
    try {
      rival.ask("prepare " + job.work().folder()); // for each pass: it may be a process anew
      long began = System.nanoTime();
      Path its = Answers.of(rival, job.work(), pass);
      if (rival.name().equals(Job.COMPILED) || rival.name().equals(Job.ASSOCIATIVE)) {
        results.note(
            Table.format(
                "%s took %.0f s to the first answer of %s, %s.",
                rival.name(), (System.nanoTime() - began) / 1e9, job.name(), pass));
      }
      apart.put(rival, Answers.difference(answer, its, Answers.FLOAT32));
      theirs.put(rival, new Turns.Entry(rival, pass));
    } catch (CannotRun e) {
      failures.put(rival, rival.name() + ": " + e.getMessage());
    }
  }

  /** The built-in GRU of the same sizes; of the GRU from its equations its answer too. */
  private Turns.Entry beside(Peer gru) throws CannotRun, IOException {
    gru.ask("prepare " + job.beside().folder());
    if (job.work().cell().equals(Recurrence.OWN_GRU)) {
      Path its = Answers.of(gru, job.beside(), pass);
      apart.put(gru, Answers.difference(answer, its, Answers.FLOAT32));
    }
    return new Turns.Entry(gru, pass);
  }
}
