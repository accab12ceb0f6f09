package io.recur.serve;

import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/** The memory of the states of each version of the model. Versions of one size share it. */
final class VersionStates implements AutoCloseable {
  /** Versions at a time. */
  static final int MOST = 256;

  /** The states of one version. */
  static final class Of {
    final int floats;
    final Cells cells;
    private final Arena arena;

    /** The sessions of the version. */
    int count;

    private Of(int floats, @Nullable Of alike) {
      this.floats = floats;
      this.arena = alike == null ? Arena.ofConfined() : alike.arena;
      this.cells =
          alike == null
              ? new Cells(arena, (long) floats * Float.BYTES, Cells.LARGE_SLAB)
              : alike.cells;
    }
  }

  private final @Nullable Of[] all = new Of[MOST];

  Of of(int version) {
    return all[version];
  }

  /** Adds a version whose states have as many values. */
  void admit(int version, int floats) {
    Of alike = null;
    for (Of other : all) {
      alike = other != null && other.floats == floats ? other : alike;
    }
    all[version] = new Of(floats, alike);
  }

  /** Removes a version that no session has; frees its memory unless another one shares it. */
  void dismiss(int version) {
    Of its = all[version];
    all[version] = null;
    if (first(its) == -1) {
      its.arena.close();
    }
  }

  /** The first version that shares this memory; -1 where none does. */
  private int first(Of its) {
    for (int v = 0; v < MOST; v++) {
      Of other = all[v];
      if (other != null && other.cells == its.cells) {
        return v;
      }
    }
    return -1;
  }

  /** The bytes of all slabs. */
  long bytes() {
    long bytes = 0;
    for (int v = 0; v < MOST; v++) {
      Of its = all[v];
      bytes += its != null && first(its) == v ? its.cells.bytes() : 0;
    }
    return bytes;
  }

  @Override
  public void close() {
    for (int v = 0; v < MOST; v++) {
      if (all[v] != null) {
        dismiss(v);
      }
    }
  }
}
