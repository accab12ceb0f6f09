package io.recur.nn;

import io.recur.device.Dimension;
import io.recur.grad.Concat;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import java.util.List;

/**
 * How a {@link Network} makes one tensor of several.
 *
 * <pre>{@code
 * Network.Node sum = Network.join("sum", Join.ADD, "left", "right");
 * }</pre>
 */
public enum Join {
  /** Their sum. */
  ADD,
  /** The first of two less the second. */
  SUBTRACT,
  /** Their product, value by value. */
  MULTIPLY,
  /** Their sum divided by their number. */
  MEAN,
  /** The largest of the values at a place. */
  MAXIMUM,
  /** The smallest of the values at a place. */
  MINIMUM,
  /** The rows of one below those of the one before. */
  CONCATENATE,
  /** The steps of one after those of the one before. */
  CONCATENATE_TIME,
  /** The sum over the rows of the product of two: one row. */
  DOT;

  /** Whether it takes two tensors alone. */
  boolean isOfTwo() {
    return this == SUBTRACT || this == DOT;
  }

  /** Joins tensors of one size; concatenation needs as many columns alone. */
  Tensor of(String where, List<Tensor> parts) {
    if (this == CONCATENATE) {
      return Concat.rows(parts.toArray(Tensor[]::new));
    }
    if (this == CONCATENATE_TIME) {
      return Concat.time(parts);
    }
    Tensor result = parts.getFirst();
    for (Tensor part : parts.subList(1, parts.size())) {
      if (!part.shape().equals(result.shape())) {
        throw new ShapeException(
            "%s: %s of %s and %s; need equal shapes"
                .formatted(where, this, result.shape(), part.shape()));
      }
      result =
          switch (this) {
            case SUBTRACT -> result.sub(part);
            case MULTIPLY, DOT -> result.mul(part);
            case MAXIMUM -> result.maximum(part);
            case MINIMUM -> result.minimum(part);
            default -> result.add(part);
          };
    }
    return switch (this) {
      case MEAN -> result.scale(1f / parts.size());
      case DOT -> result.sum(Dimension.ROWS);
      default -> result;
    };
  }
}
