package io.recur.peers;

import java.util.ArrayList;
import java.util.List;

/** What the steps of a bring-up have shown, for the terminal and for RESULTS-GPU.md. */
final class BringUpReport {
  private static final int MOST_FAILURES = 12;
  private static final int MOST_FIGURES = 40;
  private static final int LAST_LINES = 8;
  private static final int MOST_LETTERS = 240;

  private final String card;
  private final boolean isRehearsal;
  private final List<Row> rows = new ArrayList<>();

  private record Row(
      BringUpStep step,
      String outcome,
      boolean isFailed,
      double seconds,
      List<String> figures,
      List<String> details,
      DoubleCounts counts) {}

  BringUpReport(String card, boolean isRehearsal) {
    this.card = card;
    this.isRehearsal = isRehearsal;
  }

  /** A step that was not run. */
  void add(BringUpStep step, String why) {
    add(new Row(step, why, true, 0, List.of(), List.of(), DoubleCounts.NONE));
  }

  void add(BringUpStep step, Child.Ended ended, TestRun run, DoubleCounts counts) {
    boolean isTests = step.isTests();
    boolean isFailed = ended.status() != 0 && step.kind() != BringUpStep.Kind.SYSTEM;
    List<String> figures =
        isTests
            ? run.figures()
            : ended.status() == 0 ? last(ended.lines(), MOST_FIGURES) : List.of();
    List<String> details = new ArrayList<>();
    List<TestRun.Failure> own = run.failures().stream().filter(f -> !f.isLater()).toList();
    own.stream().limit(MOST_FAILURES).forEach(f -> details.add(f.shortName() + ": " + f.reason()));
    int others = run.failures().size() - Math.min(own.size(), MOST_FAILURES);
    if (others > 0) {
      details.add(
          "and %d more, %d of them after the context had ended"
              .formatted(others, run.failures().size() - own.size()));
    }
    if (ended.status() != 0 && details.isEmpty()) {
      details.addAll(last(ended.lines(), LAST_LINES));
    }
    add(
        new Row(
            step,
            outcome(ended, run, isTests),
            isFailed,
            ended.seconds(),
            figures,
            details,
            counts));
  }

  private void add(Row row) {
    rows.add(row);
    System.out.println(row.step.name() + ": " + row.outcome + seconds(row));
    row.details.forEach(line -> System.out.println("    " + cut(line)));
  }

  private static String outcome(Child.Ended ended, TestRun run, boolean isTests) {
    List<String> words = new ArrayList<>();
    if (ended.isLate()) {
      words.add("stopped at its limit");
    } else if (ended.status() != 0 && run.failures().isEmpty()) {
      words.add(ended.status() < 0 ? "not there" : "ended with " + ended.status());
    }
    if (isTests && run.isWhole()) {
      words.add(run.successful() + " passed");
      words.add(run.skipped() + " skipped");
      words.add(run.failures().size() + " failed");
    }
    return words.isEmpty() ? "done" : String.join(", ", words);
  }

  private static List<String> last(List<String> lines, int most) {
    List<String> told = lines.stream().filter(line -> !line.isBlank()).toList();
    return told.subList(Math.max(0, told.size() - most), told.size());
  }

  private static String cut(String line) {
    String text = Table.withoutPaths(line.strip());
    return text.length() > MOST_LETTERS ? text.substring(0, MOST_LETTERS) + " …" : text;
  }

  private String seconds(Row row) {
    return isRehearsal ? "" : Table.format(", %.1f s", row.seconds);
  }

  int failed() {
    return (int) rows.stream().filter(Row::isFailed).count();
  }

  String summary() {
    return "%d steps, %d failed%s"
        .formatted(rows.size(), failed(), isRehearsal ? ". " + estimate() : "");
  }

  private String estimate() {
    return Table.format(
        "A rehearsal on the CPU double, nothing is timed; a card should need %.0f s",
        total().estimate());
  }

  private DoubleCounts total() {
    return rows.stream().map(Row::counts).reduce(DoubleCounts.NONE, DoubleCounts::plus);
  }

  /** For the page. */
  String section(double seconds) {
    StringBuilder text = new StringBuilder();
    text.append(card).append(".\n").append(Machine.describe()).append(".\n");
    text.append("Commit ").append(Machine.commit()).append(".\n\n");
    text.append(
        isRehearsal
            ? estimate() + ".\n\n"
            : Table.format("%d steps, %d failed, %.0f s.%n%n", rows.size(), failed(), seconds));
    Table table =
        new Table(isRehearsal ? List.of("step", "outcome") : List.of("step", "outcome", "s"));
    for (Row row : rows) {
      table.row(
          isRehearsal
              ? List.of(row.step.name(), row.outcome)
              : List.of(row.step.name(), row.outcome, Table.format("%.1f", row.seconds)));
    }
    text.append(table);
    rows.forEach(
        row ->
            appendLines(
                text, row.step.name() + (row.isFailed ? ", failures" : ", output"), row.details));
    rows.forEach(row -> appendLines(text, row.step.name(), row.figures));
    if (isRehearsal) {
      Table counts = DoubleCounts.table();
      rows.forEach(row -> counts.row(row.counts.row(row.step.name())));
      counts.row(total().row("all"));
      text.append("\nCounted on the double:\n\n").append(counts);
    }
    return text.toString();
  }

  private static void appendLines(StringBuilder text, String title, List<String> lines) {
    if (!lines.isEmpty()) {
      text.append("\n").append(title).append(":\n\n```\n");
      lines.stream().limit(MOST_FIGURES).forEach(line -> text.append(cut(line)).append('\n'));
      text.append("```\n");
    }
  }
}
