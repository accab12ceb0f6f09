package io.recur.io.layers;

import io.recur.grad.OneHot;
import io.recur.grad.Padded;
import io.recur.grad.Tensor;
import io.recur.nn.Layer;

/**
 * Keras's {@code mask_zero} of an {@code Embedding}: index 0 masks a step there. Lengths say the
 * same here, so that an index 0 within the lengths is refused.
 */
public record MaskedZero() implements Layer {
  @Override
  public Tensor apply(Tensor x) {
    int column = first(x);
    if (column >= 0) {
      throw Masked.refused(describe(), column, x.shape().batch());
    }
    return x;
  }

  @Override
  public Padded apply(Padded x) {
    int column = first(x.valid());
    if (column >= 0) {
      throw Masked.refused(describe(), x.places()[column], x.shape().batch());
    }
    return x;
  }

  /** {@return the first column of index 0, or −1} */
  private static int first(Tensor x) {
    if (x instanceof OneHot classes) {
      int[] indexes = classes.indexes();
      for (int column = 0; column < indexes.length; column++) {
        if (indexes[column] == 0) {
          return column;
        }
      }
      return -1;
    }
    float[] values = x.toArray();
    int rows = x.shape().rows();
    for (int at = 0; at < values.length; at += rows) {
      if (values[at] != 0) {
        return at / rows;
      }
    }
    return -1;
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    return "MaskZero";
  }
}
