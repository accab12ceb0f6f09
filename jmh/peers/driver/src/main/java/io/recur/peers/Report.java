package io.recur.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** A run's results as a table, a CSV and a section of RESULTS.md. */
final class Report {
  private static final String BEGIN = "<!-- make peers writes from here -->";
  private static final String END = "<!-- to here -->";

  private final Results results;
  private final List<Peer> rivals;
  private final int rounds;

  Report(Results results, List<Peer> rivals, int rounds) {
    this.results = results;
    this.rivals = rivals;
    this.rounds = rounds;
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /** Four digits. */
  private static String ms(double value) {
    return value >= 1000
        ? format("%.0f", value)
        : format("%." + Math.max(0, 3 - (int) Math.floor(Math.log10(value))) + "f", value);
  }

  /** One line a work, pass and target or rival, for the terminal. */
  String table() {
    StringBuilder text = new StringBuilder();
    text.append(
        format(
            "%-34s %-8s %-14s %10s %10s %7s %7s  %s%n",
            "work", "pass", "rival", "rival ms", "ours ms", "ratio", "target", "met"));
    for (Row row : results.rows()) {
      text.append(
          row.isMeasured()
              ? format(
                  "%-34s %-8s %-14s %10s %10s %7.2f %7s  %s%n",
                  row.job().name(),
                  row.pass(),
                  row.rival(),
                  ms(row.rivalMs()),
                  ms(row.oursMs()),
                  row.ratio(),
                  row.target() == 0 ? "" : format("%.2f", row.target()),
                  met(row))
              : format(
                  "%-34s %-8s %-14s cannot run: %s%n",
                  row.job().name(), row.pass(), row.rival(), row.failure()));
    }
    for (Results.Ours ours : results.ours()) {
      if (!Double.isNaN(ours.limit())) {
        text.append(
            format(
                "%-34s %-8s %-14s %10.1f %10.1f %7.2f %7.2f  %s%n",
                ours.job().name(),
                ours.pass(),
                "GFLOP/s",
                ours.limit(),
                ours.gigaflops(),
                ours.gigaflops() / ours.limit(),
                ours.job().share(),
                met(ours)));
      }
    }
    return text.append(format("%nproduct 2048³, 2 threads: %s%n", product())).toString();
  }

  private String product() {
    return format(
        "%.1f GFLOP/s (in the course of the run %.1f to %.1f)",
        results.product(), results.slowestProduct(), results.fastestProduct());
  }

  private static String met(Row row) {
    return row.target() == 0 ? "" : row.ratio() >= row.target() ? "yes" : "no";
  }

  private static String met(Results.Ours ours) {
    return ours.gigaflops() >= ours.job().share() * ours.limit() ? "yes" : "no";
  }

  String csv() {
    StringBuilder text =
        new StringBuilder("work,pass,rival,version,rival_ms,ours_ms,ratio,max_abs_diff\n");
    for (Row row : results.rows()) {
      if (row.isMeasured()) {
        text.append(
            format(
                "%s,%s,%s,%s,%.6f,%.6f,%.4f,%.3e%n",
                row.job().name(),
                row.pass(),
                row.rival(),
                row.version(),
                row.rivalMs(),
                row.oursMs(),
                row.ratio(),
                row.difference()));
      }
    }
    return text.toString();
  }

  /** Writes this run between the markers; at the end where there are none yet. */
  void rewrite(Path file) throws IOException {
    String text = Files.readString(file);
    int from = text.indexOf(BEGIN);
    int to = text.indexOf(END);
    String section = BEGIN + "\n\n" + section() + "\n" + END;
    Files.writeString(
        file,
        from >= 0 && to > from
            ? text.substring(0, from) + section + text.substring(to + END.length())
            : text.stripTrailing() + "\n\n" + section + "\n");
  }

  private String section() {
    StringBuilder text = new StringBuilder();
    text.append("## The rivals, in one run with us\n\n");
    text.append(Machine.describe()).append("; commit ").append(Machine.commit()).append(".\n");
    text.append("Recur on ").append(results.version()).append("; ");
    List<String> versions = new ArrayList<>();
    for (Peer rival : rivals) {
      if (rival.broken() == null && !rival.version().isEmpty()) {
        versions.add(rival.name() + " " + rival.version());
      }
    }
    text.append(String.join(", ", versions)).append(".\n\n");
    text.append(
        format(
            """
            Command: `make peers PYTHON=…`. %d rounds in turn of at least 150 ms each after a warm-up, \
            of each turn the median of nine parts, of the turns the median; each contender in a process of \
            its own on 2 threads, float32; answers and \
            gradients were compared before. `train` is forward and backward of the sum of the outputs \
            (of the character model, a whole step with clipping and Adam), `step` one step at a time \
            with the state carried. A ratio is the rival's time by ours. The machine's own product, \
            2048³ through our BLAS on 2 threads: %s. Ours in GFLOP/s counts the matrix \
            products: 2·T·B·gates·H·(in + H) forward, three times that in training. DJL's PyTorch is \
            what a Java developer gets; it stands in for no target.

            """,
            rounds, product()));
    if (results.isNoisy()) {
      text.append("The machine did something else as well in the course of this run.\n\n");
    }
    appendFigures(text);
    appendTargets(text);
    appendFailures(text);
    return text.toString();
  }

  private void appendFigures(StringBuilder text) {
    text.append("| work | pass | Recur ms | GFLOP/s |");
    rivals.forEach(rival -> text.append(" ").append(rival.name()).append(" ms | ratio |"));
    text.append("\n|---|---|---|---|").append("---|---|".repeat(rivals.size())).append("\n");
    for (Results.Ours ours : results.ours()) {
      text.append(
          format(
              "| %s | %s | %s | %s |",
              ours.job().name(),
              ours.pass(),
              ms(ours.ms()),
              Double.isNaN(ours.gigaflops()) ? "" : format("%.1f", ours.gigaflops())));
      for (Peer rival : rivals) {
        text.append(
            results.rows().stream()
                .filter(row -> row.job() == ours.job() && row.pass().equals(ours.pass()))
                .filter(row -> row.rival().equals(rival.name()) && row.isMeasured())
                .findFirst()
                .map(row -> format(" %s | %.2f |", ms(row.rivalMs()), row.ratio()))
                .orElse(" | |"));
      }
      text.append("\n");
    }
  }

  private void appendTargets(StringBuilder text) {
    text.append("\n| target | | wanted | reached | met |\n|---|---|---|---|---|\n");
    for (Row row : results.rows()) {
      if (row.target() > 0) {
        text.append(
            format(
                "| %s %s | %s | %.2f | %s |%n",
                row.job().name(),
                row.pass(),
                row.rival(),
                row.target(),
                row.isMeasured() ? format("%.2f | %s", row.ratio(), met(row)) : "not measured |"));
      }
    }
    for (Results.Ours ours : results.ours()) {
      if (!Double.isNaN(ours.limit())) {
        text.append(
            format(
                "| %s %s | of the machine's product rate, %.1f GFLOP/s in these rounds "
                    + "| %.2f | %.2f | %s |%n",
                ours.job().name(),
                ours.pass(),
                ours.limit(),
                ours.job().share(),
                ours.gigaflops() / ours.limit(),
                met(ours)));
      }
    }
  }

  private void appendFailures(StringBuilder text) {
    Set<String> lines = new LinkedHashSet<>();
    for (Row row : results.rows()) {
      if (!row.isMeasured()) {
        boolean always =
            rivals.stream()
                .anyMatch(peer -> peer.name().equals(row.rival()) && peer.broken() != null);
        String where = always ? "" : " (" + row.job().name() + ", " + row.pass() + ")";
        String reason = row.failure().replaceAll("/[^\\s:]*/", "…/"); // no machine's paths
        lines.add("- " + row.rival() + where + ": " + reason + "\n");
      }
    }
    if (!lines.isEmpty()) {
      text.append("\nNot measured:\n\n");
      lines.forEach(text::append);
    }
  }
}
