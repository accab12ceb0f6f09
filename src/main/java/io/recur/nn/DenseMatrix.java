package io.recur.nn;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;

/** A matrix that stores all its values, column-major. */
final class DenseMatrix extends Matrix {
  DenseMatrix(Parameter values) {
    super(values.shape().rows(), values.shape().columns(), values);
  }

  @Override
  public Tensor times(Tensor x) {
    return values().matmul(x);
  }

  @Override
  public String kind() {
    return "";
  }
}
