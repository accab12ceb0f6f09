package io.recur.serve;

import io.recur.grad.ShapeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/**
 * Finds sessions, in the table or in the store, from which they come back, and moves those that are
 * idle to the store. A hand goes round the rows of the table, some thousand per millisecond.
 */
final class Shelf {
  private static final int ROWS = 4096;
  private static final int MOST = 64;
  private static final long PAUSE_NANOS = 1_000_000;

  /** The parts of the time after which a session is idle that a row can tell apart. */
  private static final int TICKS = 16;

  // A stored session, before it is packed: the checksum of the states of its model; who stored it;
  // the number of its version there.
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int STATES = 0;
  private static final int STORED_BY = 4;
  private static final int VERSION = 12;
  private static final int HEAD_BYTES = 16;

  /** The version that has the sessions that were in the store before. */
  private static final int FIRST = 1;

  private final Table table;
  private final @Nullable Idle idle;
  private final Models models;

  /** Tells what this object has stored from what others have, whose versions have other numbers. */
  private final long mine = new SecureRandom().nextLong();

  private long clock;
  private long elapsed;
  private long swept;
  private int hand;
  private long notStored;

  Shelf(Table table, Models models, @Nullable Idle idle) {
    this.table = table;
    this.models = models;
    this.idle = idle;
    this.clock = idle == null ? 0 : idle.clock().millis();
    models.newest().stored = stored();
  }

  /** The longest sleep of the stepping thread, after which it looks for idle sessions. */
  long mostNanos() {
    return idle == null || table.count() == 0 ? Long.MAX_VALUE : 20 * PAUSE_NANOS;
  }

  /** The number of sessions in the store. */
  long stored() {
    return idle == null ? 0 : idle.store().count();
  }

  /** How often a session could not go to the store, and stayed. */
  long notStored() {
    return notStored;
  }

  // Sessions that are called for.

  /** The row of a session, which comes back from the store where it is there. */
  int find(Id id) {
    return used(id, table.find(id));
  }

  /** The row of a session whose id has this hash. */
  int find(Id id, long hash) {
    return used(id, table.find(id, hash));
  }

  private int used(Id id, int found) {
    int row = found;
    if (idle == null) {
      return row;
    }
    if (row == Table.NONE) {
      try {
        row = taken(id, idle.store());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    if (row != Table.NONE) {
      table.used(row, now());
    }
    return row;
  }

  private int taken(Id id, SessionStore store) throws IOException {
    byte[] value = store.take(id.key());
    if (value == null) {
      return Table.NONE;
    }
    try {
      MemorySegment from = MemorySegment.ofArray(value);
      boolean isMine = from.get(LONG, STORED_BY) == mine;
      Version owner = models.stored(isMine ? from.get(INT, VERSION) : FIRST);
      int states = from.get(INT, STATES);
      Version version =
          owner != null && owner.statesChecksum == states ? owner : models.fitting(states);
      if (version == null) {
        throw new ShapeException(
            "sessions: id=%s was stored by sessions of another model; give each a store"
                .formatted(id));
      }
      PackedSessions session =
          new PackedSessions(from, HEAD_BYTES, value.length, version.states().floats());
      session.next();
      int row = table.open(id, version.slot());
      table.restore(row, session);
      if (owner != null) {
        owner.stored--;
      }
      return row;
    } catch (RuntimeException e) {
      int row = table.find(id);
      if (row != Table.NONE) {
        table.close(row);
      }
      store.put(id.key(), value); // it is not lost
      throw e;
    }
  }

  /** Opens a session that is neither in the table nor in the store. */
  int open(Id id, Version version) {
    int row = table.open(id, version.slot());
    table.used(row, now());
    return row;
  }

  /** Whether a session is in the table or in the store. */
  boolean holds(Id id) {
    try {
      return table.find(id) != Table.NONE || idle != null && idle.store().holds(id.key());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The present tick of the clock, which does not go back. */
  private int now() {
    return idle == null ? 0 : (int) (elapsed * TICKS / idle.millis());
  }

  // Sessions that are idle.

  /** Reads the clock. */
  void tick() {
    if (idle != null) {
      long millis = idle.clock().millis();
      elapsed += Math.max(0, millis - clock);
      clock = millis;
    }
  }

  /** Moves some of the sessions that are idle, unless it has just done so. */
  void sweep() {
    long nanos = System.nanoTime();
    if (idle == null || nanos - swept < PAUSE_NANOS) {
      return;
    }
    swept = nanos;
    tick();
    int moved = 0;
    int end = table.end();
    for (int i = Math.min(ROWS, end); i > 0 && moved < MOST; i--) {
      hand = hand + 1 < end ? hand + 1 : 0;
      if (table.isOpen(hand) && table.lastWaiting(hand) == 0 && now() - table.used(hand) > TICKS) {
        moved++;
        try {
          put(hand, idle.store());
        } catch (IOException | RuntimeException e) { // it stays; a later round tries again
          notStored++;
          swept = nanos + 1000 * PAUSE_NANOS;
          return;
        }
      }
    }
  }

  private void put(int row, SessionStore store) throws IOException {
    Version version = models.of(row);
    byte[] value = new byte[Math.toIntExact(HEAD_BYTES + table.packedBytes(row))];
    MemorySegment to = MemorySegment.ofArray(value);
    to.set(INT, STATES, version.statesChecksum);
    to.set(LONG, STORED_BY, mine);
    to.set(INT, VERSION, version.number());
    table.pack(row, to, HEAD_BYTES);
    store.put(table.id(row).key(), value);
    version.stored++;
    table.close(row);
  }

  /**
   * Moves all sessions.
   *
   * @throws UncheckedIOException if one cannot be moved; it and those behind it stay, as where the
   *     store throws another exception
   */
  void putAll() {
    for (int row = 0; idle != null && row < table.end(); row++) {
      if (table.isOpen(row)) {
        try {
          put(row, idle.store());
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }
}
