package io.recur.peers;

import java.util.List;
import java.util.Locale;

/** A table of a page of results, in Markdown. */
final class Table {
  private final StringBuilder text = new StringBuilder();

  Table(List<String> columns) {
    row(columns);
    text.append("|---".repeat(columns.size())).append("|\n");
  }

  /** Adds a row; an empty cell stays blank. */
  void row(List<String> cells) {
    cells.forEach(cell -> text.append(cell.isEmpty() ? "| " : "| " + cell + " "));
    text.append("|\n");
  }

  @Override
  public String toString() {
    return text.toString();
  }

  /** A format with points for decimals, whatever the country. */
  static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /** Milliseconds with four digits; nothing where there are none. */
  static String ms(double value) {
    if (Double.isNaN(value)) {
      return "";
    }
    int digits = value >= 1000 ? 0 : Math.max(0, 3 - (int) Math.floor(Math.log10(value)));
    return format("%." + digits + "f", value);
  }

  /** A ratio with two decimals; nothing where there is none. */
  static String ratio(double value) {
    return Double.isNaN(value) ? "" : format("%.2f", value);
  }

  /** A reason without the folders of this machine. */
  static String withoutPaths(String reason) {
    return reason.replaceAll("(?<![\\w.…-])/[^\\s:]*/", "…/");
  }
}
