package io.recur.io.layers;

import io.recur.grad.Concat;
import io.recur.grad.Padded;
import io.recur.grad.Tensor;
import io.recur.nn.Bidirectional;
import io.recur.nn.Layer;

/**
 * What two directions give last: the forward rows of the last step and the backward rows of the
 * first one. Keras's {@code Bidirectional} without {@code return_sequences}.
 *
 * @param forward the rows of the forward direction, which stand above those of the backward one
 * @param merge how they become one
 */
public record BothEnds(int forward, Bidirectional.Merge merge) implements Layer {
  @Override
  public Tensor apply(Tensor x) {
    boolean isStep = x.shape().rank() < 3;
    return merged(isStep ? x : x.time(x.shape().time() - 1), isStep ? x : x.time(0));
  }

  /** An empty sequence gives zeros. */
  @Override
  public Padded apply(Padded x) {
    return LastStep.oneStep(merged(x.last(), x.data().time(0)));
  }

  private Tensor merged(Tensor last, Tensor first) {
    Tensor there = last.rows(0, forward);
    Tensor back = first.rows(forward, first.shape().rows());
    return switch (merge) {
      case CONCATENATE -> Concat.rows(there, back);
      case SUM -> there.add(back);
      case MEAN -> there.add(back).scale(0.5f);
    };
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    return "BothEnds";
  }
}
