package io.recur.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Measures PyTorch with cuDNN beside Recur on a GPU: the same works from the same weights, answers
 * compared before anybody is timed, then in turn.
 *
 * <p>Arguments: the Python of PyTorch, the device, a pattern that a work's name must contain (or
 * nothing), the number of rounds. Runs in the root of the checkout. On the CPU double it is a
 * rehearsal: tiny works, PyTorch on the processor, answers compared and nothing timed.
 */
final class GpuDriver {
  private static final String COMMAND = "make bench-gpu";
  private static final Turns.Pace PACE = new Turns.Pace(30, 150, 1500, 2000, 5, false);
  private static final Path WORKS = Peers.SCRATCH.resolve("works");
  private static final String CSV = "gpu.csv";

  /** Fewer rounds are too few to be published. */
  private static final int ROUNDS_TO_PUBLISH = 5;

  private final Peer ours;
  private final Peer rival;
  private final boolean isRehearsal;
  private final int rounds;
  private final Results results;

  // Of the present work, by pass: our answer in float32, and our last time.
  private final Map<String, Path> exact = new HashMap<>();
  private final Map<String, Double> last = new HashMap<>();

  private GpuDriver(Peer ours, Peer rival, boolean isRehearsal, int rounds) {
    this.ours = ours;
    this.rival = rival;
    this.isRehearsal = isRehearsal;
    this.rounds = rounds;
    this.results = new Results(isRehearsal);
  }

  public static void main(String[] args) throws IOException {
    Files.createDirectories(Peers.SCRATCH);
    Pattern pattern = Pattern.compile(args[2], Pattern.CASE_INSENSITIVE);
    try (Peer ours = Peers.oursOn(args[1])) {
      String card = ours.ask("version");
      boolean isRehearsal = DoubleCounts.isDouble(card);
      System.out.println(card);
      try (Peer rival = Peers.pyTorchOn(args[0], isRehearsal ? "cpu" : args[1])) {
        GpuDriver driver = new GpuDriver(ours, rival, isRehearsal, Integer.parseInt(args[3]));
        List<Job> jobs = GpuJobs.all(WORKS, isRehearsal);
        for (Job job : jobs) {
          if (pattern.matcher(job.name()).find()) {
            driver.measure(job);
          }
        }
        driver.report(card, jobs, args[2].isEmpty());
      }
    } catch (CannotRun e) {
      System.err.println(COMMAND + ": " + e.getMessage());
      System.exit(1);
    }
  }

  private void report(String card, List<Job> jobs, boolean isAnew) throws IOException {
    if (isRehearsal) {
      rehearsed();
      return;
    }
    List<String> facts =
        List.of(
            "Recur on " + card.replaceFirst(", float32\\)$", ")"),
            "PyTorch " + rival.version(),
            Machine.describe(),
            "Commit " + Machine.commit());
    Path parts = Peers.SCRATCH.resolve(CSV);
    if (!isAnew) {
      results.resume(parts, facts, jobs);
    }
    results.write(parts, facts);
    Report report = new Report(facts, method(), jobs, results);
    System.out.print(report.table());
    boolean isWhole = isWhole(jobs) && rounds >= ROUNDS_TO_PUBLISH;
    if (isWhole) {
      results.write(Peers.JMH.resolve(CSV), facts);
      Section.replace(Peers.JMH.resolve("RESULTS-GPU.md"), COMMAND, report.section());
    }
    System.out.printf(
        "%n%s: %s%s%n",
        isWhole ? Peers.JMH : Peers.SCRATCH,
        CSV,
        isWhole
            ? ", RESULTS-GPU.md"
            : " (not all works yet, or too few rounds: nothing published)");
  }

  /** Whether every work has been measured, or has said why not. */
  private boolean isWhole(List<Job> jobs) {
    return jobs.stream()
        .allMatch(
            job -> results.rows().stream().anyMatch(row -> row.job().name().equals(job.name())));
  }

  private String method() {
    return Table.format(
        """
        Command: `make bench-gpu PYTHON=…`. %d rounds in turn of at least 30 ms each after a warm-up, \
        medians, each contender in a process of its own; answers and gradients were compared before. \
        x is as long as h, sequences have 256 steps, x lies on the GPU already; `train` is forward and \
        backward of the sum of the outputs, `step` one step at a time with the state carried, from the \
        host and back to it. A ratio is PyTorch's time by ours, in the same precision; PyTorch's times \
        are in `gpu.csv`. Its bf16 and fp16 keep weights, state and gates in that type, ours in \
        float32, and its fp16 is held against our bf16.""",
        rounds);
  }

  /** A rehearsal succeeds where our answers are right, whether or not there is a PyTorch. */
  private void rehearsed() {
    List<Row> rows = results.rows();
    List<Row> wrong = rows.stream().filter(row -> row.failure().contains("Recur: ")).toList();
    System.out.printf(
        "%nA rehearsal on the CPU double: %d answers compared, %d of ours wrong; nothing was timed.%n",
        rows.size(), wrong.size());
    if (rows.isEmpty() || !wrong.isEmpty()) {
      System.exit(1);
    }
  }

  private void measure(Job job) throws IOException {
    Inputs.write(job.work());
    exact.clear();
    last.clear();
    for (Products products : job.products()) {
      Work work = job.work().in(products.toString());
      work.write();
      String itsFault = prepare(rival, work);
      String ourFault = products.isOurs() ? prepare(ours, work) : "";
      for (String pass : job.passes()) {
        Answer mine = products.isOurs() ? answer(ours, work, pass, products, ourFault) : null;
        Answer theirs = answer(rival, work, pass, products, itsFault);
        time(job, pass, products, mine, theirs);
      }
    }
    if (job.work().kind().equals(Work.CHARACTERS)) {
      share(job);
    }
  }

  /** Why it cannot, or nothing. */
  private static String prepare(Peer peer, Work work) {
    try {
      peer.ask("prepare " + work.folder());
      return "";
    } catch (CannotRun e) {
      return peer.name() + ": " + e.getMessage();
    }
  }

  /**
   * A contender's answer, compared.
   *
   * @param entry to be timed, or null
   * @param apart how far it is from ours in float32
   * @param failure why there is none, or empty
   */
  private record Answer(Turns.Entry entry, double apart, String failure) {
    double ms() {
      return entry == null ? Double.NaN : entry.median();
    }

    String why() {
      return entry != null && entry.failure() != null
          ? entry.peer.name() + ": " + entry.failure()
          : failure;
    }
  }

  private Answer answer(Peer peer, Work work, String pass, Products products, String fault)
      throws IOException {
    if (!fault.isEmpty()) {
      return new Answer(null, Double.NaN, fault);
    }
    try {
      Path its = Answers.of(peer, work, pass);
      if (peer == ours && products == Products.FLOAT32) {
        exact.put(pass, its);
      }
      if (exact.get(pass) == null) {
        throw new CannotRun("there is no answer of ours in float32 to compare with");
      }
      double apart = Answers.difference(exact.get(pass), its, products.tolerance);
      return new Answer(new Turns.Entry(peer, pass, PACE), apart, "");
    } catch (CannotRun e) {
      prepare(peer, work); // for the next pass
      return new Answer(null, Double.NaN, peer.name() + ": " + e.getMessage());
    }
  }

  /**
   * Times both answers in turn.
   *
   * @param mine null in a precision that is the rival's alone: it is held against our last one
   */
  private void time(Job job, String pass, Products products, Answer mine, Answer theirs) {
    List<Turns.Entry> entries = new ArrayList<>();
    if (mine != null && mine.entry != null) {
      entries.add(mine.entry);
    }
    if (theirs.entry != null) {
      entries.add(theirs.entry);
    }
    if (!isRehearsal) {
      Turns.take(rounds, entries.toArray(Turns.Entry[]::new));
    }
    if (mine != null) {
      last.put(pass, mine.ms());
    }
    results.add(
        new Row(
            job,
            pass,
            products,
            rival.name(),
            rival.version(),
            theirs.ms(),
            last.getOrDefault(pass, Double.NaN),
            theirs.ms() / last.getOrDefault(pass, Double.NaN),
            theirs.apart,
            mine == null ? Double.NaN : mine.apart,
            Limit.NONE,
            ((mine == null ? "" : mine.why()) + " " + theirs.why()).strip()));
  }

  /** The share of a whole training step in which the host does not wait. */
  private void share(Job job) throws IOException {
    double share = Double.NaN;
    String failure = "";
    try {
      share = Work.array(Answers.of(ours, job.work(), Job.SHARE), Job.SHARE)[0];
    } catch (CannotRun e) {
      failure = "Recur: " + e.getMessage();
    }
    results.add(
        new Row(
            job,
            Job.SHARE,
            Products.FLOAT32,
            "",
            "",
            Double.NaN,
            share,
            Double.NaN,
            Double.NaN,
            0,
            Limit.NONE,
            failure));
  }
}
