package io.recur.nn;

import io.recur.grad.Tape;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/** What a layer held before a call, to be given back where the call fails. */
abstract sealed class Undo implements AutoCloseable {
  private final Kept memory = new Kept();

  private Undo() {}

  /** Gives the layer back what it held. */
  abstract void giveBack();

  /** A copy that lasts until {@link #close}: the call overwrites what it is a copy of. */
  final State copy(State state) {
    return memory.copy(state);
  }

  /** Gives the memory of the copy back. */
  @Override
  public final void close() {
    memory.giveBack();
  }

  /**
   * The state of a Recur with its history, or a copy of one without. The caller has entered the
   * Recur until {@link #close}.
   */
  static final class OfRecur extends Undo {
    private final HeldState held;
    private final @Nullable State live;
    private final @Nullable Tape tape;
    private final @Nullable State kept;
    private final BitSet resetColumns;
    private final long changes;

    OfRecur(HeldState held) {
      this.held = held;
      this.live = held.live;
      this.tape = held.tape;
      this.kept = held.kept == null ? null : copy(held.kept);
      this.resetColumns = (BitSet) held.resetColumns.clone();
      this.changes = held.changes;
    }

    @Override
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
  }

  /** The {@linkplain Layer#running running} parameters of layers. */
  static final class OfRunning extends Undo {
    private final State running;
    private final State before;

    OfRunning(State running) {
      this.running = running;
      this.before = copy(running);
    }

    @Override
    void giveBack() {
      before.copyTo(running);
    }
  }
}
