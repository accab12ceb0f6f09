package io.recur.nn;

import java.util.List;
import java.util.function.Consumer;

/**
 * Enters several Recurs together: all of them or, where another thread is inside one, none. So a
 * call that changes several states changes all of them or is refused before it begins. A call that
 * copies states reads all at one moment; several threads may read at once.
 */
final class Together {
  private Together() {}

  /** Enters all Recurs, until {@link #leave}. */
  static void enter(List<Recur> recurs) {
    int entered = 0;
    try {
      for (; entered < recurs.size(); entered++) {
        recurs.get(entered).mark().enter();
      }
    } catch (IllegalStateException e) {
      leave(recurs, entered);
      throw e;
    }
  }

  static void leave(List<Recur> recurs) {
    leave(recurs, recurs.size());
  }

  private static void leave(List<Recur> recurs, int entered) {
    for (int i = 0; i < entered; i++) {
      recurs.get(i).mark().close();
    }
  }

  /** Changes the states of all Recurs, or none where one refuses the change. */
  static void change(List<Recur> recurs, Consumer<HeldState> check, Consumer<HeldState> change) {
    enter(recurs);
    try {
      recurs.forEach(recur -> check.accept(recur.held()));
      for (Recur recur : recurs) {
        try (var _ = recur.held().enterTape()) {
          change.accept(recur.held());
        }
      }
    } finally {
      leave(recurs);
    }
  }

  /** Begins to read all Recurs, until {@link #endRead}. */
  static void read(List<Recur> recurs) {
    int reading = 0;
    try {
      for (; reading < recurs.size(); reading++) {
        recurs.get(reading).mark().read();
      }
    } catch (IllegalStateException e) {
      endRead(recurs, reading);
      throw e;
    }
  }

  static void endRead(List<Recur> recurs) {
    endRead(recurs, recurs.size());
  }

  private static void endRead(List<Recur> recurs, int reading) {
    for (int i = 0; i < reading; i++) {
      recurs.get(i).mark().endRead();
    }
  }
}
