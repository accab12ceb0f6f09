package io.recur.grad;

import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;

/** The dropped weights of a tape: all of the present sequence, and those that products read now. */
final class DroppedWeights {
  /** A matrix and the rate at which its values are dropped. */
  record Weight(Parameter matrix, float rate) {}

  private final Map<Weight, Tensor> drawn = new HashMap<>();
  private Map<Tensor, Tensor> read = Map.of();
  private int scopes;

  /** Begins a scope; the weights that products read before it. */
  Map<Tensor, Tensor> begin() {
    scopes++;
    return read;
  }

  /** Ends a scope. With the outermost one the sequence ends. */
  void end(Map<Tensor, Tensor> before) {
    read = before;
    if (--scopes == 0) {
      drawn.clear();
    }
  }

  /** Products read the dropped matrices of this sequence from now on; draws those that are new. */
  void drop(Tape tape, Map<Parameter, Float> rates) {
    if (rates.isEmpty()) {
      return;
    }
    Map<Tensor, Tensor> all = new IdentityHashMap<>(read);
    rates.forEach(
        (matrix, rate) -> {
          if (rate > 0) {
            all.put(
                matrix,
                drawn.computeIfAbsent(
                    new Weight(matrix, rate), fresh -> DropConnect.dropped(tape, matrix, rate)));
          }
        });
    read = all;
  }

  /** A dropped matrix of the present sequence, or of none. */
  Tensor ofSequence(Tape tape, Parameter matrix, float rate) {
    return scopes == 0
        ? DropConnect.dropped(tape, matrix, rate)
        : drawn.computeIfAbsent(
            new Weight(matrix, rate), fresh -> DropConnect.dropped(tape, matrix, rate));
  }

  /** What a product with this matrix reads. */
  Tensor of(Tensor matrix) {
    Tensor dropped = read.get(matrix);
    return dropped != null ? dropped : matrix;
  }

  /** Refuses a dropped matrix that another operation than a product reads. */
  void refuse(String where, Tensor input) {
    if (read.containsKey(input)) {
      throw new IllegalStateException(
          "%s: %s, whose values are dropped; only W.matmul(x) and matrix.times(x) in a step can"
                  .formatted(where, input)
              + " read a dropped weight");
    }
  }

  /** The tape is cleared: no tensor of it may be read any more. */
  void clear() {
    drawn.clear();
  }
}
