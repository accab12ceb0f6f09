package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Columns;
import io.recur.device.Dimension;
import io.recur.device.memory.Cuts;

/**
 * The values that the taps of a convolution over time read, one column for each step of its result:
 * {@code y[i·kernel + k, b, t] = x[i, b, t·stride + k·dilation − before]}, and 0 where x has no
 * such step. The backward pass adds each value of dy to the value of dx that was read there. The
 * rows of y that read the same row of x are adjacent, as the weights of PyTorch and of ONNX are.
 *
 * <pre>{@code
 * Tensor read = Windows.of(x, 3, 1, 1, 1, x.shape().time());   // a step of zeros on either side
 * Tensor y = W.matmul(read);                                   // W is out × in·3
 * }</pre>
 */
public final class Windows implements Op {
  private final Cuts values = new Cuts();
  private final Cuts read = new Cuts();
  private final Cuts gradients = new Cuts();
  private final Cuts derivatives = new Cuts();
  private Tensor x;
  private Tensor y;
  private int kernel;
  private int stride;
  private int dilation;
  private int before;

  private Windows() {}

  /**
   * Collects the values that the taps read.
   *
   * @param x in × B × T
   * @param kernel taps, 1 or more
   * @param stride steps of x from one step of the result to the next, 1 or more
   * @param dilation steps of x from one tap to the next, 1 or more
   * @param before steps of zeros before x; −n leaves out the first n steps of x
   * @param steps T′ of the result, 1 or more
   * @return in·kernel × B × T′
   * @throws ShapeException if x is no sequence, or a number is below its least
   */
  public static Tensor of(Tensor x, int kernel, int stride, int dilation, int before, int steps) {
    Shape shape = x.shape();
    if (shape.rank() != 3 || kernel < 1 || stride < 1 || dilation < 1 || steps < 1) {
      throw new ShapeException(
          """
          windows: x=%s, kernel=%d, stride=%d, dilation=%d, steps=%d; need x features × batch × \
          time, and numbers of 1 or more"""
              .formatted(shape, kernel, stride, dilation, steps));
    }
    long last = (steps - 1L) * stride + (kernel - 1L) * dilation - before;
    if (Math.max(Math.abs((long) before), last) > Integer.MAX_VALUE) {
      throw new ShapeException(
          "windows: x=%s, before=%d; the last tap reads step %d, at most %d"
              .formatted(shape, before, last, Integer.MAX_VALUE));
    }
    try (OpContext context = OpContext.of("windows", x)) {
      Shape wide = shape.with(Dimension.ROWS, (long) shape.rows() * kernel, 3);
      Windows op = context.reuse(Windows.class, Windows::new);
      op.x = x;
      op.kernel = kernel;
      op.stride = stride;
      op.dilation = dilation;
      op.before = before;
      op.y = context.output(wide.with(Dimension.TIME, steps, 3), x.isDifferentiable());
      op.forward();
      return context.record(op, op.y);
    }
  }

  private void forward() {
    int last = (steps() - 1) * stride + (kernel - 1) * dilation - before;
    if (before > 0 || last >= x.shape().time()) {
      y.device().pointwise().fill(0, y.value(), y.shape().count());
    }
    pass(x.value(), values, y.value(), read, false);
  }

  @Override
  public void trace(Trace trace) {
    trace.refuse("it reads several steps; keep to those of x");
  }

  @Override
  public void backward() {
    pass(x.accumulator(), gradients, y.gradient(), derivatives, true);
  }

  /**
   * Copies the steps of x that each tap reads, or adds their gradients. With stride 1, all steps of
   * a tap are one copy.
   */
  private void pass(Buffer ofX, Cuts sources, Buffer ofY, Cuts places, boolean isBackward) {
    Columns columns = y.device().columns();
    int time = x.shape().time();
    int step = x.shape().rows() * x.shape().batch();
    int cut = 0;
    for (int k = 0; k < kernel; k++) {
      int shift = k * dilation - before; // step t of the result reads step t·stride + shift of x
      int first = Math.max(0, Math.ceilDiv(-shift, stride));
      int end = (int) Math.min(steps(), Math.floorDiv(time - 1L - shift, stride) + 1);
      int together = stride == 1 ? Math.max(1, end - first) : 1;
      for (int t = first; t < end; t += together, cut++) {
        int n = step * together;
        Buffer source = sources.at(ofX, cut, (long) (t * stride + shift) * step, n);
        Buffer place = places.at(ofY, cut, (long) t * step * kernel + k, (n - 1L) * kernel + 1);
        if (isBackward) {
          columns.block(1, n, place, kernel, true, source, 1);
        } else {
          columns.block(1, n, source, 1, false, place, kernel);
        }
      }
    }
  }

  private int steps() {
    return y.shape().time();
  }
}
