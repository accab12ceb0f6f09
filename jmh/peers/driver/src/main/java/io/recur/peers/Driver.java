package io.recur.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Measures the rivals beside Recur: writes the works' inputs, compares the answers, times the
 * contenders in turn, and reports.
 *
 * <p>Arguments: the Python of PyTorch, a pattern that a work's name must contain (or nothing), the
 * number of rounds. Runs in the root of the checkout.
 */
final class Driver {
  /** Fewer are too few to be published. */
  private static final int ROUNDS_TO_PUBLISH = 5;

  private final List<Peer> rivals;
  private final int rounds;
  private final Results results = new Results();
  private final Work product = Job.product(Peers.SCRATCH.resolve("works"));
  private final Peer limit = Peers.ours("product");

  private Driver(String python, int rounds) {
    this.rivals = Peers.rivals(python);
    this.rounds = rounds;
  }

  public static void main(String[] args) throws IOException {
    String python = args[0];
    Pattern pattern = Pattern.compile(args[1], Pattern.CASE_INSENSITIVE);
    int rounds = Integer.parseInt(args[2]);
    Files.createDirectories(Peers.SCRATCH);
    List<Job> jobs =
        Job.all(Peers.SCRATCH.resolve("works")).stream()
            .filter(job -> pattern.matcher(job.name()).find())
            .toList();
    if (jobs.isEmpty()) {
      System.err.printf("make peers: no work contains PEERS=\"%s\"; there are:%n", args[1]);
      Job.all(Peers.SCRATCH).forEach(job -> System.err.println("  " + job.name()));
      System.exit(2);
    }
    Driver driver = new Driver(python, rounds);
    try {
      driver.measure(jobs);
    } finally {
      driver.rivals.forEach(Peer::close);
      driver.limit.close();
    }
    boolean whole = args[1].isEmpty() && rounds >= ROUNDS_TO_PUBLISH;
    driver.report(python, whole);
  }

  private void measure(List<Job> jobs) throws IOException {
    try {
      Inputs.write(product);
      limit.ask("prepare " + product.folder());
      Answers.checkProduct(product, Answers.of(limit, product, Job.FORWARD));
      Turns.Entry rate = new Turns.Entry(limit, Job.FORWARD);
      Turns.take(rounds, rate);
      results.addProduct(rate.median(), product);
    } catch (CannotRun e) {
      results.say("product: cannot run: " + e.getMessage());
    }
    for (Job job : jobs) {
      watch();
      Inputs.write(job.work());
      try (Peer ours = Peers.ours("recur")) { // a fresh JVM for each work, as a program has it
        measure(job, ours);
      } catch (CannotRun e) {
        results.say("%s: Recur cannot run: %s".formatted(job.name(), e.getMessage()));
      }
    }
  }

  /** The product once more: a machine that does something else as well shows. */
  private void watch() {
    if (limit.broken() == null) {
      Turns.Entry rate = new Turns.Entry(limit, Job.FORWARD);
      Turns.quick(rate);
      if (rate.failure() == null) {
        results.addProduct(rate.median(), product);
      }
    }
  }

  private void measure(Job job, Peer ours) throws CannotRun, IOException {
    ours.ask("prepare " + job.work().folder());
    results.version(ours);
    for (String pass : job.passes()) {
      measure(job, pass, ours);
    }
  }

  private void measure(Job job, String pass, Peer ours) throws CannotRun, IOException {
    Path answer = Answers.of(ours, job.work(), pass);
    Map<Turns.Entry, Double> differences = new LinkedHashMap<>();
    Turns.Entry mine = new Turns.Entry(ours, pass);
    List<Turns.Entry> entries = new ArrayList<>(List.of(mine));
    for (Peer rival : rivals) {
      if (!job.isFor(rival.name(), pass)) {
        continue;
      }
      try {
        rival.ask("prepare " + job.work().folder()); // each pass: it may be a process anew
        double d = Answers.difference(answer, Answers.of(rival, job.work(), pass), Answers.FLOAT32);
        Turns.Entry entry = new Turns.Entry(rival, pass);
        differences.put(entry, d);
        entries.add(entry);
      } catch (CannotRun e) {
        results.add(failed(job, pass, rival, e.getMessage()));
      }
    }
    Turns.Entry rate = new Turns.Entry(limit, Job.FORWARD);
    boolean withLimit = job.share() > 0 && pass.equals(Job.TRAIN) && limit.broken() == null;
    if (withLimit) {
      entries.add(rate);
    }
    Turns.take(rounds, entries.toArray(Turns.Entry[]::new));
    if (mine.failure() != null) {
      throw new CannotRun(mine.failure());
    }
    if (withLimit && rate.failure() == null) {
      results.addProduct(rate.median(), product);
    }
    results.ours(job, pass, mine.median(), withLimit ? rate.median() : Double.NaN, product);
    differences.forEach(
        (entry, d) ->
            results.add(
                new Row(
                    job,
                    pass,
                    entry.peer.name(),
                    entry.peer.version(),
                    entry.median(),
                    mine.median(),
                    d,
                    entry.failure())));
  }

  private static Row failed(Job job, String pass, Peer rival, String reason) {
    return new Row(
        job, pass, rival.name(), rival.version(), Double.NaN, Double.NaN, Double.NaN, reason);
  }

  private void report(String python, boolean whole) throws IOException {
    Report report = new Report(results, rivals, rounds);
    System.out.println();
    System.out.print(report.table());
    if (results.isNoisy()) {
      System.out.println("The machine did something else as well: run this again when it is idle.");
    }
    for (Peer rival : rivals) {
      if (rival.name().equals(Job.PYTORCH) && rival.broken() != null) {
        System.out.printf(
            """

            PyTorch is the rival that counts, and PYTHON=%s cannot run it: %s.
            To get one:   python3 -m venv venv && venv/bin/pip install torch
                          make peers PYTHON=venv/bin/python
            """,
            python, rival.broken());
      }
    }
    Path folder = whole ? Peers.JMH : Peers.SCRATCH;
    Files.writeString(folder.resolve("peers.csv"), report.csv());
    if (whole) {
      report.rewrite(Peers.JMH.resolve("RESULTS.md"));
    }
    String drawn = Picture.draw(results.rows(), folder.resolve("peers.png"));
    System.out.printf(
        "%n%s: peers.csv, %s%s%n",
        folder,
        drawn,
        whole ? ", the section of RESULTS.md" : " (part of a run: nothing published is touched)");
  }
}
