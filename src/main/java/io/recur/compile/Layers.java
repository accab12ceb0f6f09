package io.recur.compile;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Ranges of rows that may overlap, dealt to layers in which none do. Each layer covers all rows:
 * ranges that nobody gave fill the gaps.
 */
final class Layers {
  /** Rows {@code row} … {@code row + rows − 1}. */
  record Range(int row, int rows) {
    int end() {
      return row + rows;
    }

    boolean overlaps(Range other) {
      return row < other.end() && other.row < end();
    }
  }

  private Layers() {}

  /** Deals the ranges to layers, each in order of its rows. */
  static List<List<Range>> of(List<Range> ranges) {
    List<List<Range>> layers = new ArrayList<>();
    for (Range range : ranges) {
      List<Range> free =
          layers.stream()
              .filter(layer -> layer.stream().noneMatch(range::overlaps))
              .findFirst()
              .orElse(null);
      if (free == null) {
        free = new ArrayList<>();
        layers.add(free);
      }
      free.add(range);
    }
    layers.forEach(layer -> layer.sort(Comparator.comparingInt(Range::row)));
    return layers;
  }

  /** The rows of a layer that no range covers. */
  static List<Range> gaps(List<Range> layer, int rows) {
    List<Range> gaps = new ArrayList<>();
    int at = 0;
    for (Range range : layer) {
      if (range.row() > at) {
        gaps.add(new Range(at, range.row() - at));
      }
      at = range.end();
    }
    if (at < rows) {
      gaps.add(new Range(at, rows - at));
    }
    return gaps;
  }
}
