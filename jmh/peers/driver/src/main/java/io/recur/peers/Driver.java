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
  private static final String COMMAND = "make peers";

  /** Fewer are too few to be published. */
  private static final int ROUNDS_TO_PUBLISH = 5;

  private static final Path WORKS = Peers.SCRATCH.resolve("works");

  private final List<Peer> rivals;
  private final int rounds;
  private final Results results = new Results(false);
  private final Work product = Job.product(WORKS);
  private final Peer limit = Peers.ours("product");
  private String version = "";

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
        Job.all(WORKS).stream().filter(job -> pattern.matcher(job.name()).find()).toList();
    if (jobs.isEmpty()) {
      System.err.printf("%s: no work contains PEERS=\"%s\"; there are:%n", COMMAND, args[1]);
      Job.all(WORKS).forEach(job -> System.err.println("  " + job.name()));
      System.exit(2);
    }
    Driver driver = new Driver(python, rounds);
    try {
      driver.measure(jobs);
    } finally {
      driver.rivals.forEach(Peer::close);
      driver.limit.close();
    }
    boolean isWhole = args[1].isEmpty() && rounds >= ROUNDS_TO_PUBLISH;
    driver.report(python, jobs, isWhole);
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
      Results.say("product: cannot run: " + e.getMessage());
    }
    for (Job job : jobs) {
      watch();
      Inputs.write(job.work());
      try (Peer ours = Peers.ours("recur")) { // a fresh JVM for each work, as a program has it
        ours.ask("prepare " + job.work().folder());
        version = ours.version();
        for (String pass : job.passes()) {
          measure(job, pass, ours);
        }
      } catch (CannotRun e) {
        Results.say("%s: Recur cannot run: %s".formatted(job.name(), e.getMessage()));
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

  private void measure(Job job, String pass, Peer ours) throws CannotRun, IOException {
    Path answer = Answers.of(ours, job.work(), pass);
    Turns.Entry mine = new Turns.Entry(ours, pass);
    Map<Peer, Turns.Entry> theirs = new LinkedHashMap<>();
    Map<Peer, Double> apart = new LinkedHashMap<>();
    Map<Peer, String> failures = new LinkedHashMap<>();
    for (Peer rival : rivals) {
      if (!job.isFor(rival.name(), pass)) {
        continue;
      }
      try {
        rival.ask("prepare " + job.work().folder()); // for each pass: it may be a process anew
        Path its = Answers.of(rival, job.work(), pass);
        apart.put(rival, Answers.difference(answer, its, Answers.FLOAT32));
        theirs.put(rival, new Turns.Entry(rival, pass));
      } catch (CannotRun e) {
        failures.put(rival, rival.name() + ": " + e.getMessage());
      }
    }
    List<Turns.Entry> entries = new ArrayList<>(List.of(mine));
    entries.addAll(theirs.values());
    Turns.Entry rate = new Turns.Entry(limit, Job.FORWARD);
    boolean withLimit = job.share() > 0 && pass.equals(Job.TRAIN) && limit.broken() == null;
    if (withLimit) {
      entries.add(rate);
    }
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
    for (Peer rival : rivals) {
      if (job.isFor(rival.name(), pass)) {
        double ms = theirs.containsKey(rival) ? theirs.get(rival).median() : Double.NaN;
        results.add(
            new Row(
                job,
                pass,
                Products.FLOAT32,
                rival.name(),
                rival.version(),
                ms,
                mine.median(),
                apart.getOrDefault(rival, Double.NaN),
                0,
                failures.getOrDefault(rival, "")));
      }
    }
    if (withLimit && rate.failure() == null) {
      results.addLimit(results.rows().getLast(), rate.median(), product);
    }
  }

  private List<String> facts() {
    List<String> versions = new ArrayList<>();
    for (Peer rival : rivals) {
      if (rival.broken() == null && !rival.version().isEmpty()) {
        versions.add(rival.name() + " " + rival.version());
      }
    }
    return List.of(
        Machine.describe(),
        "Commit " + Machine.commit(),
        "Recur on " + version,
        String.join(", ", versions));
  }

  private String method() {
    return Table.format(
        """
        Command: `make peers PYTHON=…`. %d rounds in turn of at least 150 ms each after a warm-up, \
        of each turn the median of nine parts, of the turns the median; each contender in a process of \
        its own on 2 threads, float32; answers and gradients were compared before. `train` is forward \
        and backward of the sum of the outputs (of the character model, a whole step with clipping and \
        Adam), `step` one step at a time with the state carried. A ratio is the rival's time by ours; \
        the rivals' times are in `peers.csv`. Ours in GFLOP/s counts the matrix products: \
        2·T·B·gates·H·(in + H) forward, three times that in training. DJL's PyTorch is what a Java \
        developer gets; it stands in for no target. oneDNN's training computes the gradient of x as well.""",
        rounds);
  }

  private void report(String python, List<Job> jobs, boolean isWhole) throws IOException {
    Report report = new Report(facts(), method(), jobs, results);
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
    Path folder = isWhole ? Peers.JMH : Peers.SCRATCH;
    results.write(folder.resolve("peers.csv"), facts());
    if (isWhole) {
      Section.replace(Peers.JMH.resolve("RESULTS.md"), COMMAND, report.section());
    } else {
      Files.writeString(folder.resolve("peers.md"), report.section());
    }
    String drawn = Picture.draw(results.rows(), folder.resolve("peers.png"));
    System.out.printf(
        "%n%s: peers.csv, %s%s%n",
        folder,
        drawn,
        isWhole
            ? ", the section of RESULTS.md"
            : ", peers.md (part of a run: nothing published is touched)");
  }
}
