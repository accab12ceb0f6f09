package io.recur.grad;

/**
 * Dropout (Srivastava et al. 2014): each value is zeroed with probability {@code rate}, the others
 * grow by {@code 1/(1 − rate)}; the gradient passes where the value did. On a tape that does not
 * record all values pass unchanged. The coins come from {@link Tape#seed}.
 *
 * <pre>{@code
 * tape.seed(42);
 * Tensor z = Drop.dropout(x, 0.2f);
 * }</pre>
 *
 * @param x input
 * @param rate 0 ≤ rate &lt; 1
 * @param seed of the coins
 * @param y of x's shape
 */
public record Drop(Tensor x, float rate, long seed, Tensor y) implements Op {
  /**
   * Drops values.
   *
   * @param x input
   * @param rate share to drop, 0 ≤ rate &lt; 1
   * @return of x's shape
   */
  public static Tensor dropout(Tensor x, float rate) {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException("dropout: rate=" + rate + "; need 0 ≤ rate < 1");
    }
    Tape tape = Tape.of("dropout", x);
    if (!tape.isRecording() || rate == 0) {
      return x;
    }
    Tensor y = tape.output(x.shape(), x.isDifferentiable());
    long seed = tape.draw();
    tape.device().pointwise().drop(rate, seed, false, x.value(), y.value(), x.shape().count());
    return tape.record(new Drop(x, rate, seed, y), y);
  }

  @Override
  public void backward() {
    y.device().pointwise().drop(rate, seed, true, y.gradient(), x.accumulator(), x.shape().count());
  }
}
