package io.recur.nn.cells;

import io.recur.grad.Parameter;
import io.recur.nn.Cell;
import io.recur.nn.Cells;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes {@code docs/cells.md} from the Javadoc of the cells, their parameters, and the figures of
 * {@code jmh/cells.csv}: on what they were measured, a line of titles, then a line per cell that
 * begins with its class.
 */
final class CellsPage {
  static final Path PAGE = Path.of("docs/cells.md");
  private static final Path FIGURES = Path.of("jmh/cells.csv");
  private static final Path SOURCES = Path.of("src/main/java/io/recur/nn/cells");

  private static final int IN = 128;
  private static final int OUT = 256;

  /** Javadoc of the class: what it is, its equations, the rest up to the example. */
  private static final Pattern JAVADOC =
      Pattern.compile(
          "\n/\\*\\*\n(.*?)\n \\*\n \\* <pre>\n(.*?)\n \\* </pre>\n \\*\n(.*?) \\* <pre>\\{@code",
          Pattern.DOTALL);

  private static final String HEAD =
      """
      # The catalogue of cells

      `io.recur.nn.cells` holds a file per cell. Its `step` is written in tensor operations like the equations of its
      paper; gradients, sequences, printing and checkpoints come with it. Use one as any other:

      ```java
      Chain model = chain(new Recur(new MGUCell(10, 15)), dense(15, 5)).on(device, 42);
      ```

      Every cell also has a constructor that takes its parts, such as band matrices. σ without an argument of its own is
      the logistic function, ∘ the elementwise product, x the input, h' the state after the step and the output y unless
      y is named. Tests hold each cell to its equations in PyTorch, in float64, gradients included
      (`src/test/resources/pytorch/make_cells.py`), and some to the code of the paper's authors.

      `Zoneout.of(cell, rate)`, `RecurrentDropout.of(cell, rate)` and `WeightDrop.of(cell, rate, "Wh")` are cells too: they
      regularise any cell, built in or your own, where a tape records, and take the expectation where it does not.

      This page is made from the Javadoc of the cells:
      `java -cp target/test-classes:… io.recur.nn.cells.CellsPage`; a test fails where it is out of date.
      """;

  private static final String FIGURES_HEAD =
      """

      The speeds are those of sizes 128 → 256: a step of one column through `Recur.apply`, and sequences of 32 columns and
      64 steps. Beside each stands how many times as long it takes as the built-in GRU in the same turns. `make bench
      BENCH=CellSpeeds` measured them: %s
      """;

  private CellsPage() {}

  public static void main(String[] arguments) throws IOException {
    Files.writeString(PAGE, text());
  }

  static String text() throws IOException {
    Map<String, List<String>> figures = figures();
    StringBuilder page = new StringBuilder(HEAD);
    page.append(FIGURES_HEAD.formatted(figure(figures, "measured").getFirst()));
    page.append("\n| cell | parameters, 128 → 256 | state per column |");
    List<String> titles = figure(figures, "cell");
    titles.forEach(title -> page.append(' ').append(title).append(" |"));
    page.append("\n|---|---|---|").append("---|".repeat(titles.size())).append('\n');
    List<Cell> cells = Cells.catalogue().map(each -> each.paper(IN, OUT)).toList();
    for (Cell cell : cells) {
      String name = cell.getClass().getSimpleName();
      page.append(
          "| [%s](#%s) | %s | %s |"
              .formatted(
                  name,
                  name.toLowerCase(Locale.ROOT),
                  count(cell.parameters()),
                  count(cell.state0())));
      figure(figures, name).forEach(value -> page.append(' ').append(value).append(" |"));
      page.append('\n');
    }
    for (Cell cell : cells) {
      section(page, cell.getClass().getSimpleName());
    }
    return page.toString();
  }

  private static String count(List<Parameter> parameters) {
    long count = parameters.stream().mapToLong(p -> p.shape().count()).sum();
    return String.format(Locale.ROOT, "%,d", count).replace(',', ' ');
  }

  private static void section(StringBuilder page, String name) throws IOException {
    String source = Files.readString(SOURCES.resolve(name + ".java"));
    Matcher javadoc = JAVADOC.matcher(source);
    if (!javadoc.find()) {
      throw new IllegalStateException(
          name + ": its Javadoc needs a sentence, <pre> with the equations, and an example");
    }
    page.append("\n## ").append(name).append("\n\n");
    page.append(paragraphs(javadoc.group(1))).append("\n\n```\n");
    page.append(javadoc.group(2).replaceAll("(?m)^ \\* ?", "")).append("\n```\n\n");
    page.append(paragraphs(javadoc.group(3))).append('\n');
  }

  /** Javadoc as Markdown, a paragraph per line. */
  private static String paragraphs(String javadoc) {
    return javadoc
        .replaceAll("(?m)^ \\* ?", "")
        .replaceAll("\\s+", " ")
        .replaceAll(" ?<p>", "\n\n")
        .replaceAll("\\{@(?:code|link) ([^}]*)}", "`$1`")
        .replaceAll("</?i>", "*")
        .strip();
  }

  private static List<String> figure(Map<String, List<String>> figures, String name) {
    List<String> row = figures.get(name);
    if (row == null) {
      throw new IllegalStateException(
          "%s has no line of %s: run make bench BENCH=CellSpeeds".formatted(FIGURES, name));
    }
    return row;
  }

  private static Map<String, List<String>> figures() throws IOException {
    Map<String, List<String>> figures = new LinkedHashMap<>();
    for (String line : Files.readAllLines(FIGURES)) {
      List<String> words = new ArrayList<>(List.of(line.split(",")));
      figures.put(words.removeFirst(), words);
    }
    return figures;
  }
}
