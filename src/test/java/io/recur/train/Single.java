package io.recur.train;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import io.recur.nn.Layer;
import java.util.List;

/** A model of bare parameters, for tests of what trains them. */
record Single(List<Parameter> own) implements Layer {
  Single(Parameter... parameters) {
    this(List.of(parameters));
  }

  @Override
  public Tensor apply(Tensor x) {
    return own.get(0).mul(x);
  }

  float[] values(int i) {
    return own.get(i).toArray();
  }
}
