package io.recur.io.layers;

import io.recur.grad.Padded;
import io.recur.grad.Tensor;
import io.recur.nn.Layer;

/**
 * Keras's {@code Masking}: a step whose features all have one value is masked there. Lengths say
 * the same here, so that a masked step within the lengths is refused.
 *
 * @param value Keras's {@code mask_value}
 */
public record Masked(float value) implements Layer {
  @Override
  public Tensor apply(Tensor x) {
    int column = first(x);
    if (column >= 0) {
      throw refused(describe(), column, x.shape().batch());
    }
    return x;
  }

  @Override
  public Padded apply(Padded x) {
    int column = first(x.valid());
    if (column >= 0) {
      throw refused(describe(), x.places()[column], x.shape().batch());
    }
    return x;
  }

  /** {@return the first masked column, or −1} */
  private int first(Tensor x) {
    float[] values = x.toArray();
    int rows = x.shape().rows();
    for (int at = 0; at < values.length; at += rows) {
      int row = 0;
      while (row < rows && values[at + row] == value) {
        row++;
      }
      if (row == rows) {
        return at / rows;
      }
    }
    return -1;
  }

  static IllegalArgumentException refused(String layer, int column, int batch) {
    return new IllegalArgumentException(
        """
        %s: step %d of sequence %d is masked; give Padded.of(x, lengths), with lengths that end \
        before such steps"""
            .formatted(layer, column / batch, column % batch));
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    return "Masking(" + value + ")";
  }
}
