package io.recur.io.onnx;

import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * What passes along an edge of a graph: floats as a tensor on a device, or numbers on the host.
 *
 * <p>All have ONNX's {@linkplain Dims row-major dimensions}. Floats that depend on inputs are
 * {@link OnTape}; integers, booleans and shapes are {@link Integers}; {@link Reals} are floats that
 * are constant, or inputs that were not copied to a tape yet.
 *
 * <pre>{@code
 * Value samples = Value.of(Dims.of(1, 576), new float[576]);
 * Value rate = Value.of(Dims.of(), 16_000L);
 * float first = samples.floats()[0];
 * }</pre>
 */
public sealed interface Value {
  /** {@return the dimensions} */
  Dims dims();

  /**
   * Floats on a device. They may be there in another order of the dimensions than ONNX's, such as
   * after a convolution or a transposition; {@link #tensor} then rearranges a copy.
   */
  final class OnTape implements Value {
    private final Dims dims;

    /** The dimensions from the slowest to the contiguous one; null for ONNX's order. */
    private final int @Nullable [] order;

    private final Tensor held;
    private @Nullable Tensor plain;

    /**
     * Floats in ONNX's order.
     *
     * @param dims the dimensions
     * @param tensor of as many values, on a tape or a parameter; it gets the shape {@link
     *     Dims#shape}, which is a view
     */
    public OnTape(Dims dims, Tensor tensor) {
      this(dims, null, tensor);
    }

    /** Floats in any order. */
    OnTape(Dims dims, int @Nullable [] order, Tensor tensor) {
      this.dims = dims;
      this.order = order == null || Order.isPlain(dims, order) ? null : order;
      Shape shape = this.order == null ? dims.shape() : Order.shape(dims, this.order);
      this.held = tensor.shape().equals(shape) ? tensor : tensor.reshape(shape);
    }

    @Override
    public Dims dims() {
      return dims;
    }

    @Override
    public Tensor tensor() {
      if (order == null) {
        return held;
      }
      if (plain == null) {
        plain = Order.arranged(this, Order.plain(dims.rank()));
      }
      return plain;
    }

    /** The dimensions from the slowest to the contiguous one. */
    int[] order() {
      return order == null ? Order.plain(dims.rank()) : order;
    }

    /** The values in that order: of the shape of the dimensions in that order. */
    Tensor held() {
      return held;
    }
  }

  /**
   * Floats on the host.
   *
   * @param dims the dimensions
   * @param values as many as the dimensions count, not copied
   */
  record Reals(Dims dims, float[] values) implements Value {
    /** Checks the count. */
    public Reals {
      check(dims, values.length);
    }
  }

  /**
   * Integers or booleans on the host.
   *
   * @param type of integers; a boolean is 0 or 1
   * @param dims the dimensions
   * @param values as many as the dimensions count, not copied
   */
  record Integers(ElementType type, Dims dims, long[] values) implements Value {
    /** Checks the count and the type. */
    public Integers {
      check(dims, values.length);
      if (!type.isInteger()) {
        throw new IllegalArgumentException("value: type=%s; need one of integers".formatted(type));
      }
    }
  }

  private static void check(Dims dims, int count) {
    if (dims.count() != count) {
      throw new IllegalArgumentException(
          "value: dims=%s, %d values; need %d".formatted(dims, count, dims.count()));
    }
  }

  /**
   * Floats on the host.
   *
   * @param dims the dimensions
   * @param values the last dimension contiguous, copied
   * @return the value
   */
  static Value of(Dims dims, float... values) {
    return new Reals(dims, values.clone());
  }

  /**
   * Integers of 64 bits.
   *
   * @param dims the dimensions; none for a scalar
   * @param values the last dimension contiguous, copied
   * @return the value
   */
  static Value of(Dims dims, long... values) {
    return new Integers(ElementType.INT64, dims, values.clone());
  }

  /**
   * A tensor: features × batch × time is {@code [time, batch, features]}.
   *
   * @param tensor on a tape
   * @return the value
   */
  static Value of(Tensor tensor) {
    return new OnTape(Dims.of(tensor.shape()), tensor);
  }

  /**
   * The values as floats.
   *
   * @return a copy, the last dimension contiguous
   * @throws IllegalStateException if the tape was cleared or closed since
   */
  default float[] floats() {
    return switch (this) {
      case OnTape on -> on.tensor().toArray();
      case Reals reals -> reals.values.clone();
      case Integers integers -> {
        float[] floats = new float[integers.values.length];
        for (int i = 0; i < floats.length; i++) {
          floats[i] = integers.values[i];
        }
        yield floats;
      }
    };
  }

  /**
   * The values as integers.
   *
   * @return a copy, the last dimension contiguous
   * @throws IllegalStateException if these are floats
   */
  default long[] integers() {
    if (this instanceof Integers integers) {
      return integers.values.clone();
    }
    throw new IllegalStateException("value: %s are floats; call floats()".formatted(dims()));
  }

  /**
   * The tensor of floats on a device.
   *
   * @return of the shape {@link Dims#shape}, owned by its tape
   * @throws IllegalStateException if the values are on the host
   */
  default Tensor tensor() {
    throw new IllegalStateException(
        "value: %s are on the host; call floats() or integers()".formatted(dims()));
  }
}
