package io.recur.cli;

import io.recur.grad.Tensor;
import io.recur.nn.Layer;
import java.util.List;

/**
 * A model of which whoever serves it says that no column of a batch depends on the others. A graph
 * of ONNX that is no chain of layers does not tell.
 *
 * @param inner the model
 */
record Independent(Layer inner) implements Layer {
  @Override
  public Tensor apply(Tensor x) {
    return inner.apply(x);
  }

  @Override
  public List<Layer> layers() {
    return List.of(inner);
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public Layer fork(Fork fork) {
    return new Independent(fork.of(inner));
  }
}
