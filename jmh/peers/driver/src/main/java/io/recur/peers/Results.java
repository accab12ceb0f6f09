package io.recur.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a run has measured, printed line by line as it is found. */
final class Results {
  private final boolean isRehearsal;
  private final List<Row> rows = new ArrayList<>();
  private final List<Double> products = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();

  /**
   * Nothing yet.
   *
   * @param isRehearsal whether answers are compared and nothing is timed
   */
  Results(boolean isRehearsal) {
    this.isRehearsal = isRehearsal;
  }

  List<Row> rows() {
    return rows;
  }

  /** Sentences that stand below the tables. */
  List<String> notes() {
    return notes;
  }

  /** Adds a sentence, and prints it. */
  void note(String sentence) {
    notes.add(sentence);
    say(sentence);
  }

  void add(Row row) {
    rows.add(row);
    say(line(row));
  }

  private String line(Row row) {
    String start = Table.format("%-34s %-8s %-8s", row.job().name(), row.pass(), row.products());
    String end = row.failure().isEmpty() ? "" : "  " + row.failure();
    if (row.pass().equals(Job.SHARE)) {
      return start + (isRehearsal ? "" : Table.format(" host %.1f %%", 100 * row.oursMs())) + end;
    }
    String times =
        isRehearsal
            ? ""
            : Table.format(
                " %10s ms %s, %s %10s ms, ratio %.2f,",
                Table.ms(row.oursMs()),
                row.limit().words(row.oursMs()),
                row.rival(),
                Table.ms(row.rivalMs()),
                row.ratio());
    return start
        + times
        + Table.format(" apart %.1e, %s %.1e", row.oursApart(), row.rival(), row.rivalApart())
        + end;
  }

  /** The machine's own product once more, in milliseconds. */
  void addProduct(double ms, Work work) {
    products.add(gigaflops(ms, work));
    say(Table.format("%-34s %17.1f GFLOP/s", "product 2048³", products.getLast()));
  }

  private static double gigaflops(double ms, Work product) {
    return 2.0 * product.in() * product.in() * product.in() / ms / 1e6;
  }

  /** The best of the machine's own product in GFLOP/s, or 0. */
  double bestProduct() {
    return products.stream().mapToDouble(Double::doubleValue).max().orElse(0);
  }

  /** The machine's own product rate in GFLOP/s, in words; nothing where it was not measured. */
  String product() {
    double[] sorted = products.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return sorted.length == 0
        ? ""
        : Table.format(
            "%.1f GFLOP/s (in the course of the run %.1f to %.1f)",
            Turns.median(products), sorted[0], sorted[sorted.length - 1]);
  }

  /** Whether the machine was held up by something else during the run. */
  boolean isNoisy() {
    double slowest = products.stream().mapToDouble(Double::doubleValue).min().orElse(1);
    double fastest = products.stream().mapToDouble(Double::doubleValue).max().orElse(1);
    return slowest < 0.8 * fastest;
  }

  /** Takes over what earlier runs of parts have left in a CSV, if they had the same facts. */
  void resume(Path csv, List<String> facts, List<Job> jobs) throws IOException {
    if (!Files.exists(csv)) {
      return;
    }
    List<String> lines = Files.readAllLines(csv);
    if (!lines.stream().filter(line -> line.startsWith("# ")).toList().equals(comments(facts))) {
      return;
    }
    lines.stream()
        .filter(line -> !line.startsWith("# ") && !line.equals(Row.HEADER))
        .map(line -> Row.of(line, jobs))
        .filter(old -> rows.stream().noneMatch(old::isOf))
        .toList()
        .forEach(rows::add);
  }

  /** All rows, below the facts that they were measured with. */
  void write(Path csv, List<String> facts) throws IOException {
    List<String> lines = new ArrayList<>(comments(facts));
    lines.add(Row.HEADER);
    rows.forEach(row -> lines.add(row.csv()));
    Files.write(csv, lines);
  }

  private static List<String> comments(List<String> facts) {
    return facts.stream().map(fact -> "# " + fact).toList();
  }

  static void say(String line) {
    System.out.println(line);
  }
}
