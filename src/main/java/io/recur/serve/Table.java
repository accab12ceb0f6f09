package io.recur.serve;

import io.recur.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * All sessions, in native memory: for each a row of 40 bytes, its id, its state, and its last
 * answer where it numbers its steps. No Java object belongs to a session. The thread that makes a
 * table uses it alone.
 */
final class Table implements AutoCloseable {
  /** No such session. */
  static final int NONE = -1;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

  // The fields of a row. The first one belongs to the cells while the row is free.
  private static final long ID = 0;
  private static final long ID_TEXT_BYTES = 4;
  private static final long IS_OPEN = 5;
  private static final long IS_FAILED = 6;
  private static final long LAST_WAITING = 8;
  private static final long ANSWER = 12;
  private static final long ANSWER_FLOATS = 16;
  private static final long ANSWER_ROWS = 20;
  private static final long NUMBER = 24;
  private static final long USED = 32;
  private static final long ROW_BYTES = 40;

  private final Arena arena = Arena.ofConfined();
  private final long seed;
  private final int floats;
  private final Cells rows;
  private final Cells states;
  private final Blocks ids = new Blocks(arena);
  private final Blocks answers = new Blocks(arena);
  private final Index index;
  private int count;

  /**
   * No sessions yet.
   *
   * @param floats of a state
   * @param seed of the hashes of ids
   */
  Table(int floats, long seed) {
    this(floats, seed, Arena::ofConfined);
  }

  /** No sessions yet, and an index with memory of its own. */
  Table(int floats, long seed, Supplier<Arena> memory) {
    this.floats = floats;
    this.seed = seed;
    this.index = new Index(memory);
    this.rows = new Cells(arena, ROW_BYTES, Cells.LARGE_SLAB);
    this.states = new Cells(arena, (long) floats * Float.BYTES, Cells.LARGE_SLAB);
  }

  int count() {
    return count;
  }

  /** The native bytes of rows, ids, states, answers and the index. */
  long bytes() {
    return rows.bytes() + states.bytes() + ids.bytes() + answers.bytes() + index.bytes();
  }

  // Sessions.

  /** The row of a session. */
  int find(Id id) {
    return index.find(id.hash(seed), row -> isId(row, id));
  }

  private boolean isId(int row, Id id) {
    int text = textBytes(row);
    int bytes = text == 0 ? Long.BYTES : text;
    int block = get(row, ID);
    return text == id.textBytes() && id.isAt(ids.slab(block, bytes), ids.at(block, bytes), text);
  }

  private int textBytes(int row) {
    return slab(row).get(BYTE, at(row) + ID_TEXT_BYTES);
  }

  /** The id of a row that is open. */
  Id id(int row) {
    int text = textBytes(row);
    int bytes = text == 0 ? Long.BYTES : text;
    int block = get(row, ID);
    return Id.at(ids.slab(block, bytes), ids.at(block, bytes), text);
  }

  /**
   * Opens a session that is not there. Its state is for the caller to write.
   *
   * @throws DeviceException if there is no memory; it is then not open
   */
  int open(Id id) {
    int block = ids.take(id.bytes());
    int row = takeRow(block, id);
    try {
      index.add(id.hash(seed), row);
    } catch (DeviceException e) {
      rows.giveBack(row);
      states.giveBack(row);
      ids.giveBack(block, id.bytes());
      throw e;
    }
    id.write(ids.slab(block, id.bytes()), ids.at(block, id.bytes()));
    slab(row).asSlice(at(row), ROW_BYTES).fill((byte) 0);
    set(row, ID, block);
    slab(row).set(BYTE, at(row) + ID_TEXT_BYTES, (byte) id.textBytes());
    slab(row).set(BYTE, at(row) + IS_OPEN, (byte) 1);
    slab(row).set(LONG, at(row) + NUMBER, -1L);
    count++;
    return row;
  }

  /** Takes a row and a state of one number: both are always taken and given back together. */
  private int takeRow(int block, Id id) {
    try {
      int state = states.take();
      try {
        return rows.take();
      } catch (DeviceException e) {
        states.giveBack(state);
        throw e;
      }
    } catch (DeviceException e) {
      ids.giveBack(block, id.bytes());
      throw e;
    }
  }

  /** Closes a session and gives its memory back. */
  void close(int row) {
    Id id = id(row);
    index.remove(id.hash(seed), row);
    forget(row);
    ids.giveBack(get(row, ID), id.bytes());
    slab(row).set(BYTE, at(row) + IS_OPEN, (byte) 0);
    rows.giveBack(row);
    states.giveBack(row);
    count--;
  }

  /** One more than the largest row that was ever open. */
  int end() {
    return rows.end();
  }

  boolean isOpen(int row) {
    return slab(row).get(BYTE, at(row) + IS_OPEN) != 0;
  }

  boolean isFailed(int row) {
    return slab(row).get(BYTE, at(row) + IS_FAILED) != 0;
  }

  void failed(int row, boolean isFailed) {
    slab(row).set(BYTE, at(row) + IS_FAILED, (byte) (isFailed ? 1 : 0));
  }

  /** The ticket of the request of this session that came last and waits, plus 1; or 0. */
  int lastWaiting(int row) {
    return get(row, LAST_WAITING);
  }

  void lastWaiting(int row, int ticket) {
    set(row, LAST_WAITING, ticket);
  }

  /** The tick of the last call. */
  int used(int row) {
    return get(row, USED);
  }

  void used(int row, int tick) {
    set(row, USED, tick);
  }

  // States.

  /** The memory that holds the state of a row. */
  MemorySegment stateSlab(int row) {
    return states.slab(row);
  }

  /** The first byte of the state of a row in that memory. */
  long stateAt(int row) {
    return states.at(row);
  }

  float[] state(int row) {
    float[] values = new float[floats];
    MemorySegment.copy(states.slab(row), FLOAT, states.at(row), values, 0, floats);
    return values;
  }

  void state(int row, float... values) {
    MemorySegment.copy(values, 0, states.slab(row), FLOAT, states.at(row), floats);
  }

  /** Gives a row the state of another one. */
  void copyState(int from, int to) {
    long bytes = (long) floats * Float.BYTES;
    MemorySegment.copy(states.slab(from), states.at(from), states.slab(to), states.at(to), bytes);
  }

  // Numbers of steps and last answers.

  /** The number of the last step; -1 where it had none. */
  long number(int row) {
    return slab(row).get(LONG, at(row) + NUMBER);
  }

  /** The rows of the last answer. */
  int answerRows(int row) {
    return get(row, ANSWER_ROWS);
  }

  /** The last answer; none where its step had no number. */
  float @Nullable [] answer(int row) {
    int length = get(row, ANSWER_FLOATS);
    if (length == 0) {
      return null;
    }
    int bytes = length * Float.BYTES;
    int block = get(row, ANSWER);
    float[] values = new float[length];
    MemorySegment.copy(
        answers.slab(block, bytes), FLOAT, answers.at(block, bytes), values, 0, length);
    return values;
  }

  /** Keeps the answer of a numbered step in place of the one before. */
  void keep(int row, long number, int answerRows, float... answer) {
    int bytes = Math.multiplyExact(answer.length, Float.BYTES);
    if (get(row, ANSWER_FLOATS) != answer.length) {
      forget(row);
      slab(row).set(LONG, at(row) + NUMBER, number); // also where there is no memory
      set(row, ANSWER, answers.take(bytes));
      set(row, ANSWER_FLOATS, answer.length);
    }
    slab(row).set(LONG, at(row) + NUMBER, number);
    int block = get(row, ANSWER);
    MemorySegment.copy(
        answer, 0, answers.slab(block, bytes), FLOAT, answers.at(block, bytes), answer.length);
    set(row, ANSWER_ROWS, answerRows);
  }

  /** Forgets number and answer. */
  void forget(int row) {
    int length = get(row, ANSWER_FLOATS);
    if (length > 0) {
      answers.giveBack(get(row, ANSWER), length * Float.BYTES);
      set(row, ANSWER_FLOATS, 0);
    }
    slab(row).set(LONG, at(row) + NUMBER, -1L);
  }

  // Sessions as values.

  Stored stored(int row) {
    float[] answer = answer(row);
    return new Stored(
        id(row),
        isFailed(row),
        number(row),
        answerRows(row),
        answer == null ? new float[0] : answer,
        state(row));
  }

  /** Makes the session of a row what a file says. */
  void restore(int row, Stored session) {
    state(row, session.state());
    failed(row, session.isFailed());
    forget(row);
    if (session.answer().length > 0) {
      keep(row, session.number(), session.answerRows(), session.answer());
    }
  }

  // Fields of rows.

  private MemorySegment slab(int row) {
    return rows.slab(row);
  }

  private long at(int row) {
    return rows.at(row);
  }

  private int get(int row, long field) {
    return slab(row).get(INT, at(row) + field);
  }

  private void set(int row, long field, int value) {
    slab(row).set(INT, at(row) + field, value);
  }

  @Override
  public void close() {
    index.close();
    arena.close();
  }
}
