package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.memory.Slab;
import java.util.Arrays;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The operations of a tape in the order in which they ran, each with its outputs, and the gradients
 * of the last pass. A backward pass is a loop over an array, without recursion or sorting; it skips
 * an operation that no gradient reached. A gradient takes memory when a pass first reaches its
 * tensor.
 */
final class Recording {
  private Op[] ops = new Op[64];

  /** The outputs of all operations; those of operation i end before {@code ends[i]}. */
  private Tensor[] outputs = new Tensor[64];

  private int[] ends = new int[64];
  private int length;

  /** The operation objects in the order in which they were asked for, kept over {@link #clear}. */
  private @Nullable Op[] kept = new Op[64];

  private int taken;
  private final Uses uses = new Uses();
  private final Slab gradients;
  private int pass;

  Recording(Slab gradients) {
    this.gradients = gradients;
  }

  /** An operation begins. */
  void next() {
    uses.next();
  }

  /** The operation that has begun reads this parameter. */
  void note(Parameter parameter) {
    uses.note(parameter);
  }

  /** The operation object of this place: that of the step before if it is of this class. */
  <T extends Op> T reuse(Class<T> kind, Supplier<T> maker) {
    if (taken == kept.length) {
      kept = Arrays.copyOf(kept, 2 * taken);
    }
    Op known = kept[taken];
    T op = known != null && known.getClass() == kind ? kind.cast(known) : maker.get();
    kept[taken++] = op;
    return op;
  }

  /** Adds an operation if its output is differentiable. */
  void add(Op op, Tensor output) {
    output.check();
    if (output.isDifferentiable()) {
      int first = first(length);
      reserve(first + 1);
      outputs[first] = output;
      append(op, first + 1);
    }
    uses.next(); // where the operation is not added as well
  }

  /** Adds an operation if one of its outputs is differentiable. */
  void addAll(Op op, Tensor... all) {
    boolean wanted = false;
    for (Tensor output : all) {
      output.check();
      wanted |= output.isDifferentiable();
    }
    if (wanted) {
      int first = first(length);
      reserve(first + all.length);
      System.arraycopy(all, 0, outputs, first, all.length);
      append(op, first + all.length);
    }
    uses.next();
  }

  private void reserve(int count) {
    if (count > outputs.length) {
      outputs = Arrays.copyOf(outputs, Math.max(count, 2 * outputs.length));
    }
  }

  private void append(Op op, int end) {
    if (length == ops.length) {
      ops = Arrays.copyOf(ops, 2 * length);
      ends = Arrays.copyOf(ends, 2 * length);
    }
    ops[length] = op;
    ends[length] = end;
    uses.keep(length);
    length++;
  }

  /** Where the outputs of this operation begin. */
  private int first(int number) {
    return number == 0 ? 0 : ends[number - 1];
  }

  /**
   * Begins a pass from this tensor and returns its gradient, for which the caller has a number of
   * given values. Every gradient but the parameters' is zero until the pass reaches it.
   */
  Buffer begin(Tape tape, Tensor y, int given) {
    if (y.tape() != tape) {
      throw new IllegalStateException("backward: the tensor is not on this tape");
    }
    y.check();
    if (given != y.shape().count()) {
      throw new ShapeException(
          "backward: y=%s, %d gradient values; need %d"
              .formatted(y.shape(), given, y.shape().count()));
    }
    if (!y.isDifferentiable()) {
      throw new IllegalStateException(
          """
          backward: no parameter took part in y that is not frozen, or the tape records nothing; \
          unfreeze() one, or use Tape.on(device)""");
    }
    pass++;
    gradients.rewind();
    return y.accumulator();
  }

  /** The number of the present pass. A gradient of another pass counts as zero. */
  int pass() {
    return pass;
  }

  /** Memory until the next pass begins, with unspecified content. */
  Buffer scratch(long floats) {
    return gradients.take(floats);
  }

  void walkBack() {
    try {
      for (int i = length - 1; i >= 0; i--) {
        if (isReached(i)) {
          uses.enter(i);
          ops[i].backward();
        }
      }
    } finally {
      uses.leave();
    }
  }

  private boolean isReached(int number) {
    for (int i = first(number); i < ends[number]; i++) {
      if (outputs[i].isReached()) {
        return true;
      }
    }
    return false;
  }

  void clear() {
    Arrays.fill(outputs, 0, first(length), null);
    Arrays.fill(ops, 0, length, null);
    length = 0;
    taken = 0;
    uses.clear();
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
