package io.recur.io.layers;

import io.recur.grad.Padded;
import io.recur.grad.Tensor;
import io.recur.nn.Conv1d;
import io.recur.nn.Layer;
import java.util.List;

/**
 * A convolution that reads no later step: Keras's {@code padding="causal"}.
 *
 * @param conv with zeros on both sides, of which those behind the end are not used
 * @param stride that of the convolution
 */
public record Causal(Conv1d conv, int stride) implements Layer {
  @Override
  public Tensor apply(Tensor x) {
    return conv.apply(x).times(0, (x.shape().time() - 1) / stride + 1);
  }

  /** The steps before the end do not depend on those behind it. */
  @Override
  public Padded apply(Padded x) {
    if (stride > 1) {
      return Layer.super.apply(x); // refused: it changes the number of steps
    }
    return Padded.of(apply(x.data()), x.lengths());
  }

  @Override
  public List<Layer> layers() {
    return List.of(conv);
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    return "Causal";
  }
}
