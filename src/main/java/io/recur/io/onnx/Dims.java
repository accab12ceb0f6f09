package io.recur.io.onnx;

import io.recur.grad.Shape;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The sizes of a value of ONNX, of any rank, the last dimension contiguous (row-major).
 *
 * <p>Row-major {@code [time, batch, features]} has the bytes of Recur's features × batch × time,
 * and {@code [batch, features]} those of features × batch. Of more dimensions than three, the first
 * ones count as time.
 *
 * <pre>{@code
 * Dims dims = Dims.of(7, 2, 3);
 * Shape shape = dims.shape();                           // 3×2×7
 * }</pre>
 */
public final class Dims {
  private static final Dims SCALAR = new Dims();

  private final int[] sizes;
  private final int count;

  private Dims(int... sizes) {
    double product = 1; // a long might overflow
    for (int size : sizes) {
      if (size < 0) {
        throw new IllegalArgumentException(
            "dims: %s; need sizes of 0 or more".formatted(Arrays.toString(sizes)));
      }
      product *= size;
    }
    if (product > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "dims: %s are %.0f values; at most %d"
              .formatted(Arrays.toString(sizes), product, Integer.MAX_VALUE));
    }
    this.sizes = sizes;
    this.count = (int) product;
  }

  /**
   * Dimensions of these sizes.
   *
   * @param sizes each 0 or more; none for a scalar
   * @return the dimensions
   * @throws IllegalArgumentException if one is negative, or they count more than 2³¹ − 1 values
   */
  public static Dims of(int... sizes) {
    return sizes.length == 0 ? SCALAR : new Dims(sizes.clone());
  }

  /**
   * The dimensions of a tensor of Recur: features × batch × time is {@code [time, batch,
   * features]}.
   *
   * @param shape of a tensor
   * @return as many dimensions as its rank, in reverse order
   */
  public static Dims of(Shape shape) {
    return switch (shape.rank()) {
      case 1 -> new Dims(shape.rows());
      case 2 -> new Dims(shape.batch(), shape.rows());
      default -> new Dims(shape.time(), shape.batch(), shape.rows());
    };
  }

  /** {@return the number of dimensions} */
  public int rank() {
    return sizes.length;
  }

  /**
   * The size of a dimension.
   *
   * @param axis 0 ≤ axis &lt; rank
   * @return the size
   * @throws IndexOutOfBoundsException if there is no such dimension
   */
  public int size(int axis) {
    if (axis < 0 || axis >= sizes.length) {
      throw new IndexOutOfBoundsException(
          "dims: axis=%d of %s; need 0 ≤ axis < %d".formatted(axis, this, sizes.length));
    }
    return sizes[axis];
  }

  /** {@return a copy of the sizes} */
  public int[] sizes() {
    return sizes.clone();
  }

  /** {@return the number of values} */
  public int count() {
    return count;
  }

  /**
   * The shape of a tensor of the same bytes: the last dimension is its features, the one before its
   * batch, the product of the others its time.
   *
   * @return of rank 1 for a scalar or a vector, 2 for a matrix, else 3
   * @throws io.recur.grad.ShapeException if a size is 0
   */
  public Shape shape() {
    int rank = sizes.length;
    return switch (rank) {
      case 0 -> Shape.of(1);
      case 1 -> Shape.of(sizes[0]);
      case 2 -> Shape.of(sizes[1], sizes[0]);
      default -> Shape.of(sizes[rank - 1], sizes[rank - 2], product(0, rank - 2));
    };
  }

  /** The product of the sizes of some dimensions. */
  int product(int from, int to) {
    int product = 1;
    for (int axis = from; axis < to; axis++) {
      product *= sizes[axis];
    }
    return product;
  }

  /** The values from one index of a dimension to the next. */
  int stride(int axis) {
    return product(axis + 1, sizes.length);
  }

  /**
   * The number of a dimension that may be counted from the last one.
   *
   * @param axis −rank ≤ axis &lt; rank
   * @return 0 ≤ axis &lt; rank
   * @throws IllegalArgumentException if there is no such dimension
   */
  int axis(long axis) {
    if (axis < -sizes.length || axis >= sizes.length) {
      throw new IllegalArgumentException(
          "axis=%d of %s; need -%d ≤ axis < %d".formatted(axis, this, sizes.length, sizes.length));
    }
    return (int) (axis < 0 ? axis + sizes.length : axis);
  }

  /** The same with another size in one dimension. */
  Dims with(int axis, int size) {
    int[] other = sizes.clone();
    other[axis] = size;
    return new Dims(other);
  }

  /** The same with a further dimension before that of this number. */
  Dims insert(int axis, int size) {
    int[] other = new int[sizes.length + 1];
    System.arraycopy(sizes, 0, other, 0, axis);
    other[axis] = size;
    System.arraycopy(sizes, axis, other, axis + 1, sizes.length - axis);
    return new Dims(other);
  }

  /** The same without one dimension. */
  Dims without(int axis) {
    return new Dims(
        IntStream.range(0, sizes.length).filter(i -> i != axis).map(i -> sizes[i]).toArray());
  }

  /** The dimensions in another order: dimension i of the result is {@code order[i]} of this. */
  Dims permute(int... order) {
    return new Dims(Arrays.stream(order).map(i -> sizes[i]).toArray());
  }

  /**
   * The dimensions of both, where those of size 1 are repeated, aligned at the last ones.
   *
   * @throws IllegalArgumentException if two sizes differ and neither is 1
   */
  Dims broadcast(Dims other) {
    int rank = Math.max(sizes.length, other.sizes.length);
    int[] both = new int[rank];
    for (int i = 0; i < rank; i++) {
      int mine = i - (rank - sizes.length) < 0 ? 1 : sizes[i - (rank - sizes.length)];
      int its =
          i - (rank - other.sizes.length) < 0 ? 1 : other.sizes[i - (rank - other.sizes.length)];
      if (mine != its && mine != 1 && its != 1) {
        throw new IllegalArgumentException(
            "dims %s and %s; need equal sizes, or 1, at each dimension from the last"
                .formatted(this, other));
      }
      both[i] = mine == 1 ? its : mine;
    }
    return new Dims(both);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Dims dims && Arrays.equals(sizes, dims.sizes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(sizes);
  }

  /** {@return the sizes in brackets, such as {@code [7, 2, 3]}} */
  @Override
  public String toString() {
    return Arrays.stream(sizes)
        .mapToObj(Integer::toString)
        .collect(Collectors.joining(", ", "[", "]"));
  }
}
