package io.recur.serve;

import java.util.ArrayList;
import java.util.List;

/** Does the calls that are no steps, on the table of sessions. */
final class TableCalls {
  private final Table table;
  private final Shelf shelf;
  private final float[] initial;

  /**
   * Begins to use a table.
   *
   * @param shelf finds sessions of the table and of the store
   * @param initial the state from which a session begins
   */
  TableCalls(Table table, Shelf shelf, float... initial) {
    this.table = table;
    this.shelf = shelf;
    this.initial = initial;
  }

  /** Does a call and returns its answer. */
  float[] done(Waiting call) {
    switch (call.kind) {
      case IS_OPEN -> {
        return shelf.holds(call.id) ? new float[1] : nothing();
      }
      case SAVE -> {
        return table.state(call.row);
      }
      case OPEN -> open(call.ids);
      case STORE -> store(call);
      case RESTORE_ALL -> restore(call.stored);
      case FORK -> {
        refuseOpen(call.other);
        table.copyState(call.row, shelf.open(call.other));
      }
      case RESTORE -> begin(call.row, call.values);
      case RESET -> begin(call.row, initial);
      case CLOSE, COUNT, STEP -> {} // which concern others that wait
    }
    return nothing();
  }

  /** The answer of a call that asks for nothing. */
  private static float[] nothing() {
    return new float[0];
  }

  private void begin(int row, float... state) {
    table.state(row, state);
    table.failed(row, false);
    table.forget(row);
  }

  /** Opens all or none. */
  private void open(Id... ids) {
    int opened = 0;
    try {
      for (; opened < ids.length; opened++) {
        refuseOpen(ids[opened]);
        table.state(shelf.open(ids[opened]), initial);
      }
    } catch (RuntimeException e) {
      for (int i = 0; i < opened; i++) {
        table.close(table.find(ids[i]));
      }
      throw e;
    }
  }

  private void refuseOpen(Id id) {
    if (shelf.holds(id)) {
      throw Refusals.open(id);
    }
  }

  /** Copies sessions from a row on, as many as make a block of a file. */
  private void store(Waiting call) {
    List<Stored> stored = new ArrayList<>();
    int row = call.row;
    for (long bytes = 0; row < table.end() && bytes < SessionFile.BLOCK_BYTES; row++) {
      if (table.isOpen(row)) {
        stored.add(table.stored(row));
        bytes += stored.getLast().bytes();
      }
    }
    call.stored = stored.toArray(Stored[]::new);
    call.row = row < table.end() ? row : -1;
  }

  private void restore(Stored... sessions) {
    for (Stored session : sessions) {
      int row = shelf.find(session.id());
      table.restore(row == Table.NONE ? shelf.open(session.id()) : row, session);
    }
  }
}
