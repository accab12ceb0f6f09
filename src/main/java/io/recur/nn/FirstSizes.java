package io.recur.nn;

import io.recur.grad.Shape;
import java.util.List;
import java.util.function.Supplier;

/**
 * Refuses sizes that do not fit with no state changed. What the parts of a layer give is known when
 * they have run, and depends on the rows and the steps of x: the first call of each such size gives
 * the states back where it fails, and the size that has passed last is not watched again. A layer
 * shares this with its forks.
 */
final class FirstSizes {
  /** The size of the x that passed last; 0 before. */
  private volatile long passed;

  /** Whether x of these sizes has passed last, so that the call needs no {@link #call}. */
  boolean knows(Shape x) {
    return size(x) == passed;
  }

  private static long size(Shape x) {
    return (long) x.rows() << Integer.SIZE | x.time();
  }

  /** Runs a call, or leaves all states inside as they were where it fails. */
  <T> T call(List<Recur> recurs, Shape x, Supplier<T> call) {
    Together.enter(recurs);
    try {
      List<Undo> before = recurs.stream().map(recur -> new Undo(recur.held())).toList();
      try {
        T y = call.get();
        passed = size(x);
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
