package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Slab;
import java.util.Arrays;

/**
 * The operations of a tape in the order in which they ran, each with its outputs, and the gradients
 * of the last pass. The walk back is a loop over an array: no recursion, no sorting, and an
 * operation that no gradient reached costs a look. A gradient takes memory when a pass first
 * reaches its tensor.
 */
final class Recording {
  private Op[] ops = new Op[64];
  private Tensor[][] outputs = new Tensor[64][];
  private int length;
  private final Slab gradients;
  private int pass;

  Recording(Slab gradients) {
    this.gradients = gradients;
  }

  /** Adds an operation if one of its outputs is differentiable. */
  void add(Op op, Tensor... all) {
    boolean wanted = false;
    for (Tensor output : all) {
      wanted |= output.isDifferentiable();
    }
    if (!wanted) {
      return;
    }
    if (length == ops.length) {
      ops = Arrays.copyOf(ops, 2 * length);
      outputs = Arrays.copyOf(outputs, 2 * length);
    }
    ops[length] = op;
    outputs[length] = all;
    length++;
  }

  /** Begins a pass: every gradient but the parameters' is zero until the pass reaches it. */
  void begin() {
    pass++;
    gradients.rewind();
  }

  /** The number of the pass; a tensor's gradient is of this pass or of none. */
  int pass() {
    return pass;
  }

  /** Memory until the next pass begins, with unspecified content. */
  Buffer scratch(long floats) {
    return gradients.take(floats);
  }

  void walkBack() {
    for (int i = length - 1; i >= 0; i--) {
      if (isReached(outputs[i])) {
        ops[i].backward();
      }
    }
  }

  private static boolean isReached(Tensor[] all) {
    for (Tensor output : all) {
      if (output.isReached()) {
        return true;
      }
    }
    return false;
  }

  void clear() {
    Arrays.fill(ops, 0, length, null);
    Arrays.fill(outputs, 0, length, null);
    length = 0;
    gradients.rewind();
  }

  long bytes() {
    return gradients.bytes();
  }

  void close() {
    gradients.close();
  }

  int length() {
    return length;
  }
}
