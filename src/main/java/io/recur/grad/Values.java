package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.kernels.Slab;

/** The tensors of a tape with their memory: handed out in order, taken back all at once. */
final class Values {
  private final Slab memory;
  private final Nodes nodes = new Nodes();

  Values(Slab memory) {
    this.memory = memory;
  }

  /** Refuses a stale tensor, and one of another tape or device. */
  static void accept(Tape tape, String where, Tensor input) {
    input.check();
    if (input.tape() != null && input.tape() != tape) {
      throw new IllegalStateException(
          where + ": its tensors are on two tapes; make the inputs of one step on one tape");
    }
    if (input.device() != tape.device()) {
      throw new IllegalStateException(
          "%s: a tensor %s is on %s and the tape on %s; make the tape on the model's device"
              .formatted(where, input.shape(), input.device(), tape.device()));
    }
  }

  /** A node without values for the next tensor. */
  Node node(Tape tape, int rank, int rows, int batch, int time) {
    return nodes.next(tape, rank, rows, batch, time);
  }

  /** A tensor of this shape with unspecified content, that takes no gradient. */
  Tensor next(Tape tape, int rank, int rows, int batch, int time) {
    Node node = node(tape, rank, rows, batch, time);
    node.value = memory.take(node.shape.count());
    return new Tensor(node);
  }

  /** A tensor with these values, that takes no gradient. */
  Tensor input(Tape tape, Shape shape, float[] x) {
    if (x.length != shape.count()) {
      throw new ShapeException(
          "input: shape=%s, %d values; need %d".formatted(shape, x.length, shape.count()));
    }
    Tensor tensor = next(tape, shape.rank(), shape.rows(), shape.batch(), shape.time());
    tensor.value().write(x);
    return tensor;
  }

  /** Columns that are 1 at these indexes. */
  OneHot oneHot(Tape tape, Shape shape, int[] index) {
    OneHot.check(shape, index);
    Buffer buffer = memory.take(index.length);
    buffer.writeIndexes(index);
    return new OneHot(node(tape, shape.rank(), shape.rows(), shape.batch(), shape.time()), buffer);
  }

  /** Memory without a tensor, with unspecified content. */
  Buffer take(long floats) {
    return memory.take(floats);
  }

  /** Makes all tensors stale and their memory free for reuse. */
  void clear() {
    nodes.clear();
    memory.rewind();
  }

  long bytes() {
    return memory.bytes();
  }

  void close() {
    memory.close();
  }
}
