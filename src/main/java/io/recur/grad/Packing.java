package io.recur.grad;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Where the valid steps of padded sequences stand when they alone are kept: step by step, and
 * within a step the longest sequence first. The sequences of a step that are still alive are then
 * the first ones of the step before, and steps with as many sequences follow each other without a
 * gap: a stretch is a contiguous part.
 *
 * <p>Sequences of equal length keep their order.
 */
final class Packing {
  final int time;
  final int[] lengths;

  /** The sequences, the longest first. */
  final int[] order;

  /** The valid columns: the sum of the lengths. */
  final int columns;

  /** The columns, batch, of each stretch. */
  final int[] widths;

  /** The first step of each stretch, and the step after the last one. */
  final int[] starts;

  // Made when first asked for, perhaps in arrays of another packing; nobody changes them.
  private int @Nullable [] places;
  private int @Nullable [] sources;
  private int @Nullable [] reversed;
  private int @Nullable [] begins;

  /** Arrays that the tables may be made in. */
  private int[] roomForPlaces = {};

  private int[] roomForReversed = {};

  private Packing(int time, int[] lengths, int columns) {
    this.time = time;
    this.lengths = lengths;
    this.columns = columns;
    this.order = order(lengths, time);
    int[] widths = new int[lengths.length];
    int[] starts = new int[lengths.length + 1];
    int n = 0;
    for (int k = lengths.length - 1, step = 0; k >= 0; k--) { // from the shortest
      if (lengths[order[k]] > step) {
        widths[n] = k + 1;
        starts[n++] = step;
        step = lengths[order[k]];
        starts[n] = step;
      }
    }
    this.widths = Arrays.copyOf(widths, n);
    this.starts = Arrays.copyOf(starts, n + 1);
  }

  /** Refuses lengths that do not fit the shape. */
  static Packing of(Shape shape, int... lengths) {
    if (shape.rank() != 3) {
      throw new ShapeException("padded: data=%s; need features × batch × time".formatted(shape));
    }
    if (lengths.length != shape.batch()) {
      throw new ShapeException(
          "padded: data=%s, %d lengths; need one per sequence, %d"
              .formatted(shape, lengths.length, shape.batch()));
    }
    int columns = 0;
    for (int b = 0; b < lengths.length; b++) {
      if (lengths[b] < 0 || lengths[b] > shape.time()) {
        throw new ShapeException(
            "padded: data=%s, lengths[%d]=%d; need 0 ≤ length ≤ %d"
                .formatted(shape, b, lengths[b], shape.time()));
      }
      columns += lengths[b];
    }
    if (columns == 0) {
      throw new ShapeException(
          "padded: data=%s, all %d lengths are 0; need one step or more"
              .formatted(shape, lengths.length));
    }
    return new Packing(shape.time(), lengths.clone(), columns);
  }

  /**
   * Takes the arrays of a packing that is likely not to be asked again, so that lengths that never
   * come again leave no large garbage. It makes others where it is asked after all.
   */
  Packing inPlaceOf(@Nullable Packing other) {
    if (other != null) {
      roomForPlaces = other.places != null ? other.places : other.roomForPlaces;
      roomForReversed = other.reversed != null ? other.reversed : other.roomForReversed;
      other.places = null;
      other.reversed = null;
      other.roomForPlaces = new int[0];
      other.roomForReversed = new int[0];
    }
    return this;
  }

  /** An array of a number of values or more. */
  private static int[] room(int[] known, int length) {
    return known.length >= length ? known : new int[length];
  }

  /** The sequences sorted by length, the longest first; a count per length. */
  private static int[] order(int[] lengths, int time) {
    int[] place = new int[time + 2];
    for (int length : lengths) {
      place[time - length + 1]++;
    }
    for (int i = 1; i < place.length; i++) {
      place[i] += place[i - 1];
    }
    int[] order = new int[lengths.length];
    for (int b = 0; b < lengths.length; b++) {
      order[place[time - lengths[b]]++] = b;
    }
    return order;
  }

  int batch() {
    return lengths.length;
  }

  int stretches() {
    return widths.length;
  }

  int steps(int stretch) {
    return starts[stretch + 1] - starts[stretch];
  }

  /** Whether every sequence has all steps, so that nothing is to be selected. */
  boolean isWhole() {
    return columns == batch() * time;
  }

  /**
   * The column of the padded data for each valid column; not to be changed. The array may be
   * longer.
   */
  int[] places() {
    int[] known = places;
    if (known == null) {
      known = findPlaces();
      places = known;
    }
    return known;
  }

  private int[] findPlaces() {
    int[] places = room(roomForPlaces, columns);
    int at = 0;
    for (int stretch = 0; stretch < widths.length; stretch++) {
      for (int t = starts[stretch]; t < starts[stretch + 1]; t++) {
        for (int k = 0; k < widths[stretch]; k++) {
          places[at++] = t * lengths.length + order[k];
        }
      }
    }
    return places;
  }

  /**
   * The valid column for each column of the padded data, or {@link Rearrange#NONE}; not to be
   * changed.
   */
  int[] sources() {
    int[] known = sources;
    if (known == null) {
      known = new int[batch() * time];
      Arrays.fill(known, Rearrange.NONE);
      int[] all = places();
      for (int j = 0; j < columns; j++) {
        known[all[j]] = j;
      }
      sources = known;
    }
    return known;
  }

  /** The first valid column of each step that has one; not to be changed. */
  private int[] begins() {
    int[] known = begins;
    if (known == null) {
      known = new int[starts[stretches()]];
      for (int stretch = 0, at = 0; stretch < widths.length; stretch++) {
        for (int t = starts[stretch]; t < starts[stretch + 1]; t++, at += widths[stretch]) {
          known[t] = at;
        }
      }
      begins = known;
    }
    return known;
  }

  /**
   * The valid column for each one of the sequences in reverse, which is its own inverse; not to be
   * changed. The array may be longer.
   */
  int[] reversed() {
    int[] known = reversed;
    if (known == null) {
      known = room(roomForReversed, columns);
      int at = 0;
      for (int stretch = 0; stretch < widths.length; stretch++) {
        for (int t = starts[stretch]; t < starts[stretch + 1]; t++) {
          for (int k = 0; k < widths[stretch]; k++) {
            known[at++] = begins()[lengths[order[k]] - 1 - t] + k;
          }
        }
      }
      reversed = known;
    }
    return known;
  }

  /** The valid column of the last step of each sequence, or {@link Rearrange#NONE}. */
  int[] last() {
    int[] last = new int[batch()];
    for (int k = 0; k < last.length; k++) {
      int length = lengths[order[k]];
      last[order[k]] = length == 0 ? Rearrange.NONE : begins()[length - 1] + k;
    }
    return last;
  }

  /** Whether it is that of data of this shape with these lengths. */
  boolean isOf(Shape shape, int... others) {
    return shape.rank() == 3 && shape.time() == time && Arrays.equals(lengths, others);
  }

  boolean isLike(Packing other) {
    return this == other || (time == other.time && Arrays.equals(lengths, other.lengths));
  }
}
