package io.recur.io.layers;

import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Layer;
import java.util.Arrays;

/**
 * The last step of each sequence: Keras's {@code return_sequences=False}. in × B × T gives in × B;
 * sequences of different lengths give one step each.
 */
public record LastStep() implements Layer {
  @Override
  public Tensor apply(Tensor x) {
    return x.shape().rank() < 3 ? x : x.time(x.shape().time() - 1);
  }

  @Override
  public Padded apply(Padded x) {
    return oneStep(x.last());
  }

  /** One valid step per sequence. */
  static Padded oneStep(Tensor y) {
    int batch = y.shape().batch();
    int[] lengths = new int[batch];
    Arrays.fill(lengths, 1);
    return Padded.of(y.reshape(Shape.of(y.shape().rows(), batch, 1)), lengths);
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    return "LastStep";
  }
}
