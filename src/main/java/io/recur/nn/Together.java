package io.recur.nn;

import java.util.List;

/**
 * The Recurs of a layer, entered together: all of them or, where another thread is inside one,
 * none. What changes several states either changes all of them or is refused before it begins.
 */
final class Together implements AutoCloseable {
  private final List<Recur> recurs;

  Together(List<Recur> recurs) {
    this.recurs = recurs;
  }

  /** Enters all of them, until {@link #close}. */
  Together enter() {
    int entered = 0;
    try {
      for (; entered < recurs.size(); entered++) {
        recurs.get(entered).enter();
      }
      return this;
    } catch (IllegalStateException e) {
      leave(entered);
      throw e;
    }
  }

  @Override
  public void close() {
    leave(recurs.size());
  }

  private void leave(int entered) {
    for (int i = 0; i < entered; i++) {
      recurs.get(i).leave();
    }
  }
}
