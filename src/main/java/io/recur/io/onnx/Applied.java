package io.recur.io.onnx;

import io.recur.grad.Padded;
import io.recur.grad.Tensor;
import io.recur.nn.Layer;
import java.util.function.UnaryOperator;

/**
 * A function of each column as a layer.
 *
 * @param label as a model prints it
 * @param function of features × columns
 */
record Applied(String label, UnaryOperator<Tensor> function) implements Layer {
  @Override
  public Tensor apply(Tensor x) {
    return function.apply(x);
  }

  @Override
  public Padded apply(Padded x) {
    return x.map(function);
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    return label;
  }
}
