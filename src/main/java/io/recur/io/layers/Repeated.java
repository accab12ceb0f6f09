package io.recur.io.layers;

import io.recur.grad.Concat;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Layer;
import java.util.Collections;

/**
 * A column as a sequence of equal steps: Keras's {@code RepeatVector}. in × B gives in × B × T.
 *
 * @param steps T
 */
public record Repeated(int steps) implements Layer {
  public Repeated {
    if (steps < 1) {
      throw new IllegalArgumentException("repeat: steps=%d; need 1 or more".formatted(steps));
    }
  }

  @Override
  public Tensor apply(Tensor x) {
    Shape shape = x.shape();
    Tensor step = x.reshape(Shape.of(shape.rows(), shape.batch(), 1));
    return Concat.time(Collections.nCopies(steps, step));
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    return "Repeated(" + steps + ")";
  }
}
