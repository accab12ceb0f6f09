package io.recur.nn;

import io.recur.grad.Tape;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * What a Recur held before a call: its state with its history, or a copy of that without. The
 * caller has entered the Recur until {@link #close}.
 */
final class Undo implements AutoCloseable {
  private final HeldState held;
  private final @Nullable State live;
  private final @Nullable Tape tape;
  private final @Nullable State kept;
  private final BitSet resetColumns;
  private final long changes;
  private final Kept memory = new Kept();

  Undo(HeldState held) {
    this.held = held;
    this.live = held.live;
    this.tape = held.tape;
    this.kept = held.kept == null ? null : memory.copy(held.kept); // the next call overwrites it
    this.resetColumns = (BitSet) held.resetColumns.clone();
    this.changes = held.changes;
  }

  /** Gives the Recur back what it held. */
  void giveBack() {
    if (held.tape != tape && held.tape != null) {
      held.tape.release(held);
    }
    if (held.tape != tape && tape != null) {
      tape.hold(held);
    }
    held.tape = tape;
    held.live = live;
    held.kept = kept == null ? null : held.memory.copy(kept);
    held.resetColumns.clear();
    held.resetColumns.or(resetColumns);
    held.changes = changes;
  }

  /** Gives the memory of the copy back. */
  @Override
  public void close() {
    memory.giveBack();
  }
}
