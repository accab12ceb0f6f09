package io.recur.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** What was measured on a GPU as a CSV and as a section of RESULTS-GPU.md. */
final class GpuReport {
  static final String CHARACTERS = "character model LSTM-256 B32 T64";

  /** The pass whose figure is no time but the host's share of a training step. */
  static final String SHARE = "share";

  private static final double LARGEST_SHARE = 0.1;
  private static final String COMMAND = "make bench-gpu";
  private static final String CSV = "gpu.csv";

  /**
   * What earlier runs of parts have left.
   *
   * @param facts card, versions and commit that it was measured with
   * @param rows the figures
   */
  record Begun(List<String> facts, List<GpuRow> rows) {}

  private final List<String> facts;
  private final List<GpuRow> rows = new ArrayList<>();
  private final int rounds;

  GpuReport(Begun begun, List<GpuRow> fresh, String card, String rival, int rounds) {
    this.facts =
        List.of(
            "# Recur on " + card.replaceFirst(", float32\\)$", ")"),
            "# PyTorch " + rival,
            "# " + Machine.describe(),
            "# commit " + Machine.commit());
    this.rounds = rounds;
    rows.addAll(fresh);
    if (begun.facts.equals(facts)) {
      begun.rows.stream()
          .filter(
              old ->
                  fresh.stream().noneMatch(row -> old.isOf(row.work(), row.pass(), row.products())))
          .forEach(rows::add);
    }
  }

  /** The figures of a run that was made in parts; none for one that begins anew. */
  static Begun begun(Path folder, boolean anew) throws IOException {
    Path file = folder.resolve(CSV);
    if (anew || !Files.exists(file)) {
      return new Begun(List.of(), List.of());
    }
    List<String> lines = Files.readAllLines(file);
    return new Begun(
        lines.stream().filter(line -> line.startsWith("#")).toList(),
        lines.stream()
            .filter(line -> !line.startsWith("#") && !line.equals(GpuRow.HEADER))
            .map(GpuRow::of)
            .toList());
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  private static String ms(double value) {
    return Double.isNaN(value) ? "–" : format(value < 10 ? "%.4f" : "%.2f", value);
  }

  /** One figure for the terminal; of a rehearsal the answers alone. */
  static String line(GpuRow row, boolean rehearsal) {
    String start = format("%-34s %-8s %-8s", row.work(), row.pass(), row.products());
    String answers = format("  apart %.1e, PyTorch %.1e", row.oursApart(), row.rivalApart());
    String end = row.failure().isEmpty() ? "" : "  " + row.failure();
    if (rehearsal) {
      return start + answers + end;
    }
    if (row.pass().equals(SHARE)) {
      return start + format("  host %.1f %%", 100 * row.oursMs()) + end;
    }
    return start
        + format(
            "  %10s ms, PyTorch %10s ms, ratio %.2f",
            ms(row.oursMs()), ms(row.rivalMs()), row.ratio())
        + answers
        + end;
  }

  /** Whether every work has been measured, or has said why not. */
  boolean isWhole() {
    Stream<String> wanted =
        Stream.concat(GpuWork.all(false).stream().map(GpuWork::name), Stream.of(CHARACTERS));
    return wanted.allMatch(name -> rows.stream().anyMatch(row -> row.work().equals(name)));
  }

  void write(Path folder) throws IOException {
    List<String> lines = new ArrayList<>(facts);
    lines.add(GpuRow.HEADER);
    rows.forEach(row -> lines.add(row.csv()));
    Files.write(folder.resolve(CSV), lines);
  }

  /** Writes the CSV, and this run between the markers of RESULTS-GPU.md. */
  void publish(Path folder) throws IOException {
    write(folder);
    Path file = folder.resolve("RESULTS-GPU.md");
    Files.writeString(file, Section.replaced(file, COMMAND, section()));
  }

  /** The targets with what was reached, for the terminal. */
  String summary() {
    StringBuilder text = new StringBuilder("\n");
    facts.forEach(fact -> text.append(fact.substring(2)).append('\n'));
    return text.append('\n').append(targets()).toString();
  }

  private String section() {
    StringBuilder text = new StringBuilder();
    facts.forEach(fact -> text.append(fact.substring(2)).append(".\n"));
    text.append(
        format(
            """

            Command: `make bench-gpu PYTHON=…`. %d rounds in turn of at least 30 ms each after a warm-up, \
            medians, each contender in a process of its own; answers and gradients were compared before. \
            x is as long as h, sequences have 256 steps, x lies on the GPU already; `train` is forward and \
            backward of the sum of the outputs, `step` one step at a time with the state carried, from the \
            host and back to it. A ratio is PyTorch's time by ours, in the same precision; PyTorch's bf16 \
            and fp16 keep weights, state and gates in that type, ours in float32, and its fp16 is held \
            against our bf16.

            """,
            rounds));
    text.append(targets()).append('\n');
    for (GpuWork.Products products : GpuWork.Products.values()) {
      appendFigures(text, products);
    }
    appendFailures(text);
    return text.toString();
  }

  private void appendFigures(StringBuilder text, GpuWork.Products products) {
    text.append("### ").append(products).append("\n\n| work |");
    for (String pass : GpuWork.PASSES) {
      text.append(format(" %s: Recur ms | TFLOP/s | PyTorch ms | ratio |", pass));
    }
    text.append("\n|---|").append("---|---|---|---|".repeat(GpuWork.PASSES.size())).append('\n');
    for (GpuWork work : GpuWork.all(false)) {
      text.append("| ").append(work.name()).append(" |");
      for (String pass : GpuWork.PASSES) {
        text.append(
            rows.stream()
                .filter(row -> row.isOf(work.name(), pass, products))
                .findFirst()
                .map(
                    row ->
                        format(
                            " %s | %.2f | %s | %.2f |",
                            ms(row.oursMs()),
                            work.operations(pass) / row.oursMs() / 1e9,
                            ms(row.rivalMs()),
                            row.ratio()))
                .orElse(" | | | |"));
      }
      text.append('\n');
    }
    text.append('\n');
  }

  /** A line a target: how many of the works reach it, and which do not. */
  private String targets() {
    StringBuilder text =
        new StringBuilder("| target | wanted | reached | missed |\n|---|---|---|---|\n");
    appendTarget(text, "training, B ≥ 16", 0.9, Job.TRAIN);
    appendTarget(text, "large batch, B 256, H 2048", 0.95, Job.TRAIN);
    appendTarget(text, "large batch, B 256, H 2048", 0.95, Job.FORWARD);
    appendTarget(text, "one step, H 256 to 1024, B 1", 4, Job.STEP);
    rows.stream()
        .filter(row -> row.pass().equals(SHARE))
        .forEach(
            row ->
                text.append(
                    format(
                        "| host's share of a step of the character model | under %.0f %% | %.1f %% | %s |%n",
                        100 * LARGEST_SHARE,
                        100 * row.oursMs(),
                        row.oursMs() < LARGEST_SHARE ? "" : "missed")));
    return text.toString();
  }

  private void appendTarget(StringBuilder text, String what, double wanted, String pass) {
    List<String> missed = new ArrayList<>();
    int met = 0;
    for (GpuWork work : GpuWork.all(false)) {
      for (GpuRow row : rows) {
        if (!row.work().equals(work.name())
            || !row.pass().equals(pass)
            || work.target(pass, row.products()) != wanted) {
          continue;
        }
        if (row.ratio() >= wanted) {
          met++;
        } else {
          missed.add(format("%s %s %.2f", row.work(), row.products(), row.ratio()));
        }
      }
    }
    text.append(
        format(
            "| %s: %s | %s | %d of %d | %s |%n",
            what, pass, wanted, met, met + missed.size(), String.join(", ", missed)));
  }

  private void appendFailures(StringBuilder text) {
    List<GpuRow> failed = rows.stream().filter(row -> !row.failure().isEmpty()).toList();
    if (!failed.isEmpty()) {
      text.append("Not measured:\n\n");
      for (GpuRow row : failed) {
        String reason = row.failure().replaceAll("/[^\\s:]*/", "…/"); // no machine's paths
        text.append(format("- %s, %s, %s: %s%n", row.work(), row.pass(), row.products(), reason));
      }
    }
  }
}
