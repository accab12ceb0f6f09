package io.recur.serve;

import io.recur.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * All sessions, in native memory: for each a row of 48 bytes, the text of its id where it is no
 * number, its state, and its last answer where it numbers its steps. No Java object belongs to a
 * session. A session has one of up to 256 versions of the model, whose states may differ in size.
 * The thread that makes a table uses it alone.
 */
final class Table implements AutoCloseable {
  /** No such session. */
  static final int NONE = -1;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

  // The fields of a row. The first one belongs to the cells while the row is free.
  // ID is the number, or the block of the text.
  private static final long ID = 0;
  private static final long ID_TEXT_BYTES = 8;
  private static final long IS_OPEN = 9;
  private static final long IS_FAILED = 10;
  private static final long VERSION = 11;
  private static final long LAST_WAITING = 12;
  private static final long ANSWER = 16;
  private static final long ANSWER_FLOATS = 20;
  private static final long ANSWER_ROWS = 24;
  private static final long STATE = 28;
  private static final long NUMBER = 32;
  private static final long USED = 40;
  private static final long ROW_BYTES = 48;

  private final Arena arena = Arena.ofConfined();
  private final long seed;
  private final Cells rows;
  private final VersionStates versions = new VersionStates();
  private final Blocks ids = new Blocks(arena);
  private final Blocks answers = new Blocks(arena);
  private final Index index;
  private int count;

  /**
   * No sessions and no versions yet.
   *
   * @param seed of the hashes of ids
   */
  Table(long seed) {
    this(seed, Arena::ofConfined);
  }

  /** No sessions yet, and an index with memory of its own. */
  Table(long seed, Supplier<Arena> memory) {
    this.seed = seed;
    this.index = new Index(memory);
    this.rows = new Cells(arena, ROW_BYTES, Cells.LARGE_SLAB);
  }

  int count() {
    return count;
  }

  /** The native bytes of rows, ids, states, answers and the index. */
  long bytes() {
    return rows.bytes() + versions.bytes() + ids.bytes() + answers.bytes() + index.bytes();
  }

  // Versions.

  /** The states of the versions: how many sessions each has. */
  VersionStates versions() {
    return versions;
  }

  /** The version of a session. */
  int version(int row) {
    return slab(row).get(BYTE, at(row) + VERSION) & 0xff;
  }

  private VersionStates.Of states(int row) {
    return versions.of(version(row));
  }

  /**
   * Gives a session another version. Where its states are of another size they are to be written.
   */
  void move(int row, int version) {
    VersionStates.Of before = states(row);
    VersionStates.Of after = versions.of(version);
    if (before.cells != after.cells) {
      int state = after.cells.take();
      before.cells.giveBack(get(row, STATE));
      set(row, STATE, state);
    }
    slab(row).set(BYTE, at(row) + VERSION, (byte) version);
    before.count--;
    after.count++;
  }

  // Sessions.

  /** The row of a session. */
  int find(Id id) {
    return find(id, id.hash(seed));
  }

  /** The row of a session whose id has this hash. */
  int find(Id id, long hash) {
    return index.find(hash, row -> isId(row, id));
  }

  /** The row that a search for this hash looks at first; {@link #NONE} where there is none. */
  int guess(long hash) {
    return index.guess(hash);
  }

  private boolean isId(int row, Id id) {
    int text = textBytes(row);
    if (text != id.textBytes()) {
      return false;
    }
    if (text == 0) {
      return id.isAt(slab(row), at(row) + ID, 0);
    }
    int block = get(row, ID);
    return id.isAt(ids.slab(block, text), ids.at(block, text), text);
  }

  private int textBytes(int row) {
    return slab(row).get(BYTE, at(row) + ID_TEXT_BYTES);
  }

  /** The id of a row that is open. */
  Id id(int row) {
    int text = textBytes(row);
    if (text == 0) {
      return Id.at(slab(row), at(row) + ID, 0);
    }
    int block = get(row, ID);
    return Id.at(ids.slab(block, text), ids.at(block, text), text);
  }

  /**
   * Opens a session that is not there. Its state is for the caller to write.
   *
   * @throws DeviceException if there is no memory; it is then not open
   */
  int open(Id id, int version) {
    int text = id.textBytes();
    int block = text == 0 ? NONE : ids.take(text);
    VersionStates.Of its = versions.of(version);
    int state = NONE;
    int row = NONE;
    try {
      state = its.cells.take();
      row = rows.take();
      index.add(id.hash(seed), row);
    } catch (DeviceException e) {
      if (row != NONE) {
        rows.giveBack(row);
      }
      if (state != NONE) {
        its.cells.giveBack(state);
      }
      if (block != NONE) {
        ids.giveBack(block, text);
      }
      throw e;
    }
    slab(row).asSlice(at(row), ROW_BYTES).fill((byte) 0);
    if (text == 0) {
      id.write(slab(row), at(row) + ID);
    } else {
      id.write(ids.slab(block, text), ids.at(block, text));
      set(row, ID, block);
    }
    slab(row).set(BYTE, at(row) + ID_TEXT_BYTES, (byte) text);
    slab(row).set(BYTE, at(row) + IS_OPEN, (byte) 1);
    slab(row).set(BYTE, at(row) + VERSION, (byte) version);
    slab(row).set(LONG, at(row) + NUMBER, -1L);
    set(row, STATE, state);
    its.count++;
    count++;
    return row;
  }

  /** Closes a session and gives its memory back. */
  void close(int row) {
    index.remove(id(row).hash(seed), row);
    forget(row);
    if (textBytes(row) > 0) {
      ids.giveBack(get(row, ID), textBytes(row));
    }
    slab(row).set(BYTE, at(row) + IS_OPEN, (byte) 0);
    states(row).cells.giveBack(get(row, STATE));
    states(row).count--;
    rows.giveBack(row);
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
    return states(row).cells.slab(get(row, STATE));
  }

  /** The first byte of the state of a row in that memory. */
  long stateAt(int row) {
    return states(row).cells.at(get(row, STATE));
  }

  /** The values of the state of a row. */
  int floats(int row) {
    return states(row).floats;
  }

  float[] state(int row) {
    float[] values = new float[floats(row)];
    MemorySegment.copy(stateSlab(row), FLOAT, stateAt(row), values, 0, values.length);
    return values;
  }

  void state(int row, float... values) {
    MemorySegment.copy(values, 0, stateSlab(row), FLOAT, stateAt(row), values.length);
  }

  /** Gives a row the state of another one of the same version. */
  void copyState(int from, int to) {
    long bytes = (long) floats(from) * Float.BYTES;
    MemorySegment.copy(stateSlab(from), stateAt(from), stateSlab(to), stateAt(to), bytes);
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
    int bytes = room(row, number, answerRows, answer.length);
    int block = get(row, ANSWER);
    MemorySegment.copy(
        answer, 0, answers.slab(block, bytes), FLOAT, answers.at(block, bytes), answer.length);
  }

  /** Makes room for an answer of one value or more, and returns its bytes. */
  private int room(int row, long number, int answerRows, int length) {
    int bytes = Math.multiplyExact(length, Float.BYTES);
    if (get(row, ANSWER_FLOATS) != length) {
      forget(row);
      slab(row).set(LONG, at(row) + NUMBER, number); // also where there is no memory
      set(row, ANSWER, answers.take(bytes));
      set(row, ANSWER_FLOATS, length);
    }
    slab(row).set(LONG, at(row) + NUMBER, number);
    set(row, ANSWER_ROWS, answerRows);
    return bytes;
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

  // Sessions as bytes.

  /** The bytes of a session that is packed. */
  long packedBytes(int row) {
    int id = textBytes(row) == 0 ? Long.BYTES : textBytes(row);
    return PackedSessions.FIXED_BYTES
        + id
        + (long) Float.BYTES * (get(row, ANSWER_FLOATS) + floats(row));
  }

  /** Packs a session as {@link PackedSessions} reads it, and returns the byte behind it. */
  long pack(int row, MemorySegment to, long at) {
    int length = get(row, ANSWER_FLOATS);
    int bytes = length * Float.BYTES;
    long values =
        PackedSessions.write(to, at, id(row), isFailed(row), number(row), answerRows(row), length);
    if (length > 0) {
      int block = get(row, ANSWER);
      PackedSessions.copyOut(
          answers.slab(block, bytes), answers.at(block, bytes), to, values, length);
    }
    PackedSessions.copyOut(stateSlab(row), stateAt(row), to, values + bytes, floats(row));
    return values + bytes + (long) Float.BYTES * floats(row);
  }

  /** Makes the session of a row, of a version of as many values, the one that was packed. */
  void restore(int row, PackedSessions session) {
    PackedSessions.copyIn(
        session.memory(), session.stateAt(), stateSlab(row), stateAt(row), floats(row));
    failed(row, session.isFailed());
    forget(row);
    int length = session.answerFloats();
    if (length > 0) {
      int bytes = room(row, session.number(), session.answerRows(), length);
      int block = get(row, ANSWER);
      PackedSessions.copyIn(
          session.memory(),
          session.answerAt(),
          answers.slab(block, bytes),
          answers.at(block, bytes),
          length);
    }
  }

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
    versions.close();
    index.close();
    arena.close();
  }
}
