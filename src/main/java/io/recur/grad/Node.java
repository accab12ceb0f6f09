package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.kernels.Slices;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a tensor knows. A tape keeps its nodes when it is cleared and gives them, in order, to the
 * tensors to come; a {@link Tensor} itself is never used again, and is stale from the moment that
 * its node has forgotten it. The shape stays, so that a stale tensor still tells its own.
 */
final class Node {
  final @Nullable Tape tape;
  final Shape shape;

  /** The tensor that this is the node of now; none after a clear. */
  @Nullable Tensor tensor;

  @Nullable Buffer value;

  /** Of one-hot columns: the indexes. Their dense values are made when first asked for. */
  @Nullable Buffer index;

  boolean differentiable;

  /** The node whose memory this is a view of, itself where it is no view, and from where. */
  Node root = this;

  int offset;

  private @Nullable Buffer gradient;
  private int pass = -1;
  private @Nullable Slices valuePart;
  private @Nullable Slices gradientPart;

  Node(@Nullable Tape tape, Shape shape) {
    this.tape = tape;
    this.shape = Objects.requireNonNull(shape, "shape");
  }

  /** Forgets what it was, but for the shape. */
  void renew() {
    value = null;
    index = null;
    differentiable = false;
    root = this;
    offset = 0;
    pass = -1;
  }

  /** Becomes a view of the values of another. */
  void view(Node base, Buffer whole, int from) {
    value = cut(whole, from, shape.count());
    differentiable = base.differentiable;
    root = base.root;
    offset = base.offset + from;
  }

  /** A part of the memory that this is a view of. */
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

  /** The gradient on its tape, zero where the present pass asks for it the first time. */
  Buffer gradient(Tape tape) {
    Buffer known = gradient;
    int now = tape.recorded.pass();
    if (known == null || pass != now) {
      known = tape.recorded.scratch(shape.count());
      tape.device().pointwise().fill(0, known, shape.count());
      gradient = known;
      pass = now;
    }
    return known;
  }

  /** Whether the present backward pass has brought a gradient here. */
  boolean isReached() {
    return tape != null && root.pass == tape.recorded.pass();
  }
}
