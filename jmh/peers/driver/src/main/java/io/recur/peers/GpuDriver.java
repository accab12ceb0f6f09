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
  private static final Turns.Pace PACE = new Turns.Pace(30, 150, 1500, 2000, 5);

  /** Fewer rounds are too few to be published. */
  private static final int ROUNDS_TO_PUBLISH = 5;

  /** What the double's name holds. */
  private static final String DOUBLE = "CPU double";

  private final Peer ours;
  private final Peer rival;
  private final boolean rehearsal;
  private final int rounds;
  private final List<GpuRow> rows = new ArrayList<>();

  private GpuDriver(Peer ours, Peer rival, boolean rehearsal, int rounds) {
    this.ours = ours;
    this.rival = rival;
    this.rehearsal = rehearsal;
    this.rounds = rounds;
  }

  public static void main(String[] args) throws IOException {
    Files.createDirectories(Peers.SCRATCH);
    Pattern pattern = Pattern.compile(args[2], Pattern.CASE_INSENSITIVE);
    try (Peer ours = Peers.oursOn(args[1])) {
      String name = ours.ask("version");
      boolean rehearsal = name.contains(DOUBLE);
      System.out.println(name);
      try (Peer rival = Peers.pyTorchOn(args[0], rehearsal ? "cpu" : args[1])) {
        GpuDriver driver = new GpuDriver(ours, rival, rehearsal, Integer.parseInt(args[3]));
        driver.run(pattern, GpuReport.begun(Peers.SCRATCH, args[2].isEmpty()), name);
      }
    } catch (CannotRun e) {
      System.err.println("make bench-gpu: " + e.getMessage());
      System.exit(1);
    }
  }

  private void run(Pattern pattern, GpuReport.Begun begun, String name) throws IOException {
    for (GpuWork work : GpuWork.all(rehearsal)) {
      if (pattern.matcher(work.name()).find()) {
        measure(work);
      }
    }
    if (pattern.matcher(GpuReport.CHARACTERS).find()) {
      measureCharacters();
    }
    if (rehearsal) {
      rehearsed();
      return;
    }
    GpuReport report = new GpuReport(begun, rows, name, rival.version(), rounds);
    boolean whole = report.isWhole() && rounds >= ROUNDS_TO_PUBLISH;
    System.out.print(report.summary());
    report.write(Peers.SCRATCH);
    if (whole) {
      report.publish(Peers.JMH);
    }
    System.out.printf(
        "%n%s: gpu.csv%s%n",
        whole ? Peers.JMH : Peers.SCRATCH,
        whole ? ", RESULTS-GPU.md" : " (not all works yet, or too few rounds: nothing published)");
  }

  /** A rehearsal succeeds where our answers are right, whether or not there is a PyTorch. */
  private void rehearsed() {
    List<GpuRow> wrong = rows.stream().filter(row -> row.failure().contains("Recur: ")).toList();
    System.out.printf(
        "%nA rehearsal on the CPU double: %d answers compared, %d of ours wrong; nothing was timed.%n",
        rows.size(), wrong.size());
    if (rows.isEmpty() || !wrong.isEmpty()) {
      System.exit(1);
    }
  }

  private void measure(GpuWork work) throws IOException {
    Work files = work.work(Peers.SCRATCH.resolve("works"));
    Inputs.write(files);
    Map<String, Path> exact = new HashMap<>();
    Map<String, Double> last = new HashMap<>();
    for (GpuWork.Products products : GpuWork.Products.values()) {
      Work its = files.in(products.toString());
      its.write();
      String broken = prepare(rival, its);
      String ourFault = products.isOurs() ? prepare(ours, its) : "";
      for (String pass : GpuWork.PASSES) {
        measure(work.name(), its, pass, products, exact, last, ourFault, broken);
      }
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

  private void measure(
      String name,
      Work work,
      String pass,
      GpuWork.Products products,
      Map<String, Path> exact,
      Map<String, Double> last,
      String ourFault,
      String itsFault)
      throws IOException {
    Answer mine = products.isOurs() ? answer(ours, work, pass, products, exact, ourFault) : null;
    Answer theirs = answer(rival, work, pass, products, exact, itsFault);
    List<Turns.Entry> entries = new ArrayList<>();
    if (mine != null && mine.entry != null) {
      entries.add(mine.entry);
    }
    if (theirs.entry != null) {
      entries.add(theirs.entry);
    }
    if (!rehearsal) {
      Turns.take(rounds, entries.toArray(Turns.Entry[]::new));
    }
    if (mine != null) {
      last.put(pass, mine.ms());
    }
    add(
        new GpuRow(
            name,
            pass,
            products,
            last.getOrDefault(pass, Double.NaN),
            theirs.ms(),
            mine == null ? Double.NaN : mine.apart,
            theirs.apart,
            ((mine == null ? "" : mine.why()) + " " + theirs.why()).strip()));
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

  private Answer answer(
      Peer peer,
      Work work,
      String pass,
      GpuWork.Products products,
      Map<String, Path> exact,
      String broken)
      throws IOException {
    if (!broken.isEmpty()) {
      return new Answer(null, Double.NaN, broken);
    }
    try {
      Path its = Answers.of(peer, work, pass);
      if (peer == ours && products == GpuWork.Products.FLOAT32) {
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

  /** A whole training step, and the share of it in which the host does not wait. */
  private void measureCharacters() throws IOException {
    Path folder = Peers.SCRATCH.resolve("works").resolve("gpu-characters");
    Work work =
        rehearsal
            ? new Work(Work.CHARACTERS, "LSTM", 1, 8, 32, 29, 32, folder)
            : new Work(Work.CHARACTERS, "LSTM", 1, 32, 64, 107, 256, folder);
    Inputs.write(work);
    measure(
        GpuReport.CHARACTERS,
        work,
        Job.TRAIN,
        GpuWork.Products.FLOAT32,
        new HashMap<>(),
        new HashMap<>(),
        prepare(ours, work),
        prepare(rival, work));
    double share = Double.NaN;
    String failure = "";
    try {
      share = Work.array(Answers.of(ours, work, GpuReport.SHARE), GpuReport.SHARE)[0];
    } catch (CannotRun e) {
      failure = "Recur: " + e.getMessage();
    }
    add(
        new GpuRow(
            GpuReport.CHARACTERS,
            GpuReport.SHARE,
            GpuWork.Products.FLOAT32,
            share,
            Double.NaN,
            0,
            Double.NaN,
            failure));
  }

  private void add(GpuRow row) {
    rows.add(row);
    System.out.println(GpuReport.line(row, rehearsal));
  }
}
