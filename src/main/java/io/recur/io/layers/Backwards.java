package io.recur.io.layers;

import io.recur.grad.Padded;
import io.recur.grad.Tensor;
import io.recur.nn.AllOrNone;
import io.recur.nn.Layer;
import java.util.List;

/**
 * Runs recurrent layers from the last step to the first: Keras's {@code go_backwards}. The outputs
 * are in the order in which they were computed. Each call begins anew, since what precedes it comes
 * later, unless Keras's {@code stateful} says that it continues.
 *
 * @param inner recurrent layers
 * @param stateful whether a call continues from the last one
 * @param states of the inner layers, which a call that is refused leaves as they were
 */
public record Backwards(Layer inner, boolean stateful, AllOrNone states) implements Layer {
  public Backwards(Layer inner, boolean stateful) {
    this(inner, stateful, new AllOrNone(inner));
  }

  @Override
  public Tensor apply(Tensor x) {
    return states.apply(
        x,
        steps -> {
          begin();
          return inner.apply(steps.reversed());
        });
  }

  @Override
  public Padded apply(Padded x) {
    return states.apply(
        x,
        steps -> {
          begin();
          return inner.apply(steps.reversed());
        });
  }

  private void begin() {
    if (!stateful) {
      inner.reset();
    }
  }

  @Override
  public List<Layer> layers() {
    return List.of(inner);
  }

  @Override
  public Layer fork(Fork fork) {
    return new Backwards(fork.of(inner), stateful);
  }

  @Override
  public boolean columnsAreIndependent() {
    return inner.columnsAreIndependent();
  }

  @Override
  public boolean keepsBatch() {
    return true;
  }

  @Override
  public String describe() {
    return "Backwards";
  }
}
