package io.recur.nn;

import io.recur.grad.Drop;
import io.recur.grad.Padded;
import io.recur.grad.Tensor;

/**
 * Dropout between layers, see {@link Drop}. A tape for inference drops nothing.
 *
 * <pre>{@code
 * Chain model = chain(lstm(10, 15), dropout(0.2f), dense(15, 5));
 * }</pre>
 *
 * @param rate the probability that a value is dropped, 0 ≤ rate &lt; 1
 */
public record Dropout(float rate) implements Layer {
  /** Checks the rate. */
  public Dropout {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException("dropout: rate=" + rate + "; need 0 ≤ rate < 1");
    }
  }

  @Override
  public Tensor apply(Tensor x) {
    return Drop.dropout(x, rate);
  }

  @Override
  public Padded apply(Padded x) {
    return x.map(this::apply);
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    return "Dropout(" + rate + ")";
  }
}
