package io.recur.nn;

import io.recur.grad.Tensor;

/**
 * The result of a cell: the new state and the output.
 *
 * <pre>{@code
 * Step next = Step.step(h, y);
 * State after = next.state();
 * }</pre>
 *
 * @param state after the step, or after the last step of a sequence
 * @param y out × batch, or out × batch × time for a sequence
 */
public record Step(State state, Tensor y) {
  /**
   * A step of a cell with one state tensor.
   *
   * @param h the new state
   * @param y the output
   * @return the step
   */
  public static Step step(Tensor h, Tensor y) {
    return new Step(State.of(h), y);
  }
}
