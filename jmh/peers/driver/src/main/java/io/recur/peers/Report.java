package io.recur.peers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The rivals beside us, on the processor or on a GPU: a table for the terminal, and a section of a
 * page of results.
 */
final class Report {
  /** Of a training step on a GPU: what the host may have to do beside waiting for it. */
  private static final double LARGEST_SHARE = 0.1;

  private final List<String> facts;
  private final String method;
  private final List<Job> jobs;
  private final Results results;

  /**
   * A report.
   *
   * @param facts machine, versions and commit
   * @param method the command, and how it measures
   * @param jobs the works in the order of the tables
   * @param results what was found
   */
  Report(List<String> facts, String method, List<Job> jobs, Results results) {
    this.facts = facts;
    this.method = method;
    this.jobs = jobs;
    this.results = results;
  }

  private Stream<Row> times() {
    return results.rows().stream().filter(row -> !row.pass().equals(Job.SHARE));
  }

  /** A line per figure, then the targets. */
  String table() {
    StringBuilder text = new StringBuilder("\n");
    facts.forEach(fact -> text.append(fact).append('\n'));
    String line = "%-34s %-8s %-8s %-16s %10s %10s %7s %7s %10s  %s%n";
    text.append('\n');
    text.append(
        Table.format(
            line,
            "work",
            "pass",
            "products",
            "rival",
            "rival ms",
            "ours ms",
            "ratio",
            "target",
            "limit",
            ""));
    times()
        .forEach(
            row ->
                text.append(
                    Table.format(
                        line,
                        row.job().name(),
                        row.pass(),
                        row.products(),
                        row.rival(),
                        Table.ms(row.rivalMs()),
                        Table.ms(row.oursMs()),
                        Table.ratio(row.ratio()),
                        row.target() == 0 ? "" : Table.ratio(row.target()),
                        row.limit().words(row.oursMs()),
                        row.failure().isEmpty() ? met(row) : row.failure())));
    text.append('\n').append(targets());
    if (!results.product().isEmpty()) {
      text.append("\nproduct 2048³, 2 threads: ").append(results.product()).append('\n');
    }
    return text.toString();
  }

  private static String met(Row row) {
    return row.target() == 0 ? "" : row.ratio() >= row.target() ? "met" : "missed";
  }

  /** For the page. */
  String section() {
    StringBuilder text = new StringBuilder();
    facts.forEach(fact -> text.append(fact).append(".\n"));
    text.append('\n').append(method).append('\n');
    if (!results.product().isEmpty()) {
      text.append("\nThe machine's own product, 2048³ through our BLAS on 2 threads: ");
      text.append(results.product()).append(".\n");
    }
    if (results.isNoisy()) {
      text.append("\nThe machine did something else as well in the course of this run.\n");
    }
    text.append("\n### Targets\n\n").append(targets());
    Set<String> groups = new LinkedHashSet<>(jobs.stream().map(Job::group).toList());
    for (String group : groups) {
      for (String pass : Job.PASSES) {
        appendFigures(text, group, pass);
      }
    }
    appendFailures(text);
    if (!results.notes().isEmpty()) {
      text.append("\n### Notes\n\n");
      results
          .notes()
          .forEach(note -> text.append("- ").append(Table.withoutPaths(note)).append('\n'));
    }
    return text.toString();
  }

  /** A table of the works of a group: our times, and each rival's by ours, in each precision. */
  private void appendFigures(StringBuilder text, String group, String pass) {
    List<Row> rows =
        times().filter(row -> row.job().group().equals(group) && row.pass().equals(pass)).toList();
    if (rows.isEmpty()) {
      return;
    }
    boolean hasLimit = rows.stream().anyMatch(row -> !Double.isNaN(row.ofLimit()));
    List<String> columns = new ArrayList<>(List.of("work"));
    Map<Products, Set<String>> rivals = new LinkedHashMap<>();
    rows.forEach(
        row ->
            rivals.computeIfAbsent(row.products(), key -> new LinkedHashSet<>()).add(row.rival()));
    rivals.forEach(
        (products, names) -> {
          String in = rivals.size() == 1 ? "" : " " + products;
          if (products.isOurs()) {
            columns.addAll(List.of("Recur" + in + ", ms", "GFLOP/s"));
            if (hasLimit) {
              columns.add("of the limit");
            }
          }
          names.forEach(name -> columns.add(name + in + ", ratio"));
        });
    Table table = new Table(columns);
    for (Job job : jobs) {
      List<Row> its = rows.stream().filter(row -> row.job().name().equals(job.name())).toList();
      if (!its.isEmpty()) {
        table.row(figures(job, its, rivals, hasLimit));
      }
    }
    text.append("\n### ").append(group).append(", ").append(pass).append("\n\n").append(table);
  }

  private static List<String> figures(
      Job job, List<Row> rows, Map<Products, Set<String>> rivals, boolean hasLimit) {
    List<String> cells = new ArrayList<>(List.of(job.name()));
    rivals.forEach(
        (products, names) -> {
          List<Row> its = rows.stream().filter(row -> row.products() == products).toList();
          if (products.isOurs()) {
            cells.add(its.isEmpty() ? "" : Table.ms(its.getFirst().oursMs()));
            double rate = its.isEmpty() ? Double.NaN : its.getFirst().gigaflops();
            cells.add(Double.isNaN(rate) ? "" : Table.format("%.1f", rate));
            if (hasLimit) {
              cells.add(its.isEmpty() ? "" : its.getFirst().limit().words(its.getFirst().oursMs()));
            }
          }
          for (String name : names) {
            cells.add(
                its.stream()
                    .filter(row -> row.rival().equals(name))
                    .map(row -> Table.ratio(row.ratio()))
                    .findFirst()
                    .orElse(""));
          }
        });
    return cells;
  }

  /** A line per kind of target: how many works reach it, and which do not. */
  private String targets() {
    Table table = new Table(List.of("target", "wanted", "reached", "missed"));
    Map<String, List<Row>> kinds = new LinkedHashMap<>();
    times()
        .filter(row -> row.target() > 0)
        .forEach(
            row ->
                kinds
                    .computeIfAbsent(
                        row.pass() + ", " + row.rival() + " ÷ Recur", key -> new ArrayList<>())
                    .add(row));
    kinds.forEach((kind, rows) -> table.row(target(kind, rows)));
    for (String pass : Job.PASSES) {
      List<Row> limited = limited(pass);
      if (!limited.isEmpty()) {
        table.row(ofLimit(pass, limited));
      }
    }
    results.rows().stream()
        .filter(row -> row.pass().equals(Job.SHARE))
        .forEach(row -> table.row(share(row)));
    return table.toString();
  }

  private static List<String> target(String kind, List<Row> rows) {
    List<Double> wanted = rows.stream().map(Row::target).distinct().sorted().toList();
    List<Row> measured = rows.stream().filter(Row::isMeasured).toList();
    List<String> missed =
        measured.stream()
            .filter(row -> row.ratio() < row.target())
            .map(
                row ->
                    Table.format(
                        "%s%s %.2f of %s",
                        row.job().name(),
                        row.products() == Products.FLOAT32 ? "" : " " + row.products(),
                        row.ratio(),
                        row.target()))
            .toList();
    int absent = rows.size() - measured.size();
    return List.of(
        kind,
        range(wanted),
        "%d of %d%s"
            .formatted(
                measured.size() - missed.size(),
                measured.size(),
                absent == 0 ? "" : ", " + absent + " not measured"),
        String.join("; ", missed));
  }

  /** A row of each work that is to reach a share of the machine's limit, where it was measured. */
  private List<Row> limited(String pass) {
    Map<String, Row> rows = new LinkedHashMap<>();
    times()
        .filter(row -> row.pass().equals(pass) && row.job().target(pass, Job.LIMIT) > 0)
        .filter(row -> !Double.isNaN(row.ofLimit()))
        .forEach(row -> rows.putIfAbsent(row.job().name(), row));
    return List.copyOf(rows.values());
  }

  private static List<String> ofLimit(String pass, List<Row> rows) {
    List<Double> wanted =
        rows.stream().map(row -> row.job().target(pass, Job.LIMIT)).distinct().sorted().toList();
    List<String> missed =
        rows.stream()
            .filter(row -> row.ofLimit() < row.job().target(pass, Job.LIMIT))
            .map(
                row ->
                    Table.format(
                        "%s %.2f of %s",
                        row.job().name(), row.ofLimit(), row.job().target(pass, Job.LIMIT)))
            .toList();
    return List.of(
        pass + ", of the limit",
        range(wanted),
        (rows.size() - missed.size()) + " of " + rows.size(),
        String.join("; ", missed));
  }

  private static String range(List<Double> wanted) {
    return wanted.size() == 1
        ? "" + wanted.getFirst()
        : wanted.getFirst() + " to " + wanted.getLast();
  }

  private static List<String> share(Row row) {
    return List.of(
        "host's share of a step of the character model",
        Table.format("under %.0f %%", 100 * LARGEST_SHARE),
        Table.format("%.1f %%", 100 * row.oursMs()),
        row.oursMs() < LARGEST_SHARE ? "" : "missed");
  }

  private void appendFailures(StringBuilder text) {
    Map<String, List<Row>> reasons = new LinkedHashMap<>();
    results.rows().stream()
        .filter(row -> !row.failure().isEmpty())
        .forEach(
            row ->
                reasons
                    .computeIfAbsent(Table.withoutPaths(row.failure()), key -> new ArrayList<>())
                    .add(row));
    if (reasons.isEmpty()) {
      return;
    }
    text.append("\n### Not measured\n\n");
    reasons.forEach(
        (reason, rows) ->
            text.append("- ")
                .append(reason)
                .append(isAlways(rows) ? "" : " (" + names(rows) + ")")
                .append('\n'));
  }

  /** Whether they are all that there is of a rival: it does not run here. */
  private boolean isAlways(List<Row> rows) {
    String rival = rows.getFirst().rival();
    return results.rows().stream().filter(row -> row.rival().equals(rival)).count() == rows.size();
  }

  private static String names(List<Row> rows) {
    return String.join("; ", rows.stream().map(Report::name).toList());
  }

  private static String name(Row row) {
    String in = row.products() == Products.FLOAT32 ? "" : " " + row.products();
    return row.job().name() + ", " + row.pass() + in;
  }
}
