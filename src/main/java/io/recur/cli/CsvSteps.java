package io.recur.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads steps from a text: one line per step, its values separated by commas. A first line without
 * a number is a heading.
 */
final class CsvSteps implements AutoCloseable {
  private final String name;
  private final BufferedReader reader;
  private int line;
  private int width;

  private CsvSteps(String name, BufferedReader reader) {
    this.name = name;
    this.reader = reader;
  }

  /** Opens a file, or standard input under the name {@code -}. */
  static CsvSteps open(Path path) throws IOException {
    return path.toString().equals("-")
        ? new CsvSteps(
            "standard input",
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)))
        : new CsvSteps(path.toString(), Files.newBufferedReader(path));
  }

  /**
   * {@return the values of the next step, or null after the last one}
   *
   * @throws IOException if the text cannot be read
   * @throws IllegalArgumentException if a value is no number, or a line has more or fewer values
   *     than the first
   */
  float @Nullable [] next() throws IOException {
    String text;
    while ((text = reader.readLine()) != null) {
      line++;
      if (!text.isBlank()) {
        String[] cells = text.split(",", -1);
        if (width > 0 || !isHeading(cells)) {
          return numbers(cells);
        }
      }
    }
    return null;
  }

  private boolean isHeading(String[] cells) {
    return line == 1 && Arrays.stream(cells).noneMatch(CsvSteps::isNumber);
  }

  private static boolean isNumber(String cell) {
    return !Float.isNaN(number(cell)) || cell.strip().equalsIgnoreCase("nan");
  }

  private float[] numbers(String[] cells) {
    width = width == 0 ? cells.length : width;
    float[] values = new float[cells.length];
    for (int i = 0; i < cells.length; i++) {
      values[i] = number(cells[i]);
      if (Float.isNaN(values[i]) || cells.length != width) {
        throw new IllegalArgumentException(
            "%s: line %d: value %d is '%s', of %d values; need %d numbers"
                .formatted(name, line, i + 1, Printable.of(cells[i]), cells.length, width));
      }
    }
    return values;
  }

  /** {@return the number of a cell; NaN if it is none} */
  private static float number(String cell) {
    try {
      return Float.parseFloat(cell.strip());
    } catch (NumberFormatException e) {
      return Float.NaN;
    }
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
