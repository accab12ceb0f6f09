package io.recur.nn;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;

/** A cell that a user writes as a function of one state and x. */
record FunctionCell(StepFunction function, Parameter initial, List<Parameter> weights)
    implements Cell {
  @Override
  public Step step(State state, Tensor x) {
    return function.step(state.on(x.tape()).h(), x);
  }

  @Override
  public List<Parameter> state0() {
    return List.of(initial);
  }

  @Override
  public List<Parameter> parameters() {
    List<Parameter> all = new ArrayList<>(weights);
    all.add(initial);
    return all;
  }

  @Override
  public String toString() {
    return "function, state " + initial.shape();
  }
}
