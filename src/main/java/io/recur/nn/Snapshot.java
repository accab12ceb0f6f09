package io.recur.nn;

import io.recur.grad.ShapeException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * The states of a model as a value: the parts of the state of every Recur, in order; a fresh one
 * has none. A snapshot refers to no device and no tape, and can be written to bytes.
 *
 * <pre>{@code
 * byte[] session = model.save().toBytes();
 * model.restore(Snapshot.of(session));      // continues exactly where it stopped
 * model.restore(model.save().swap(0, 1));   // two sessions of a batch exchanged
 * }</pre>
 *
 * <p>The bytes, version 2. Numbers are little-endian and without a sign, texts UTF-8, checksums
 * CRC-32C; padding is zeros.
 *
 * <table>
 *   <caption>The header, then for each part of each state its columns and their checksums</caption>
 *   <tr><th>byte</th><th>bytes</th><th>content</th></tr>
 *   <tr><td>0</td><td>4</td><td>{@code 0x52435354}, "RCST"</td></tr>
 *   <tr><td>4</td><td>4</td><td>version, 2</td></tr>
 *   <tr><td>8</td><td>8</td><td>bytes of the whole snapshot</td></tr>
 *   <tr><td>16</td><td>4</td><td>bytes of the header, a multiple of 64</td></tr>
 *   <tr><td>20</td><td>4</td><td>checksum of the header, with these four bytes as zeros</td></tr>
 *   <tr><td>24</td><td>4</td><td>number of Recurs</td></tr>
 *   <tr><td>28</td><td>4</td><td>length of the label</td></tr>
 *   <tr><td>32</td><td></td><td>the label, padded to a multiple of 8</td></tr>
 *   <tr><td></td><td>4</td><td>for each Recur: length of its kind</td></tr>
 *   <tr><td></td><td>4</td><td>number of parts, 0 where it is fresh</td></tr>
 *   <tr><td></td><td></td><td>its kind, padded to a multiple of 8</td></tr>
 *   <tr><td></td><td>4</td><td>for each of its parts: element type, 0 for float32</td></tr>
 *   <tr><td></td><td>4</td><td>rows, 1 or more</td></tr>
 *   <tr><td></td><td>8</td><td>columns, 1 or more, the same for all parts of a Recur</td></tr>
 *   <tr><td></td><td>8</td><td>byte at which its values begin, a multiple of 64</td></tr>
 *   <tr><td></td><td>8</td><td>byte at which its checksums begin, a multiple of 64</td></tr>
 * </table>
 *
 * <p>The header is padded to a multiple of 64. Then follow, in the order of the header and each
 * padded to a multiple of 64, the values of a part, column after column, and 4 bytes for each of
 * its columns: the checksum of that column's values. So column c of a part of r rows is the 4 · r
 * bytes at its first byte + 4 · r · c, and can be read and checked without the others, as {@link
 * #column} does. Bytes of version 1, which have neither label nor kinds, are read too.
 *
 * @param label the model's structure, for errors and for people; empty where it is unknown
 * @param kinds of each Recur, such as {@code Recur(GRUCell(3 => 5))}; empty where it is not known
 * @param states for each Recur the parts of its state; no parts where it is fresh
 */
public record Snapshot(String label, List<String> kinds, List<List<Part>> states) {
  /**
   * A tensor of a state.
   *
   * @param rows units
   * @param batch columns
   * @param values column-major
   */
  public record Part(int rows, int batch, float[] values) {}

  /**
   * Copies the lists.
   *
   * @throws IllegalArgumentException if a part has no rows or columns or another number of values,
   *     if the parts of a Recur have different columns, or if there is not a kind for each Recur
   */
  public Snapshot {
    Objects.requireNonNull(label, "label");
    kinds = List.copyOf(kinds);
    states = states.stream().map(List::copyOf).toList();
    if (kinds.size() != states.size()) {
      throw new IllegalArgumentException(
          "snapshot: kinds of %d Recurs, states of %d; need one each"
              .formatted(kinds.size(), states.size()));
    }
    states.forEach(Snapshot::check);
  }

  /**
   * States of Recurs of unknown kinds: a restore compares sizes alone.
   *
   * @param states for each Recur the parts of its state; no parts where it is fresh
   * @throws IllegalArgumentException as the other constructor
   */
  public Snapshot(List<List<Part>> states) {
    this("", Collections.nCopies(states.size(), ""), states);
  }

  private static void check(List<Part> parts) {
    for (Part part : parts) {
      if (part.rows() < 1
          || part.batch() < 1
          || part.batch() != parts.getFirst().batch()
          || (long) part.rows() * part.batch() != part.values().length) {
        throw new IllegalArgumentException(
            "snapshot: a part of %d×%d with %d values; need rows × columns values, one batch for"
                    .formatted(part.rows(), part.batch(), part.values().length)
                + " all parts of a state");
      }
    }
  }

  static Snapshot of(Layer model, List<Recur> recurs) {
    return new Snapshot(
        Printed.structure(model),
        recurs.stream().map(Recur::describe).toList(),
        recurs.stream().map(Recur::snapshot).toList());
  }

  void restore(List<Recur> recurs) {
    if (recurs.size() != states.size()) {
      throw new ShapeException(
          "restore: the model has %d Recurs, the snapshot %d%s; take it from the same model"
              .formatted(
                  recurs.size(), states.size(), label.isEmpty() ? "" : ", taken from " + label));
    }
    for (int i = 0; i < recurs.size(); i++) {
      recurs.get(i).held().check().snapshot(kinds.get(i), states.get(i));
    }
    for (int i = 0; i < recurs.size(); i++) {
      recurs.get(i).adopt(states.get(i));
    }
  }

  // Columns.

  /**
   * Some columns of every state, in this order; a column may be taken several times.
   *
   * @param columns one or more
   * @return a snapshot of as many columns; Recurs that were fresh are fresh
   * @throws ShapeException if there are none
   * @throws IndexOutOfBoundsException if a state has no such column
   */
  public Snapshot take(int... columns) {
    return select(batches -> Selection.take(batches[0], columns), this);
  }

  /**
   * This snapshot with two columns of every state exchanged.
   *
   * @param a a column
   * @param b a column
   * @return a snapshot of the same sizes
   * @throws IndexOutOfBoundsException if a state has no such column
   */
  public Snapshot swap(int a, int b) {
    return select(batches -> Selection.swap(batches[0], a, b), this);
  }

  /**
   * This snapshot with the columns of another one in place of some of its own, such as a session
   * that enters a batch.
   *
   * @param other of as many columns as there are places, of the same model
   * @param at the places, each once: column j of the other becomes column {@code at[j]}
   * @return a snapshot of the same sizes
   * @throws ShapeException if the snapshots do not fit each other, or a Recur is fresh in one alone
   * @throws IndexOutOfBoundsException if a state has no such column
   */
  public Snapshot put(Snapshot other, int... at) {
    return select(batches -> Selection.put(batches[0], batches[1], at), this, other);
  }

  /**
   * The columns of several snapshots, one snapshot after the other.
   *
   * @param snapshots one or more, of the same model
   * @return a snapshot with the sum of their columns
   * @throws ShapeException if there is none, if they do not fit each other, or if a Recur is fresh
   *     in some of them alone
   */
  public static Snapshot join(Snapshot... snapshots) {
    if (snapshots.length == 0) {
      throw new ShapeException("join: no snapshots; need one or more");
    }
    return select(Selection::join, snapshots);
  }

  /**
   * Cuts this snapshot into snapshots of adjacent columns.
   *
   * @param widths the columns of each, 1 or more, with the batch as their sum
   * @return one snapshot for each width
   * @throws ShapeException if the widths do not fit
   */
  public List<Snapshot> split(int... widths) {
    List<Snapshot> parts = new ArrayList<>();
    for (int i = 0; i < widths.length; i++) {
      int number = i;
      parts.add(select(batches -> Selection.split(batches[0], widths).get(number), this));
    }
    return parts;
  }

  /** Selects columns of the states of each Recur, by the columns that the snapshots have. */
  private static Snapshot select(Function<int[], Selection> choice, Snapshot... snapshots) {
    Snapshot first = snapshots[0];
    List<List<Part>> selected = new ArrayList<>();
    for (int r = 0; r < first.states.size(); r++) {
      for (Snapshot other : snapshots) {
        check(r, first, other);
      }
      int recur = r;
      List<List<Part>> from = Arrays.stream(snapshots).map(s -> s.states.get(recur)).toList();
      selected.add(from.getFirst().isEmpty() ? List.of() : select(choice, from));
    }
    for (Snapshot other : snapshots) {
      check(first.states.size(), first, other);
    }
    return new Snapshot(first.label, first.kinds, selected);
  }

  private static List<Part> select(Function<int[], Selection> choice, List<List<Part>> from) {
    Selection selection =
        choice.apply(from.stream().mapToInt(parts -> parts.getFirst().batch()).toArray());
    int batch = selection.column().length;
    List<Part> selected = new ArrayList<>();
    for (int p = 0; p < from.getFirst().size(); p++) {
      int part = p;
      int rows = from.getFirst().get(p).rows();
      List<float[]> values = from.stream().map(parts -> parts.get(part).values()).toList();
      selected.add(new Part(rows, batch, selection.of(rows, values)));
    }
    return selected;
  }

  /** Refuses two snapshots whose Recur of this number differs; past the last, their count. */
  private static void check(int recur, Snapshot a, Snapshot b) {
    String mine = recur < a.states.size() ? a.kinds.get(recur) + a.rows(recur) : "none";
    String its = recur < b.states.size() ? b.kinds.get(recur) + b.rows(recur) : "none";
    if (!mine.equals(its)) {
      throw new ShapeException(
          """
          snapshot: Recur %d is %s in one and %s in another; take them from one model, each after \
          a step (truncate() gives a fresh Recur the values of its state0)"""
              .formatted(recur, mine, its));
    }
  }

  private String rows(int recur) {
    List<Part> parts = states.get(recur);
    return parts.isEmpty() ? " fresh" : " with rows " + parts.stream().map(Part::rows).toList();
  }

  /** {@return the model's structure, and each Recur's kind with the sizes of its state} */
  @Override
  public String toString() {
    List<String> each = new ArrayList<>();
    for (int r = 0; r < states.size(); r++) {
      List<String> sizes =
          states.get(r).stream().map(part -> part.rows() + "×" + part.batch()).toList();
      String kind = kinds.get(r).isEmpty() ? "Recur " + r : kinds.get(r);
      each.add(kind + " " + (sizes.isEmpty() ? "fresh" : String.join(", ", sizes)));
    }
    return "Snapshot(%s%s)".formatted(label.isEmpty() ? "" : label + ": ", String.join("; ", each));
  }

  /** {@return the number of bytes that {@link #write} writes} */
  public long byteSize() {
    return SnapshotBytes.of(this).length();
  }

  /**
   * Writes the bytes of version 2.
   *
   * @param target native memory or a byte array, of at least {@link #byteSize} bytes; its start is
   *     written
   * @return the number of bytes that were written
   * @throws IllegalArgumentException if it is shorter, read-only or over another kind of array
   */
  public long write(MemorySegment target) {
    return SnapshotBytes.of(this).write(target);
  }

  /**
   * The snapshot as bytes of version 2.
   *
   * @return bytes for {@link #of(byte[])}
   * @throws IllegalArgumentException if an array cannot hold them; {@link #write} takes native
   *     memory
   */
  public byte[] toBytes() {
    SnapshotBytes written = SnapshotBytes.of(this);
    if (written.length() > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "snapshot: %d bytes, too many for an array; write it to native memory"
              .formatted(written.length()));
    }
    byte[] bytes = new byte[(int) written.length()];
    written.write(MemorySegment.ofArray(bytes));
    return bytes;
  }

  /**
   * A snapshot from bytes.
   *
   * @param bytes of {@link #toBytes}
   * @return the snapshot
   * @throws IllegalArgumentException if they are not a whole snapshot, of version 1 or 2
   */
  public static Snapshot of(byte[] bytes) {
    return of(MemorySegment.ofArray(bytes));
  }

  /**
   * A snapshot from memory. Its sizes are compared with the memory's before anything is allocated.
   *
   * @param bytes of {@link #write}, no more: native memory or a byte array
   * @return the snapshot
   * @throws IllegalArgumentException if they are not a whole snapshot, of version 1 or 2
   */
  public static Snapshot of(MemorySegment bytes) {
    return SnapshotBytes.read(bytes);
  }

  /**
   * One column of a snapshot, such as one session of a batch. Reads the header and this column
   * only.
   *
   * @param bytes of {@link #write}, of version 2
   * @param column from 0
   * @return a snapshot of batch 1; Recurs that were fresh are fresh
   * @throws IllegalArgumentException if header or column are damaged
   * @throws IndexOutOfBoundsException if a state has no such column
   */
  public static Snapshot column(MemorySegment bytes, long column) {
    return SnapshotBytes.readColumn(bytes, column);
  }
}
