package io.recur.grad;

import io.recur.device.Buffer;
import java.util.Objects;

/**
 * Columns that are 1 in one row and 0 in the others, stored as int32 indexes. {@code W.matmul(x)}
 * gathers columns of W; any other operation reads the dense values. See {@link Tape#oneHot}.
 *
 * <pre>{@code
 * OneHot x = tape.oneHot(Shape.of(4, 3), 0, 3, 1);   // three columns of length 4
 * Tensor y = W.matmul(x);                            // columns 0, 3 and 1 of W
 * }</pre>
 */
public final class OneHot extends Tensor {
  OneHot(TensorData data, Buffer index) {
    super(data);
    data.index = index;
  }

  static void check(Shape shape, int[] index) {
    if (index.length != shape.columns()) {
      throw new ShapeException(
          "oneHot: shape=%s, %d indexes; need one per column, %d"
              .formatted(shape, index.length, shape.columns()));
    }
    for (int j = 0; j < index.length; j++) {
      checkIndex(shape, j, index[j]);
    }
  }

  static void checkIndex(Shape shape, int j, int index) {
    if (index < 0 || index >= shape.rows()) {
      throw new ShapeException(
          "oneHot: index[%d]=%d, classes=%d; need 0 ≤ index < classes"
              .formatted(j, index, shape.rows()));
    }
  }

  /**
   * The indexes, one int32 per column.
   *
   * @return a buffer owned by the tape
   */
  public Buffer index() {
    check();
    checkRead("index");
    return Objects.requireNonNull(data.index);
  }

  /**
   * The indexes as values on the heap.
   *
   * @return one index per column, each 0 ≤ index &lt; rows
   * @throws ShapeException if the buffer was overwritten with another index
   */
  public int[] indexes() {
    Trace.read("indexes");
    try (var _ = enter()) {
      return read();
    }
  }

  private int[] read() {
    float[] bits = index().read();
    int[] index = new int[bits.length];
    for (int j = 0; j < bits.length; j++) {
      index[j] = Float.floatToRawIntBits(bits[j]);
    }
    check(shape(), index); // the user may have written to the buffer
    return index;
  }

  /** The dense values, computed when first asked for. */
  @Override
  public Buffer value() {
    try (var _ = enter()) {
      check();
      Buffer values = data.value;
      if (values == null) {
        values = Objects.requireNonNull(tape()).values.take(shape().count());
        values.write(columns());
        data.value = values;
      }
      return values;
    }
  }

  /** The dense values on the heap: gathering them from an identity matrix takes classes² values. */
  private float[] columns() {
    float[] values = new float[shape().count()];
    int[] index = read();
    for (int j = 0; j < index.length; j++) {
      values[j * shape().rows() + index[j]] = 1;
    }
    return values;
  }

  @Override
  Tensor view(int rank, int rows, int batch, int time, int offset) {
    if (rows != shape().rows()) {
      return super.view(rank, rows, batch, time, offset);
    }
    try (var _ = enter()) {
      Buffer whole = index();
      Tape tape = Objects.requireNonNull(tape());
      TensorData part = tape.values.data(tape, rank, rows, batch, time);
      part.root = data.root;
      part.offset = data.offset + offset;
      return new OneHot(part, part.cut(whole, offset / rows, (long) batch * time));
    }
  }

  /** Columns in the order of these indexes: a copy, of the indexes alone. */
  OneHot columns(OpContext context, Buffer order, int n) {
    Buffer copy = context.scratch(n);
    device().columns().gather(1, n, index(), order, null, copy);
    return new OneHot(context.tape().values.data(context.tape(), 2, shape().rows(), n, 1), copy);
  }

  /** Columns from … to−1 of each time step: a copy, of the indexes alone. */
  OneHot copyOfColumns(int from, int to) {
    Shape shape = shape();
    int n = to - from;
    try (OpContext context = OpContext.of("columns", this)) {
      Tape tape = context.tape();
      Buffer copy = context.scratch((long) n * shape.time());
      Buffer first = index().slice(from, shape.columns() - from);
      device().columns().block(n, shape.time(), first, shape.batch(), false, copy, n);
      return new OneHot(tape.values.data(tape, 3, shape.rows(), n, shape.time()), copy);
    }
  }
}
