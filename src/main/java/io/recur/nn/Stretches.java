package io.recur.nn;

import io.recur.grad.Concat;
import io.recur.grad.DropConnect;
import io.recur.grad.Padded;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * A cell over sequences of different lengths: a run of all steps at once, or one for each stretch
 * of steps that the same sequences have, with the longest sequences first. The sequences of a
 * stretch are the first columns of the state after the stretch before; the other columns of that
 * state have ended and stay as they are.
 */
final class Stretches {
  private final Padded x;
  private final int[] order;
  private final State start;

  /** For each part of the state the columns that ended, the longest sequences last. */
  private final List<List<Tensor>> ended = new ArrayList<>();

  /**
   * A run.
   *
   * @param x sequences
   * @param start the state before the first step, with a column for each sequence
   */
  Stretches(Padded x, State start) {
    this.x = x;
    this.order = x.order();
    this.start = reordered(start, order);
    for (int i = 0; i < start.parts().size(); i++) {
      ended.add(new ArrayList<>());
    }
  }

  /** {@return the state before the first step, the longest sequence first} */
  State start() {
    return start;
  }

  /** Takes the results of all steps: the last state of each sequence, the longest one first. */
  Padded ended(Step all) {
    for (int i = 0; i < ended.size(); i++) {
      ended.get(i).add(all.state().parts().get(i));
    }
    return x.map(valid -> all.y());
  }

  /** Runs a cell, which takes the state of a stretch and its input. */
  Padded of(BiFunction<State, Tensor, Step> cell) {
    List<Tensor> inputs = x.stretches();
    List<Tensor> outputs = new ArrayList<>(inputs.size());
    State now = start;
    try (var _ = DropConnect.on(x.tape(), Map.of())) { // a mask per sequence
      for (int i = 0; i < inputs.size(); i++) {
        now = narrowed(now, inputs.get(i).shape().batch());
        Step step = cell.apply(now, inputs.get(i));
        outputs.add(step.y());
        now = step.state();
      }
    }
    end(now, 0);
    return x.ofStretches(outputs);
  }

  /** The first columns of a state; the others have ended. */
  private State narrowed(State state, int batch) {
    end(state, batch);
    Tensor[] first = new Tensor[ended.size()];
    for (int i = 0; i < first.length; i++) {
      Tensor part = State.matrix(state.parts().get(i));
      first[i] = batch == part.shape().columns() ? part : part.columns(0, batch);
    }
    return new State(List.of(first));
  }

  /** Keeps the columns of a state that have ended. */
  private void end(State state, int batch) {
    for (int i = 0; i < ended.size(); i++) {
      Tensor part = State.matrix(state.parts().get(i));
      int columns = part.shape().columns();
      if (batch < columns) {
        ended.get(i).add(batch == 0 ? part : part.columns(batch, columns));
      }
    }
  }

  /** The state after the last step of each sequence, in the caller's order. */
  State end() {
    List<Tensor> parts = new ArrayList<>(ended.size());
    for (List<Tensor> pieces : ended) {
      Tensor[] sorted = pieces.reversed().toArray(Tensor[]::new);
      parts.add(sorted.length == 1 ? sorted[0] : Concat.columns(sorted));
    }
    int[] back = new int[order.length];
    for (int k = 0; k < order.length; k++) {
      back[order[k]] = k;
    }
    return reordered(new State(parts), back);
  }

  private static State reordered(State state, int[] order) {
    boolean isSame = true;
    for (int k = 0; k < order.length; k++) {
      isSame &= order[k] == k;
    }
    if (isSame) {
      return state;
    }
    List<Tensor> parts = new ArrayList<>(state.parts().size());
    for (Tensor part : state.parts()) {
      parts.add(part.take(order));
    }
    return new State(parts);
  }
}
