package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.OneThread;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Values of a {@linkplain Shape shape} on a device, and the gradient that a backward pass gives
 * them.
 *
 * <p>A tensor is on a {@link Tape}, which owns its memory until {@link Tape#clear} or {@link
 * Tape#close}; using it later throws {@link IllegalStateException}. A {@link Parameter} is on no
 * tape. Columns, time steps and reshaped tensors are views: they share values and gradient.
 *
 * <pre>{@code
 * Tensor x = tape.input(new float[] {1, 2, 3});
 * Tensor y = Functions.tanh(W.matmul(x).add(b));
 * float[] values = y.toArray();
 * }</pre>
 */
public non-sealed class Tensor extends TensorOperations {
  final TensorData data;

  Tensor(TensorData data) {
    this.data = data;
    data.tensor = this;
  }

  /**
   * A tensor on no tape and without gradient, such as a kept state.
   *
   * @param shape the shape
   * @param value at least as many values, owned by the caller
   * @return the tensor
   * @throws ShapeException if the buffer has fewer values than the shape
   */
  public static Tensor constant(Shape shape, Buffer value) {
    checkLength("constant", shape, value);
    TensorData data = new TensorData(null, shape);
    data.value = value;
    return new Tensor(data);
  }

  /** Refuses a buffer that is too short; no later call checks it. */
  static void checkLength(String where, Shape shape, Buffer value) {
    if (value.floats() < shape.count()) {
      throw new ShapeException(
          "%s: shape=%s, buffer of %d floats; need %d"
              .formatted(where, shape, value.floats(), shape.count()));
    }
  }

  /** {@return the shape, features × batch × time} */
  public final Shape shape() {
    return data.shape;
  }

  /** {@return the tape that owns this tensor; null for parameters and constants} */
  public final @Nullable Tape tape() {
    return data.tape;
  }

  /**
   * Whether a gradient reaches this tensor.
   *
   * @return false for inputs, constants, {@linkplain Parameter#freeze frozen} parameters, and what
   *     was computed from these alone
   */
  public boolean isDifferentiable() {
    return data.isDifferentiable();
  }

  /** {@return the device that holds the values} */
  public final Device device() {
    return data.tape != null ? data.tape.device() : value().device();
  }

  /**
   * The values on the device.
   *
   * @return a buffer of as many values as the shape counts, owned by the tape
   * @throws IllegalStateException if the tape was cleared or closed since
   */
  public Buffer value() {
    check();
    checkRead("value");
    Buffer value = data.value;
    if (value == null) {
      throw new IllegalStateException("tensor: %s has no values".formatted(shape()));
    }
    return value;
  }

  /** {@return the values as a new heap array, first dimension contiguous} */
  public final float[] toArray() {
    Trace.read("toArray");
    try (var _ = enter()) {
      return value().slice(0, shape().count()).read();
    }
  }

  /**
   * The value of a tensor that has one.
   *
   * @return the value
   * @throws ShapeException if it has several
   */
  public final float scalar() {
    if (shape().count() != 1) {
      throw new ShapeException(
          "scalar: shape=%s has %d values; need 1".formatted(shape(), shape().count()));
    }
    Trace.read("scalar");
    try (var _ = enter()) {
      float[] one = data.tape != null ? data.tape.one : new float[1];
      value().read(one);
      return one[0];
    }
  }

  /**
   * The row of the largest value of each column, such as the class that scores predict: the first
   * one of equals, that of a NaN where there is one, as PyTorch's {@code argmax} has it.
   *
   * @return one row per column, the batch of the first step first
   */
  public final int[] argmax() {
    Trace.read("argmax");
    try (var _ = enter()) {
      int rows = shape().rows();
      float[] values = value().slice(0, shape().count()).read();
      int[] largest = new int[shape().columns()];
      for (int j = 0; j < largest.length; j++) {
        for (int i = 1; i < rows; i++) {
          float best = values[j * rows + largest[j]];
          float next = values[j * rows + i];
          largest[j] = next > best || Float.isNaN(next) && !Float.isNaN(best) ? i : largest[j];
        }
      }
      return largest;
    }
  }

  /**
   * The gradient that the last backward pass gave this tensor; zeros if none reached it. The tape
   * owns it until the next pass begins. That of a {@link Parameter} is the sum over passes since it
   * was zeroed.
   *
   * @return a buffer of the shape's count
   * @throws IllegalStateException if the tensor is not differentiable or its tape was cleared
   */
  public final Buffer gradient() {
    checkRead("gradient");
    return accumulator();
  }

  /** {@return the gradient as a new heap array, first dimension contiguous} */
  public final float[] gradientArray() {
    Trace.read("gradientArray");
    try (var _ = enter()) {
      return gradient().slice(0, shape().count()).read();
    }
  }

  /**
   * For authors of operations: where {@link Op#backward} adds to the gradient of an input. A pass
   * zeroes it before its first use, but for a {@link Parameter}.
   *
   * @return a buffer of the shape's count
   * @throws IllegalStateException if the tensor is not differentiable or its tape was cleared
   */
  public Buffer accumulator() {
    try (var _ = enter()) {
      check();
      TensorData root = data.root;
      if (data != root && root.tensor != null) {
        return data.part(root.tensor.accumulator());
      }
      if (data.tape == null || !data.differentiable) {
        throw new IllegalStateException(
            "gradient: the tensor %s takes no gradient; it is an input or a constant"
                .formatted(shape()));
      }
      return data.gradient(data.tape);
    }
  }

  /**
   * Where an operation that gives each value of this tensor a gradient writes it, in place of
   * adding to zeros: the whole gradient, with unspecified content.
   *
   * @return none where the pass has reached this tensor, or where it is a view or a parameter: then
   *     {@link #accumulator} is to be added to
   */
  final @Nullable Buffer unreached() {
    Tape tape = data.tape;
    if (tape == null || data.root != data || !data.differentiable || isReached()) {
      return null;
    }
    try (var _ = enter()) {
      check();
      return data.begin(tape);
    }
  }

  /**
   * Holds this tensor's tape for the calling thread, see {@link Tape#enter}.
   *
   * @return to be closed by the same thread; null where the tensor is on no tape
   * @throws IllegalStateException if another thread is inside
   */
  public final @Nullable OneThread enter() {
    return data.tape == null ? null : data.tape.enter();
  }

  /** Whether the present backward pass has reached this tensor. */
  final boolean isReached() {
    return data.isReached();
  }

  /** Whether its tape was not cleared since. */
  final boolean isCurrent() {
    return data.tensor == this;
  }

  /** Refuses a tensor that was made before its tape was cleared or closed. */
  final void check() {
    if (data.tape == null) {
      return;
    }
    data.tape.checkOpen();
    if (!isCurrent()) {
      throw new IllegalStateException(
          "tensor: %s was made before the tape was cleared; copy what must last with toArray()"
              .formatted(shape()));
    }
  }

  /** Ends a trace where a step reads values outside of an operation. */
  final void checkRead(String call) {
    if (data.tape != null && data.tape.isTracing() && !data.tape.mark.isInside()) {
      Trace.read(call);
    }
  }

  // Views.

  /**
   * The same values in another shape of the same count; no copy.
   *
   * @param shape the new shape
   * @return a view
   */
  public final Tensor reshape(Shape shape) {
    if (shape.count() != shape().count()) {
      throw new ShapeException(
          "reshape: from=%s to=%s; counts %d and %d must be equal"
              .formatted(shape(), shape, shape().count(), shape.count()));
    }
    return view(shape.rank(), shape.rows(), shape.batch(), shape.time(), 0);
  }

  /**
   * Columns {@code from} to {@code to − 1} of each time step.
   *
   * @param from first column
   * @param to one after the last
   * @return a view; a copy where there are several time steps
   */
  public final Tensor columns(int from, int to) {
    return Slice.columns(this, from, to);
  }

  /**
   * Columns in any order; those of sequences are counted through all time steps, {@code t·batch +
   * b}. A column may be taken several times. Columns that are not taken are not read.
   *
   * @param columns one or more, each 0 ≤ column &lt; batch·time
   * @return a copy, rows × as many columns
   * @throws ShapeException if there are none
   * @throws IndexOutOfBoundsException if this has no such column
   */
  public final Tensor take(int... columns) {
    return Take.take(this, columns);
  }

  /**
   * One column of a matrix; no copy.
   *
   * @param j the column, from 0
   * @return a vector that is a view
   */
  public final Tensor column(int j) {
    return Slice.column(this, j);
  }

  /**
   * One time step of a sequence: {@code in × B × T} gives {@code in × B}; no copy.
   *
   * @param t the step, from 0
   * @return a view of rank 2
   */
  public final Tensor time(int t) {
    return Slice.time(this, t);
  }

  /**
   * Time steps {@code from} to {@code to − 1} of a sequence; no copy.
   *
   * @param from first step
   * @param to one after the last
   * @return a view of rank 3
   */
  public final Tensor times(int from, int to) {
    return Slice.times(this, from, to);
  }

  /** A view; one-hot inputs give a one-hot view. */
  Tensor view(int rank, int rows, int batch, int time, int offset) {
    try (var _ = enter()) {
      Buffer whole = value();
      TensorData part =
          data.tape != null
              ? data.tape.values.data(data.tape, rank, rows, batch, time)
              : new TensorData(null, new Shape(rank, rows, batch, time));
      part.view(data, whole, offset);
      return new Tensor(part);
    }
  }

  @Override
  public String toString() {
    if (shape().count() > 12 || !isCurrent() || (data.tape != null && !data.tape.isOpen())) {
      return "Tensor(" + shape() + ")";
    }
    return "Tensor(" + shape() + ": " + Arrays.toString(toArray()) + ")";
  }
}
