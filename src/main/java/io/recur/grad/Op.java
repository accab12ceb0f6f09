package io.recur.grad;

/**
 * An operation that a tape has recorded: it knows its inputs, its outputs and its derivative.
 *
 * <p>An operation of one's own computes its value, then records itself:
 *
 * <pre>{@code
 * record Twice(Tensor x, Tensor y) implements Op {
 *   static Tensor twice(Tensor x) {
 *     Tape tape = Tape.of("twice", x);
 *     Tensor y = tape.output(x.shape(), x.isDifferentiable());
 *     tape.device().pointwise().scale(2, x.value(), y.value(), x.shape().count());
 *     return tape.record(new Twice(x, y), y);
 *   }
 *
 *   public void backward() {
 *     if (x.isDifferentiable()) {
 *       x.device().pointwise().addScaled(2, y.gradient(), x.accumulator(), x.shape().count());
 *     }
 *   }
 * }
 * }</pre>
 *
 * <p>One that leaves no garbage in a loop is a class whose objects the tape uses again, with all
 * fields set anew each time:
 *
 * <pre>{@code
 * final class Negated implements Op {
 *   private Tensor x;
 *   private Tensor y;
 *
 *   Tensor of(Tape tape, Tensor x) {
 *     this.x = x;
 *     this.y = tape.output(x.shape(), x.isDifferentiable());
 *     tape.device().pointwise().scale(-1, x.value(), y.value(), x.shape().count());
 *     return tape.record(this, y);
 *   }
 *
 *   public void backward() {
 *     x.device().pointwise().addScaled(-1, y.gradient(), x.accumulator(), x.shape().count());
 *   }
 * }
 * Tensor minus = tape.reuse(Negated.class, Negated::new).of(Tape.of("negated", x), x);
 * }</pre>
 */
public interface Op {
  /**
   * Adds to the {@linkplain Tensor#accumulator accumulators} of the inputs that are {@linkplain
   * Tensor#isDifferentiable differentiable} what the {@linkplain Tensor#gradient gradients} of the
   * outputs give them. It must change nothing else: it may be called again.
   */
  void backward();
}
