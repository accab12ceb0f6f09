package io.recur.peers;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Measures an earlier commit of Recur beside the present one. Only these two take part.
 *
 * <p>For each work, three processes are started afresh per set: the present build twice, the base
 * once. The answers of base and present build are compared; then each set takes its turns A B B A,
 * first of the present build against itself, which shows the noise, then of the base against it.
 * The GRU from its equations stands against the base's built-in one; cells that the base may not
 * know are left out.
 *
 * <p>Arguments: the base's commit, the folder in which it was built, a pattern that a work's name
 * must contain (or nothing), the number of turns, the limit of the ratio. Runs in the root of the
 * checkout. Exit status 1 if a row is slower or could not be measured.
 */
final class BaseDriver {
  /** OpenBLAS's workers spin for some 30 ms after a product: a pause is longer. */
  private static final Turns.Pace PACE =
      new Turns.Pace(100, 800, 3000, Double.POSITIVE_INFINITY, 50, true);

  private static final int TURNS_OF_A_SET = 3;

  /** Fewer are too few to be published. */
  private static final int TURNS_TO_PUBLISH = 15;

  private static final Path ROOT = Path.of("");

  private final Path base;
  private final int sets;
  private final BaseReport report;
  private final long began = System.nanoTime();

  private BaseDriver(Path base, int sets, BaseReport report) {
    this.base = base;
    this.sets = sets;
    this.report = report;
  }

  public static void main(String[] args) throws IOException {
    Pattern pattern = Pattern.compile(args[2], Pattern.CASE_INSENSITIVE);
    int turns = Integer.parseInt(args[3]);
    double limit = Double.parseDouble(args[4]);
    List<Job> jobs =
        Jobs.all(Peers.SCRATCH.resolve("works")).stream()
            .filter(job -> job.ofBase() != null && pattern.matcher(job.name()).find())
            .toList();
    if (jobs.isEmpty() || turns <= TURNS_OF_A_SET || !(limit > 0 && limit <= 1)) {
      System.err.printf(
          "make peers BASE=%s: works=%d, TURNS=%d, LIMIT=%s; need a work that contains PEERS=\"%s\", "
              + "more than %d turns and a limit above 0 and up to 1%n",
          args[0], jobs.size(), turns, args[4], args[2], TURNS_OF_A_SET);
      System.exit(2);
    }
    int sets = Math.ceilDiv(turns, TURNS_OF_A_SET);
    BaseReport report = new BaseReport(args[0], sets, TURNS_OF_A_SET, limit);
    new BaseDriver(Path.of(args[1]), sets, report).measure(jobs);
    System.out.print(report.table());
    boolean whole = args[2].isEmpty() && turns >= TURNS_TO_PUBLISH;
    System.out.println(whole ? report.publish(Peers.JMH) : report.keep(Peers.SCRATCH));
    if (!report.isPassed()) {
      System.exit(1);
    }
  }

  private void measure(List<Job> jobs) throws IOException {
    for (Job job : jobs) {
      Map<String, BaseRow> rows = new LinkedHashMap<>();
      job.passes().forEach(pass -> rows.put(pass, new BaseRow(job, pass)));
      Inputs.write(job.work());
      Inputs.write(job.ofBase());
      for (int set = 0; set < sets; set++) {
        measure(job, set, rows);
      }
      rows.values().forEach(report::add);
      System.out.printf(
          "%d of %d works, %d s%n",
          jobs.indexOf(job) + 1,
          jobs.size(),
          Duration.ofNanos(System.nanoTime() - began).toSeconds());
    }
  }

  private void measure(Job job, int set, Map<String, BaseRow> rows) throws IOException {
    try (Peer present = Peers.built("present", ROOT);
        Peer itself = Peers.built("itself", ROOT);
        Peer earlier = Peers.built("base", base)) {
      List<BaseRow> open = rows.values().stream().filter(row -> row.failure() == null).toList();
      for (BaseRow row : open) {
        try {
          present.ask("prepare " + job.work().folder()); // for each pass: one may have ended
          itself.ask("prepare " + job.work().folder());
          earlier.ask("prepare " + job.ofBase().folder());
          if (set == 0) {
            compare(job, row, present, earlier);
          }
          turns(row, present, itself, earlier);
        } catch (CannotRun e) {
          row.fails(e.getMessage());
        }
      }
    }
  }

  private static void compare(Job job, BaseRow row, Peer present, Peer earlier)
      throws CannotRun, IOException {
    Path ours = Answers.of(present, job.work(), row.pass());
    Path theirs = Answers.of(earlier, job.ofBase(), row.pass());
    row.compared(Answers.difference(ours, theirs, Answers.FLOAT32));
  }

  private static void turns(BaseRow row, Peer present, Peer itself, Peer earlier) throws CannotRun {
    List<Turns.Entry> entries = new ArrayList<>();
    for (Peer peer : List.of(present, itself, earlier)) {
      entries.add(new Turns.Entry(peer, row.pass(), PACE));
    }
    Turns.warm(entries.toArray(Turns.Entry[]::new));
    Turns.Pairs noise = Turns.pairs(TURNS_OF_A_SET, entries.get(0), entries.get(1));
    row.add(noise, Turns.pairs(TURNS_OF_A_SET, entries.get(0), entries.get(2)));
  }
}
