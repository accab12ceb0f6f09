package io.recur.grad;

import java.util.Map;

/**
 * DropConnect: dropout of weights (Wan et al. 2013, <i>Regularization of Neural Networks using
 * DropConnect</i>, section 3).
 *
 * <pre>
 * W̃ = M∘W, with M = 0 with probability rate, else 1/(1 − rate);  dW += M∘dW̃
 * </pre>
 *
 * <p>While a {@link Scope} is open on a tape, the products of that tape with these matrices read W̃
 * in place of W: {@code W.matmul(x)} and {@code Matrix.times}. Another operation that reads W then
 * throws. One mask serves a whole sequence: a mask is drawn when it is first needed, and lasts
 * until the outermost scope of its tape is closed. A tape that does not record drops nothing. The
 * random numbers come from {@link Tape#seed}.
 *
 * <pre>{@code
 * try (DropConnect.Scope sequence = DropConnect.on(tape, Map.of(W, 0.5f))) {
 *   Tensor y = W.matmul(x);                          // both read the same W̃
 *   Tensor z = W.matmul(y);
 * }
 * }</pre>
 */
public final class DropConnect implements Op {
  private Parameter matrix;
  private float rate;

  /** Of the random numbers: forward and backward drop the same values. */
  private long seed;

  private Tensor y;

  private DropConnect() {}

  /** Until it is closed, products read dropped matrices. The last one is closed first. */
  public static final class Scope implements AutoCloseable {
    private final Tape tape;
    private final Map<Tensor, Tensor> before;
    private boolean isOpen = true;

    private Scope(Tape tape) {
      this.tape = tape;
      this.before = tape.dropped.begin();
    }

    /** Products read what they read before. A second call does nothing. */
    @Override
    public void close() {
      if (isOpen) {
        isOpen = false;
        tape.dropped.end(before);
      }
    }
  }

  /**
   * Drops values of matrices until it is closed.
   *
   * @param tape of the products
   * @param rates for each matrix the probability that a value is dropped, 0 ≤ rate &lt; 1; an empty
   *     map drops none, and keeps the masks that are drawn within for a whole sequence. Masks are
   *     drawn in the order of the map: one of several matrices is a {@code LinkedHashMap}
   * @return to be closed by the caller
   * @throws IllegalArgumentException if a rate is outside of that range
   * @throws IllegalStateException if a matrix has no memory, or is on another device than the tape,
   *     or another thread is inside the tape
   */
  public static Scope on(Tape tape, Map<Parameter, Float> rates) {
    rates.forEach((matrix, rate) -> check(matrix, rate));
    try (var _ = tape.enter()) {
      tape.checkOpen();
      Scope opened = new Scope(tape);
      try {
        if (tape.isRecording()) {
          tape.dropped.drop(tape, rates);
        }
        return opened;
      } catch (RuntimeException e) {
        opened.close();
        throw e;
      }
    }
  }

  private static void check(Parameter matrix, float rate) {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException(
          "dropConnect: %s, rate=%s; need 0 ≤ rate < 1".formatted(matrix, rate));
    }
  }

  /**
   * A matrix with a mask of its own.
   *
   * @param tape that takes it
   * @param matrix W
   * @param rate the probability that a value is dropped, 0 ≤ rate &lt; 1
   * @return W̃, a tensor of the tape; W itself where the tape does not record or the rate is 0
   * @throws IllegalArgumentException if the rate is outside of that range
   */
  public static Tensor dropped(Tape tape, Parameter matrix, float rate) {
    check(matrix, rate);
    try (OpContext context = OpContext.of(tape, "dropConnect", matrix)) {
      if (!tape.isRecording() || rate == 0) {
        return matrix;
      }
      DropConnect op = context.reuse(DropConnect.class, DropConnect::new);
      op.matrix = matrix;
      op.rate = rate;
      op.seed = context.draw();
      op.y = context.output(matrix.shape(), matrix.isDifferentiable());
      int count = matrix.shape().count();
      context.device().pointwise().drop(rate, op.seed, false, matrix.value(), op.y.value(), count);
      return context.record(op, op.y);
    }
  }

  /**
   * {@link #dropped} with the mask of the present sequence, while a {@link Scope} is open; a mask
   * of its own otherwise.
   *
   * @param tape that takes it
   * @param matrix W
   * @param rate the probability that a value is dropped, 0 ≤ rate &lt; 1
   * @return W̃, a tensor of the tape; W itself where the tape does not record or the rate is 0
   * @throws IllegalArgumentException if the rate is outside of that range
   */
  public static Tensor ofSequence(Tape tape, Parameter matrix, float rate) {
    check(matrix, rate);
    try (var _ = tape.enter()) {
      tape.checkOpen();
      return tape.dropped.ofSequence(tape, matrix, rate);
    }
  }

  /**
   * For authors of products: the matrix that a product reads.
   *
   * @param matrix the left factor
   * @param x the right factor, on the tape of the product
   * @return the dropped matrix while there is one, else the matrix itself
   */
  public static Tensor read(Tensor matrix, Tensor x) {
    Tape tape = x.tape();
    return tape == null ? matrix : tape.dropped.of(matrix);
  }

  @Override
  public void trace(Trace trace) {
    trace.drop(y, matrix, rate);
  }

  @Override
  public void backward() {
    int count = matrix.shape().count();
    y.device().pointwise().drop(rate, seed, true, y.gradient(), matrix.accumulator(), count);
  }
}
