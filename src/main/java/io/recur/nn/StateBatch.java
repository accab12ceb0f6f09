package io.recur.nn;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.grad.Parameter;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The states of all Recurs of a model as columns that are copied from and to memory of the caller:
 * for servers that keep the state of each session in a table of their own, and step those that have
 * an input as one batch. Each column moves by one copy per part of the state; no value passes the
 * heap where the device computes in the memory of this process.
 *
 * <p>A column is the parts of the states of all Recurs in order, {@link #floats} values without
 * gaps, in the byte order of this machine.
 *
 * <pre>{@code
 * StateBatch states = new StateBatch(model, 64);
 * MemorySegment[] tables = {table, table};
 * long[] at = {0, 4L * states.floats()};
 * states.load(tables, at);                               // the first two sessions of a table
 * Tensor y = model.apply(tape.input(Shape.of(3, 2), 1, 2, 3, 4, 5, 6));
 * states.store(tables, at);
 * }</pre>
 *
 * <p>One thread at a time uses it, with the model.
 */
public final class StateBatch {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private final Layer model;
  private final List<Recur> recurs;
  private final Device device;
  private final int most;
  private final float[] initial;
  private int columns;

  /**
   * Begins to use a model for batches whose columns come and go. The model is this object's: its
   * states change with each {@link #load}; give it a fork.
   *
   * @param model on a device, with independent columns and one Recur or more, each with a state0 of
   *     one column
   * @param most the most columns of a batch, 1 or more
   * @throws IllegalArgumentException if the model is of another kind, or most is less than 1 or
   *     more than a state of 2³¹ − 1 values has
   * @throws IllegalStateException if the model has no memory yet
   */
  public StateBatch(Layer model, int most) {
    this.model = model;
    this.recurs = model.recurs();
    this.most = most;
    if (most < 1) {
      throw new IllegalArgumentException("states: most=%d columns; need 1 or more".formatted(most));
    }
    refuse(model, recurs);
    recurs.forEach(recur -> refuse(recur, most));
    this.device = recurs.getFirst().held().check().device();
    this.initial = initial(recurs);
    recurs.forEach(Recur::changesBatch);
  }

  private static void refuse(Layer model, List<Recur> recurs) {
    String name = Printed.structure(model);
    if (recurs.isEmpty()) {
      throw new IllegalArgumentException(
          "states: %s has no Recur; it has no state to keep, call its apply".formatted(name));
    }
    if (!model.columnsAreIndependent()) {
      List<String> dependent =
          model.all().stream()
              .filter(layer -> !layer.columnsAreIndependent())
              .map(Layer::describe)
              .toList();
      throw new IllegalArgumentException(
          """
          states: in %s a column may depend on the others of its batch, by %s; override \
          columnsAreIndependent() where that is not so"""
              .formatted(name, dependent));
    }
    for (Recur recur : recurs) {
      boolean hasOneColumn =
          recur.cell().state0().stream().allMatch(part -> part.shape().columns() == 1);
      if (!recur.held().hasState0() || !hasOneColumn) {
        throw new IllegalArgumentException(
            "states: %s has %s; need a state0 of one column, from which a session begins"
                .formatted(
                    recur.describe(), hasOneColumn ? "no state0" : "a state0 of a fixed batch"));
      }
    }
  }

  /** Refuses more columns than one tensor has values for. */
  private static void refuse(Recur recur, int most) {
    for (int rows : recur.held().check().rows()) {
      if ((long) rows * most > Integer.MAX_VALUE) {
        throw new IllegalArgumentException(
            "states: most=%d columns of %d rows of %s; need at most %d columns"
                .formatted(most, rows, recur.describe(), Integer.MAX_VALUE / rows));
      }
    }
  }

  private static float[] initial(List<Recur> recurs) {
    float[] values = {};
    for (Recur recur : recurs) {
      for (Parameter part : recur.cell().state0()) {
        float[] its = part.toArray();
        int at = values.length;
        values = Arrays.copyOf(values, at + its.length);
        System.arraycopy(its, 0, values, at, its.length);
      }
    }
    return values;
  }

  /** {@return the values of one column: those of all parts of all states} */
  public int floats() {
    return initial.length;
  }

  /** {@return the column from which a session begins: state0 as it was when this was made} */
  public float[] initial() {
    return initial.clone();
  }

  /** {@return the device of the model} */
  public Device device() {
    return device;
  }

  // Columns of a batch.

  /**
   * Gives the model a batch of states.
   *
   * @param from for each column the memory that holds it, native or an array
   * @param at for each column its first byte in that memory
   * @throws IllegalArgumentException if there is not one place per column, or none, or more columns
   *     than this was made for; nothing has then changed
   * @throws IndexOutOfBoundsException if a column is not inside its memory; nothing has then
   *     changed
   * @throws IllegalStateException if another thread is inside a Recur of the model
   */
  public void load(MemorySegment[] from, long[] at) {
    load(from, at, from.length);
  }

  /**
   * {@link #load(MemorySegment[], long[])} of the first places alone.
   *
   * @param from for each column the memory that holds it
   * @param at for each column its first byte in that memory
   * @param count the number of columns
   */
  public void load(MemorySegment[] from, long[] at, int count) {
    check("load", from, at, count);
    Together.enter(recurs);
    try {
      long offset = 0;
      for (int r = 0; r < recurs.size(); r++) {
        HeldState held = recurs.get(r).held();
        try (var _ = held.enterTape()) {
          List<Tensor> parts = held.open(count, most).parts();
          for (int i = 0; i < parts.size(); i++) {
            offset += load(parts.get(i), from, at, offset, count);
          }
        }
      }
      columns = count;
    } finally {
      Together.leave(recurs);
    }
  }

  /** Copies the columns of one part, and returns the bytes of one of them. */
  private static long load(Tensor part, MemorySegment[] from, long[] at, long offset, int count) {
    int rows = part.shape().rows();
    long bytes = (long) rows * Float.BYTES;
    MemorySegment target = part.value().target();
    if (target.byteSize() >= bytes * count) {
      for (int j = 0; j < count; j++) {
        MemorySegment.copy(from[j], at[j] + offset, target, bytes * j, bytes);
      }
    } else {
      float[] values = new float[rows * count];
      for (int j = 0; j < count; j++) {
        MemorySegment.copy(from[j], FLOAT, at[j] + offset, values, rows * j, rows);
      }
      part.value().write(values);
    }
    return bytes;
  }

  /**
   * Copies the states of the model to memory, after {@link #load} and a step.
   *
   * @param to for each column the memory that takes it; null where it is not wanted
   * @param at for each column its first byte in that memory
   * @throws IllegalArgumentException if there is not one place for each column that was loaded, or
   *     memory is read-only; nothing has then been written
   * @throws IndexOutOfBoundsException if a place is not inside its memory; nothing has then been
   *     written
   * @throws IllegalStateException if nothing was loaded, or another thread is inside a Recur of the
   *     model
   */
  public void store(@Nullable MemorySegment[] to, long[] at) {
    store(to, at, to.length);
  }

  /**
   * {@link #store(MemorySegment[], long[])} to the first places alone.
   *
   * @param to for each column the memory that takes it; null where it is not wanted
   * @param at for each column its first byte in that memory
   * @param count the number of columns, as many as were loaded
   */
  public void store(@Nullable MemorySegment[] to, long[] at, int count) {
    check("store", to, at, count);
    for (int j = 0; j < count; j++) {
      if (to[j] != null && to[j].isReadOnly()) {
        throw new IllegalArgumentException(
            "store: the memory of column %d is read-only; need some that can be written"
                .formatted(j));
      }
    }
    Together.enter(recurs);
    try {
      List<Tensor> parts = parts(count);
      long offset = 0;
      for (int i = 0; i < parts.size(); i++) {
        offset += store(parts.get(i), to, at, offset, count);
      }
    } finally {
      Together.leave(recurs);
    }
  }

  private static long store(
      Tensor part, @Nullable MemorySegment[] to, long[] at, long offset, int count) {
    int rows = part.shape().rows();
    long bytes = (long) rows * Float.BYTES;
    MemorySegment source = part.value().segment();
    boolean isHere = source.byteSize() >= bytes * count;
    float[] values = isHere ? new float[0] : part.value().read();
    for (int j = 0; j < count; j++) {
      MemorySegment target = to[j];
      if (target != null && isHere) {
        MemorySegment.copy(source, bytes * j, target, at[j] + offset, bytes);
      } else if (target != null) {
        MemorySegment.copy(values, rows * j, target, FLOAT, at[j] + offset, rows);
      }
    }
    return bytes;
  }

  /**
   * Finds the columns with a value that is not a number, after a step.
   *
   * @return for each column whether its state has one; none where no state has, as a rule
   * @throws IllegalStateException if nothing was loaded, or another thread is inside a Recur of the
   *     model
   */
  public boolean[] notNumbers() {
    Together.enter(recurs);
    try {
      boolean[] found = {};
      for (Tensor part : parts(columns)) {
        Buffer values = part.value();
        int count = part.shape().count();
        if (Double.isNaN(device.pointwise().sum(values, count))) { // ∞ − ∞ is none, too
          found = found.length == 0 ? new boolean[columns] : found;
          float[] all = values.slice(0, count).read();
          for (int i = 0; i < count; i++) {
            found[i / part.shape().rows()] |= Float.isNaN(all[i]);
          }
        }
      }
      return found;
    } finally {
      Together.leave(recurs);
    }
  }

  /** The parts of all states, each of as many columns. */
  private List<Tensor> parts(int count) {
    List<Tensor> parts = new ArrayList<>();
    for (int r = 0; r < recurs.size(); r++) {
      State kept = recurs.get(r).held().kept();
      if (kept == null || count != columns || kept.batch() != count) {
        throw new IllegalStateException(
            "states: %d columns of %s; %d were loaded: load a batch, then step it on Tape.inference"
                .formatted(count, recurs.get(r).describe(), columns));
      }
      parts.addAll(kept.parts());
    }
    return parts;
  }

  private void check(String where, @Nullable MemorySegment[] places, long[] at, int count) {
    if (count < 1 || count > most || places.length < count || at.length < count) {
      throw new IllegalArgumentException(
          "%s: %d columns, memory for %d, %d places; need one each, for 1 to %d columns"
              .formatted(where, count, places.length, at.length, most));
    }
    long bytes = (long) initial.length * Float.BYTES;
    for (int j = 0; j < count; j++) {
      MemorySegment place = places[j];
      if (place == null && where.equals("store")) {
        continue;
      }
      if (at[j] < 0 || at[j] > place.byteSize() - bytes) {
        throw new IndexOutOfBoundsException(
            "%s: column %d at byte %d of %d; need %d bytes inside"
                .formatted(where, j, at[j], place.byteSize(), bytes));
      }
    }
  }

  // Columns as snapshots.

  /**
   * The values of a snapshot of one session.
   *
   * @param snapshot of this model, of one column; where a Recur is fresh its values are those of
   *     state0
   * @return as many values as a column has
   * @throws ShapeException if it is of another model or of several columns
   */
  public float[] values(Snapshot snapshot) {
    List<List<Snapshot.Part>> states = snapshot.states();
    if (states.size() != recurs.size()) {
      throw new ShapeException(
          "restore: %s has %d Recurs, the snapshot %d of %s; take it from the same model"
              .formatted(
                  Printed.structure(model),
                  recurs.size(),
                  states.size(),
                  snapshot.label().isEmpty() ? "an unknown model" : snapshot.label()));
    }
    float[] values = initial.clone();
    int at = 0;
    for (int r = 0; r < recurs.size(); r++) {
      StateCheck check = recurs.get(r).held().check();
      check.snapshot(snapshot.kinds().get(r), states.get(r));
      int offset = at;
      for (Snapshot.Part part : states.get(r)) {
        if (part.batch() != 1) {
          throw new ShapeException(
              "restore: the snapshot has %d columns; need one, see Snapshot.take and split"
                  .formatted(part.batch()));
        }
        System.arraycopy(part.values(), 0, values, offset, part.rows());
        offset += part.rows();
      }
      at += check.rows().stream().mapToInt(Integer::intValue).sum();
    }
    return values;
  }

  /**
   * A snapshot of one session, which any fork or twin of the model can restore.
   *
   * @param values of a column
   * @return the snapshot
   * @throws ShapeException if there are more or fewer than a column has
   */
  public Snapshot snapshot(float... values) {
    if (values.length != initial.length) {
      throw new ShapeException(
          "snapshot: %d values; a column has %d".formatted(values.length, initial.length));
    }
    List<List<Snapshot.Part>> states = new ArrayList<>();
    int at = 0;
    for (Recur recur : recurs) {
      List<Snapshot.Part> parts = new ArrayList<>();
      for (int rows : recur.held().check().rows()) {
        parts.add(new Snapshot.Part(rows, 1, Arrays.copyOfRange(values, at, at + rows)));
        at += rows;
      }
      states.add(parts);
    }
    return new Snapshot(
        Printed.structure(model), recurs.stream().map(Recur::describe).toList(), states);
  }
}
