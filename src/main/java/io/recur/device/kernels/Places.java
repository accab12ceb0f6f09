package io.recur.device.kernels;

import io.recur.device.Buffer;
import io.recur.device.memory.Slab;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Where the arrays of a {@link ProductSchedule.Pass} are, those of the program and its spaces in
 * scratch memory.
 *
 * <pre>{@code
 * Places places = new Places(schedule).begin(32, 100);
 * places.array(0, states, 0, 101);
 * long word = places.offset(0, 5);                        // of step 5 in states
 * }</pre>
 */
public final class Places {
  private final ProductSchedule schedule;
  private final @Nullable Buffer[] buffers;
  private final long[] first;
  private final int[] steps;
  private final int[] rows;
  private int batch;
  private int time;

  /**
   * Makes places of no memory.
   *
   * @param schedule whose arrays they are
   */
  public Places(ProductSchedule schedule) {
    this.schedule = schedule;
    int most =
        Math.max(schedule.forward().spaces().size(), schedule.backward().spaces().size())
            + schedule.program().arrays().size();
    buffers = new Buffer[most];
    first = new long[most];
    steps = new int[most];
    rows = new int[most];
    for (int i = 0; i < schedule.program().arrays().size(); i++) {
      rows[i] = schedule.program().arrays().get(i).rows();
    }
  }

  /**
   * Forgets all memory and takes sizes.
   *
   * @param batch B
   * @param time T
   * @return this
   */
  public Places begin(int batch, int time) {
    Arrays.fill(buffers, null);
    this.batch = batch;
    this.time = time;
    return this;
  }

  /** {@return B} */
  public int batch() {
    return batch;
  }

  /** {@return T} */
  public int time() {
    return time;
  }

  /**
   * Names the memory of an array.
   *
   * @param array its number
   * @param buffer contains its memory; null for none
   * @param first the first word of it
   * @param steps the steps that it has room for
   */
  public void array(int array, @Nullable Buffer buffer, long first, int steps) {
    buffers[array] = buffer;
    this.first[array] = first;
    this.steps[array] = steps;
  }

  /**
   * Names the memory of the spaces of a pass.
   *
   * @param pass the pass
   * @param scratch {@link #scratch} words
   */
  void spaces(ProductSchedule.Pass pass, @Nullable Buffer scratch) {
    long word = 0;
    int own = schedule.program().arrays().size();
    for (int i = 0; i < pass.spaces().size(); i++) {
      ProductSchedule.Space space = pass.spaces().get(i);
      buffers[own + i] = scratch;
      first[own + i] = word;
      steps[own + i] = space.everyStep() ? time : 1;
      rows[own + i] = space.rows();
      word += words(space, batch, time);
    }
  }

  /** Leaves a space without memory: stores do nothing. */
  void without(int space) {
    buffers[space] = null;
  }

  private static long words(ProductSchedule.Space space, int batch, int time) {
    return Slab.padded((long) space.rows() * batch * (space.everyStep() ? time : 1));
  }

  /**
   * Computes the memory of the spaces of a pass.
   *
   * @param pass the pass
   * @param batch B
   * @param time T
   * @return words
   */
  public static long scratch(ProductSchedule.Pass pass, int batch, int time) {
    long words = 0;
    for (int i = 0; i < pass.spaces().size(); i++) {
      words += words(pass.spaces().get(i), batch, time);
    }
    return words;
  }

  /**
   * Returns the memory that contains an array.
   *
   * @param array its number
   * @return a buffer, or null where the execution has none
   */
  public @Nullable Buffer buffer(int array) {
    return buffers[array];
  }

  /**
   * Returns the rows of an array.
   *
   * @param array its number
   * @return its rows
   */
  public int rows(int array) {
    return rows[array];
  }

  /**
   * Returns the steps that an array has room for.
   *
   * @param array its number
   * @return its steps
   */
  public int steps(int array) {
    return steps[array];
  }

  /**
   * Finds a step of an array.
   *
   * @param array its number
   * @param t the step, perhaps before 0 or after the last one
   * @return its first word in {@link #buffer}
   */
  public long offset(int array, int t) {
    return first[array] + place(array, t) * size(array);
  }

  /** {@return the first word of an array in its buffer} */
  long first(int array) {
    return first[array];
  }

  /** {@return which of the matrices of an array is that of step t} */
  int place(int array, int t) {
    return Math.floorMod(t, steps[array]);
  }

  /** {@return the rows of a matrix of the program} */
  int matrixRows(int matrix) {
    return schedule.program().matrices().get(matrix).rows();
  }

  /** {@return a part of a matrix of the program} */
  CellProgram.Weights weights(int number) {
    return schedule.program().weights().get(number);
  }

  /** {@return the words per step} */
  long size(int array) {
    return (long) rows[array] * batch;
  }
}
