package io.recur.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

  /**
   * Bytes of the tape that trained the hand-written GRU, by batch: {@code Job.MEMORY} of the works
   * beside those of the GRU from its equations, at commit 11d7bc3 on the C kernels.
   */
  private static final Map<Integer, Double> HAND_WRITTEN = Map.of(32, 29_426_176.0, 1, 2_558_464.0);

  private static final Path WORKS = Peers.SCRATCH.resolve("works");

  private final List<Peer> rivals;
  private final int rounds;
  private final Results results = new Results(false);
  private final Work product = Jobs.product(WORKS);
  private final Peer multiplying = Peers.ours("product");
  private final Peer gru = Peers.ours("gru");
  private final Limits limits = new Limits(Peers.limits());
  private final OneStep oneStep;
  private String version = "";

  private Driver(String python, int rounds) {
    this.rivals = Peers.rivals(python);
    this.rounds = rounds;
    this.oneStep = new OneStep(WORKS, rivals.getFirst(), results);
  }

  public static void main(String[] args) throws IOException {
    String python = args[0];
    Pattern pattern = Pattern.compile(args[1], Pattern.CASE_INSENSITIVE);
    int rounds = Integer.parseInt(args[2]);
    Files.createDirectories(Peers.SCRATCH);
    List<Job> jobs =
        Jobs.all(WORKS).stream().filter(job -> pattern.matcher(job.name()).find()).toList();
    List<String> steps =
        OneStep.names().stream().filter(name -> pattern.matcher(name).find()).toList();
    if (jobs.isEmpty() && steps.isEmpty()) {
      System.err.printf("%s: no work contains PEERS=\"%s\"; there are:%n", COMMAND, args[1]);
      Jobs.all(WORKS).forEach(job -> System.err.println("  " + job.name()));
      OneStep.names().forEach(name -> System.err.println("  " + name));
      System.exit(2);
    }
    Driver driver = new Driver(python, rounds);
    try {
      driver.limits();
      driver.measure(jobs);
      driver.oneStep.measure(steps, rounds);
    } finally {
      driver.rivals.forEach(Peer::close);
      driver.multiplying.close();
      driver.gru.close();
      driver.limits.close();
    }
    boolean isWhole = args[1].isEmpty() && rounds >= ROUNDS_TO_PUBLISH;
    driver.report(python, jobs, isWhole);
  }

  /** The machine's own limits and its own product, before all else. */
  private void limits() throws IOException {
    limits.open();
    Results.say(limits.words());
    try {
      Inputs.write(product);
      multiplying.ask("prepare " + product.folder());
      Answers.checkProduct(product, Answers.of(multiplying, product, Job.FORWARD));
      Turns.Entry rate = new Turns.Entry(multiplying, Job.FORWARD);
      Turns.take(rounds, rate);
      results.addProduct(rate.median(), product);
    } catch (CannotRun e) {
      Results.say("product: cannot run: " + e.getMessage());
    }
  }

  private void measure(List<Job> jobs) throws IOException {
    for (Job job : jobs) {
      watch();
      Inputs.write(job.work());
      if (job.beside() != null) {
        Inputs.write(job.beside());
      }
      try (Peer ours = Peers.ours("recur")) { // a fresh JVM for each work, as a program has it
        ours.ask("prepare " + job.work().folder());
        version = ours.version();
        for (String pass : job.passes()) {
          boolean isBeside = job.beside() != null && job.target(pass, Job.GRU_RATE) > 0;
          new Contest(job, pass, ours, limits, results)
              .measure(rivals, isBeside ? gru : null, rounds);
        }
        if (job.work().cell().equals(Recurrence.OWN_GRU)) {
          memory(job, ours);
        }
      } catch (CannotRun e) {
        results.note("%s: Recur cannot run: %s".formatted(job.name(), e.getMessage()));
      }
    }
  }

  /** The product and the multiply-adds once more: a machine that does something else shows. */
  private void watch() {
    if (multiplying.broken() == null) {
      Turns.Entry rate = new Turns.Entry(multiplying, Job.FORWARD);
      Turns.quick(rate);
      if (rate.failure() == null) {
        results.addProduct(rate.median(), product);
      }
    }
    if (limits.failure() == null) {
      Limits.Turn peak = limits.peak();
      Turns.quick(peak.peak());
      limits.note(peak);
    }
  }

  /** The tape of the GRU from its equations, against that of the built-in one, now and then. */
  private void memory(Job job, Peer ours) throws CannotRun, IOException {
    gru.ask("prepare " + job.beside().folder());
    double own = bytes(ours, job.work());
    double its = bytes(gru, job.beside());
    double before = HAND_WRITTEN.get(job.work().batch());
    results.note(
        Table.format(
            "%s, train: the tape holds %.0f bytes, %.2f times the %.0f of the built-in GRU, %.2f times "
                + "the %.0f of the hand-written one of commit 11d7bc3; at most 1.1 is wanted.",
            job.name(), own, own / its, its, own / before, before));
  }

  private static double bytes(Peer peer, Work work) throws CannotRun, IOException {
    return Work.array(Answers.of(peer, work, Job.MEMORY), Job.MEMORY)[0];
  }

  private List<String> facts() {
    List<String> versions = new ArrayList<>();
    for (Peer rival : rivals) {
      boolean isWay = Job.WAYS.contains(rival.name());
      if (rival.broken() == null && !rival.version().isEmpty() && !isWay) {
        versions.add(rival.name() + " " + rival.version());
      }
    }
    return List.of(
        Machine.describe(),
        "Commit " + Machine.commit(),
        "Recur on " + version,
        "The machine itself, 2 threads: " + limits.words(),
        String.join(", ", versions));
  }

  private String method() {
    return Table.format(
        """
        Command: `make peers PYTHON=…`. %d rounds in turn of at least 60 ms each after a warm-up, \
        of each turn the median of nine parts, of the turns the median; each contender in a process of \
        its own on 2 threads, stopped while it is not its turn, float32; answers and gradients were \
        compared before. `train` is forward and backward of the sum of the outputs (of the character model, a whole step with clipping and \
        Adam), `step` one step at a time with the state carried. A ratio is the rival's time by ours \
        in the same round, the median of the rounds; the rivals' times are in `peers.csv`. GFLOP/s counts the products that are computed: \
        2·T·B·gates·H·(in + H) operations forward and, as the gradient of x is needed above the first \
        layer alone, 2·T·B·gates·H·(2·(in + H) + H) in training. "Of the limit" is the share of what the \
        machine itself reached between the row's own turns, the best of them: the lower of multiply-adds \
        in registers and of reading the recurrent weights, once per step, from the cache level that \
        holds them. DJL's PyTorch is what a Java developer gets. oneDNN's training computes the gradient \
        of x as well. Cells that PyTorch lacks are written in it with the input's product taken out of \
        the loop; `torch.compile` compiles the whole sequence. Of sequences of different lengths PyTorch's \
        are packed, or padded and computed to the end; only valid steps count. "GRU's rate" is our GFLOP/s by those of \
        our built-in GRU of the same sizes.""",
        rounds);
  }

  private void report(String python, List<Job> jobs, boolean isWhole) throws IOException {
    if (limits.gigaflops() < results.bestProduct()) {
      results.note(
          Table.format(
              "The multiply-adds in registers reached less than the product, %.1f of %.1f GFLOP/s: "
                  + "shares of the limit are too large.",
              limits.gigaflops(), results.bestProduct()));
    }
    Report report = new Report(facts(), method(), jobs, results);
    System.out.print(report.table());
    System.out.print(oneStep.section());
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
    String section = report.section() + oneStep.section();
    Path folder = isWhole ? Peers.JMH : Peers.SCRATCH;
    results.write(folder.resolve("peers.csv"), facts());
    if (isWhole) {
      Section.replace(Peers.JMH.resolve("RESULTS.md"), COMMAND, section);
    } else {
      Files.writeString(folder.resolve("peers.md"), section);
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
