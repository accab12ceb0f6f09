package io.recur.nn;

import java.util.List;
import java.util.function.Supplier;

/**
 * Refuses sizes that do not fit with no state changed. What the parts of a layer give is known when
 * they have run, so the first call of each size gives the states back where it fails; a size that
 * has passed is not watched again. A layer shares this with its forks.
 */
final class FirstSizes {
  /** The rows of the x that passed last; 0 before. */
  private volatile int passed;

  /** Whether x of these rows has passed, so that the call needs no {@link #call}. */
  boolean knows(int rows) {
    return rows == passed;
  }

  /** Runs a call, or leaves all states inside as they were where it fails. */
  <T> T call(List<Recur> recurs, int rows, Supplier<T> call) {
    Together.enter(recurs);
    try {
      List<Undo> before = recurs.stream().map(recur -> new Undo(recur.held())).toList();
      try {
        T y = call.get();
        passed = rows;
        return y;
      } catch (RuntimeException e) {
        before.forEach(Undo::giveBack);
        throw e;
      } finally {
        before.forEach(Undo::close);
      }
    } finally {
      Together.leave(recurs);
    }
  }
}
