package io.recur.grad;

import io.recur.device.OneThread;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Sequences of different lengths in one batch: features × batch × time, and a length for each
 * sequence, 0 or more. What stands behind the end of a sequence is never read, and may be NaN; no
 * gradient comes from there.
 *
 * <p>A layer takes it as a whole and returns a padded batch of the same lengths; each sequence has
 * the outputs that it has alone. Only valid steps are kept and computed.
 *
 * <pre>{@code
 * Padded words = Padded.of(tape.input(Shape.of(2, 2, 3), new float[12]), 3, 1);
 * Padded scores = chain(lstm(2, 8), dense(8, 4)).on(device, 42).apply(words);
 * Tensor padded = scores.data();                        // 4×2×3, zeros behind the end
 * Tensor mean = new CrossEntropyLoss().of(scores, 0, 1, 2, 0, 3, 0);   // over 4 valid steps
 * }</pre>
 *
 * <p>A layer of one's own works on {@link #valid valid} columns where it treats each step alone,
 * and on {@link #stretches} where it runs over time. A Padded lives as long as the tensors of its
 * tape do.
 */
public final class Padded {
  private final Packing packing;
  private final int rows;

  /** The valid columns, or the stretches that they consist of, or both. */
  private @Nullable Tensor valid;

  private @Nullable List<Tensor> stretches;
  private @Nullable Tensor data;

  private Padded(Packing packing, int rows) {
    this.packing = packing;
    this.rows = rows;
  }

  /**
   * Sequences with their lengths.
   *
   * @param data features × batch × time, on a tape; one-hot columns stay so
   * @param lengths the valid steps of each sequence, 0 ≤ length ≤ time; copied
   * @return the sequences, on the same tape
   * @throws ShapeException if the data are of another rank, the lengths are not as many as the
   *     sequences, one is out of range, or all are 0
   * @throws IllegalStateException if the data are on no tape, or were made before it was cleared
   */
  public static Padded of(Tensor data, int... lengths) {
    Shape shape = data.shape();
    try (OpContext context = OpContext.of("padded", data)) {
      Packing packing = context.packing(shape, lengths);
      Padded padded = new Padded(packing, shape.rows());
      padded.valid =
          packing.isWhole()
              ? data.reshape(Shape.of(shape.rows(), shape.columns()))
              : Take.each(data, packing.places(), packing.columns);
      if (packing.isWhole()) {
        padded.data = data;
      }
      return padded;
    }
  }

  /** {@return features × batch × time, as the data are} */
  public Shape shape() {
    return Shape.of(rows, packing.batch(), packing.time);
  }

  /**
   * The number of valid steps of a sequence.
   *
   * @param column 0 ≤ column &lt; batch
   * @return 0 or more
   * @throws IndexOutOfBoundsException if there is no such sequence
   */
  public int length(int column) {
    if (column < 0 || column >= packing.batch()) {
      throw new IndexOutOfBoundsException(
          "length: column=%d; need 0 ≤ column < %d".formatted(column, packing.batch()));
    }
    return packing.lengths[column];
  }

  /** {@return the number of valid steps of each sequence; a copy} */
  public int[] lengths() {
    return packing.lengths.clone();
  }

  /** {@return the number of all valid steps: the sum of the lengths} */
  public int steps() {
    return packing.columns;
  }

  /**
   * The sequences with zeros behind their ends.
   *
   * @return features × batch × time
   */
  public Tensor data() {
    Tensor known = data;
    if (known == null) {
      Tensor columns = valid();
      known =
          packing.isWhole()
              ? columns.reshape(shape())
              : Rearrange.columns("padded", columns, rows, packing.sources(), 0, shape());
      data = known;
    }
    return known;
  }

  // Valid columns.

  /**
   * The valid steps alone, without those behind the ends: first those of step 0, and within a step
   * the longest sequence first, sequences of equal length in their order.
   *
   * @return features × {@link #steps}
   */
  public Tensor valid() {
    Tensor known = valid;
    if (known == null) {
      List<Tensor> parts = stretches();
      Tensor[] columns = new Tensor[parts.size()];
      for (int i = 0; i < columns.length; i++) {
        columns[i] = parts.get(i).reshape(Shape.of(rows, parts.get(i).shape().columns()));
      }
      known = columns.length == 1 ? columns[0] : Concat.columns(columns);
      valid = known;
    }
    return known;
  }

  /**
   * Applies a function of columns to the {@linkplain #valid valid} ones, such as a layer that
   * treats each step alone.
   *
   * @param function of features × steps; the result has as many columns, and any number of rows
   * @return the results, with the same lengths
   * @throws ShapeException if the result has another number of columns
   */
  public Padded map(UnaryOperator<Tensor> function) {
    Tensor result = function.apply(valid());
    Shape shape = result.shape();
    if (shape.columns() != packing.columns) {
      throw new ShapeException(
          "map: %s became %s; need as many columns".formatted(valid().shape(), shape));
    }
    Padded mapped = new Padded(packing, shape.rows());
    mapped.valid =
        shape.rank() == 2 ? result : result.reshape(Shape.of(shape.rows(), shape.columns()));
    return mapped;
  }

  // Stretches.

  /**
   * The sequences, the longest first, as the {@linkplain #valid valid} steps and the {@linkplain
   * #stretches stretches} have them.
   *
   * @return a permutation of the columns
   */
  public int[] order() {
    return packing.order.clone();
  }

  /**
   * The column of {@link #data} for each {@linkplain #valid valid} column: {@code t·batch + b} for
   * step t of sequence b.
   *
   * @return as many as there are valid steps
   */
  public int[] places() {
    return Arrays.copyOf(packing.places(), packing.columns);
  }

  /**
   * The valid steps cut where sequences end: each stretch holds steps that the same sequences have,
   * which are the first ones of the stretch before.
   *
   * @return views, features × sequences × steps each
   */
  public List<Tensor> stretches() {
    List<Tensor> known = stretches;
    if (known == null) {
      known = cut(valid());
      stretches = known;
    }
    return known;
  }

  /** {@return the number of {@link #stretches}} */
  public int stretchCount() {
    return packing.stretches();
  }

  /**
   * The sequences of a stretch, without a tensor for it.
   *
   * @param stretch 0 ≤ stretch &lt; {@link #stretchCount}
   * @return its batch
   * @throws IndexOutOfBoundsException if there is no such stretch
   */
  public int stretchBatch(int stretch) {
    checkStretch(stretch);
    return packing.widths[stretch];
  }

  /**
   * The steps of a stretch, without a tensor for it.
   *
   * @param stretch 0 ≤ stretch &lt; {@link #stretchCount}
   * @return its time
   * @throws IndexOutOfBoundsException if there is no such stretch
   */
  public int stretchTime(int stretch) {
    checkStretch(stretch);
    return packing.steps(stretch);
  }

  private void checkStretch(int stretch) {
    if (stretch < 0 || stretch >= packing.stretches()) {
      throw new IndexOutOfBoundsException(
          "stretch=%d; these sequences have %d".formatted(stretch, packing.stretches()));
    }
  }

  private List<Tensor> cut(Tensor columns) {
    Tensor[] cut = new Tensor[packing.stretches()];
    int at = 0;
    for (int i = 0; i < cut.length; i++) {
      int width = packing.widths[i];
      int steps = packing.steps(i);
      cut[i] = columns.view(3, rows, width, steps, at * rows);
      at += width * steps;
    }
    return Collections.unmodifiableList(Arrays.asList(cut)); // no copy of the array
  }

  /**
   * Sequences of the same lengths from their stretches.
   *
   * @param stretches one for each of {@link #stretches}, of as many sequences and steps, and all of
   *     the same rows
   * @return the sequences
   * @throws ShapeException if they are of other shapes
   */
  public Padded ofStretches(List<Tensor> stretches) {
    boolean fits = stretches.size() == packing.stretches();
    for (int i = 0; fits && i < stretches.size(); i++) {
      Shape shape = stretches.get(i).shape();
      fits =
          shape.batch() == packing.widths[i]
              && shape.time() == packing.steps(i)
              && shape.rows() == stretches.getFirst().shape().rows();
    }
    if (!fits) {
      throw new ShapeException(
          "stretches: %s; need %d of equal rows, with sequences and steps %s"
              .formatted(
                  stretches.stream().map(Tensor::shape).toList(), packing.stretches(), sizes()));
    }
    Padded padded = new Padded(packing, stretches.getFirst().shape().rows());
    padded.stretches = List.copyOf(stretches);
    return padded;
  }

  private List<String> sizes() {
    List<String> sizes = new ArrayList<>();
    for (int i = 0; i < packing.stretches(); i++) {
      sizes.add(packing.widths[i] + "×" + packing.steps(i));
    }
    return sizes;
  }

  // Over time.

  /**
   * The valid steps of each sequence in reverse: {@code y[:,j,t] = x[:,j,length−1−t]}. One-hot
   * columns stay so.
   *
   * @return sequences of the same lengths
   */
  public Padded reversed() {
    return OverTime.reversed(this, packing);
  }

  /** {@return the last valid step of each sequence, features × batch; zeros of an empty one} */
  public Tensor last() {
    return OverTime.last(valid(), packing);
  }

  /**
   * {@return the mean of the valid steps of each sequence, features × batch; zeros of an empty one}
   */
  public Tensor mean() {
    return OverTime.mean(this, packing);
  }

  /**
   * The largest values of the valid steps of each sequence. Ties share the gradient evenly.
   *
   * @return features × batch; zeros of an empty sequence
   */
  public Tensor max() {
    return OverTime.max(this, packing);
  }

  // Losses.

  /** Refuses sequences of other lengths. */
  void checkLike(String where, Padded other) {
    if (!packing.isLike(other.packing)) {
      throw new ShapeException(
          "%s: lengths %s and %s; need equal lengths and time"
              .formatted(where, describe(packing), describe(other.packing)));
    }
  }

  private static String describe(Packing packing) {
    return Arrays.toString(packing.lengths) + " of " + packing.time;
  }

  /** The valid ones of values that stand one for each column of the data. */
  int[] validOf(String where, int... values) {
    if (values.length != packing.batch() * packing.time) {
      throw new ShapeException(
          "%s: scores=%s, %d targets; need one per column, %d"
              .formatted(where, shape(), values.length, packing.batch() * packing.time));
    }
    int[] places = places();
    for (int j = 0; j < places.length; j++) {
      places[j] = values[places[j]];
    }
    return places;
  }

  private Tensor any() {
    Tensor known = valid;
    return known != null ? known : stretches().getFirst();
  }

  /** {@return the tape that owns the sequences} */
  public Tape tape() {
    return Objects.requireNonNull(any().tape());
  }

  /**
   * Holds the tape of the sequences for the calling thread, see {@link Tape#enter}.
   *
   * @return to be closed by the same thread
   * @throws IllegalStateException if another thread is inside
   */
  public OneThread enter() {
    return tape().enter();
  }

  @Override
  public String toString() {
    return "Padded(" + shape() + ", " + packing.columns + " valid steps)";
  }
}
