package io.recur.nn;

import io.recur.device.Device;
import io.recur.grad.Concat;
import io.recur.grad.OpContext;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.List;

/**
 * Convolution over time, PyTorch's {@code nn.Conv1d}: {@code y[:,t] = b + Σₖ Wₖ·x[:, t·stride +
 * k·dilation − padding]}, where x is 0 outside of its steps.
 *
 * <p>x is in × B × T and y out × B × T′, with {@code T′ = ⌊(T + 2·padding − dilation·(kernel − 1) −
 * 1)/stride⌋ + 1}. W is out × (in/groups)·kernel: the columns of tap 0 first, so that column {@code
 * k·in/groups + i} is PyTorch's {@code weight[:, i, k]}. With groups, each part of the rows of y
 * reads the same part of the rows of x alone; as many groups as rows, of x and y, multiply each row
 * by itself.
 *
 * <pre>{@code
 * Chain model = chain(conv1d(3, 16, 5).padding(2), lstm(16, 32), dense(32, 1)).on(device, 42);
 * Conv1d halving = new Conv1d(16, 16, 4, 16).stride(2).padding(1);   // depthwise
 * }</pre>
 *
 * <p>A method that sets something returns another layer over the same weights.
 */
public final class Conv1d implements Layer {
  private final Parameter w;
  private final Parameter b;
  private final Window window;

  /** How the taps lie over the steps. */
  private record Window(int in, int kernel, int groups, int stride, int padding, int dilation) {
    private Window {
      if (in < 1 || kernel < 1 || groups < 1 || stride < 1 || padding < 0 || dilation < 1) {
        throw new IllegalArgumentException(
            """
            conv1d: in=%d, kernel=%d, groups=%d, stride=%d, padding=%d, dilation=%d; need padding \
            of 0 or more, the others of 1 or more"""
                .formatted(in, kernel, groups, stride, padding, dilation));
      }
      if (in % groups != 0) {
        throw new ShapeException(
            "conv1d: in=%d, groups=%d; need groups that divide in".formatted(in, groups));
      }
    }

    /** The columns of W. */
    int columns() {
      long columns = (long) (in / groups) * kernel;
      if (columns > Integer.MAX_VALUE) {
        throw new ShapeException(
            "conv1d: in=%d, kernel=%d, groups=%d; W has %d columns, at most %d"
                .formatted(in, kernel, groups, columns, Integer.MAX_VALUE));
      }
      return (int) columns;
    }

    /** The steps of x from the first tap to the last one, both included. */
    long extent() {
      return (long) dilation * (kernel - 1) + 1;
    }

    /** The steps of y. */
    int steps(Shape x) {
      long spare = x.time() + 2L * padding - extent();
      if (x.rank() != 3 || x.rows() != in || spare < 0) {
        throw new ShapeException(
            """
            conv1d: x=%s, in=%d, kernel=%d, dilation=%d, padding=%d; need x features × batch × \
            time of %d rows and %d steps or more"""
                .formatted(
                    x, in, kernel, dilation, padding, in, Math.max(1, extent() - 2L * padding)));
      }
      long steps = spare / stride + 1;
      if (extent() + stride * steps > Integer.MAX_VALUE) {
        throw new ShapeException(
            "conv1d: x=%s, padding=%d, stride=%d; need %d steps with zeros or fewer"
                .formatted(x, padding, stride, Integer.MAX_VALUE));
      }
      return (int) steps;
    }
  }

  /**
   * A layer with Glorot uniform weights and zero bias, stride 1, no padding and dilation 1.
   *
   * @param in rows of x
   * @param out rows of y
   * @param kernel taps
   */
  public Conv1d(int in, int out, int kernel) {
    this(in, out, kernel, 1);
  }

  /**
   * The same with groups.
   *
   * @param in rows of x
   * @param out rows of y
   * @param kernel taps
   * @param groups a divisor of in and out
   * @throws ShapeException if it does not divide one of them
   * @throws IllegalArgumentException if a size is below 1
   */
  public Conv1d(int in, int out, int kernel, int groups) {
    this(new Window(in, kernel, groups, 1, 0, 1), out);
  }

  private Conv1d(Window window, int out) {
    this(Parameter.glorot(out, window.columns()), Parameter.zeros(Shape.of(out)), window);
  }

  /**
   * A layer from its parts.
   *
   * @param in rows of x
   * @param w out × (in/groups)·kernel, see the class
   * @param b out
   * @param groups a divisor of in and out
   * @throws ShapeException if the sizes do not fit each other
   */
  public Conv1d(int in, Parameter w, Parameter b, int groups) {
    this(w, b, new Window(in, taps(in, w.shape(), groups), groups, 1, 0, 1));
  }

  private Conv1d(Parameter w, Parameter b, Window window) {
    if (w.shape().rows() % window.groups != 0 || !b.shape().equals(Shape.of(w.shape().rows()))) {
      throw new ShapeException(
          "conv1d: W=%s, b=%s, groups=%d; need b of W's rows, and groups that divide them"
              .formatted(w.shape(), b.shape(), window.groups));
    }
    this.w = w.named("W");
    this.b = b.named("b");
    this.window = window;
  }

  private static int taps(int in, Shape w, int groups) {
    int each = groups < 1 ? 0 : in / groups;
    if (each < 1 || w.rank() > 2 || w.columns() % each != 0) {
      throw new ShapeException(
          "conv1d: in=%d, W=%s, groups=%d; need a matrix W of (in/groups)·kernel columns"
              .formatted(in, w, groups));
    }
    return w.columns() / each;
  }

  /**
   * Sets the steps of x from one step of y to the next.
   *
   * @param stride 1 or more
   * @return a layer over the same weights
   */
  public Conv1d stride(int stride) {
    return with(stride, window.padding, window.dilation);
  }

  /**
   * Adds zeros before the first and after the last step.
   *
   * @param padding steps on each side, 0 or more; {@code dilation·(kernel − 1)/2} keeps the time at
   *     stride 1
   * @return a layer over the same weights
   */
  public Conv1d padding(int padding) {
    return with(window.stride, padding, window.dilation);
  }

  /**
   * Sets the steps of x from one tap to the next.
   *
   * @param dilation 1 or more
   * @return a layer over the same weights
   */
  public Conv1d dilation(int dilation) {
    return with(window.stride, window.padding, dilation);
  }

  private Conv1d with(int stride, int padding, int dilation) {
    return new Conv1d(
        w, b, new Window(window.in, window.kernel, window.groups, stride, padding, dilation));
  }

  /** {@return the rows of x} */
  public int in() {
    return window.in;
  }

  /** {@return the parts of the rows that are convolved alone} */
  public int groups() {
    return window.groups;
  }

  /** {@return the steps of x from one step of y to the next} */
  public int stride() {
    return window.stride;
  }

  /** {@return the zeros before the first and after the last step} */
  public int padding() {
    return window.padding;
  }

  /** {@return the steps of x from one tap to the next} */
  public int dilation() {
    return window.dilation;
  }

  /** {@return the number of taps} */
  public int kernel() {
    return window.kernel;
  }

  /**
   * Runs the layer.
   *
   * @param x in × B × T
   * @return out × B × T′
   * @throws ShapeException if x has other rows or too few steps, or is no sequence
   */
  @Override
  public Tensor apply(Tensor x) {
    return convolve(x, w, b, window);
  }

  /**
   * {@inheritDoc} Zeros stand behind the end of each sequence, as they do behind that of x.
   *
   * @throws ShapeException if x does not fit, or y has another number of steps: with a stride, or
   *     without a padding of half the kernel
   */
  @Override
  public Padded apply(Padded x) {
    int steps = window.steps(x.shape());
    if (steps != x.shape().time()) {
      throw new ShapeException(
          "conv1d: x=%s, %d steps of y; need as many for sequences of different lengths: stride 1"
                  .formatted(x.shape(), steps)
              + " and a padding of half the kernel");
    }
    return Padded.of(apply(x.data()), x.lengths());
  }

  /** For tests of the gradient, whose weights are any tensors. */
  static Tensor conv1d(
      Tensor x, Tensor w, Tensor b, int groups, int stride, int padding, int dilation) {
    int kernel = taps(x.shape().rows(), w.shape(), groups);
    return convolve(
        x, w, b, new Window(x.shape().rows(), kernel, groups, stride, padding, dilation));
  }

  private static Tensor convolve(Tensor x, Tensor w, Tensor b, Window window) {
    int steps = window.steps(x.shape());
    try (OpContext context = OpContext.of("conv1d", x, w, b)) {
      Tape tape = context.tape();
      Tensor[] taps = taps(padded(tape, x, steps, window), steps, window);
      if (window.groups == 1) {
        return w.matmul(Concat.rows(taps)).add(b);
      }
      Tensor weights = w.tape() == null ? tape.use(w) : w;
      boolean depthwise = window.groups == window.in && window.in == w.shape().rows();
      return (depthwise ? rowByRow(taps, weights) : grouped(taps, weights, window)).add(b);
    }
  }

  /** The steps that the taps read, zeros included: a multiple of the stride. */
  private static Tensor padded(Tape tape, Tensor x, int steps, Window window) {
    Shape shape = x.shape();
    long read = window.extent() + (long) window.stride * (steps - 1);
    int whole = (int) ((read + window.stride - 1) / window.stride * window.stride);
    int before = window.padding;
    int kept = Math.min(shape.time(), whole - before);
    int after = whole - before - kept;
    Tensor lifted = x.tape() == null ? tape.use(x) : x;
    Tensor inside = kept == shape.time() ? lifted : lifted.times(0, kept);
    if (before == 0 && after == 0) {
      return inside;
    }
    if (before == 0) {
      return Concat.time(List.of(inside, zeros(tape, shape, after)));
    }
    return after == 0
        ? Concat.time(List.of(zeros(tape, shape, before), inside))
        : Concat.time(List.of(zeros(tape, shape, before), inside, zeros(tape, shape, after)));
  }

  private static Tensor zeros(Tape tape, Shape x, int steps) {
    Shape shape = Shape.of(x.rows(), x.batch(), steps);
    return tape.input(shape, new float[shape.count()]);
  }

  /** What each tap reads, in × B × T′. With a stride, time is split into rows first. */
  private static Tensor[] taps(Tensor x, int steps, Window window) {
    Shape shape = x.shape();
    int stride = window.stride;
    int step = shape.rows() * shape.batch();
    Tensor strided = x.reshape(Shape.of(step * stride, 1, shape.time() / stride));
    Tensor[] phases = new Tensor[stride];
    Tensor[] taps = new Tensor[window.kernel];
    for (int k = 0; k < taps.length; k++) {
      int phase = k * window.dilation % stride;
      int from = k * window.dilation / stride;
      if (phases[phase] == null) {
        phases[phase] = stride == 1 ? strided : strided.rows(phase * step, (phase + 1) * step);
      }
      taps[k] =
          phases[phase]
              .times(from, from + steps)
              .reshape(Shape.of(shape.rows(), shape.batch(), steps));
    }
    return taps;
  }

  private static Tensor rowByRow(Tensor[] taps, Tensor w) {
    Tensor sum = taps[0].mul(w.column(0));
    for (int k = 1; k < taps.length; k++) {
      sum = sum.add(taps[k].mul(w.column(k)));
    }
    return sum;
  }

  private static Tensor grouped(Tensor[] taps, Tensor w, Window window) {
    int in = window.in / window.groups;
    int out = w.shape().rows() / window.groups;
    Tensor[] parts = new Tensor[window.groups];
    for (int g = 0; g < parts.length; g++) {
      Tensor[] own = new Tensor[taps.length];
      for (int k = 0; k < own.length; k++) {
        own[k] = taps[k].rows(g * in, (g + 1) * in);
      }
      parts[g] = w.rows(g * out, (g + 1) * out).matmul(Concat.rows(own));
    }
    return Concat.rows(parts);
  }

  @Override
  public List<Parameter> own() {
    return List.of(w, b);
  }

  @Override
  public Conv1d on(Device device, long seed) {
    parameters().place(device, seed);
    return this;
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    return "Conv1d(%d => %d, kernel=%d%s%s%s%s)"
        .formatted(
            window.in,
            w.shape().rows(),
            window.kernel,
            setting("stride", window.stride, 1),
            setting("padding", window.padding, 0),
            setting("dilation", window.dilation, 1),
            setting("groups", window.groups, 1));
  }

  private static String setting(String name, int value, int usual) {
    return value == usual ? "" : ", " + name + "=" + value;
  }

  @Override
  public String toString() {
    return Printed.of(this);
  }
}
