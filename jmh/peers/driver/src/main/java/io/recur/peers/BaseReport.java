package io.recur.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What was measured against an earlier commit: a table, a CSV and a section of RESULTS.md. */
final class BaseReport {
  private static final String COMMAND = "make peers BASE=…";
  private static final String RUN = "- run ";

  private final String base;
  private final int sets;
  private final int turnsOfASet;
  private final double limit;
  private final String commit = Machine.commit();
  private final List<BaseRow> rows = new ArrayList<>();

  BaseReport(String base, int sets, int turnsOfASet, double limit) {
    this.base = base;
    this.sets = sets;
    this.turnsOfASet = turnsOfASet;
    this.limit = limit;
  }

  /** Takes a row, and prints it. */
  void add(BaseRow row) {
    rows.add(row);
    System.out.print(line(row));
  }

  /** Whether all rows were measured and none is slower. */
  boolean isPassed() {
    return rows.stream().allMatch(row -> row.failure() == null && !row.isSlower(limit));
  }

  String table() {
    StringBuilder text = new StringBuilder();
    text.append(
        Table.format(
            "%n%-34s %-8s %10s %10s  %-22s  %-15s  %s%n",
            "work", "pass", "base ms", "present ms", "base ÷ present, 95 %", "noise, 95 %", ""));
    rows.forEach(row -> text.append(line(row)));
    return text.append(verdict()).append("\n").toString();
  }

  private String line(BaseRow row) {
    if (row.failure() != null) {
      return Table.format("%-34s %-8s not measured: %s%n", row.work(), row.pass(), row.failure());
    }
    return Table.format(
        "%-34s %-8s %10.5f %10.5f  %.3f (%.3f to %.3f)  %.3f to %.3f  %s%n",
        row.work(),
        row.pass(),
        row.baseMs(),
        row.presentMs(),
        row.ratio().ratio(),
        row.ratio().low(),
        row.ratio().high(),
        row.noise().low(),
        row.noise().high(),
        row.isSlower(limit) ? "SLOWER" : "");
  }

  private String verdict() {
    List<String> slower =
        rows.stream()
            .filter(row -> row.isSlower(limit))
            .map(row -> row.work() + " " + row.pass())
            .toList();
    long missing = rows.stream().filter(row -> row.failure() != null).count();
    return Table.format(
        "%d rows, %s not measured, slower than %s: %s",
        rows.size(),
        missing == 0 ? "none" : "" + missing,
        limit,
        slower.isEmpty() ? "none" : String.join("; ", slower));
  }

  /** Writes the section and the CSV of part of a run, where nothing is published. */
  String keep(Path folder) throws IOException {
    Files.writeString(folder.resolve("base.csv"), csv());
    Files.writeString(folder.resolve("base.md"), section(List.of()));
    return folder + ": base.csv, base.md (part of a run: nothing published is touched)";
  }

  /**
   * Publishes a whole run. The first run of a commit counts: a repeat adds its line to the list of
   * runs, and leaves the table and the CSV as they are.
   */
  String publish(Path folder) throws IOException {
    Path page = folder.resolve("RESULTS.md");
    String old = Section.of(page, COMMAND);
    List<String> runs = new ArrayList<>();
    if (old.startsWith(title())) {
      old.lines().filter(line -> line.startsWith(RUN)).forEach(runs::add);
    }
    String now = ", commit " + commit + ",";
    long earlier = runs.stream().filter(line -> line.contains(now)).count();
    runs.add(
        Table.format(
            "%s%d, %s%s %s: %s.",
            RUN,
            runs.size() + 1,
            LocalDate.now(ZoneOffset.UTC),
            now,
            earlier == 0 ? "its first" : "a repeat",
            verdict()));
    String section =
        earlier == 0 ? section(runs) : old.substring(0, old.indexOf(RUN)) + String.join("\n", runs);
    Section.replace(page, COMMAND, section);
    if (earlier > 0) {
      return page + ": a repeat: its line; the table and base.csv stay those of the first run";
    }
    Files.writeString(folder.resolve("base.csv"), csv());
    return folder + ": base.csv, the section of RESULTS.md";
  }

  private String title() {
    return "## Against commit " + base + "\n";
  }

  private String section(List<String> runs) {
    StringBuilder text = new StringBuilder(title());
    text.append(Table.format("%n%s; commit %s.%n%n", Machine.describe(), commit));
    text.append(
        Table.format(
            """
            Command: `make peers BASE=%s`. Each build has a process of its own on 2 threads and its own \
            contender. Answers and gradients were compared before. %d fresh sets of processes took %d turns \
            A B B A each, of at least 100 ms a run; a set's ratio is the median of its turns'. \
            The interval is Student's t, 95 %%, on the logarithms of the sets' ratios. The noise is the same \
            interval of the present build against itself. A ratio above 1 means that the present commit is \
            faster; a row is slower where its interval is wholly below %s.

            """,
            base, sets, turnsOfASet, limit));
    Set<String> tables = new LinkedHashSet<>(rows.stream().map(BaseReport::heading).toList());
    for (String name : tables) {
      Table table =
          new Table(
              List.of(
                  "work", "base ms", "present ms", "base ÷ present", "95 %", "noise", "slower"));
      rows.stream()
          .filter(row -> heading(row).equals(name))
          .forEach(row -> table.row(figures(row)));
      text.append("### ").append(name).append("\n\n").append(table).append("\n");
    }
    text.append(
        "The first whole run of a commit counts. All of them, the last one at the end:\n\n");
    return text.append(String.join("\n", runs)).append("\n").toString();
  }

  private static String heading(BaseRow row) {
    return row.job().group() + ", " + row.pass();
  }

  private List<String> figures(BaseRow row) {
    if (row.failure() != null) {
      String reason = "not measured: " + Table.withoutPaths(row.failure());
      return List.of(row.work(), "", "", "", "", "", reason);
    }
    return List.of(
        row.work(),
        Table.ms(row.baseMs()),
        Table.ms(row.presentMs()),
        Table.format("%.3f", row.ratio().ratio()),
        row.ratio().limits(),
        row.noise().limits(),
        row.isSlower(limit) ? "yes" : "no");
  }

  private String csv() {
    StringBuilder text =
        new StringBuilder(
            "work,pass,base,present,base_ms,present_ms,ratio,low,high,noise_low,noise_high,max_abs_diff\n");
    for (BaseRow row : rows) {
      if (row.failure() == null) {
        text.append(
            Table.format(
                "%s,%s,%s,%s,%.6f,%.6f,%.4f,%.4f,%.4f,%.4f,%.4f,%.3e%n",
                row.work(),
                row.pass(),
                base,
                commit,
                row.baseMs(),
                row.presentMs(),
                row.ratio().ratio(),
                row.ratio().low(),
                row.ratio().high(),
                row.noise().low(),
                row.noise().high(),
                row.difference()));
      }
    }
    return text.toString();
  }
}
