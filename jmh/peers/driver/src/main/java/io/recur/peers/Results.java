package io.recur.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What a run has found, told line by line as it is found. */
final class Results {
  /**
   * Our own figure.
   *
   * @param job the work
   * @param pass of it
   * @param ms our median
   * @param gigaflops what our matrix products reach, or NaN
   * @param limit what the machine's own product reached in the same rounds, or NaN
   */
  record Ours(Job job, String pass, double ms, double gigaflops, double limit) {}

  private final List<Row> rows = new ArrayList<>();
  private final List<Ours> ours = new ArrayList<>();
  private final List<Double> products = new ArrayList<>();
  private String version = "";

  List<Row> rows() {
    return rows;
  }

  List<Ours> ours() {
    return ours;
  }

  String version() {
    return version;
  }

  /** The machine's own product rate: the median over the run, in GFLOP/s; NaN where none. */
  double product() {
    List<Double> sorted = products.stream().sorted().toList();
    int n = sorted.size();
    return n == 0 ? Double.NaN : (sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2;
  }

  double slowestProduct() {
    return products.stream().mapToDouble(Double::doubleValue).min().orElse(Double.NaN);
  }

  double fastestProduct() {
    return products.stream().mapToDouble(Double::doubleValue).max().orElse(Double.NaN);
  }

  /** Whether the machine was held up by something else during the run. */
  boolean isNoisy() {
    return slowestProduct() < 0.8 * fastestProduct();
  }

  void version(Peer peer) {
    version = peer.version();
  }

  void addProduct(double ms, Work work) {
    products.add(gigaflops(ms, work));
    say(String.format(Locale.ROOT, "%-34s %17.1f GFLOP/s", "product 2048³", products.getLast()));
  }

  private static double gigaflops(double ms, Work product) {
    return 2.0 * product.in() * product.in() * product.in() / ms / 1e6;
  }

  void ours(Job job, String pass, double ms, double productMs, Work product) {
    double operations = job.operations(pass);
    double rate = operations == 0 ? Double.NaN : operations / ms / 1e6;
    ours.add(new Ours(job, pass, ms, rate, gigaflops(productMs, product)));
    say(
        String.format(
            Locale.ROOT,
            "%-34s %-8s %10.4f ms  Recur%s",
            job.name(),
            pass,
            ms,
            operations == 0 ? "" : String.format(Locale.ROOT, ", %.1f GFLOP/s", rate)));
  }

  void add(Row row) {
    rows.add(row);
    say(
        row.isMeasured()
            ? String.format(
                Locale.ROOT,
                "%-34s %-8s %10.4f ms  %s, ratio %.2f, answers within %.1e",
                row.job().name(),
                row.pass(),
                row.rivalMs(),
                row.rival(),
                row.ratio(),
                row.difference())
            : "%-34s %-8s %s cannot run: %s"
                .formatted(row.job().name(), row.pass(), row.rival(), row.failure()));
  }

  void say(String line) {
    System.out.println(line);
  }
}
