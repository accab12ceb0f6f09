package io.recur.peers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One step of every cell at batch 1 through {@code Recur.apply}, all of them in the same rounds:
 * how much longer a cell takes than the built-in ones would for as many multiply-adds.
 *
 * <p>{@code a + b · multiply-adds} is fitted to RNN, GRU and LSTM by least squares of the relative
 * errors.
 */
final class OneStep {
  private static final int[] UNITS = {64, 256};
  private static final double FACTOR = 1.3;
  private static final double BARRIER_MS = 1e-4;

  /**
   * A cell's step.
   *
   * @param ms our median
   * @param fitted what the built-in cells would take for its multiply-adds
   * @param apart how far PyTorch's answer is from ours
   */
  private record Point(Job job, double multiplyAdds, double ms, double fitted, double apart) {
    int barriers() {
      return Recurrence.of(job.work().cell()).barriers();
    }

    double ratio() {
      return ms / fitted;
    }

    double allowed() {
      return FACTOR * fitted + BARRIER_MS * barriers();
    }

    boolean isBuiltIn() {
      return Recurrence.BUILT_IN.contains(job.work().cell());
    }
  }

  /** What the built-in cells cost: a in ms and b in ms per multiply-add. */
  private record Fit(double a, double b) {
    static Fit of(Map<Double, Double> times) {
      double n = 0;
      double x = 0;
      double xx = 0;
      double y = 0;
      double xy = 0;
      for (Map.Entry<Double, Double> time : times.entrySet()) {
        double weight = 1 / (time.getValue() * time.getValue());
        n += weight;
        x += weight * time.getKey();
        xx += weight * time.getKey() * time.getKey();
        y += weight * time.getValue();
        xy += weight * time.getKey() * time.getValue();
      }
      double b = (n * xy - x * y) / (n * xx - x * x);
      return new Fit((y - b * x) / n, b);
    }

    double at(double multiplyAdds) {
      return a + b * multiplyAdds;
    }
  }

  private final Path folder;
  private final Peer pyTorch;
  private final Results results;
  private final List<Point> points = new ArrayList<>();
  private final List<String> fits = new ArrayList<>();

  OneStep(Path folder, Peer pyTorch, Results results) {
    this.folder = folder;
    this.pyTorch = pyTorch;
    this.results = results;
  }

  static List<String> names() {
    List<String> names = new ArrayList<>();
    for (int units : UNITS) {
      names.add(name(units));
    }
    return names;
  }

  private static String name(int units) {
    return "one step B1 H" + units;
  }

  /** Measures those whose names are among these. */
  void measure(List<String> wanted, int rounds) throws IOException {
    for (int units : UNITS) {
      if (wanted.contains(name(units))) {
        measure(units, rounds);
      }
    }
  }

  private void measure(int units, int rounds) throws IOException {
    List<Job> jobs = new ArrayList<>();
    List<Turns.Entry> entries = new ArrayList<>();
    List<Double> apart = new ArrayList<>();
    List<Peer> peers = new ArrayList<>();
    try {
      for (Job job : Jobs.oneStep(folder, units)) {
        Peer ours = Peers.ours("step-" + peers.size());
        peers.add(ours);
        try {
          apart.add(compared(job, ours));
          entries.add(new Turns.Entry(ours, Job.STEP));
          jobs.add(job);
        } catch (CannotRun e) {
          results.note("%s: not measured: %s.".formatted(job.name(), e.getMessage()));
        }
      }
      Turns.take(rounds, entries.toArray(Turns.Entry[]::new));
    } finally {
      peers.forEach(Peer::close);
    }
    fit(units, jobs, entries, apart);
  }

  private double compared(Job job, Peer ours) throws CannotRun, IOException {
    Inputs.write(job.work());
    ours.ask("prepare " + job.work().folder());
    Path answer = Answers.of(ours, job.work(), Job.STEP);
    pyTorch.ask("prepare " + job.work().folder());
    Path its = Answers.of(pyTorch, job.work(), Job.STEP);
    return Answers.difference(answer, its, Answers.FLOAT32);
  }

  private void fit(int units, List<Job> jobs, List<Turns.Entry> entries, List<Double> apart) {
    Map<Double, Double> builtIn = new TreeMap<>();
    for (int i = 0; i < jobs.size(); i++) {
      if (Recurrence.BUILT_IN.contains(jobs.get(i).work().cell())
          && entries.get(i).failure() == null) {
        builtIn.put(multiplyAdds(jobs.get(i)), entries.get(i).median());
      }
    }
    if (builtIn.size() < Recurrence.BUILT_IN.size()) {
      results.note(name(units) + ": not measured: one of RNN, GRU and LSTM fails.");
      return;
    }
    Fit fit = Fit.of(builtIn);
    fits.add(
        Table.format(
            "H %d: %.3f µs + %.3f ns per 1 000 multiply-adds", units, 1e3 * fit.a, 1e9 * fit.b));
    for (int i = 0; i < jobs.size(); i++) {
      Job job = jobs.get(i);
      if (entries.get(i).failure() == null) {
        double n = multiplyAdds(job);
        points.add(new Point(job, n, entries.get(i).median(), fit.at(n), apart.get(i)));
        Results.say(String.join("  ", cells(points.getLast())));
      } else {
        results.note(job.name() + ": not measured: " + entries.get(i).failure() + ".");
      }
    }
  }

  private static double multiplyAdds(Job job) {
    return Computed.of(job.work(), Job.STEP).operations() / 2;
  }

  private static List<String> cells(Point point) {
    return List.of(
        point.job.name(),
        Table.format("%.0f", point.multiplyAdds),
        "" + point.barriers(),
        Table.format("%.3f", 1e3 * point.ms),
        Table.format("%.3f", 1e3 * point.fitted),
        Table.ratio(point.ratio()),
        point.isBuiltIn() ? "" : Table.format("%.3f", 1e3 * point.allowed()),
        point.isBuiltIn() ? "" : point.ms <= point.allowed() ? "met" : "missed",
        Table.format("%.1e", point.apart));
  }

  /** For the page; nothing where nothing was measured. */
  String section() {
    if (points.isEmpty()) {
      return "";
    }
    Table table =
        new Table(
            List.of(
                "one step",
                "multiply-adds",
                "barriers",
                "Recur, µs",
                "fit, µs",
                "ratio",
                "at most, µs",
                "",
                "PyTorch apart"));
    points.forEach(point -> table.row(cells(point)));
    return Table.format(
        """

        ### One step, all cells in the same rounds

        The fit is a + b · multiply-adds over RNN, GRU and LSTM (%s). A cell may take %s times that, \
        and %.1f µs for each of its own barriers.

        %s""",
        String.join("; ", fits), FACTOR, 1e3 * BARRIER_MS, table);
  }
}
