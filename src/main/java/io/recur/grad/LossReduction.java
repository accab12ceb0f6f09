package io.recur.grad;

import io.recur.device.Dimension;

/**
 * How the losses of a batch become one value.
 *
 * <pre>{@code
 * Tensor total = LossReduction.SUM.of(Functions.square(x.sub(y)));
 * Padded errors = Padded.of(tape.input(Shape.of(1, 2, 3), 1, 2, 3, 4, 5, 6), 3, 1);
 * Tensor perSequence = LossReduction.NONE.of(errors);      // 1×2: 1 + 3 + 5 and 2
 * }</pre>
 */
public enum LossReduction {
  /** Their mean; that of a weighted loss divides by the sum of the weights. */
  MEAN,

  /** Their sum. */
  SUM,

  /** The losses themselves; of padded sequences one per sequence, the sum over its steps. */
  NONE;

  /**
   * Reduces losses of equal weight.
   *
   * @param losses of any shape
   * @return a scalar; for {@link #NONE} the losses
   */
  public Tensor of(Tensor losses) {
    return switch (this) {
      case MEAN -> losses.mean();
      case SUM -> losses.sum();
      case NONE -> losses;
    };
  }

  /**
   * Reduces losses of equal weight over the valid steps of sequences.
   *
   * @param losses with any number of rows
   * @return a scalar; for {@link #NONE} 1 × batch, the sum over the steps and rows of each
   *     sequence, 0 for an empty one
   */
  public Tensor of(Padded losses) {
    return this == NONE
        ? losses.map(valid -> valid.sum(Dimension.ROWS)).data().sum(Dimension.TIME)
        : of(losses.valid());
  }
}
