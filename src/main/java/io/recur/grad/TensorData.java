package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.memory.Slices;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The shape, values and gradient of a tensor. A tape keeps it over {@link Tape#clear} and gives it
 * to a later tensor of the same shape; the {@link Tensor} itself is never used again, and is stale
 * once its data no longer refers to it. The shape stays, so that a stale tensor can still be named.
 */
final class TensorData {
  private static final long NOT_WRAPPED = -1;

  final @Nullable Tape tape;
  final Shape shape;

  /** The tensor whose data this is; none after a clear. */
  @Nullable Tensor tensor;

  @Nullable Buffer value;

  /** The indexes of one-hot columns, whose dense values are computed when first asked for. */
  @Nullable Buffer index;

  boolean differentiable;

  /** Of the values in a buffer that is not the tape's, its version then; see {@link Tape#wrap}. */
  long wrapped = NOT_WRAPPED;

  /** Whether no gradient is wanted for now, see {@link Parameter#freeze}. */
  volatile boolean frozen;

  /** The data of which this is a view, from the offset; this itself where it is no view. */
  TensorData root = this;

  int offset;

  private @Nullable Buffer gradient;
  private int pass = -1;
  private @Nullable Slices valuePart;
  private @Nullable Slices gradientPart;

  TensorData(@Nullable Tape tape, Shape shape) {
    this.tape = tape;
    this.shape = Objects.requireNonNull(shape, "shape");
  }

  /** Makes this the data of another tensor of the same shape. */
  void renew() {
    value = null;
    index = null;
    differentiable = false;
    wrapped = NOT_WRAPPED;
    root = this;
    offset = 0;
    pass = -1;
  }

  /** Whether a gradient reaches these values: those of a view of a frozen parameter take none. */
  boolean isDifferentiable() {
    return differentiable && !root.frozen;
  }

  /** Takes the values that a buffer holds. */
  void wrap(Buffer x) {
    value = x;
    wrapped = x.version();
  }

  /** Whether the values were in a buffer that was written since. */
  boolean isOutdated() {
    return wrapped != NOT_WRAPPED && value != null && value.version() != wrapped;
  }

  /** Makes this a view of another tensor. */
  void view(TensorData base, Buffer whole, int from) {
    value = cut(whole, from, shape.count());
    differentiable = base.differentiable;
    root = base.root;
    offset = base.offset + from;
  }

  /** A part of the memory of which this is a view. */
  Buffer cut(Buffer whole, long from, long length) {
    Slices part = valuePart == null ? new Slices() : valuePart;
    valuePart = part;
    return part.of(whole, from, length, length).at(0);
  }

  /** This view's part of its root's gradient. */
  Buffer part(Buffer whole) {
    Slices part = gradientPart == null ? new Slices() : gradientPart;
    gradientPart = part;
    return part.of(whole, offset, shape.count(), shape.count()).at(0);
  }

  /** The gradient on its tape; a pass that asks for it the first time gets zeros. */
  Buffer gradient(Tape tape) {
    Buffer known = gradient;
    if (known == null || pass != tape.recorded.pass()) {
      known = begin(tape);
      tape.device().pointwise().fill(0, known, shape.count());
    }
    return known;
  }

  /** The gradient of the present pass, with unspecified content: it has reached this tensor. */
  Buffer begin(Tape tape) {
    Buffer fresh = tape.recorded.scratch(shape.count());
    gradient = fresh;
    pass = tape.recorded.pass();
    return fresh;
  }

  /** Whether the present backward pass has reached this tensor. */
  boolean isReached() {
    return tape != null && root.pass == tape.recorded.pass();
  }
}
