package io.recur.serve;

import java.util.Objects;

/** Does the calls that are no steps, on the table of sessions. */
final class TableCalls {
  private final Table table;
  private final Shelf shelf;
  private final Models models;

  /**
   * Begins to use a table.
   *
   * @param shelf finds sessions of the table and of the store
   */
  TableCalls(Table table, Shelf shelf, Models models) {
    this.table = table;
    this.shelf = shelf;
    this.models = models;
  }

  /**
   * The row of the session of a call. A step that starts the session opens it, and so does a state
   * that is restored.
   *
   * @throws SessionException if it is not open
   */
  int row(Waiting call) {
    int row = shelf.find(call.id, call.hash);
    if (row == Table.NONE && call.kind == Waiting.Kind.RESTORE) {
      fit((TableCall) call);
      row = shelf.open(call.id, models.newest());
    } else if (row == Table.NONE && call.request != null && call.request.isStarting) {
      row = shelf.open(call.id, models.newest());
      table.state(row, models.newest().initial);
      call.hasOpened = true;
    }
    if (row == Table.NONE) {
      throw Refusals.unknown(call.id);
    }
    return row;
  }

  /** Does a call and returns its answer. */
  float[] done(TableCall call) {
    switch (call.kind) {
      case IS_OPEN -> {
        return shelf.holds(call.id) ? new float[1] : nothing();
      }
      case SAVE -> {
        call.version = models.of(call.row);
        return table.state(call.row);
      }
      case OPEN -> open(call.ids);
      case STORE -> store(call);
      case RESTORE_ALL -> restoreAll(call);
      case FORK -> {
        refuseOpen(call.other);
        table.copyState(call.row, shelf.open(call.other, models.of(call.row)));
      }
      case RESTORE -> {
        fit(call);
        models.move(call.row, call.version, call.values);
      }
      case RESET -> models.begin(call.row, models.newest());
      case REPLACE -> models.replace(call.version, call.moving);
      case KEEP -> models.keep(call.number, call.isKept);
      case VERSIONS -> {
        call.versions = models.described();
        call.serving = models.serving();
      }
      case VERSION -> call.version = models.of(call.row);
      case CLOSE, COUNT, STEP -> {} // which concern others that wait
    }
    return nothing();
  }

  /** The answer of a call that asks for nothing. */
  private static float[] nothing() {
    return new float[0];
  }

  /**
   * Has the values of a call that restores be those of the newest version, which may have come
   * since it was sent.
   */
  void fit(TableCall call) {
    Version newest = models.newest();
    if (call.version != newest) {
      call.values = newest.states().values(Objects.requireNonNull(call.snapshot));
      call.version = newest;
    }
  }

  /** Opens all or none. */
  private void open(Id... ids) {
    int opened = 0;
    try {
      for (; opened < ids.length; opened++) {
        refuseOpen(ids[opened]);
        table.state(shelf.open(ids[opened], models.newest()), models.newest().initial);
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

  /**
   * Packs sessions of a model into the call's memory, from a row on, as many as there is room for.
   * Where there is room for none, the bytes of the first one are the answer.
   */
  private void store(TableCall call) {
    long at = SessionFile.HEAD_BYTES;
    long end = call.memory.byteSize() - SessionFile.CHECKSUM_BYTES;
    call.stored = 0;
    int row = call.next;
    for (; row < table.end(); row++) {
      if (table.isOpen(row) && models.of(row).isSameModel(call.version)) {
        long bytes = table.packedBytes(row);
        if (bytes > end - at) {
          at = call.stored == 0 ? at + bytes : at;
          break;
        }
        at = table.pack(row, call.memory, at);
        call.stored++;
      }
    }
    call.storedBytes = at - SessionFile.HEAD_BYTES;
    call.next = row < table.end() ? row : -1;
  }

  private void restoreAll(TableCall call) {
    Version version = models.alike(call.version);
    PackedSessions sessions =
        new PackedSessions(call.memory, 0, call.memory.byteSize(), version.states().floats());
    while (sessions.next()) {
      Id id = sessions.id();
      int row = shelf.find(id);
      if (row == Table.NONE) {
        row = shelf.open(id, version);
      } else {
        table.move(row, version.slot());
      }
      table.restore(row, sessions);
    }
  }
}
