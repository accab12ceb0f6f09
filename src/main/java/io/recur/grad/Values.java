package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.memory.Slab;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a tape with their memory, given in order and taken back all at once. A tensor gets
 * the data that had its place before the last {@link #clear} if that is of its shape, so that a
 * loop allocates none.
 */
final class Values {
  private final Slab memory;
  private @Nullable TensorData[] known = new TensorData[64];
  private int used;

  Values(Slab memory) {
    this.memory = memory;
  }

  /** Refuses a stale tensor, and one of another tape or device. */
  static void accept(Tape tape, String where, Tensor input) {
    input.check();
    if (input.tape() != null && input.tape() != tape) {
      Trace.refusePresent(
          where, "a tensor of another tape; make it a part of x, of the state, or a parameter");
      throw new IllegalStateException(
          where + ": its tensors are on two tapes; make the inputs of one step on one tape");
    }
    if (input.device() != tape.device()) {
      throw new IllegalStateException(
          "%s: a tensor %s is on %s and the tape on %s; make the tape on the model's device"
              .formatted(
                  where,
                  input.shape(),
                  input.device().nameBeside(tape.device()),
                  tape.device().nameBeside(input.device())));
    }
  }

  /** The data of the next tensor, of this shape and without values. */
  TensorData data(Tape tape, int rank, int rows, int batch, int time) {
    if (used == known.length) {
      known = Arrays.copyOf(known, 2 * used);
    }
    TensorData data = known[used];
    if (data == null || !data.shape.is(rank, rows, batch, time)) {
      data = new TensorData(tape, new Shape(rank, rows, batch, time));
      known[used] = data;
    } else {
      data.renew();
    }
    used++;
    return data;
  }

  /** A tensor of this shape with unspecified content, that takes no gradient. */
  Tensor tensor(Tape tape, int rank, int rows, int batch, int time) {
    TensorData data = data(tape, rank, rows, batch, time);
    data.value = memory.take(data.shape.count());
    return new Tensor(data);
  }

  /** A tensor with these values, that takes no gradient. */
  Tensor input(Tape tape, Shape shape, float[] x) {
    if (x.length != shape.count()) {
      throw new ShapeException(
          "input: shape=%s, %d values; need %d".formatted(shape, x.length, shape.count()));
    }
    Tensor tensor = tensor(tape, shape.rank(), shape.rows(), shape.batch(), shape.time());
    tensor.value().write(x);
    return tensor;
  }

  /** A tensor over memory that is not the tape's, that takes no gradient. */
  Tensor wrap(Tape tape, Shape shape, Buffer x) {
    Tensor.checkLength("wrap", shape, x);
    if (x.device() != tape.device()) {
      throw new IllegalStateException(
          "wrap: the buffer is on %s and the tape on %s; allocate it on the tape's device"
              .formatted(
                  x.device().nameBeside(tape.device()), tape.device().nameBeside(x.device())));
    }
    x.segment(); // throws where its owner is closed
    TensorData data = data(tape, shape.rank(), shape.rows(), shape.batch(), shape.time());
    data.wrap(x);
    return new Tensor(data);
  }

  /** Refuses a backward pass where what operations read may no longer be there. */
  void checkWrapped() {
    for (int i = 0; i < used; i++) {
      if (known[i].isOutdated()) {
        throw new IllegalStateException(
            """
            backward: the buffer of a wrapped input %s was written since; run backward and clear \
            the tape before the next values come (truncate() keeps the state), or copy them: \
            tape.use(Tensor.constant(shape, buffer))"""
                .formatted(known[i].shape));
      }
    }
  }

  /** Columns that are 1 at these indexes. */
  OneHot oneHot(Tape tape, Shape shape, int[] index) {
    OneHot.check(shape, index);
    Buffer buffer = memory.take(index.length);
    buffer.writeIndexes(index);
    return new OneHot(data(tape, shape.rank(), shape.rows(), shape.batch(), shape.time()), buffer);
  }

  /** Memory without a tensor, with unspecified content. */
  Buffer take(long floats) {
    return memory.take(floats);
  }

  /** Makes all tensors stale and frees their memory for reuse. */
  void clear() {
    for (int i = 0; i < used; i++) {
      known[i].tensor = null;
    }
    used = 0;
    memory.rewind();
  }

  long bytes() {
    return memory.bytes();
  }

  void close() {
    memory.close();
  }
}
