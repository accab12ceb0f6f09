package io.recur.train;

import io.recur.grad.Parameter;
import io.recur.nn.Parameters;
import java.util.Iterator;

/**
 * An exponential moving average of the weights of a model: {@code a = βa + (1−β)w} per update, and
 * {@code a = w} at the first one, as PyTorch's {@code AveragedModel} with an exponential average.
 * It often predicts better than the last weights.
 *
 * <pre>{@code
 * Average average = new Average(model.parameters(), 0.999f);
 * average.update();                                  // after each step of the optimiser
 * average.swap();                                    // the model predicts with the average
 * average.swap();                                    // and continues with its own weights
 * }</pre>
 */
public final class Average {
  private final Parameters model;
  private final Parameters values;
  private final Parameters kept;
  private final double beta;
  private long updates;

  /**
   * Starts with the weights as they are.
   *
   * @param parameters of a model that is placed; the average has as much memory twice
   * @param beta β, from 0 to below 1
   * @throws IllegalArgumentException if β is outside its range
   * @throws IllegalStateException if a parameter has no memory yet
   */
  public Average(Parameters parameters, float beta) {
    if (!(beta >= 0 && beta < 1)) {
      throw new IllegalArgumentException(
          "average: beta=" + beta + "; need a number from 0 to below 1");
    }
    this.model = parameters;
    this.beta = Optimiser.written(beta);
    this.values = parameters.copy();
    this.kept = parameters.copy();
  }

  /** Takes the model's weights into the average. */
  public void update() {
    if (updates++ == 0) {
      values.copyFrom(model);
      return;
    }
    Iterator<Parameter> weights = model.iterator();
    for (Parameter value : values) {
      Parameter weight = weights.next();
      int n = value.shape().count();
      value.device().pointwise().scale((float) beta, value.value(), value.value(), n);
      value.device().pointwise().addScaled((float) (1 - beta), weight.value(), value.value(), n);
    }
  }

  /** Exchanges the model's weights and the average. A second call brings both back, bit for bit. */
  public void swap() {
    kept.copyFrom(model);
    model.copyFrom(values);
    values.copyFrom(kept);
  }

  /** {@return the average} */
  public Parameters parameters() {
    return values;
  }

  /** {@return the number of updates} */
  public long updates() {
    return updates;
  }

  /** Continues after a number of updates. The caller has filled {@link #parameters}. */
  void resume(long updates) {
    this.updates = updates;
  }
}
